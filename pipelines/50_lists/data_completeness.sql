-- Meaning: the last day of which the records behind the score are there, for the people of a practice.
-- Grain:   one row per practice with people in the population.
-- Missing: NULL where one of the extracts behind the score has no row of the practice, or none at all.
-- Source:  Project rule: the newest day of each extract that the score reads (config/ranking.yaml), GP extracts by
--          practice, others over all providers; the earliest of them.
WITH practices_now AS (
    SELECT people.practice_code
    FROM people
    GROUP BY people.practice_code
), newest AS (
    SELECT feed_rows.extract
         , CASE WHEN feed_rows.extract IN ('gp_events', 'gp_medications', 'gp_contacts')
                THEN feed_rows.provider END AS practice_code
         , MAX(feed_rows.newest_date) AS newest_date
    FROM feed_rows
    GROUP BY feed_rows.extract
           , CASE WHEN feed_rows.extract IN ('gp_events', 'gp_medications', 'gp_contacts')
                  THEN feed_rows.provider END
)
SELECT practices_now.practice_code
     , CASE WHEN COUNT(newest.newest_date) = COUNT(*) THEN MIN(newest.newest_date) END AS data_complete_to
FROM practices_now
CROSS JOIN list_score_extracts
LEFT JOIN newest
  ON newest.extract = list_score_extracts.extract
 AND (newest.practice_code IS NULL OR newest.practice_code = practices_now.practice_code)
GROUP BY practices_now.practice_code
