-- Meaning: how many different medicines were issued to a person in the 12 months before as_of.
-- Grain:   one row per person of the population.
-- Missing: NULL where the practice's medicines feed does not cover the window, else 0 for none.
-- Source:  RULES, Frailty (polypharmacy) and Time; a medicine is a distinct dm+d product code.
WITH recent_issues AS (
    SELECT gp_medications.person
         , COUNT(DISTINCT gp_medications.dmd_code) AS medicines
         , MIN(gp_medications.issue_date) AS first_issue_date
    FROM gp_medications
    JOIN people
      ON people.person = gp_medications.person
    CROSS JOIN run
    WHERE gp_medications.issue_date >= run.start_12m
      AND gp_medications.issue_date < run.as_of
      AND gp_medications.issue_date >= people.date_of_birth
    GROUP BY gp_medications.person
)
SELECT people.person
     , CASE WHEN practice_coverage.medications_cover_12m
            THEN CAST(COALESCE(recent_issues.medicines, 0) AS INTEGER) END AS medicines_12m
     , recent_issues.first_issue_date
FROM people
JOIN practice_coverage
  ON practice_coverage.practice_code = people.practice_code
LEFT JOIN recent_issues
  ON recent_issues.person = people.person
