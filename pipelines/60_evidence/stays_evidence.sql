-- Meaning: every hospital stay of a person, and why it counts as an unplanned admission or does not.
-- Grain:   one row per provider spell, and one per episode that belongs to no spell because it is not used.
-- Missing: cips is NULL for what joins no continuous spell; discharge fields are NULL while a stay is open.
-- Source:  RULES, Acute and Time; 30_core/provider_spells.sql, cips_spells.sql and cips.sql. A spell that
--          continues another is never a second admission.
WITH first_spells AS (
    SELECT cips_spells.person
         , cips_spells.cips
         , MIN(cips_spells.spell_number) AS spell_number
    FROM cips_spells
    GROUP BY cips_spells.person
           , cips_spells.cips
), spells AS (
    SELECT provider_spells.person
         , provider_spells.first_episode_id AS episode_id
         , provider_spells.provider_code
         , provider_spells.spell_id
         , provider_spells.admission_date
         , provider_spells.discharge_date
         , provider_spells.admission_method
         , provider_spells.patient_classification
         , cips_spells.cips
         , CASE WHEN provider_spells.is_regular_attender THEN 'regular attender'
                WHEN first_spells.spell_number < provider_spells.spell_number THEN 'transfer'
                WHEN NOT cips.is_unplanned THEN COALESCE(methods.kind, 'unknown admission method')
                WHEN cips.admission_date >= run.start_12m THEN 'counted'
                WHEN cips.admission_date >= run.start_24m THEN 'outside 12 months'
                ELSE 'outside 24 months'
           END AS verdict
         , COALESCE(cips.is_unplanned
                    AND cips.admission_date >= run.start_24m
                    AND first_spells.spell_number = provider_spells.spell_number, FALSE) AS is_counted_24m
         , acsc_admissions.concept AS acsc_condition
         , CASE WHEN first_spells.spell_number = provider_spells.spell_number
                THEN cips.days_since_previous_cips END AS days_since_previous_cips
    FROM provider_spells
    CROSS JOIN run
    LEFT JOIN cips_spells
      ON cips_spells.person = provider_spells.person
     AND cips_spells.spell_key = provider_spells.spell_key
    LEFT JOIN first_spells
      ON first_spells.person = cips_spells.person
     AND first_spells.cips = cips_spells.cips
    LEFT JOIN cips
      ON cips.person = cips_spells.person
     AND cips.cips = cips_spells.cips
    LEFT JOIN acsc_admissions
      ON acsc_admissions.person = cips_spells.person
     AND acsc_admissions.cips = cips_spells.cips
     AND first_spells.spell_number = provider_spells.spell_number
    LEFT JOIN reference_admission_methods AS methods
      ON methods.admission_method = provider_spells.admission_method
), unused AS (
    SELECT acute_episodes.person
         , acute_episodes.episode_id
         , acute_episodes.provider_code
         , acute_episodes.spell_id
         , acute_episodes.admission_date
         , CASE WHEN acute_episodes.discharge_date < run.as_of
                THEN acute_episodes.discharge_date END AS discharge_date
         , acute_episodes.admission_method
         , acute_episodes.patient_classification
         , CASE WHEN acute_episodes.admission_date < people.date_of_birth THEN 'before birth'
                WHEN acute_episodes.recorded_date >= run.as_of
                 AND acute_episodes.admission_date < run.as_of
                 AND acute_episodes.episode_start < run.as_of THEN 'recorded on or after as_of'
                ELSE 'on or after as_of'
           END AS verdict
    FROM acute_episodes
    JOIN people
      ON people.person = acute_episodes.person
    CROSS JOIN run
    LEFT JOIN spell_episodes
      ON spell_episodes.episode_id = acute_episodes.episode_id
    WHERE spell_episodes.episode_id IS NULL
), stays AS (
    SELECT person, episode_id, provider_code, spell_id, admission_date, discharge_date, admission_method
         , patient_classification, cips, verdict, is_counted_24m, acsc_condition, days_since_previous_cips
    FROM spells
    UNION ALL
    SELECT person, episode_id, provider_code, spell_id, admission_date, discharge_date, admission_method
         , patient_classification, NULL, verdict, FALSE, NULL, NULL
    FROM unused
)
SELECT person_keys.person_id
     , stays.admission_date
     , stays.discharge_date
     , stays.provider_code
     , stays.spell_id
     , stays.admission_method
     , stays.patient_classification
     , stays.cips
     , stays.verdict
     , stays.verdict = 'counted' AS is_counted_12m
     , stays.is_counted_24m
     , stays.acsc_condition
     , stays.days_since_previous_cips
     , stays.episode_id
FROM stays
JOIN person_keys
  ON person_keys.person = stays.person
