-- Meaning: first unplanned emergency care attendances of the population: those that features count.
-- Grain:   one row per attendance before as_of.
-- Missing: an unknown department type counts as an emergency department, because any type but same day
--          emergency care does; arrived_by_ambulance is NULL where the provider does not say.
-- Source:  RULES, Acute; NHS Data Dictionary, emergency care attendance category and department type.
SELECT acute_attendances.person
     , acute_attendances.attendance_id
     , CAST(acute_attendances.arrival_at AS DATE) AS arrival_date
     , COALESCE(department_types.is_same_day_emergency_care, FALSE) AS is_same_day_care
     , acute_attendances.arrived_by_ambulance
FROM acute_attendances
JOIN people
  ON people.person = acute_attendances.person
JOIN reference_attendance_categories AS attendance_categories
  ON attendance_categories.attendance_category = acute_attendances.attendance_category
 AND attendance_categories.is_first_unplanned
CROSS JOIN run
LEFT JOIN reference_department_types AS department_types
  ON department_types.department_type = acute_attendances.department_type
WHERE CAST(acute_attendances.arrival_at AS DATE) >= people.date_of_birth
  AND CAST(acute_attendances.arrival_at AS DATE) < run.as_of
