-- Meaning: Hospital Frailty Risk Score of the previous 24 months and its category.
-- Grain:   one row per person.
-- Missing: 0 and low for people without unplanned CIPS; NULL where acute_episodes does not cover 24 months.
--          hfrs_validated_age is always known.
-- Source:  Gilbert 2018, 10.1016/S0140-6736(18)30668-8: bands are judged on integer tenths; published for
--          people of 75 and over.
WITH totals AS (
    SELECT hfrs_components.person
         , SUM(hfrs_components.point_tenths) AS tenths
    FROM hfrs_components
    GROUP BY hfrs_components.person
), known AS (
    SELECT people.person
         , people.age
         , CASE WHEN extract_coverage.covers_24m
                THEN CAST(COALESCE(totals.tenths, 0) AS INTEGER) END AS tenths
    FROM people
    JOIN extract_coverage
      ON extract_coverage.extract = 'acute_episodes'
    LEFT JOIN totals
      ON totals.person = people.person
), reached_tenths AS (
    SELECT DISTINCT known.tenths
    FROM known
), categories AS (
    SELECT reached_tenths.tenths
         , bands.category
    FROM reached_tenths
    JOIN reference_bands AS bands
      ON bands.score = 'hfrs'
     AND reached_tenths.tenths >= bands.lower
     AND (bands.below IS NULL OR reached_tenths.tenths < bands.below)
)
SELECT known.person
     , CAST(known.tenths AS DOUBLE) / 10.0 AS hfrs
     , categories.category AS hfrs_category
     , known.age >= parameters.hfrs_validated_age AS hfrs_validated_age
FROM known
CROSS JOIN parameters
LEFT JOIN categories
  ON categories.tenths = known.tenths
