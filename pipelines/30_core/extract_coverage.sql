-- Meaning: whether an extract came, and which windows it covers for everyone, in one row for easy joining.
-- Grain:   one row per extract of the interfaces.
-- Missing: an absent extract covers nothing; one silent provider uncovers a window for everyone. Extracts
--          that have no calendar (feed_rows) cover every window once they are present.
-- Source:  RULES, Unknown is not zero: acute and community features.
WITH silent_windows AS (
    SELECT feed_coverage.extract
         , MAX(CASE WHEN feed_coverage.window_name = '90d' THEN 1 ELSE 0 END) AS silent_90d
         , MAX(CASE WHEN feed_coverage.window_name = '12m' THEN 1 ELSE 0 END) AS silent_12m
         , MAX(CASE WHEN feed_coverage.window_name = '24m' THEN 1 ELSE 0 END) AS silent_24m
         , MAX(CASE WHEN feed_coverage.window_name = 'last_calendar_year' THEN 1 ELSE 0 END)
           AS silent_last_calendar_year
    FROM feed_coverage
    WHERE NOT feed_coverage.is_covered
    GROUP BY feed_coverage.extract
)
SELECT extract_status.extract
     , extract_status.is_present
     , extract_status.is_present AND COALESCE(silent_windows.silent_90d, 0) = 0 AS covers_90d
     , extract_status.is_present AND COALESCE(silent_windows.silent_12m, 0) = 0 AS covers_12m
     , extract_status.is_present AND COALESCE(silent_windows.silent_24m, 0) = 0 AS covers_24m
     , extract_status.is_present AND COALESCE(silent_windows.silent_last_calendar_year, 0) = 0
       AS covers_last_calendar_year
FROM extract_status
LEFT JOIN silent_windows
  ON silent_windows.extract = extract_status.extract
