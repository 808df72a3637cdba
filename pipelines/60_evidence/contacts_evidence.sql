-- Meaning: contacts of the last 12 months with community services, the practice, other agencies and emergency
--          departments, and which of them nobody had planned.
-- Grain:   one row per contact; also the latest attended community contact where that is older.
-- Missing: no row means none. is_counted is FALSE for community contacts that did not take place.
-- Source:  RULES, Acute and Time; 30_core/unscheduled_contacts.sql; contact_id is the contact's or attendance's own.
WITH contacts AS (
    SELECT community_contacts.person
         , 'community_contacts' AS extract
         , community_contacts.contact_date
         , community_contacts.service_type AS contact_type
         , COALESCE(attendance_statuses.is_attended, FALSE) AS is_counted
         , community_contacts.contact_id
    FROM community_contacts
    LEFT JOIN reference_attendance_statuses AS attendance_statuses
      ON attendance_statuses.attendance_status = community_contacts.attendance_status
    UNION ALL
    SELECT gp_contacts.person
         , 'gp_contacts'
         , gp_contacts.contact_date
         , gp_contacts.contact_type
         , TRUE
         , gp_contacts.contact_id
    FROM gp_contacts
    UNION ALL
    SELECT agency_contacts.person
         , 'agency_contacts'
         , agency_contacts.contact_date
         , agency_contacts.agency
         , TRUE
         , agency_contacts.contact_id
    FROM agency_contacts
    UNION ALL
    SELECT first_attendances.person
         , 'acute_attendances'
         , first_attendances.arrival_date
         , 'emergency department'
         , TRUE
         , first_attendances.attendance_id
    FROM first_attendances
    WHERE NOT first_attendances.is_same_day_care
)
SELECT person_keys.person_id
     , contacts.contact_date
     , contacts.extract
     , contacts.contact_type
     , contacts.is_counted
     , unscheduled_contacts.contact_id IS NOT NULL AS is_unscheduled
     , contacts.contact_id
FROM contacts
JOIN people
  ON people.person = contacts.person
JOIN person_keys
  ON person_keys.person = people.person
JOIN community_activity
  ON community_activity.person = people.person
CROSS JOIN run
LEFT JOIN unscheduled_contacts
  ON unscheduled_contacts.extract = contacts.extract
 AND unscheduled_contacts.contact_id = contacts.contact_id
WHERE contacts.contact_date < run.as_of
  AND contacts.contact_date >= people.date_of_birth
  AND (contacts.contact_date >= run.start_12m
       OR (contacts.extract = 'community_contacts'
           AND contacts.is_counted
           AND contacts.contact_date = community_activity.last_community_contact_date))
