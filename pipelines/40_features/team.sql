-- Meaning: whether a community team has the person on its open caseload, since when, and the case manager.
-- Grain:   one row per person.
-- Missing: NULL where community_caseload is absent; case_manager is also NULL where the team names none.
-- Source:  Project rule: a caseload row is open on as_of when it began before as_of and has not ended before
--          it; of several the latest wins, then the first team name.
WITH open_caseload AS (
    SELECT community_caseload.person
         , community_caseload.case_manager
         , community_caseload.from_date
    FROM community_caseload
    JOIN people
      ON people.person = community_caseload.person
    CROSS JOIN run
    WHERE community_caseload.from_date < run.as_of
      AND (community_caseload.to_date IS NULL OR community_caseload.to_date >= run.as_of)
      AND community_caseload.from_date >= people.date_of_birth
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY community_caseload.person
                ORDER BY community_caseload.from_date DESC
                       , community_caseload.team
                       , community_caseload.case_manager NULLS LAST
            ) = 1
)
SELECT people.person
     , open_caseload.case_manager
     , open_caseload.from_date AS on_caseload_since
     , CASE WHEN extract_coverage.is_present THEN open_caseload.person IS NOT NULL END AS is_known_to_team
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'community_caseload'
LEFT JOIN open_caseload
  ON open_caseload.person = people.person
