-- Meaning: how many rows each provider of each windowed extract sent for each calendar month.
-- Grain:   one row per extract, provider (GP extracts: registered practice) and month that has rows.
-- Missing: a month without rows has no row here; feed_calendar shows the silent ones.
-- Source:  RULES, Unknown is not zero. Every row dated and known before as_of counts, linked or not. Days
--          are counted first, because there are few of them.
WITH daily_rows AS (
    SELECT 'acute_episodes' AS extract
         , acute_episodes.provider_code AS provider
         , acute_episodes.admission_date AS main_date
         , COUNT(*) AS row_count
    FROM acute_episodes
    CROSS JOIN run
    WHERE acute_episodes.admission_date < run.as_of
      AND acute_episodes.episode_start < run.as_of
      AND (acute_episodes.recorded_date IS NULL OR acute_episodes.recorded_date < run.as_of)
    GROUP BY acute_episodes.provider_code
           , acute_episodes.admission_date
    UNION ALL
    SELECT 'acute_attendances'
         , acute_attendances.provider_code
         , CAST(acute_attendances.arrival_at AS DATE)
         , COUNT(*)
    FROM acute_attendances
    CROSS JOIN run
    WHERE CAST(acute_attendances.arrival_at AS DATE) < run.as_of
    GROUP BY acute_attendances.provider_code
           , CAST(acute_attendances.arrival_at AS DATE)
    UNION ALL
    SELECT 'community_contacts'
         , community_contacts.provider_code
         , community_contacts.contact_date
         , COUNT(*)
    FROM community_contacts
    CROSS JOIN run
    WHERE community_contacts.contact_date < run.as_of
    GROUP BY community_contacts.provider_code
           , community_contacts.contact_date
    UNION ALL
    SELECT 'gp_events'
         , registrations.practice_code
         , gp_events.event_date
         , COUNT(*)
    FROM gp_events
    JOIN registrations
      ON registrations.person = gp_events.person
    CROSS JOIN run
    WHERE gp_events.event_date < run.as_of
      AND COALESCE(gp_events.recorded_date, gp_events.event_date) < run.as_of
    GROUP BY registrations.practice_code
           , gp_events.event_date
    UNION ALL
    SELECT 'gp_medications'
         , registrations.practice_code
         , gp_medications.issue_date
         , COUNT(*)
    FROM gp_medications
    JOIN registrations
      ON registrations.person = gp_medications.person
    CROSS JOIN run
    WHERE gp_medications.issue_date < run.as_of
    GROUP BY registrations.practice_code
           , gp_medications.issue_date
    UNION ALL
    SELECT 'gp_contacts'
         , registrations.practice_code
         , gp_contacts.contact_date
         , COUNT(*)
    FROM gp_contacts
    JOIN registrations
      ON registrations.person = gp_contacts.person
    CROSS JOIN run
    WHERE gp_contacts.contact_date < run.as_of
    GROUP BY registrations.practice_code
           , gp_contacts.contact_date
)
SELECT daily_rows.extract
     , daily_rows.provider
     , CAST(EXTRACT(year FROM daily_rows.main_date) * 12
            + EXTRACT(month FROM daily_rows.main_date) - 1 AS INTEGER) AS month_number
     , CAST(SUM(daily_rows.row_count) AS BIGINT) AS row_count
FROM daily_rows
GROUP BY daily_rows.extract
       , daily_rows.provider
       , CAST(EXTRACT(year FROM daily_rows.main_date) * 12
              + EXTRACT(month FROM daily_rows.main_date) - 1 AS INTEGER)
