-- Meaning: Charlson comorbidity index of the previous 24 months.
-- Grain:   one row per person.
-- Missing: 0 for people without such diagnoses; NULL where acute_episodes does not cover 24 months.
-- Source:  Charlson 1987, 10.1016/0021-9681(87)90171-8, with the ICD-10 map of Quan 2005,
--          10.1097/01.mlr.0000182534.19832.83.
WITH totals AS (
    SELECT charlson_components.person
         , SUM(charlson_components.points) AS points
    FROM charlson_components
    GROUP BY charlson_components.person
)
SELECT people.person
     , CASE WHEN extract_coverage.covers_24m
            THEN CAST(COALESCE(totals.points, 0) AS INTEGER) END AS charlson
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_episodes'
LEFT JOIN totals
  ON totals.person = people.person
