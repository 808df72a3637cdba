-- Meaning: whether a practice's medicines and the hospitals' episodes cover the 12 months before each snapshot.
-- Grain:   one row per practice that has people in the population, and snapshot.
-- Missing: an absent extract covers nothing; one silent hospital uncovers a window for everyone.
-- Source:  RULES, Unknown is not zero. The calendar is today's, as for practice_coverage and extract_coverage.
WITH population_practices AS (
    SELECT DISTINCT people.practice_code
    FROM people
), silent AS (
    SELECT feed_coverage.extract
         , feed_coverage.provider
         , snapshots.months_before
    FROM feed_coverage
    JOIN snapshots
      ON snapshots.window_name = feed_coverage.window_name
    WHERE NOT feed_coverage.is_covered
), silent_hospitals AS (
    SELECT DISTINCT silent.months_before
    FROM silent
    WHERE silent.extract = 'acute_episodes'
), present AS (
    SELECT MAX(CASE WHEN extract_status.extract = 'gp_medications' AND extract_status.is_present
                    THEN 1 ELSE 0 END) = 1 AS has_medications
         , MAX(CASE WHEN extract_status.extract = 'acute_episodes' AND extract_status.is_present
                    THEN 1 ELSE 0 END) = 1 AS has_episodes
    FROM extract_status
)
SELECT population_practices.practice_code
     , snapshots.months_before
     , snapshots.snapshot_date
     , present.has_medications AND silent_medications.provider IS NULL AS medications_cover_12m
     , present.has_episodes AND silent_hospitals.months_before IS NULL AS episodes_cover_12m
FROM population_practices
CROSS JOIN snapshots
CROSS JOIN present
LEFT JOIN silent AS silent_medications
  ON silent_medications.extract = 'gp_medications'
 AND silent_medications.provider = population_practices.practice_code
 AND silent_medications.months_before = snapshots.months_before
LEFT JOIN silent_hospitals
  ON silent_hospitals.months_before = snapshots.months_before
