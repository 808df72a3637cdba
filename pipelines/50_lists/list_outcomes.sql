-- Meaning: what teams reported back about a person: the latest outcome, who took charge, when to look again, and whether
--          the person is known to a team by it.
-- Grain:   one row per person of whom something came back.
-- Missing: case_manager and next_review_date are NULL where no return names one.
-- Source:  Luton, July 2020 (seed rows 4, 5 and 28). Project rules: of two returns of one day the later counts. Whoever
--          was seen, or given a case manager, is known to the team. A review date has been met when an outcome of that
--          day or later says that the person was seen, declined or was referred, and no new date was set by it.
WITH latest AS (
    SELECT list_returns.person
         , list_returns.outcome
         , list_returns.outcome_date
    FROM list_returns
    QUALIFY ROW_NUMBER() OVER (PARTITION BY list_returns.person ORDER BY list_returns.return_order DESC) = 1
), managers AS (
    SELECT list_returns.person
         , list_returns.case_manager
         , list_returns.outcome_date
    FROM list_returns
    WHERE list_returns.case_manager IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY list_returns.person ORDER BY list_returns.return_order DESC) = 1
), review_dates AS (
    SELECT list_returns.person
         , list_returns.next_review_date
         , list_returns.return_order
    FROM list_returns
    WHERE list_returns.next_review_date IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (PARTITION BY list_returns.person ORDER BY list_returns.return_order DESC) = 1
), met AS (
    SELECT review_dates.person
    FROM review_dates
    JOIN list_returns
      ON list_returns.person = review_dates.person
     AND list_returns.return_order > review_dates.return_order
     AND list_returns.outcome_date >= review_dates.next_review_date
     AND list_returns.outcome IN ('seen', 'declined', 'referred')
    GROUP BY review_dates.person
), asked AS (
    SELECT list_returns.person
         , MAX(CASE WHEN list_returns.outcome = 'seen' OR list_returns.case_manager IS NOT NULL
                    THEN 1 ELSE 0 END) AS is_known
         , MAX(CASE WHEN COALESCE(list_returns.q1_visits, list_returns.q2_falls, list_returns.q3_medication
                                , list_returns.q4_memory, list_returns.q5_daily_living) IS NOT NULL
                    THEN list_returns.outcome_date END) AS last_asked_date
    FROM list_returns
    GROUP BY list_returns.person
)
SELECT latest.person
     , latest.outcome AS last_outcome
     , latest.outcome_date AS last_outcome_date
     , managers.case_manager
     , managers.outcome_date AS case_manager_since
     , CASE WHEN met.person IS NULL THEN review_dates.next_review_date END AS next_review_date
     , asked.is_known = 1 AS is_known_to_team
     , asked.last_asked_date AS five_questions_last_asked_date
FROM latest
JOIN asked
  ON asked.person = latest.person
LEFT JOIN managers
  ON managers.person = latest.person
LEFT JOIN review_dates
  ON review_dates.person = latest.person
LEFT JOIN met
  ON met.person = latest.person
