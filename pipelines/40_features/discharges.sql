-- Meaning: whether an unplanned stay in hospital ended in the 14 days before as_of.
-- Grain:   one row per person.
-- Missing: TRUE for a stay that is known, else FALSE where acute_episodes covers the 90 days before as_of (the
--          shortest window of run_windows), else NULL. The days of a month that is not over are not judged.
-- Source:  RULES, Acute: an unplanned CIPS ends when its last spell does, so a transfer is no discharge. Project
--          rule: at least one night, as days in and out of hospital are no stay to come home from.
WITH ended AS (
    SELECT DISTINCT cips.person
    FROM cips
    CROSS JOIN run
    WHERE cips.is_unplanned
      AND cips.discharge_date > cips.admission_date
      AND date_diff('day', cips.discharge_date, run.as_of) BETWEEN 1 AND 14
)
SELECT people.person
     , CASE WHEN ended.person IS NOT NULL THEN TRUE
            WHEN extract_coverage.covers_90d THEN FALSE
       END AS unplanned_discharge_14d
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_episodes'
LEFT JOIN ended
  ON ended.person = people.person
