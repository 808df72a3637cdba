-- Meaning: whether the hospitals' episodes tell of a whole horizon.
-- Grain:   one row per index date and horizon.
-- Missing: first_silent_month and silent_provider are NULL where no month is silent.
-- Source:  RULES, Unknown is not zero, as 30_core/feed_calendar.sql judges the windows of features: a provider's month
--          without a row is silent where it sends enough rows otherwise and no gap is declared; one silent provider
--          uncovers the horizon for everyone; a month that is not over when the horizon ends is not judged.
WITH digits AS (
    SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), providers AS (
    SELECT feed_rows.provider
         , CAST(SUM(feed_rows.row_count) AS DOUBLE)
           / CAST(MAX(feed_rows.month_number) - MIN(feed_rows.month_number) + 1 AS DOUBLE) AS average_rows
    FROM feed_rows
    WHERE feed_rows.extract = 'acute_episodes'
    GROUP BY feed_rows.provider
), horizon_months AS (
    SELECT landmarks.index_date
         , landmarks.horizon
         , CAST(EXTRACT(year FROM landmarks.index_date) * 12
                + EXTRACT(month FROM landmarks.index_date) - 1 AS INTEGER)
           + tens.digit * 10 + units.digit AS month_number
    FROM landmarks
    CROSS JOIN digits AS tens
    CROSS JOIN digits AS units
    WHERE CAST(EXTRACT(year FROM landmarks.index_date) * 12
               + EXTRACT(month FROM landmarks.index_date) - 1 AS INTEGER) + tens.digit * 10 + units.digit
          <= CAST(EXTRACT(year FROM landmarks.end_date) * 12
                  + EXTRACT(month FROM landmarks.end_date) - 2 AS INTEGER)
), declared AS (
    SELECT DISTINCT declared_gaps.provider
         , CAST(EXTRACT(year FROM declared_gaps.month) * 12
                + EXTRACT(month FROM declared_gaps.month) - 1 AS INTEGER) AS month_number
    FROM declared_gaps
    WHERE declared_gaps.extract = 'acute_episodes'
), silent AS (
    SELECT horizon_months.index_date
         , horizon_months.horizon
         , horizon_months.month_number
         , providers.provider
    FROM horizon_months
    CROSS JOIN providers
    CROSS JOIN parameters
    LEFT JOIN feed_rows
      ON feed_rows.extract = 'acute_episodes'
     AND feed_rows.provider = providers.provider
     AND feed_rows.month_number = horizon_months.month_number
    LEFT JOIN declared AS declared_provider
      ON declared_provider.provider = providers.provider
     AND declared_provider.month_number = horizon_months.month_number
    LEFT JOIN declared AS declared_all
      ON declared_all.provider = '*'
     AND declared_all.month_number = horizon_months.month_number
    WHERE providers.average_rows >= parameters.silent_month_average
      AND feed_rows.provider IS NULL
      AND declared_provider.provider IS NULL
      AND declared_all.provider IS NULL
), first_silent AS (
    SELECT silent.index_date
         , silent.horizon
         , silent.month_number
         , silent.provider
    FROM silent
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY silent.index_date, silent.horizon
                ORDER BY silent.month_number, silent.provider
            ) = 1
)
SELECT landmarks.index_date
     , landmarks.horizon
     , CAST(date_diff('day', landmarks.index_date, landmarks.end_date) AS INTEGER) AS horizon_days
     , landmarks.end_date <= run.as_of AS is_over
     , extract_status.is_present AND first_silent.provider IS NULL AS is_covered
     , first_silent.provider AS silent_provider
     , make_date(CAST(FLOOR(CAST(first_silent.month_number AS DOUBLE) / 12.0) AS INTEGER)
               , CAST(first_silent.month_number % 12 + 1 AS INTEGER)
               , 1) AS first_silent_month
FROM landmarks
CROSS JOIN run
JOIN extract_status
  ON extract_status.extract = 'acute_episodes'
LEFT JOIN first_silent
  ON first_silent.index_date = landmarks.index_date
 AND first_silent.horizon = landmarks.horizon
