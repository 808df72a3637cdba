-- Meaning: the diagnoses behind a person's Hospital Frailty Risk Score, each as it was first recorded.
-- Grain:   one row per person and 3-character ICD-10 code.
-- Missing: no row means no scoring diagnosis in an unplanned CIPS of the previous 24 months.
-- Source:  30_core/hfrs_components.sql.
SELECT person_keys.person_id
     , hfrs_components.icd10_3char
     , CAST(hfrs_components.point_tenths AS DOUBLE) / 10.0 AS points
     , hfrs_components.icd10
     , hfrs_components.first_admission_date
     , hfrs_components.episode_id
FROM hfrs_components
JOIN person_keys
  ON person_keys.person = hfrs_components.person
