-- Meaning: which windows each GP extract covers for the people of a practice.
-- Grain:   one row per practice that has people in the population.
-- Missing: an absent extract covers nothing; a practice whose feed is silent in a window is not covered.
-- Source:  RULES, Unknown is not zero: GP features.
WITH population_practices AS (
    SELECT DISTINCT people.practice_code
    FROM people
), silent_windows AS (
    SELECT feed_coverage.provider AS practice_code
         , MAX(CASE WHEN feed_coverage.extract = 'gp_events' AND feed_coverage.window_name = '12m'
                    THEN 1 ELSE 0 END) AS events_12m
         , MAX(CASE WHEN feed_coverage.extract = 'gp_events' AND feed_coverage.window_name = 'flu_season'
                    THEN 1 ELSE 0 END) AS events_flu_season
         , MAX(CASE WHEN feed_coverage.extract = 'gp_medications' AND feed_coverage.window_name = '12m'
                    THEN 1 ELSE 0 END) AS medications_12m
         , MAX(CASE WHEN feed_coverage.extract = 'gp_contacts' AND feed_coverage.window_name = '12m'
                    THEN 1 ELSE 0 END) AS contacts_12m
         , MAX(CASE WHEN feed_coverage.extract = 'gp_contacts' AND feed_coverage.window_name = '90d'
                    THEN 1 ELSE 0 END) AS contacts_90d
    FROM feed_coverage
    WHERE NOT feed_coverage.is_covered
    GROUP BY feed_coverage.provider
), present AS (
    SELECT MAX(CASE WHEN extract_status.extract = 'gp_events' AND extract_status.is_present
                    THEN 1 ELSE 0 END) = 1 AS has_events
         , MAX(CASE WHEN extract_status.extract = 'gp_medications' AND extract_status.is_present
                    THEN 1 ELSE 0 END) = 1 AS has_medications
         , MAX(CASE WHEN extract_status.extract = 'gp_contacts' AND extract_status.is_present
                    THEN 1 ELSE 0 END) = 1 AS has_contacts
    FROM extract_status
)
SELECT population_practices.practice_code
     , present.has_events
     , present.has_events AND COALESCE(silent_windows.events_12m, 0) = 0 AS events_cover_12m
     , present.has_events AND COALESCE(silent_windows.events_flu_season, 0) = 0 AS events_cover_flu_season
     , present.has_medications AND COALESCE(silent_windows.medications_12m, 0) = 0 AS medications_cover_12m
     , present.has_contacts AND COALESCE(silent_windows.contacts_12m, 0) = 0 AS contacts_cover_12m
     , present.has_contacts AND COALESCE(silent_windows.contacts_90d, 0) = 0 AS contacts_cover_90d
FROM population_practices
CROSS JOIN present
LEFT JOIN silent_windows
  ON silent_windows.practice_code = population_practices.practice_code
