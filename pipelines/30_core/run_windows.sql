-- Meaning: the windows that features look back over, the 12 months before each snapshot of the history among
--          them, and the complete calendar months each of them spans.
-- Grain:   one row per window.
-- Missing: first_month is after last_month when a window holds no complete month; nothing is silent then.
-- Source:  RULES, Time. Months are numbered year * 12 + month - 1; the last month is the last complete one
--          before as_of, or the window's own last month where the window ends earlier.
WITH flu_season AS (
    SELECT make_date(
               CAST(EXTRACT(year FROM run.as_of)
                    - CASE WHEN EXTRACT(month FROM run.as_of) < parameters.flu_season_first_month
                           THEN 1 ELSE 0 END AS INTEGER)
             , parameters.flu_season_first_month
             , 1
           ) AS first_day
    FROM run
    CROSS JOIN parameters
), day_windows AS (
    SELECT '90d' AS window_name, run.start_90d AS first_day, run.as_of AS end_day FROM run
    UNION ALL
    SELECT '12m', run.start_12m, run.as_of FROM run
    UNION ALL
    SELECT '24m', run.start_24m, run.as_of FROM run
    UNION ALL
    SELECT 'last_calendar_year', run.last_calendar_year_start, run.last_calendar_year_end FROM run
    UNION ALL
    SELECT 'flu_season', flu_season.first_day, run.as_of FROM run CROSS JOIN flu_season
    UNION ALL
    SELECT snapshots.window_name, snapshots.start_12m, snapshots.snapshot_date FROM snapshots
)
SELECT day_windows.window_name
     , day_windows.first_day
     , day_windows.end_day
     , CAST(EXTRACT(year FROM day_windows.first_day) * 12
            + EXTRACT(month FROM day_windows.first_day) - 1 AS INTEGER) AS first_month
     , CAST(EXTRACT(year FROM day_windows.end_day) * 12
            + EXTRACT(month FROM day_windows.end_day) - 2 AS INTEGER) AS last_month
FROM day_windows
