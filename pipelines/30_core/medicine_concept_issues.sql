-- Meaning: how often a listed kind of medicine was issued to a person, ever and in the last 12 months.
-- Grain:   one row per person, list and concept of which a product was issued before as_of.
-- Missing: no row means never issued; whether the feed covers the window is said by practice_coverage.
-- Source:  RULES, Time; dm+d product codes stand in the code lists as snomed codes.
SELECT gp_medications.person
     , codelist.list
     , codelist.concept
     , MIN(gp_medications.issue_date) AS first_issue_date
     , MAX(gp_medications.issue_date) AS last_issue_date
     , CAST(COUNT(*) AS INTEGER) AS issues_ever
     , CAST(SUM(CASE WHEN gp_medications.issue_date >= run.start_12m THEN 1 ELSE 0 END) AS INTEGER)
       AS issues_12m
FROM gp_medications
JOIN codelist
  ON codelist.code_system = 'snomed'
 AND codelist.code = gp_medications.dmd_code
JOIN people
  ON people.person = gp_medications.person
CROSS JOIN run
WHERE gp_medications.issue_date < run.as_of
  AND gp_medications.issue_date >= people.date_of_birth
GROUP BY gp_medications.person
       , codelist.list
       , codelist.concept
