-- Meaning: nights in hospital in the last 12 months over the provider spells of unplanned CIPS.
-- Grain:   one row per person.
-- Missing: 0 where acute_episodes covers 12 months, else NULL. An open spell counts to as_of.
-- Source:  RULES, Acute: discharge date minus admission date, the part inside the window wherever the CIPS
--          began; a day in two overlapping spells counts once.
WITH stays AS (
    SELECT provider_spells.person
         , provider_spells.spell_number
         , GREATEST(provider_spells.admission_date, run.start_12m) AS first_day
         , COALESCE(provider_spells.discharge_date, run.as_of) AS end_day
    FROM provider_spells
    JOIN cips_spells
      ON cips_spells.person = provider_spells.person
     AND cips_spells.spell_key = provider_spells.spell_key
    JOIN cips
      ON cips.person = cips_spells.person
     AND cips.cips = cips_spells.cips
    CROSS JOIN run
    WHERE cips.is_unplanned
      AND COALESCE(provider_spells.discharge_date, run.as_of)
          > GREATEST(provider_spells.admission_date, run.start_12m)
), overlapped AS (
    SELECT stays.person
         , stays.first_day
         , stays.end_day
         , MAX(stays.end_day) OVER (
               PARTITION BY stays.person ORDER BY stays.first_day, stays.spell_number
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS counted_until
    FROM stays
), totals AS (
    SELECT overlapped.person
         , SUM(GREATEST(
               date_diff('day', GREATEST(overlapped.first_day,
                                         COALESCE(overlapped.counted_until, overlapped.first_day))
                              , overlapped.end_day)
             , 0)) AS days
    FROM overlapped
    GROUP BY overlapped.person
)
SELECT people.person
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(totals.days, 0) AS INTEGER) END AS unplanned_bed_days_12m
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_episodes'
LEFT JOIN totals
  ON totals.person = people.person
