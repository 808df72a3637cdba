-- Meaning: contacts that nobody had planned, in the last 12 months: emergency department attendances, and
--          contacts with the practice and with other agencies of the kinds that the site lists.
-- Grain:   one row per contact; contact_id is the attendance's or the contact's own.
-- Missing: no row means none; what is unknown is said by 40_features/unscheduled.sql.
-- Source:  config/reference/unscheduled_contacts.csv: kind is a contact_type or an agency, whatever its
--          capitals, and stands for all of the extract where it is empty. RULES, Acute and Time.
WITH listed AS (
    SELECT DISTINCT listed_contacts.extract
         , LOWER(TRIM(listed_contacts.kind)) AS kind
    FROM reference_unscheduled_contacts AS listed_contacts
), listed_extracts AS (
    SELECT DISTINCT listed.extract
    FROM listed
), contact_types AS (
    SELECT DISTINCT gp_contacts.contact_type
    FROM gp_contacts
), unscheduled_types AS (
    SELECT DISTINCT contact_types.contact_type
    FROM contact_types
    JOIN listed
      ON listed.extract = 'gp_contacts'
     AND (listed.kind IS NULL OR listed.kind = LOWER(TRIM(contact_types.contact_type)))
), agency_names AS (
    SELECT DISTINCT agency_contacts.agency
    FROM agency_contacts
), unscheduled_agencies AS (
    SELECT DISTINCT agency_names.agency
    FROM agency_names
    JOIN listed
      ON listed.extract = 'agency_contacts'
     AND (listed.kind IS NULL OR listed.kind = LOWER(TRIM(agency_names.agency)))
), contacts AS (
    SELECT listed_extracts.extract
         , first_attendances.person
         , first_attendances.arrival_date AS contact_date
         , first_attendances.attendance_id AS contact_id
    FROM first_attendances
    JOIN listed_extracts
      ON listed_extracts.extract = 'acute_attendances'
    WHERE NOT first_attendances.is_same_day_care
    UNION ALL
    SELECT 'gp_contacts'
         , gp_contacts.person
         , gp_contacts.contact_date
         , gp_contacts.contact_id
    FROM gp_contacts
    JOIN unscheduled_types
      ON unscheduled_types.contact_type = gp_contacts.contact_type
    UNION ALL
    SELECT 'agency_contacts'
         , agency_contacts.person
         , agency_contacts.contact_date
         , agency_contacts.contact_id
    FROM agency_contacts
    JOIN unscheduled_agencies
      ON unscheduled_agencies.agency = agency_contacts.agency
)
SELECT contacts.person
     , contacts.extract
     , contacts.contact_date
     , contacts.contact_id
FROM contacts
JOIN people
  ON people.person = contacts.person
CROSS JOIN run
WHERE contacts.contact_date >= run.start_12m
  AND contacts.contact_date < run.as_of
  AND contacts.contact_date >= people.date_of_birth
