-- Meaning: from which to which day somebody of the frame was registered with practices in scope without leaving.
-- Grain:   one row per person and span; first_day and last_day both belong to it.
-- Missing: a registration that has not ended ends on 9999-12-31.
-- Source:  RULES, People, and config/model/outcome.yaml: registrations with at most gap_days days between them are one
--          span, whichever practice they are with. A practice is in scope while the geography says so.
WITH frame_people AS (
    SELECT DISTINCT landmark_people.person
    FROM landmark_people
), memberships AS (
    SELECT gp_patients.person
         , GREATEST(gp_patients.registered_from
                  , COALESCE(practices.valid_from, gp_patients.registered_from)) AS first_day
         , LEAST(COALESCE(gp_patients.registered_to, DATE '9999-12-31')
               , COALESCE(practices.valid_to, DATE '9999-12-31')) AS last_day
    FROM gp_patients
    JOIN frame_people
      ON frame_people.person = gp_patients.person
    JOIN practices
      ON practices.practice_code = gp_patients.practice_code
), real_memberships AS (
    SELECT memberships.person
         , memberships.first_day
         , memberships.last_day
    FROM memberships
    WHERE memberships.first_day <= memberships.last_day
), in_order AS (
    SELECT real_memberships.person
         , real_memberships.first_day
         , real_memberships.last_day
         , MAX(real_memberships.last_day) OVER (
               PARTITION BY real_memberships.person
               ORDER BY real_memberships.first_day, real_memberships.last_day
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS registered_until
    FROM real_memberships
), numbered AS (
    SELECT in_order.person
         , in_order.first_day
         , in_order.last_day
         , SUM(CASE WHEN date_diff('day', in_order.registered_until, in_order.first_day)
                         <= outcome_rules.gap_days + 1 THEN 0 ELSE 1 END) OVER (
               PARTITION BY in_order.person
               ORDER BY in_order.first_day, in_order.last_day
               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ) AS span
    FROM in_order
    CROSS JOIN outcome_rules
)
SELECT numbered.person
     , MIN(numbered.first_day) AS first_day
     , MAX(numbered.last_day) AS last_day
FROM numbered
GROUP BY numbered.person
       , numbered.span
