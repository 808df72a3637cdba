-- Meaning: the days on which the history looks at today's population: as_of and the same day of every earlier
--          month, or that month's last day where it is shorter.
-- Grain:   one row per snapshot; months_before is 0 on as_of.
-- Missing: none. How far back is history_months of config/reference/parameters.csv, and 12 months at least.
-- Source:  RULES, Time. The 12 months before a snapshot begin 12 months before its own day, which at the end of
--          a month is not always as_of less as many months. window_name is theirs in run_windows. A set of
--          snapshots is the sum of their snapshot_bit, so there are 62 months at most.
WITH digits AS (
    SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
    UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), months AS (
    SELECT tens.digit * 10 + units.digit AS months_before
    FROM digits AS tens
    CROSS JOIN digits AS units
    CROSS JOIN parameters
    WHERE tens.digit * 10 + units.digit <= GREATEST(parameters.history_months, 12)
), numbered AS (
    SELECT months.months_before
         , CAST(EXTRACT(day FROM run.as_of) AS INTEGER) AS day_of_month
         , CAST(EXTRACT(year FROM run.as_of) * 12
                + EXTRACT(month FROM run.as_of) - 1 AS INTEGER) - months.months_before AS month_number
    FROM months
    CROSS JOIN run
), calendar AS (
    SELECT numbered.months_before
         , numbered.day_of_month
         , CAST(FLOOR(CAST(numbered.month_number AS DOUBLE) / 12.0) AS INTEGER) AS year_number
         , CAST(numbered.month_number % 12 + 1 AS INTEGER) AS month_of_year
    FROM numbered
), snapshot_days AS (
    SELECT calendar.months_before
         , calendar.year_number
         , calendar.month_of_year
         , LEAST(
               calendar.day_of_month
             , CAST(EXTRACT(day FROM LAST_DAY(make_date(calendar.year_number, calendar.month_of_year, 1)))
                    AS INTEGER)
           ) AS day_of_month
    FROM calendar
)
SELECT CAST(snapshot_days.months_before AS INTEGER) AS months_before
     , make_date(
           snapshot_days.year_number
         , snapshot_days.month_of_year
         , snapshot_days.day_of_month
       ) AS snapshot_date
     , make_date(
           snapshot_days.year_number - 1
         , snapshot_days.month_of_year
         , LEAST(
               snapshot_days.day_of_month
             , CAST(EXTRACT(day FROM LAST_DAY(
                   make_date(snapshot_days.year_number - 1, snapshot_days.month_of_year, 1)
               )) AS INTEGER)
           )
       ) AS start_12m
     , 'snapshot_' || CAST(snapshot_days.months_before AS VARCHAR) AS window_name
     , CAST(POWER(2, snapshot_days.months_before) AS BIGINT) AS snapshot_bit
FROM snapshot_days
