-- Meaning: how many eFI deficits, polypharmacy apart, were known of a person at the snapshots.
-- Grain:   one row per person and run of snapshots with the same number, from oldest_months_before down to
--          newest_months_before, both included.
-- Missing: no row means that none was known.
-- Source:  Clegg 2016, 10.1093/ageing/afw039; RULES, Frailty and Time: a deficit counts from the first day on
--          which a record of it was both dated and known, and never resolves.
WITH first_known AS (
    SELECT efi_components.person
         , efi_components.first_known_date
         , COUNT(*) AS deficits
    FROM efi_components
    JOIN reference_efi_deficits AS deficits
      ON deficits.deficit_number = efi_components.deficit_number
    WHERE deficits.counted_from <> 'medicines'
    GROUP BY efi_components.person
           , efi_components.first_known_date
), known_days AS (
    SELECT DISTINCT first_known.first_known_date
    FROM first_known
), oldest_snapshots AS (
    SELECT known_days.first_known_date
         , MAX(snapshots.months_before) AS months_before
    FROM known_days
    JOIN snapshots
      ON known_days.first_known_date < snapshots.snapshot_date
    GROUP BY known_days.first_known_date
), added AS (
    SELECT first_known.person
         , oldest_snapshots.months_before
         , SUM(first_known.deficits) AS deficits
    FROM first_known
    JOIN oldest_snapshots
      ON oldest_snapshots.first_known_date = first_known.first_known_date
    GROUP BY first_known.person
           , oldest_snapshots.months_before
)
SELECT added.person
     , added.months_before AS oldest_months_before
     , COALESCE(LEAD(added.months_before) OVER (
           PARTITION BY added.person ORDER BY added.months_before DESC
       ) + 1, 0) AS newest_months_before
     , CAST(SUM(added.deficits) OVER (
           PARTITION BY added.person ORDER BY added.months_before DESC
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
       ) AS INTEGER) AS deficits
FROM added
