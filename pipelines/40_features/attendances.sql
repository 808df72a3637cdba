-- Meaning: first unplanned emergency attendances, and same-day emergency care as a feature of its own.
-- Grain:   one row per person.
-- Missing: 0 where acute_attendances covers the window, else NULL. An unknown department type counts as an
--          emergency department, because any type but same-day emergency care does.
-- Source:  RULES, Acute; NHS Data Dictionary, emergency care attendance category and department type.
WITH arrivals AS (
    SELECT acute_attendances.person
         , CAST(acute_attendances.arrival_at AS DATE) AS arrival_date
         , COALESCE(department_types.is_same_day_emergency_care, FALSE) AS is_same_day_care
    FROM acute_attendances
    JOIN people
      ON people.person = acute_attendances.person
    JOIN reference_attendance_categories AS attendance_categories
      ON attendance_categories.attendance_category = acute_attendances.attendance_category
     AND attendance_categories.is_first_unplanned
    LEFT JOIN reference_department_types AS department_types
      ON department_types.department_type = acute_attendances.department_type
    WHERE CAST(acute_attendances.arrival_at AS DATE) >= people.date_of_birth
), counted AS (
    SELECT arrivals.person
         , SUM(CASE WHEN NOT arrivals.is_same_day_care THEN 1 ELSE 0 END) AS emergency_12m
         , SUM(CASE WHEN NOT arrivals.is_same_day_care AND arrivals.arrival_date >= run.start_90d
                    THEN 1 ELSE 0 END) AS emergency_90d
         , SUM(CASE WHEN arrivals.is_same_day_care THEN 1 ELSE 0 END) AS same_day_12m
    FROM arrivals
    CROSS JOIN run
    WHERE arrivals.arrival_date >= run.start_12m
      AND arrivals.arrival_date < run.as_of
    GROUP BY arrivals.person
)
SELECT people.person
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.emergency_12m, 0) AS INTEGER) END AS ae_attendances_12m
     , CASE WHEN extract_coverage.covers_90d
            THEN CAST(COALESCE(counted.emergency_90d, 0) AS INTEGER) END AS ae_attendances_90d
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.same_day_12m, 0) AS INTEGER) END AS sdec_attendances_12m
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_attendances'
LEFT JOIN counted
  ON counted.person = people.person
