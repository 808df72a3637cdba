-- Meaning: the recorded states of a person (lives alone, housebound, ...) and whether each stands on as_of.
-- Grain:   one row per person and state of which a start or an ending is recorded.
-- Missing: no row means never recorded.
-- Source:  config/reference/states.csv; the latest of a state and its ending decides, on the same day the
--          state wins. A state without an ending concept stands once recorded.
WITH state_concepts AS (
    SELECT states.state
         , states.started_by AS concept
         , 1 AS is_start
    FROM reference_states AS states
    UNION ALL
    SELECT states.state
         , states.ended_by AS concept
         , 0 AS is_start
    FROM reference_states AS states
    WHERE states.ended_by IS NOT NULL
), latest AS (
    SELECT concept_events.person
         , state_concepts.state
         , MAX(CASE WHEN state_concepts.is_start = 1 THEN concept_events.event_date END) AS started_date
         , MAX(CASE WHEN state_concepts.is_start = 0 THEN concept_events.event_date END) AS ended_date
    FROM concept_events
    JOIN state_concepts
      ON state_concepts.concept = concept_events.concept
    WHERE concept_events.list = 'flags'
    GROUP BY concept_events.person
           , state_concepts.state
)
SELECT latest.person
     , latest.state
     , latest.started_date
     , latest.ended_date
     , COALESCE(latest.started_date >= COALESCE(latest.ended_date, latest.started_date), FALSE) AS is_current
FROM latest
