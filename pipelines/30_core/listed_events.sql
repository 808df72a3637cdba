-- Meaning: every usable GP event whose code is on a code list, with the number of its code in listed_codes.
-- Grain:   one row per event and listed code; a code under several concepts gives several rows.
-- Missing: events without a listed code are not here (they are counted per source as unmapped codes).
-- Source:  RULES, Time and People: dated and known before as_of, not before birth. Codes match exactly;
--          staging has trimmed them, CTV3 keeps its case.
SELECT gp_events.person
     , listed_codes.listed_code
     , gp_events.event_date
     , GREATEST(gp_events.event_date, COALESCE(gp_events.recorded_date, gp_events.event_date)) AS known_date
     , gp_events.event_id
     , gp_events.value
FROM gp_events
JOIN listed_codes
  ON listed_codes.code_system = gp_events.code_system
 AND listed_codes.code = gp_events.code
JOIN people
  ON people.person = gp_events.person
CROSS JOIN run
WHERE gp_events.event_date < run.as_of
  AND COALESCE(gp_events.recorded_date, gp_events.event_date) < run.as_of
  AND gp_events.event_date >= people.date_of_birth
