-- Meaning: first unplanned emergency attendances, those that came by ambulance, and same-day emergency care
--          as a feature of its own.
-- Grain:   one row per person.
-- Missing: 0 where acute_attendances covers the window, else NULL. ambulance_arrivals_12m is NULL too where no
--          attendance before as_of says whether an ambulance came: the column is not delivered.
-- Source:  RULES, Acute; 30_core/first_attendances.sql; NHS Data Dictionary, emergency care arrival mode.
WITH counted AS (
    SELECT first_attendances.person
         , SUM(CASE WHEN NOT first_attendances.is_same_day_care THEN 1 ELSE 0 END) AS emergency_12m
         , SUM(CASE WHEN NOT first_attendances.is_same_day_care
                     AND first_attendances.arrival_date >= run.start_90d
                    THEN 1 ELSE 0 END) AS emergency_90d
         , SUM(CASE WHEN NOT first_attendances.is_same_day_care
                     AND first_attendances.arrived_by_ambulance
                    THEN 1 ELSE 0 END) AS by_ambulance_12m
         , SUM(CASE WHEN first_attendances.is_same_day_care THEN 1 ELSE 0 END) AS same_day_12m
    FROM first_attendances
    CROSS JOIN run
    WHERE first_attendances.arrival_date >= run.start_12m
    GROUP BY first_attendances.person
), arrival_modes AS (
    SELECT COUNT(acute_attendances.arrived_by_ambulance) > 0 AS are_said
    FROM acute_attendances
    CROSS JOIN run
    WHERE CAST(acute_attendances.arrival_at AS DATE) < run.as_of
)
SELECT people.person
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.emergency_12m, 0) AS INTEGER) END AS ae_attendances_12m
     , CASE WHEN extract_coverage.covers_90d
            THEN CAST(COALESCE(counted.emergency_90d, 0) AS INTEGER) END AS ae_attendances_90d
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.same_day_12m, 0) AS INTEGER) END AS sdec_attendances_12m
     , CASE WHEN extract_coverage.covers_12m AND arrival_modes.are_said
            THEN CAST(COALESCE(counted.by_ambulance_12m, 0) AS INTEGER) END AS ambulance_arrivals_12m
FROM people
CROSS JOIN arrival_modes
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_attendances'
LEFT JOIN counted
  ON counted.person = people.person
