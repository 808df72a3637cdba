-- Meaning: unplanned continuous inpatient spells by the day they began, those for ACSC conditions, and
--          emergency readmissions (an unplanned CIPS 0 to 29 days after the previous CIPS ended).
-- Grain:   one row per person.
-- Missing: 0 where acute_episodes covers the window, else NULL.
-- Source:  RULES, Acute and Time; NHS Data Dictionary, admission method; NHS Outcomes Framework 2.3i, 3b.
WITH counted AS (
    SELECT cips.person
         , SUM(CASE WHEN cips.admission_date >= run.start_90d THEN 1 ELSE 0 END) AS in_90d
         , SUM(CASE WHEN cips.admission_date >= run.start_12m THEN 1 ELSE 0 END) AS in_12m
         , SUM(CASE WHEN cips.admission_date >= run.start_24m THEN 1 ELSE 0 END) AS in_24m
         , SUM(CASE WHEN cips.admission_date >= run.last_calendar_year_start
                     AND cips.admission_date < run.last_calendar_year_end THEN 1 ELSE 0 END)
           AS in_last_calendar_year
         , SUM(CASE WHEN cips.admission_date >= run.start_12m
                     AND acsc_admissions.cips IS NOT NULL THEN 1 ELSE 0 END) AS acsc_in_12m
         , SUM(CASE WHEN cips.admission_date >= run.start_12m
                     AND cips.days_since_previous_cips BETWEEN 0 AND parameters.readmission_days
                    THEN 1 ELSE 0 END) AS readmissions_in_12m
    FROM cips
    CROSS JOIN run
    CROSS JOIN parameters
    LEFT JOIN acsc_admissions
      ON acsc_admissions.person = cips.person
     AND acsc_admissions.cips = cips.cips
    WHERE cips.is_unplanned
    GROUP BY cips.person
)
SELECT people.person
     , CASE WHEN extract_coverage.covers_90d
            THEN CAST(COALESCE(counted.in_90d, 0) AS INTEGER) END AS unplanned_admissions_90d
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.in_12m, 0) AS INTEGER) END AS unplanned_admissions_12m
     , CASE WHEN extract_coverage.covers_24m
            THEN CAST(COALESCE(counted.in_24m, 0) AS INTEGER) END AS unplanned_admissions_24m
     , CASE WHEN extract_coverage.covers_last_calendar_year
            THEN CAST(COALESCE(counted.in_last_calendar_year, 0) AS INTEGER) END
       AS unplanned_admissions_last_calendar_year
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.acsc_in_12m, 0) AS INTEGER) END AS acsc_admissions_12m
     , CASE WHEN extract_coverage.covers_12m
            THEN CAST(COALESCE(counted.readmissions_in_12m, 0) AS INTEGER) END
       AS emergency_readmissions_30d_12m
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_episodes'
LEFT JOIN counted
  ON counted.person = people.person
