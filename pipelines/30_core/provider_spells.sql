-- Meaning: stays with one provider, in the order in which everything about in-patients is judged.
-- Grain:   one row per person and provider spell; spell_number counts a person's spells from 1.
-- Missing: discharge fields are NULL while a spell is open, also when the discharge is on or after as_of.
-- Source:  RULES, Acute: admission fields come from the first episode, discharge fields from the last;
--          the order is admission, discharge (open last), id. Regular day and night attenders are marked:
--          they are no in-patients and join no continuous spell, but their diagnoses are diagnoses.
WITH whole_spells AS (
    SELECT spell_episodes.person
         , spell_episodes.spell_key
         , MAX(spell_episodes.provider_code) AS provider_code
         , MAX(spell_episodes.spell_id) AS spell_id
         , MAX(spell_episodes.spell_episode_count) AS episode_count
         , MAX(CASE WHEN spell_episodes.episode_order = 1
                    THEN spell_episodes.episode_id END) AS first_episode_id
         , MAX(CASE WHEN spell_episodes.episode_order = 1
                    THEN spell_episodes.admission_date END) AS admission_date
         , MAX(CASE WHEN spell_episodes.episode_order = 1
                    THEN spell_episodes.admission_method END) AS admission_method
         , MAX(CASE WHEN spell_episodes.episode_order = 1
                    THEN spell_episodes.source_of_admission END) AS source_of_admission
         , MAX(CASE WHEN spell_episodes.episode_order = 1
                    THEN spell_episodes.patient_classification END) AS patient_classification
         , MAX(CASE WHEN spell_episodes.episode_order = spell_episodes.spell_episode_count
                    THEN spell_episodes.discharge_date END) AS discharge_date
         , MAX(CASE WHEN spell_episodes.episode_order = spell_episodes.spell_episode_count
                    THEN spell_episodes.discharge_method END) AS discharge_method
         , MAX(CASE WHEN spell_episodes.episode_order = spell_episodes.spell_episode_count
                    THEN spell_episodes.discharge_destination END) AS discharge_destination
    FROM spell_episodes
    GROUP BY spell_episodes.person
           , spell_episodes.spell_key
), known_spells AS (
    SELECT whole_spells.person
         , whole_spells.spell_key
         , whole_spells.provider_code
         , whole_spells.spell_id
         , whole_spells.episode_count
         , whole_spells.first_episode_id
         , whole_spells.admission_date
         , whole_spells.admission_method
         , whole_spells.source_of_admission
         , whole_spells.patient_classification
         , COALESCE(classifications.is_regular_attender, FALSE) AS is_regular_attender
         , CASE WHEN whole_spells.discharge_date < run.as_of
                THEN whole_spells.discharge_date END AS discharge_date
         , CASE WHEN whole_spells.discharge_date < run.as_of
                THEN whole_spells.discharge_method END AS discharge_method
         , CASE WHEN whole_spells.discharge_date < run.as_of
                THEN whole_spells.discharge_destination END AS discharge_destination
    FROM whole_spells
    CROSS JOIN run
    LEFT JOIN reference_patient_classifications AS classifications
      ON classifications.patient_classification = whole_spells.patient_classification
)
SELECT known_spells.person
     , known_spells.spell_key
     , CAST(ROW_NUMBER() OVER (
           PARTITION BY known_spells.person
           ORDER BY known_spells.admission_date
                  , known_spells.discharge_date NULLS LAST
                  , COALESCE(known_spells.spell_id, '')
                  , known_spells.provider_code
       ) AS INTEGER) AS spell_number
     , known_spells.provider_code
     , known_spells.spell_id
     , known_spells.episode_count
     , known_spells.first_episode_id
     , known_spells.admission_date
     , known_spells.discharge_date
     , known_spells.admission_method
     , known_spells.source_of_admission
     , known_spells.patient_classification
     , known_spells.is_regular_attender
     , known_spells.discharge_method
     , known_spells.discharge_destination
FROM known_spells
