-- Meaning: attended community contacts in the last 12 months, and the latest one ever.
-- Grain:   one row per person.
-- Missing: the count is 0 where community_contacts covers the window, else NULL; the date is NULL for
--          people without an attended contact.
-- Source:  RULES, Acute; NHS Data Dictionary, attended or did not attend code.
WITH attended AS (
    SELECT community_contacts.person
         , MAX(community_contacts.contact_date) AS last_contact_date
         , SUM(CASE WHEN community_contacts.contact_date >= run.start_12m THEN 1 ELSE 0 END) AS in_12m
    FROM community_contacts
    JOIN people
      ON people.person = community_contacts.person
    JOIN reference_attendance_statuses AS attendance_statuses
      ON attendance_statuses.attendance_status = community_contacts.attendance_status
     AND attendance_statuses.is_attended
    CROSS JOIN run
    WHERE community_contacts.contact_date < run.as_of
      AND community_contacts.contact_date >= people.date_of_birth
    GROUP BY community_contacts.person
)
SELECT people.person
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(attended.in_12m, 0) AS INTEGER) END AS community_contacts_12m
     , attended.last_contact_date AS last_community_contact_date
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'community_contacts'
LEFT JOIN attended
  ON attended.person = people.person
