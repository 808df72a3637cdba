-- Meaning: the latest record of every flag: states and their endings, falls, reviews, vaccines, coded frailty.
-- Grain:   one row per person and concept of the list flags.
-- Missing: no row means never recorded. Opt-outs are left out: nobody may be known by them.
-- Source:  30_core/concept_events.sql; of several on one day the last event_id.
SELECT person_keys.person_id
     , concept_events.concept
     , concept_events.event_date AS latest_date
     , concept_events.code_system
     , concept_events.code
     , concept_events.value
     , concept_events.event_id
FROM concept_events
JOIN person_keys
  ON person_keys.person = concept_events.person
WHERE concept_events.list = 'flags'
  AND concept_events.concept NOT IN ('type1_dissent', 'type1_withdrawal')
QUALIFY ROW_NUMBER() OVER (
            PARTITION BY concept_events.person, concept_events.concept
            ORDER BY concept_events.event_date DESC, concept_events.event_id DESC, concept_events.code
        ) = 1
