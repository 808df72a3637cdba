-- Meaning: what became of everybody of the frame within each horizon: the label, and what it was made of.
-- Grain:   one row per person, index date and horizon.
-- Missing: label and events are NULL where the horizon is not over or the hospitals were silent in it, and label
--          where the rules on death or leaving say so; died and has_left are NULL while the horizon is not over.
--          follow_up_days is always known: the days of the horizon on which somebody was seen, that of death too.
-- Source:  config/model/outcome.yaml (rules of death and leaving); the files of this folder.
WITH observed AS (
    SELECT follow_up.person
         , follow_up.index_date
         , outcome_coverage.horizon
         , outcome_coverage.is_over
         , outcome_coverage.is_over AND outcome_coverage.is_covered AS is_known
         , LEAST(outcome_coverage.horizon_days
               , follow_up.days_known
               , COALESCE(follow_up.days_to_death + 1, outcome_coverage.horizon_days)
               , COALESCE(follow_up.days_to_leaving, outcome_coverage.horizon_days)) AS follow_up_days
         , COALESCE(follow_up.days_to_death < outcome_coverage.horizon_days, FALSE) AS died
         , COALESCE(follow_up.days_to_leaving < outcome_coverage.horizon_days, FALSE) AS has_left
    FROM follow_up
    JOIN outcome_coverage
      ON outcome_coverage.index_date = follow_up.index_date
), counted AS (
    SELECT observed.person
         , observed.index_date
         , observed.horizon
         , COUNT(outcome_events.cips) AS events
         , MIN(outcome_events.event_date) AS first_event_date
    FROM observed
    JOIN outcome_events
      ON outcome_events.person = observed.person
     AND outcome_events.index_date = observed.index_date
     AND outcome_events.days_to_event < observed.follow_up_days
    GROUP BY observed.person
           , observed.index_date
           , observed.horizon
)
SELECT observed.person
     , observed.index_date
     , observed.horizon
     , CASE WHEN NOT observed.is_known THEN NULL
            WHEN observed.has_left AND outcome_rules.leaving = 'exclude' THEN NULL
            WHEN counted.events > 0 THEN TRUE
            WHEN observed.has_left AND outcome_rules.leaving = 'exclude_without_event' THEN NULL
            WHEN observed.died AND NOT observed.has_left AND outcome_rules.death = 'event' THEN TRUE
            WHEN observed.died AND NOT observed.has_left AND outcome_rules.death = 'exclude' THEN NULL
            ELSE FALSE
       END AS label
     , CAST(observed.follow_up_days AS INTEGER) AS follow_up_days
     , CASE WHEN observed.is_over THEN observed.died END AS died
     , CASE WHEN observed.is_over THEN observed.has_left END AS has_left
     , CASE WHEN observed.is_known THEN CAST(COALESCE(counted.events, 0) AS INTEGER) END AS events
     , counted.first_event_date
FROM observed
CROSS JOIN outcome_rules
LEFT JOIN counted
  ON counted.person = observed.person
 AND counted.index_date = observed.index_date
 AND counted.horizon = observed.horizon
