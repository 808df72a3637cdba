-- Meaning: unplanned continuous inpatient spells that began in the 12 months before a snapshot and were known.
-- Grain:   one row per person and snapshot that has any.
-- Missing: no row means none; history_coverage says whether the feed covers them.
-- Source:  RULES, Acute and Time. The spells are today's; one is known from the first day on which an episode of
--          its first provider spell had started and was recorded.
WITH known_spells AS (
    SELECT cips.person
         , cips.cips
         , cips.admission_date
         , MIN(GREATEST(acute_episodes.admission_date
                      , acute_episodes.episode_start
                      , COALESCE(acute_episodes.recorded_date, acute_episodes.episode_start))) AS known_date
    FROM cips
    JOIN spell_episodes AS first_episode
      ON first_episode.episode_id = cips.first_episode_id
     AND first_episode.person = cips.person
    JOIN spell_episodes
      ON spell_episodes.person = first_episode.person
     AND spell_episodes.spell_key = first_episode.spell_key
    JOIN acute_episodes
      ON acute_episodes.episode_id = spell_episodes.episode_id
     AND acute_episodes.person = spell_episodes.person
    WHERE cips.is_unplanned
    GROUP BY cips.person
           , cips.cips
           , cips.admission_date
)
SELECT known_spells.person
     , snapshots.months_before
     , CAST(COUNT(*) AS INTEGER) AS unplanned_admissions
FROM known_spells
JOIN snapshots
  ON known_spells.admission_date >= snapshots.start_12m
 AND known_spells.admission_date < snapshots.snapshot_date
 AND known_spells.known_date < snapshots.snapshot_date
GROUP BY known_spells.person
       , snapshots.months_before
