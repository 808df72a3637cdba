-- Meaning: the five questions as they were answered last, and whether a concern is still open.
-- Grain:   one row per person and question with an answer in the 12 months before as_of.
-- Missing: a question that was not asked has no row; so has everybody where neither assessments nor returns came.
-- Source:  Luton, July 2020 (seed rows 5 and 6). Answers come from assessments and from lists that came back; the newest
--          counts, and of two of one day the concern. A concern is settled by a referral on that day or later to a
--          service that config/reasons.yaml names for the question.
WITH answers AS (
    SELECT assessments.person
         , assessments.question
         , assessments.assessed_on AS answered_on
         , assessments.concern AS is_concern
    FROM assessments
    JOIN list_candidates
      ON list_candidates.person = assessments.person
    JOIN people
      ON people.person = assessments.person
    WHERE assessments.assessed_on >= people.date_of_birth
    UNION ALL
    SELECT list_returns.person, 1, list_returns.outcome_date, list_returns.q1_visits FROM list_returns
    UNION ALL
    SELECT list_returns.person, 2, list_returns.outcome_date, list_returns.q2_falls FROM list_returns
    UNION ALL
    SELECT list_returns.person, 3, list_returns.outcome_date, list_returns.q3_medication FROM list_returns
    UNION ALL
    SELECT list_returns.person, 4, list_returns.outcome_date, list_returns.q4_memory FROM list_returns
    UNION ALL
    SELECT list_returns.person, 5, list_returns.outcome_date, list_returns.q5_daily_living FROM list_returns
), newest AS (
    SELECT answers.person
         , answers.question
         , answers.answered_on
         , answers.is_concern
    FROM answers
    CROSS JOIN run
    WHERE answers.is_concern IS NOT NULL
      AND answers.answered_on < run.as_of
      AND answers.answered_on >= run.start_12m
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY answers.person, answers.question
                ORDER BY answers.answered_on DESC, answers.is_concern DESC
            ) = 1
), settled AS (
    SELECT newest.person
         , newest.question
    FROM newest
    JOIN list_settling_services
      ON list_settling_services.question = newest.question
    JOIN list_returns
      ON list_returns.person = newest.person
     AND list_returns.referred_to = list_settling_services.referred_to
     AND list_returns.outcome_date >= newest.answered_on
    GROUP BY newest.person
           , newest.question
)
SELECT newest.person
     , CAST(newest.question AS INTEGER) AS question
     , newest.answered_on
     , newest.is_concern AND settled.person IS NULL AS is_open_concern
FROM newest
LEFT JOIN settled
  ON settled.person = newest.person
 AND settled.question = newest.question
