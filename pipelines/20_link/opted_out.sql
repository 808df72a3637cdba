-- Meaning: people who have opted out, and of what, as known on as_of. Which opt-outs a purpose applies is
--          decided in config/reference/opt_outs_applied.csv, not here.
-- Grain:   one row per person and opt-out.  Missing: no row means no opt-out is known.
-- Source:  RULES, People: Type 1 is the latest of dissent and withdrawal, on the same day dissent wins;
--          the National Data Opt-out is the checked list, a number without a readable date included. Rows dated before birth count here.
WITH type_1_codes AS (
    SELECT codelist.code_system
         , codelist.code
         , CASE WHEN codelist.concept = states.started_by THEN 1 ELSE 0 END AS is_dissent
    FROM codelist
    JOIN reference_states AS states
      ON codelist.concept IN (states.started_by, states.ended_by)
    WHERE codelist.list = 'flags'
      AND states.state = 'type_1_opt_out'
), type_1_latest AS (
    SELECT gp_events.person
         , MAX(CASE WHEN type_1_codes.is_dissent = 1 THEN gp_events.event_date END) AS dissent_date
         , MAX(CASE WHEN type_1_codes.is_dissent = 0 THEN gp_events.event_date END) AS withdrawal_date
    FROM gp_events
    JOIN type_1_codes
      ON type_1_codes.code_system = gp_events.code_system
     AND type_1_codes.code = gp_events.code
    CROSS JOIN run
    WHERE gp_events.person IS NOT NULL
      AND gp_events.event_date < run.as_of
      AND COALESCE(gp_events.recorded_date, gp_events.event_date) < run.as_of
    GROUP BY gp_events.person
)
SELECT type_1_latest.person
     , 'type_1' AS opt_out
FROM type_1_latest
WHERE type_1_latest.dissent_date >= COALESCE(type_1_latest.withdrawal_date, type_1_latest.dissent_date)
UNION
SELECT national_opt_out.person
     , 'national' AS opt_out
FROM national_opt_out
CROSS JOIN run
WHERE national_opt_out.person IS NOT NULL
  AND (national_opt_out.checked_on IS NULL OR national_opt_out.checked_on < run.as_of)
