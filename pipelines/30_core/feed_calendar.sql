-- Meaning: which complete months of the windows each provider covers, and which are silent.
-- Grain:   one row per extract, provider that ever sent a row, and month that a window can touch.
-- Missing: row_count 0 is a month without rows; it is silent only when the provider sends enough rows for
--          that to mean something and config/sources.yaml does not declare the gap.
-- Source:  RULES, Unknown is not zero; the average is rows a month over the provider's active span.
WITH digits AS (
    SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), horizon AS (
    SELECT MIN(run_windows.first_month) AS first_month
         , MAX(run_windows.last_month) AS last_month
    FROM run_windows
), months AS (
    SELECT horizon.first_month + tens.digit * 10 + units.digit AS month_number
    FROM horizon
    CROSS JOIN digits AS tens
    CROSS JOIN digits AS units
    WHERE horizon.first_month + tens.digit * 10 + units.digit <= horizon.last_month
), providers AS (
    SELECT feed_rows.extract
         , feed_rows.provider
         , CAST(SUM(feed_rows.row_count) AS DOUBLE)
           / CAST(MAX(feed_rows.month_number) - MIN(feed_rows.month_number) + 1 AS DOUBLE) AS average_rows
    FROM feed_rows
    GROUP BY feed_rows.extract
           , feed_rows.provider
), declared AS (
    SELECT DISTINCT declared_gaps.extract
         , declared_gaps.provider
         , CAST(EXTRACT(year FROM declared_gaps.month) * 12
                + EXTRACT(month FROM declared_gaps.month) - 1 AS INTEGER) AS month_number
    FROM declared_gaps
), calendar AS (
    SELECT providers.extract
         , providers.provider
         , months.month_number
         , providers.average_rows
         , COALESCE(feed_rows.row_count, 0) AS row_count
         , declared_provider.extract IS NOT NULL OR declared_all.extract IS NOT NULL AS is_declared_gap
    FROM providers
    CROSS JOIN months
    LEFT JOIN feed_rows
      ON feed_rows.extract = providers.extract
     AND feed_rows.provider = providers.provider
     AND feed_rows.month_number = months.month_number
    LEFT JOIN declared AS declared_provider
      ON declared_provider.extract = providers.extract
     AND declared_provider.provider = providers.provider
     AND declared_provider.month_number = months.month_number
    LEFT JOIN declared AS declared_all
      ON declared_all.extract = providers.extract
     AND declared_all.provider = '*'
     AND declared_all.month_number = months.month_number
)
SELECT calendar.extract
     , calendar.provider
     , calendar.month_number
     , make_date(
           CAST(FLOOR(CAST(calendar.month_number AS DOUBLE) / 12.0) AS INTEGER)
         , CAST(calendar.month_number % 12 + 1 AS INTEGER)
         , 1
       ) AS month
     , CAST(calendar.row_count AS BIGINT) AS row_count
     , calendar.average_rows
     , calendar.is_declared_gap
     , calendar.row_count = 0
       AND calendar.average_rows >= parameters.silent_month_average
       AND NOT calendar.is_declared_gap AS is_silent
FROM calendar
CROSS JOIN parameters
