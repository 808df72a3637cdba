-- Meaning: Cambridge Multimorbidity Score, general-outcome weights.
-- Grain:   one row per person.
-- Missing: 0 for none of the 20 conditions; NULL where the practice's medicines or events do not cover the
--          last 12 months, because several conditions count only while treated or recently recorded.
-- Source:  Payne 2020, 10.1503/cmaj.190757. Points are summed in integer hundredths.
WITH totals AS (
    SELECT cambridge_components.person
         , SUM(CAST(ROUND(cambridge_components.points * 100.0) AS INTEGER)) AS hundredths
    FROM cambridge_components
    GROUP BY cambridge_components.person
)
SELECT people.person
     , CASE WHEN practice_coverage.medications_cover_12m AND practice_coverage.events_cover_12m
            THEN CAST(COALESCE(totals.hundredths, 0) AS DOUBLE) / 100.0 END AS cambridge_multimorbidity
FROM people
JOIN practice_coverage
  ON practice_coverage.practice_code = people.practice_code
LEFT JOIN totals
  ON totals.person = people.person
