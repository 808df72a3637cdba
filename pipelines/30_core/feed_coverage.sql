-- Meaning: whether a provider's feed covers each window, and how many silent months speak against it.
-- Grain:   one row per extract, provider that ever sent a row, and window.
-- Missing: a provider that never sent a row has none; extract_status says whether the extract came at all.
-- Source:  RULES, Unknown is not zero.
SELECT feed_calendar.extract
     , feed_calendar.provider
     , run_windows.window_name
     , CAST(SUM(CASE WHEN feed_calendar.is_silent
                      AND feed_calendar.month_number BETWEEN run_windows.first_month
                                                         AND run_windows.last_month
                     THEN 1 ELSE 0 END) AS INTEGER) AS silent_months
     , SUM(CASE WHEN feed_calendar.is_silent
                 AND feed_calendar.month_number BETWEEN run_windows.first_month
                                                    AND run_windows.last_month
                THEN 1 ELSE 0 END) = 0 AS is_covered
FROM feed_calendar
CROSS JOIN run_windows
GROUP BY feed_calendar.extract
       , feed_calendar.provider
       , run_windows.window_name
