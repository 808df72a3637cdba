-- Meaning: who was in an emergency department when as_of began.
-- Grain:   one row per person; arrival_date is that of the latest such arrival.
-- Missing: none. Where a department sends no time of departure, whoever arrived in the last day may have gone home.
-- Source:  RULES, Acute: first unplanned attendances in any department type but same day emergency care. Project rules:
--          no departure before as_of, arrival at most in_ae_days of parameters.csv before it, and not admitted since:
--          whoever is admitted after A&E is admitted, not in A&E.
WITH admissions AS (
    SELECT message_stays.person
         , message_stays.admitted_at
         , CAST(message_stays.admitted_at AS DATE) AS admission_date
    FROM message_stays
    WHERE message_stays.admitted_at IS NOT NULL
    UNION ALL
    SELECT hospital_stays_now.person
         , CAST(NULL AS TIMESTAMP)
         , hospital_stays_now.admission_date
    FROM hospital_stays_now
    WHERE hospital_stays_now.is_by_episodes
), waiting AS (
    SELECT acute_attendances.person
         , acute_attendances.attendance_id
         , acute_attendances.arrival_at
         , CAST(acute_attendances.arrival_at AS DATE) AS arrival_date
    FROM acute_attendances
    JOIN list_candidates
      ON list_candidates.person = acute_attendances.person
    JOIN reference_attendance_categories AS attendance_categories
      ON attendance_categories.attendance_category = acute_attendances.attendance_category
     AND attendance_categories.is_first_unplanned
    CROSS JOIN run
    CROSS JOIN parameters
    LEFT JOIN reference_department_types AS department_types
      ON department_types.department_type = acute_attendances.department_type
    WHERE NOT COALESCE(department_types.is_same_day_emergency_care, FALSE)
      AND date_diff('day', CAST(acute_attendances.arrival_at AS DATE), run.as_of)
          BETWEEN 1 AND parameters.in_ae_days
      AND (acute_attendances.departure_at IS NULL OR CAST(acute_attendances.departure_at AS DATE) >= run.as_of)
), admitted_since AS (
    SELECT waiting.attendance_id
    FROM waiting
    JOIN admissions
      ON admissions.person = waiting.person
     AND admissions.admission_date >= waiting.arrival_date
     AND (admissions.admitted_at IS NULL OR admissions.admitted_at >= waiting.arrival_at)
    GROUP BY waiting.attendance_id
)
SELECT waiting.person
     , MAX(waiting.arrival_date) AS arrival_date
FROM waiting
LEFT JOIN admitted_since
  ON admitted_since.attendance_id = waiting.attendance_id
WHERE admitted_since.attendance_id IS NULL
GROUP BY waiting.person
