-- Meaning: what a run on each snapshot's day would have said of today's population, by the records of today that
--          were dated and known before it: frailty, and unplanned admissions of the 12 months before it.
-- Grain:   one row per person of the population and snapshot; months_before is 0 on as_of.
-- Missing: as in efi.sql, frailty.sql and unplanned_admissions.sql, judged on the snapshot's own 12 months:
--          NULL where the practice's medicines, or the hospitals' episodes, do not cover them.
-- Source:  RULES, Frailty, Acute and Unknown is not zero. Who was registered, and where, is today's.
WITH possible_counts AS (
    SELECT 0 AS efi_deficits
    UNION ALL
    SELECT ROW_NUMBER() OVER (ORDER BY deficits.deficit_number) AS efi_deficits
    FROM reference_efi_deficits AS deficits
), categories AS (
    SELECT CAST(possible_counts.efi_deficits AS INTEGER) AS efi_deficits
         , bands.category
    FROM possible_counts
    JOIN reference_bands AS bands
      ON bands.score = 'efi'
     AND possible_counts.efi_deficits >= bands.lower
     AND (bands.below IS NULL OR possible_counts.efi_deficits < bands.below)
), counted AS (
    SELECT people.person
         , history_coverage.months_before
         , history_coverage.snapshot_date
         , CASE WHEN history_coverage.medications_cover_12m
                THEN COALESCE(history_deficits.deficits, 0)
                     + CASE WHEN history_medicines.person IS NULL THEN 0 ELSE 1 END END AS efi_deficits
         , CASE WHEN history_coverage.episodes_cover_12m
                THEN COALESCE(history_admissions.unplanned_admissions, 0) END AS unplanned_admissions_12m
    FROM people
    JOIN history_coverage
      ON history_coverage.practice_code = people.practice_code
    LEFT JOIN history_deficits
      ON history_deficits.person = people.person
     AND history_coverage.months_before BETWEEN history_deficits.newest_months_before
                                            AND history_deficits.oldest_months_before
    LEFT JOIN history_medicines
      ON history_medicines.person = people.person
     AND history_medicines.months_before = history_coverage.months_before
    LEFT JOIN history_admissions
      ON history_admissions.person = people.person
     AND history_admissions.months_before = history_coverage.months_before
), three_sources AS (
    SELECT counted.person
         , counted.months_before
         , counted.snapshot_date
         , counted.efi_deficits
         , counted.unplanned_admissions_12m
         , categories.category AS computed_category
         , coded.category AS coded_category
         , supplied.category AS supplied_category
         , CASE LEAST(CASE WHEN categories.category IS NOT NULL THEN places.computed END
                    , CASE WHEN coded.category IS NOT NULL THEN places.coded END
                    , CASE WHEN supplied.category IS NOT NULL THEN places.supplied END)
                WHEN places.computed THEN 'computed'
                WHEN places.coded THEN 'coded'
                WHEN places.supplied THEN 'supplied' END AS frailty_source
    FROM counted
    CROSS JOIN frailty_places AS places
    LEFT JOIN categories
      ON categories.efi_deficits = counted.efi_deficits
    LEFT JOIN history_frailty AS coded
      ON coded.person = counted.person
     AND coded.frailty_source = 'coded'
     AND counted.months_before BETWEEN coded.newest_months_before AND coded.oldest_months_before
    LEFT JOIN history_frailty AS supplied
      ON supplied.person = counted.person
     AND supplied.frailty_source = 'supplied'
     AND counted.months_before BETWEEN supplied.newest_months_before AND supplied.oldest_months_before
)
SELECT three_sources.person
     , three_sources.months_before
     , three_sources.snapshot_date
     , three_sources.efi_deficits
     , three_sources.computed_category AS efi_category
     , CASE three_sources.frailty_source
            WHEN 'computed' THEN three_sources.computed_category
            WHEN 'coded' THEN three_sources.coded_category
            WHEN 'supplied' THEN three_sources.supplied_category END AS frailty_category
     , three_sources.frailty_source
     , three_sources.unplanned_admissions_12m
FROM three_sources
