-- Meaning: continuous inpatient spells: one illness, one row, however many hospitals passed it on.
-- Grain:   one row per person and CIPS.
-- Missing: discharge_date is NULL while the last spell is open; days_since_previous_cips is NULL for the
--          first CIPS and after an open one, negative when it overlaps the previous CIPS.
-- Source:  RULES, Acute. The first spell says how it began, its first episode what for, the last spell when
--          it ended; an admission method that config/reference/admission_methods.csv lacks is not unplanned.
WITH ends AS (
    SELECT cips_spells.person
         , cips_spells.cips
         , MIN(cips_spells.spell_number) AS first_spell_number
         , MAX(cips_spells.spell_number) AS last_spell_number
         , COUNT(*) AS spell_count
    FROM cips_spells
    GROUP BY cips_spells.person
           , cips_spells.cips
), continuous AS (
    SELECT ends.person
         , ends.cips
         , ends.spell_count
         , first_spell.first_episode_id
         , first_spell.admission_date
         , first_spell.admission_method
         , last_spell.discharge_date
         , LAG(last_spell.discharge_date) OVER (
               PARTITION BY ends.person ORDER BY ends.cips
           ) AS previous_discharge_date
    FROM ends
    JOIN provider_spells AS first_spell
      ON first_spell.person = ends.person
     AND first_spell.spell_number = ends.first_spell_number
    JOIN provider_spells AS last_spell
      ON last_spell.person = ends.person
     AND last_spell.spell_number = ends.last_spell_number
)
SELECT continuous.person
     , continuous.cips
     , CAST(continuous.spell_count AS INTEGER) AS spell_count
     , continuous.first_episode_id
     , continuous.admission_date
     , continuous.discharge_date
     , continuous.admission_method
     , COALESCE(methods.is_unplanned, FALSE) AS is_unplanned
     , primary_diagnosis.icd10 AS primary_icd10
     , CAST(date_diff('day', continuous.previous_discharge_date, continuous.admission_date) AS INTEGER)
       AS days_since_previous_cips
FROM continuous
LEFT JOIN reference_admission_methods AS methods
  ON methods.admission_method = continuous.admission_method
LEFT JOIN diagnoses AS primary_diagnosis
  ON primary_diagnosis.episode_id = continuous.first_episode_id
 AND primary_diagnosis.diagnosis_position = 1
