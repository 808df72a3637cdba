-- Meaning: every diagnosis of every counted provider spell, its ICD-10 code normalised once and for all.
-- Grain:   one row per episode and diagnosis position that holds a code.
-- Missing: an empty position has no row; icd10 is NULL where a position holds nothing but punctuation.
-- Source:  RULES, Acute: upper case; no dot, dash or space; the dagger or asterisk letter in position 5 and
--          the filler X in position 4 dropped.
WITH spell_diagnoses AS (
    SELECT spell_episodes.person, spell_episodes.spell_key, acute_episodes.episode_id
         , acute_episodes.diagnosis_01
         , acute_episodes.diagnosis_02
         , acute_episodes.diagnosis_03
         , acute_episodes.diagnosis_04
         , acute_episodes.diagnosis_05
         , acute_episodes.diagnosis_06
         , acute_episodes.diagnosis_07
         , acute_episodes.diagnosis_08
         , acute_episodes.diagnosis_09
         , acute_episodes.diagnosis_10
         , acute_episodes.diagnosis_11
         , acute_episodes.diagnosis_12
         , acute_episodes.diagnosis_13
         , acute_episodes.diagnosis_14
         , acute_episodes.diagnosis_15
         , acute_episodes.diagnosis_16
         , acute_episodes.diagnosis_17
         , acute_episodes.diagnosis_18
         , acute_episodes.diagnosis_19
         , acute_episodes.diagnosis_20
    FROM acute_episodes
    JOIN spell_episodes
      ON spell_episodes.episode_id = acute_episodes.episode_id
), positions AS (
    SELECT person, spell_key, episode_id, 1 AS diagnosis_position, diagnosis_01 AS recorded
    FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 2, diagnosis_02 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 3, diagnosis_03 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 4, diagnosis_04 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 5, diagnosis_05 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 6, diagnosis_06 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 7, diagnosis_07 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 8, diagnosis_08 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 9, diagnosis_09 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 10, diagnosis_10 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 11, diagnosis_11 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 12, diagnosis_12 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 13, diagnosis_13 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 14, diagnosis_14 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 15, diagnosis_15 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 16, diagnosis_16 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 17, diagnosis_17 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 18, diagnosis_18 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 19, diagnosis_19 FROM spell_diagnoses
    UNION ALL
    SELECT person, spell_key, episode_id, 20, diagnosis_20 FROM spell_diagnoses
), plain AS (
    SELECT person, spell_key, episode_id, diagnosis_position
         , UPPER(REPLACE(REPLACE(REPLACE(recorded, '.', ''), '-', ''), ' ', '')) AS code
    FROM positions
    WHERE recorded IS NOT NULL
), unmarked AS (
    SELECT person, spell_key, episode_id, diagnosis_position
         , CASE WHEN SUBSTRING(code, 5, 1) IN ('D', 'A')
                THEN SUBSTRING(code, 1, 4) || SUBSTRING(code, 6) ELSE code END AS code
    FROM plain
)
SELECT person
     , spell_key
     , episode_id
     , diagnosis_position
     , NULLIF(CASE WHEN SUBSTRING(code, 4, 1) = 'X'
                   THEN SUBSTRING(code, 1, 3) || SUBSTRING(code, 5) ELSE code END, '') AS icd10
FROM unmarked
