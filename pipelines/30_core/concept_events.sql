-- Meaning: every usable GP event whose code is on a code list, with the list and concept it stands for.
-- Grain:   one row per event, list and concept; a code under several concepts gives several rows.
-- Missing: events without a listed code are not here (they are counted per source as unmapped codes).
-- Source:  RULES, Time and People: dated and known before as_of, not before birth. Codes match exactly;
--          staging has trimmed them, CTV3 keeps its case. Codes of efi_values stand under that list's name.
WITH listed_codes AS (
    SELECT codelist.list
         , codelist.concept
         , codelist.code_system
         , codelist.code
    FROM codelist
    UNION
    SELECT 'efi_values' AS list
         , efi_values.concept
         , efi_values.code_system
         , efi_values.code
    FROM efi_values
)
SELECT gp_events.person
     , listed_codes.list
     , listed_codes.concept
     , gp_events.event_date
     , GREATEST(gp_events.event_date, COALESCE(gp_events.recorded_date, gp_events.event_date)) AS known_date
     , gp_events.event_id
     , gp_events.code_system
     , gp_events.code
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
