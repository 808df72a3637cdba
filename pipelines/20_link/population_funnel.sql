-- Meaning: how the register becomes the population; the first line minus the exclusions is the last line.
-- Grain:   one row per step, in step_order.  Missing: a step that took nobody out says 0.
-- Source:  RULES, People; each person is counted under the first reason of register_status.
WITH steps AS (
    SELECT 1 AS step_order, 'on the GP register' AS step
    UNION ALL SELECT 2, 'erased at this site'
    UNION ALL SELECT 3, 'no open registration in scope'
    UNION ALL SELECT 4, 'born on or after the date of the run'
    UNION ALL SELECT 5, 'died'
    UNION ALL SELECT 6, 'opted out (type 1)'
    UNION ALL SELECT 7, 'opted out (national)'
    UNION ALL SELECT 8, 'in the population'
), counted AS (
    SELECT 'on the GP register' AS step
         , COUNT(*) AS people
    FROM register_status
    UNION ALL
    SELECT COALESCE(register_status.exclusion, 'in the population') AS step
         , COUNT(*) AS people
    FROM register_status
    GROUP BY register_status.exclusion
)
SELECT steps.step_order
     , steps.step
     , CAST(COALESCE(counted.people, 0) AS INTEGER) AS people
FROM steps
LEFT JOIN counted
  ON counted.step = steps.step
ORDER BY steps.step_order
