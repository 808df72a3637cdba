-- Meaning: contacts of other agencies with a person in the last 12 months and 90 days, and of how many agencies.
-- Grain:   one row per person.  Missing: 0 for none; NULL where agency_contacts is absent.
-- Source:  RULES, Time; the extract names no provider, so it has no calendar of silent months.
WITH recent AS (
    SELECT agency_contacts.person
         , COUNT(DISTINCT CASE WHEN agency_contacts.contact_date >= run.start_90d
                               THEN agency_contacts.agency END) AS agencies_90d
         , SUM(CASE WHEN agency_contacts.contact_date >= run.start_90d THEN 1 ELSE 0 END) AS contacts_90d
         , COUNT(*) AS contacts_12m
    FROM agency_contacts
    JOIN people
      ON people.person = agency_contacts.person
    CROSS JOIN run
    WHERE agency_contacts.contact_date >= run.start_12m
      AND agency_contacts.contact_date < run.as_of
      AND agency_contacts.contact_date >= people.date_of_birth
    GROUP BY agency_contacts.person
)
SELECT people.person
     , CASE WHEN extract_coverage.is_present
            THEN CAST(COALESCE(recent.agencies_90d, 0) AS INTEGER) END AS agencies_90d
     , CASE WHEN extract_coverage.is_present
            THEN CAST(COALESCE(recent.contacts_90d, 0) AS INTEGER) END AS agency_contacts_90d
     , CASE WHEN extract_coverage.is_present
            THEN CAST(COALESCE(recent.contacts_12m, 0) AS INTEGER) END AS agency_contacts_12m
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'agency_contacts'
LEFT JOIN recent
  ON recent.person = people.person
