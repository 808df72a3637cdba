-- Meaning: the comorbidities that make up a person's Charlson index, the lesser of a pair left out.
-- Grain:   one row per person and category that scores.
-- Missing: no row means no such diagnosis in a provider spell admitted in the previous 24 months.
-- Source:  Charlson 1987, 10.1016/0021-9681(87)90171-8 (weights, hierarchies); Quan 2005,
--          10.1097/01.mlr.0000182534.19832.83 (ICD-10 map); config/reference/charlson_hierarchy.csv.
WITH recorded AS (
    SELECT diagnoses.person
         , diagnosis_concepts.concept
         , provider_spells.admission_date AS first_admission_date
         , diagnoses.episode_id
         , diagnoses.icd10
    FROM provider_spells
    JOIN diagnoses
      ON diagnoses.person = provider_spells.person
     AND diagnoses.spell_key = provider_spells.spell_key
    JOIN diagnosis_concepts
      ON diagnosis_concepts.icd10 = diagnoses.icd10
     AND diagnosis_concepts.list = 'charlson'
    CROSS JOIN run
    WHERE provider_spells.admission_date >= run.start_24m
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY diagnoses.person, diagnosis_concepts.concept
                ORDER BY provider_spells.admission_date, diagnoses.episode_id, diagnoses.diagnosis_position
            ) = 1
), outranked AS (
    SELECT DISTINCT recorded.person
         , hierarchy.loser_concept AS concept
    FROM recorded
    JOIN reference_charlson_hierarchy AS hierarchy
      ON hierarchy.winner_concept = recorded.concept
)
SELECT recorded.person
     , recorded.concept
     , CAST(score_points.points AS INTEGER) AS points
     , recorded.first_admission_date
     , recorded.episode_id
     , recorded.icd10
FROM recorded
JOIN score_points
  ON score_points.score = 'charlson'
 AND score_points.concept = recorded.concept
LEFT JOIN outranked
  ON outranked.person = recorded.person
 AND outranked.concept = recorded.concept
WHERE outranked.person IS NULL
