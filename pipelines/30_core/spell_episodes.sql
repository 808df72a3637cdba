-- Meaning: every usable consultant episode with the provider spell it belongs to and its place in it.
-- Grain:   one row per episode.  Missing: spell_id is NULL where the provider sends none. An admission method
--          in lower case (2a) is read as the national code it means; the contract warns about it.
-- Source:  RULES, Acute: a spell is the same person, provider and spell id, or without an id the same
--          person, provider and admission date. Episodes started, and were known, before as_of.
WITH usable_episodes AS (
    SELECT acute_episodes.person
         , acute_episodes.provider_code
         , acute_episodes.spell_id
         , acute_episodes.episode_id
         , acute_episodes.episode_number
         , acute_episodes.episode_start
         , acute_episodes.admission_date
         , CASE WHEN acute_episodes.spell_id IS NULL THEN acute_episodes.admission_date END AS spell_day
         , UPPER(acute_episodes.admission_method) AS admission_method
         , acute_episodes.source_of_admission
         , acute_episodes.patient_classification
         , acute_episodes.discharge_date
         , acute_episodes.discharge_method
         , acute_episodes.discharge_destination
    FROM acute_episodes
    JOIN people
      ON people.person = acute_episodes.person
    CROSS JOIN run
    WHERE acute_episodes.admission_date < run.as_of
      AND acute_episodes.episode_start < run.as_of
      AND (acute_episodes.recorded_date IS NULL OR acute_episodes.recorded_date < run.as_of)
      AND acute_episodes.admission_date >= people.date_of_birth
)
SELECT usable_episodes.person
     , FIRST_VALUE(usable_episodes.episode_id) OVER (
           PARTITION BY usable_episodes.person
                      , usable_episodes.provider_code
                      , usable_episodes.spell_id
                      , usable_episodes.spell_day
           ORDER BY usable_episodes.episode_number NULLS LAST
                  , usable_episodes.episode_start
                  , usable_episodes.episode_id
       ) AS spell_key
     , usable_episodes.provider_code
     , usable_episodes.spell_id
     , usable_episodes.episode_id
     , CAST(ROW_NUMBER() OVER (
           PARTITION BY usable_episodes.person
                      , usable_episodes.provider_code
                      , usable_episodes.spell_id
                      , usable_episodes.spell_day
           ORDER BY usable_episodes.episode_number NULLS LAST
                  , usable_episodes.episode_start
                  , usable_episodes.episode_id
       ) AS INTEGER) AS episode_order
     , CAST(COUNT(*) OVER (
           PARTITION BY usable_episodes.person
                      , usable_episodes.provider_code
                      , usable_episodes.spell_id
                      , usable_episodes.spell_day
       ) AS INTEGER) AS spell_episode_count
     , usable_episodes.admission_date
     , usable_episodes.admission_method
     , usable_episodes.source_of_admission
     , usable_episodes.patient_classification
     , usable_episodes.discharge_date
     , usable_episodes.discharge_method
     , usable_episodes.discharge_destination
FROM usable_episodes
