-- Meaning: the one registration that counts for a person: open on as_of, with an in-scope practice.
-- Grain:   one row per person with such a registration, opted out or not.
-- Missing: an empty registered_to means still open; nobody else has a row.
-- Source:  RULES, People: the latest registered_from wins, then the lowest practice code. Where a supplier numbers two
--          registrations of one practice and start, the one that is open or ends last wins, then the lowest number.
SELECT gp_patients.person
     , gp_patients.practice_code
     , gp_patients.registered_from
     , gp_patients.date_of_birth
     , gp_patients.sex
     , gp_patients.ethnic_category
     , gp_patients.lsoa_code
     , gp_patients.register_row
     , in_scope_practices.pcn_code
     , in_scope_practices.neighbourhood_code
FROM gp_patients
JOIN in_scope_practices
  ON in_scope_practices.practice_code = gp_patients.practice_code
CROSS JOIN run
WHERE gp_patients.person IS NOT NULL
  AND gp_patients.registered_from <= run.as_of
  AND (gp_patients.registered_to IS NULL OR gp_patients.registered_to >= run.as_of)
QUALIFY ROW_NUMBER() OVER (
            PARTITION BY gp_patients.person
            ORDER BY gp_patients.registered_from DESC
                   , gp_patients.practice_code
                   , gp_patients.registered_to DESC NULLS FIRST
                   , gp_patients.registration_id NULLS LAST
        ) = 1
