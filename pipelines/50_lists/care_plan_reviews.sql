-- Meaning: by how many days a care plan's review is overdue.
-- Grain:   one row per person whom a list may name.
-- Missing: NULL without a care plan, and where its dates are unknown, as those of a plan known by a GP code alone are.
-- Source:  Quality and Outcomes Framework, DEM004, as a rule for every plan: made or reviewed in the
--          care_plan_review_months of parameters.csv before as_of. 0 is not overdue.
WITH latest_dates AS (
    SELECT list_candidates.person
         , GREATEST(COALESCE(care_planning.care_plan_created_date, care_planning.care_plan_last_reviewed_date)
                  , COALESCE(care_planning.care_plan_last_reviewed_date, care_planning.care_plan_created_date))
           AS latest_date
    FROM list_candidates
    JOIN care_planning
      ON care_planning.person = list_candidates.person
    WHERE care_planning.has_care_plan
)
SELECT list_candidates.person
     , CASE WHEN latest_dates.latest_date IS NOT NULL
            THEN CAST(GREATEST(date_diff('day', latest_dates.latest_date, due.snapshot_date), 0) AS INTEGER)
       END AS care_plan_days_overdue
FROM list_candidates
CROSS JOIN parameters
JOIN snapshots AS due
  ON due.months_before = parameters.care_plan_review_months
LEFT JOIN latest_dates
  ON latest_dates.person = list_candidates.person
