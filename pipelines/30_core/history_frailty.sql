-- Meaning: the frailty that a clinician had coded and the one that the GP system had supplied at the snapshots.
-- Grain:   one row per person, source (coded, supplied) and run of snapshots with the same record, from
--          oldest_months_before down to newest_months_before, both included.
-- Missing: no row means that the source had said nothing.
-- Source:  RULES, Frailty and Time, as 40_features/frailty.sql: the latest record that was known, on the same
--          day the more severe.
WITH records AS (
    SELECT concept_events.person
         , 'coded' AS frailty_source
         , coded_frailty.category
         , concept_events.event_date
         , concept_events.known_date
         , CAST(coded_frailty.severity AS DOUBLE) AS weight
    FROM concept_events
    JOIN reference_coded_frailty AS coded_frailty
      ON coded_frailty.concept = concept_events.concept
    WHERE concept_events.list = 'flags'
    UNION ALL
    SELECT concept_events.person
         , 'supplied' AS frailty_source
         , bands.category
         , concept_events.event_date
         , concept_events.known_date
         , concept_events.value AS weight
    FROM concept_events
    JOIN reference_bands AS bands
      ON bands.score = 'supplied_efi'
     AND concept_events.value >= CAST(bands.lower AS DOUBLE) / 100.0
     AND (bands.below IS NULL OR concept_events.value < CAST(bands.below AS DOUBLE) / 100.0)
    WHERE concept_events.list = 'flags'
      AND concept_events.concept = 'supplied_efi'
      AND concept_events.value BETWEEN 0 AND 1
), known_days AS (
    SELECT DISTINCT records.known_date
    FROM records
), oldest_snapshots AS (
    SELECT known_days.known_date
         , MAX(snapshots.months_before) AS months_before
    FROM known_days
    JOIN snapshots
      ON known_days.known_date < snapshots.snapshot_date
    GROUP BY known_days.known_date
), in_order AS (
    SELECT records.person
         , records.frailty_source
         , records.category
         , oldest_snapshots.months_before
         , ROW_NUMBER() OVER (
               PARTITION BY records.person, records.frailty_source
               ORDER BY records.event_date, records.weight, records.category
           ) AS place
    FROM records
    JOIN oldest_snapshots
      ON oldest_snapshots.known_date = records.known_date
), newest_places AS (
    SELECT in_order.person
         , in_order.frailty_source
         , in_order.category
         , in_order.months_before
         , in_order.place
         , MAX(in_order.place) OVER (
               PARTITION BY in_order.person, in_order.frailty_source
               ORDER BY in_order.months_before DESC
               RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ) AS newest_place
    FROM in_order
), latest AS (
    SELECT newest_places.person
         , newest_places.frailty_source
         , newest_places.category
         , newest_places.months_before
    FROM newest_places
    WHERE newest_places.place = newest_places.newest_place
)
SELECT latest.person
     , latest.frailty_source
     , latest.category
     , latest.months_before AS oldest_months_before
     , COALESCE(LEAD(latest.months_before) OVER (
           PARTITION BY latest.person, latest.frailty_source ORDER BY latest.months_before DESC
       ) + 1, 0) AS newest_months_before
FROM latest
