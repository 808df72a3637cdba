-- Meaning: the comorbidities behind a person's Charlson index, each as it was first recorded.
-- Grain:   one row per person and category that scores.
-- Missing: no row means no such diagnosis in a provider spell admitted in the previous 24 months.
-- Source:  30_core/charlson_components.sql.
SELECT person_keys.person_id
     , charlson_components.concept
     , charlson_components.points
     , charlson_components.icd10
     , charlson_components.first_admission_date
     , charlson_components.episode_id
FROM charlson_components
JOIN person_keys
  ON person_keys.person = charlson_components.person
