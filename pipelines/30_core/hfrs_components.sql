-- Meaning: the diagnoses that make up a person's Hospital Frailty Risk Score.
-- Grain:   one row per person and 3-character ICD-10 code; each code counts once.
-- Missing: no row means no scoring diagnosis in an unplanned CIPS of the previous 24 months.
-- Source:  Gilbert 2018, 10.1016/S0140-6736(18)30668-8; RULES, Frailty: every diagnosis position, every
--          spell of the CIPS. Points are kept in integer tenths. The record is the first of the code.
SELECT diagnoses.person
     , hfrs_weights.icd10_3char
     , CAST(ROUND(hfrs_weights.points * 10.0) AS INTEGER) AS point_tenths
     , cips.admission_date AS first_admission_date
     , diagnoses.episode_id
     , diagnoses.icd10
FROM cips
JOIN cips_spells
  ON cips_spells.person = cips.person
 AND cips_spells.cips = cips.cips
JOIN diagnoses
  ON diagnoses.person = cips_spells.person
 AND diagnoses.spell_key = cips_spells.spell_key
JOIN hfrs_weights
  ON hfrs_weights.icd10_3char = SUBSTRING(diagnoses.icd10, 1, 3)
CROSS JOIN run
WHERE cips.is_unplanned
  AND cips.admission_date >= run.start_24m
QUALIFY ROW_NUMBER() OVER (
            PARTITION BY diagnoses.person, hfrs_weights.icd10_3char
            ORDER BY cips.admission_date, diagnoses.episode_id, diagnoses.diagnosis_position
        ) = 1
