-- Meaning: how many rows each provider of each windowed extract sent for each calendar month, and their newest day.
-- Grain:   one row per extract, provider (GP extracts: registered practice) and month that has rows.
-- Missing: a month without rows has no row here; feed_calendar shows the silent ones.
-- Source:  RULES, Unknown is not zero. Every row dated and known before as_of counts, linked or not. Months are
--          numbered year * 12 + month - 1.
SELECT 'acute_episodes' AS extract
     , acute_episodes.provider_code AS provider
     , CAST(EXTRACT(year FROM acute_episodes.admission_date) * 12
            + EXTRACT(month FROM acute_episodes.admission_date) - 1 AS INTEGER) AS month_number
     , COUNT(*) AS row_count
     , MAX(acute_episodes.admission_date) AS newest_date
FROM acute_episodes
CROSS JOIN run
WHERE acute_episodes.admission_date < run.as_of
  AND acute_episodes.episode_start < run.as_of
  AND (acute_episodes.recorded_date IS NULL OR acute_episodes.recorded_date < run.as_of)
GROUP BY acute_episodes.provider_code
       , CAST(EXTRACT(year FROM acute_episodes.admission_date) * 12
              + EXTRACT(month FROM acute_episodes.admission_date) - 1 AS INTEGER)
UNION ALL
SELECT 'acute_attendances'
     , acute_attendances.provider_code
     , CAST(EXTRACT(year FROM acute_attendances.arrival_at) * 12
            + EXTRACT(month FROM acute_attendances.arrival_at) - 1 AS INTEGER)
     , COUNT(*)
     , MAX(CAST(acute_attendances.arrival_at AS DATE))
FROM acute_attendances
CROSS JOIN run
WHERE CAST(acute_attendances.arrival_at AS DATE) < run.as_of
GROUP BY acute_attendances.provider_code
       , CAST(EXTRACT(year FROM acute_attendances.arrival_at) * 12
              + EXTRACT(month FROM acute_attendances.arrival_at) - 1 AS INTEGER)
UNION ALL
SELECT 'community_contacts'
     , community_contacts.provider_code
     , CAST(EXTRACT(year FROM community_contacts.contact_date) * 12
            + EXTRACT(month FROM community_contacts.contact_date) - 1 AS INTEGER)
     , COUNT(*)
     , MAX(community_contacts.contact_date)
FROM community_contacts
CROSS JOIN run
WHERE community_contacts.contact_date < run.as_of
GROUP BY community_contacts.provider_code
       , CAST(EXTRACT(year FROM community_contacts.contact_date) * 12
              + EXTRACT(month FROM community_contacts.contact_date) - 1 AS INTEGER)
UNION ALL
SELECT 'gp_events'
     , registrations.practice_code
     , CAST(EXTRACT(year FROM gp_events.event_date) * 12
            + EXTRACT(month FROM gp_events.event_date) - 1 AS INTEGER)
     , COUNT(*)
     , MAX(gp_events.event_date)
FROM gp_events
JOIN registrations
  ON registrations.person = gp_events.person
CROSS JOIN run
WHERE gp_events.event_date < run.as_of
  AND COALESCE(gp_events.recorded_date, gp_events.event_date) < run.as_of
GROUP BY registrations.practice_code
       , CAST(EXTRACT(year FROM gp_events.event_date) * 12
              + EXTRACT(month FROM gp_events.event_date) - 1 AS INTEGER)
UNION ALL
SELECT 'gp_medications'
     , registrations.practice_code
     , CAST(EXTRACT(year FROM gp_medications.issue_date) * 12
            + EXTRACT(month FROM gp_medications.issue_date) - 1 AS INTEGER)
     , COUNT(*)
     , MAX(gp_medications.issue_date)
FROM gp_medications
JOIN registrations
  ON registrations.person = gp_medications.person
CROSS JOIN run
WHERE gp_medications.issue_date < run.as_of
GROUP BY registrations.practice_code
       , CAST(EXTRACT(year FROM gp_medications.issue_date) * 12
              + EXTRACT(month FROM gp_medications.issue_date) - 1 AS INTEGER)
UNION ALL
SELECT 'gp_contacts'
     , registrations.practice_code
     , CAST(EXTRACT(year FROM gp_contacts.contact_date) * 12
            + EXTRACT(month FROM gp_contacts.contact_date) - 1 AS INTEGER)
     , COUNT(*)
     , MAX(gp_contacts.contact_date)
FROM gp_contacts
JOIN registrations
  ON registrations.person = gp_contacts.person
CROSS JOIN run
WHERE gp_contacts.contact_date < run.as_of
GROUP BY registrations.practice_code
       , CAST(EXTRACT(year FROM gp_contacts.contact_date) * 12
              + EXTRACT(month FROM gp_contacts.contact_date) - 1 AS INTEGER)
