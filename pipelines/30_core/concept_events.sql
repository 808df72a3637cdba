-- Meaning: the events of listed_events in words: the list, the concept and the code that each stands for.
-- Grain:   one row per event, list and concept.
-- Missing: as in listed_events.sql.
-- Source:  30_core/listed_events.sql, which stores numbers, because words would take twice the time.
SELECT listed_events.person
     , listed_codes.list
     , listed_codes.concept
     , listed_events.event_date
     , listed_events.known_date
     , listed_events.event_id
     , listed_codes.code_system
     , listed_codes.code
     , listed_events.value
FROM listed_events
JOIN listed_codes
  ON listed_codes.listed_code = listed_events.listed_code
