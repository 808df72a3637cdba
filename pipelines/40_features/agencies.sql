-- Meaning: how many different agencies were in contact with a person in the last 90 days.
-- Grain:   one row per person.  Missing: 0 for none; NULL where agency_contacts is absent.
-- Source:  RULES, Time; the extract names no provider, so it has no calendar of silent months.
WITH recent AS (
    SELECT agency_contacts.person
         , COUNT(DISTINCT agency_contacts.agency) AS agency_count
    FROM agency_contacts
    JOIN people
      ON people.person = agency_contacts.person
    CROSS JOIN run
    WHERE agency_contacts.contact_date >= run.start_90d
      AND agency_contacts.contact_date < run.as_of
      AND agency_contacts.contact_date >= people.date_of_birth
    GROUP BY agency_contacts.person
)
SELECT people.person
     , CASE WHEN extract_coverage.is_present
            THEN CAST(COALESCE(recent.agency_count, 0) AS INTEGER) END AS agencies_90d
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'agency_contacts'
LEFT JOIN recent
  ON recent.person = people.person
