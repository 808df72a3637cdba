-- Meaning: contacts that nobody had planned in the last 90 days, and what is usual for the same person: those
--          of the rest of the last 12 months, per 90 days.
-- Grain:   one row per person.
-- Missing: 0 for none; NULL where an extract that config/reference/unscheduled_contacts.csv names is absent, does
--          not cover the window (12 months for what is usual), or is none that 30_core/unscheduled_contacts.sql
--          counts. What is usual is NULL too for people whose registration began after the 12 months did: what
--          they did before it lies with another practice, or they did not live yet.
-- Source:  30_core/unscheduled_contacts.sql; RULES, Unknown is not zero: hospitals for everyone, GP contacts for
--          the people of a practice; agencies have no calendar of silent months.
WITH listed_extracts AS (
    SELECT DISTINCT listed_contacts.extract
    FROM reference_unscheduled_contacts AS listed_contacts
), counted_extracts AS (
    SELECT practice_coverage.practice_code
         , extract_coverage.extract
         , CASE WHEN extract_coverage.extract = 'gp_contacts' THEN practice_coverage.contacts_cover_90d
                ELSE extract_coverage.covers_90d END AS covers_90d
         , CASE WHEN extract_coverage.extract = 'gp_contacts' THEN practice_coverage.contacts_cover_12m
                ELSE extract_coverage.covers_12m END AS covers_12m
    FROM practice_coverage
    CROSS JOIN extract_coverage
    WHERE extract_coverage.extract IN ('acute_attendances', 'gp_contacts', 'agency_contacts')
), coverage AS (
    SELECT practice_coverage.practice_code
         , SUM(CASE WHEN counted_extracts.covers_90d THEN 0 ELSE 1 END) = 0 AS covers_90d
         , SUM(CASE WHEN counted_extracts.covers_12m THEN 0 ELSE 1 END) = 0 AS covers_12m
    FROM practice_coverage
    CROSS JOIN listed_extracts
    LEFT JOIN counted_extracts
      ON counted_extracts.practice_code = practice_coverage.practice_code
     AND counted_extracts.extract = listed_extracts.extract
    GROUP BY practice_coverage.practice_code
), counted AS (
    SELECT unscheduled_contacts.person
         , SUM(CASE WHEN unscheduled_contacts.contact_date >= run.start_90d THEN 1 ELSE 0 END) AS in_90d
         , SUM(CASE WHEN unscheduled_contacts.contact_date < run.start_90d THEN 1 ELSE 0 END) AS earlier
    FROM unscheduled_contacts
    CROSS JOIN run
    GROUP BY unscheduled_contacts.person
)
SELECT people.person
     , CASE WHEN coverage.covers_90d
            THEN CAST(COALESCE(counted.in_90d, 0) AS INTEGER) END AS unscheduled_contacts_90d
     , CASE WHEN coverage.covers_12m
             AND registrations.registered_from <= run.start_12m
            THEN ROUND(CAST(COALESCE(counted.earlier, 0) * 90.0 AS DOUBLE)
                       / CAST(date_diff('day', run.start_12m, run.start_90d) AS DOUBLE), 4)
       END AS unscheduled_contacts_usual_90d
FROM people
JOIN registrations
  ON registrations.person = people.person
CROSS JOIN run
LEFT JOIN coverage
  ON coverage.practice_code = people.practice_code
LEFT JOIN counted
  ON counted.person = people.person
