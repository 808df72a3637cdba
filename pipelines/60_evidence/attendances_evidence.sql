-- Meaning: emergency care attendances of the last 12 months, and why each counts as A&E or does not.
-- Grain:   one row per attendance of the population since 12 months before as_of.
-- Missing: arrived_by_ambulance is NULL where the provider does not say.
-- Source:  RULES, Acute; 30_core/first_attendances.sql. Those on or after as_of are shown and not used.
SELECT person_keys.person_id
     , acute_attendances.arrival_at
     , acute_attendances.provider_code
     , acute_attendances.department_type
     , acute_attendances.attendance_category
     , acute_attendances.arrived_by_ambulance
     , CASE WHEN CAST(acute_attendances.arrival_at AS DATE) >= run.as_of THEN 'on or after as_of'
            WHEN CAST(acute_attendances.arrival_at AS DATE) < people.date_of_birth THEN 'before birth'
            WHEN first_attendances.attendance_id IS NULL THEN 'not first and unplanned'
            WHEN first_attendances.is_same_day_care THEN 'same day emergency care'
            ELSE 'counted'
       END AS verdict
     , first_attendances.attendance_id IS NOT NULL AND NOT first_attendances.is_same_day_care AS is_counted_12m
     , acute_attendances.attendance_id
FROM acute_attendances
JOIN people
  ON people.person = acute_attendances.person
JOIN person_keys
  ON person_keys.person = people.person
CROSS JOIN run
LEFT JOIN first_attendances
  ON first_attendances.attendance_id = acute_attendances.attendance_id
WHERE CAST(acute_attendances.arrival_at AS DATE) >= run.start_12m
