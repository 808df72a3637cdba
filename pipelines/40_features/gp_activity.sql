-- Meaning: general practice in the last 12 months: contacts, days with a fall, COPD rescue medicine, flu
--          vaccine this season, the latest medication review, and whether one was in those 12 months.
-- Grain:   one row per person.
-- Missing: counts are 0, vaccine and medicine FALSE where the practice's feed covers the window, else NULL;
--          medication_review_last_date is NULL where none is recorded, which a silent month can cause too;
--          medication_reviewed_12m is TRUE for a review in the window, else FALSE where the feed covers it.
-- Source:  RULES, Time and Unknown is not zero. Two fall codes on one day are one fall; the season starts
--          on the latest 1 September on or before as_of (config/reference/parameters.csv).
WITH recorded AS (
    SELECT concept_events.person
         , COUNT(DISTINCT CASE WHEN concept_events.concept = 'fall'
                                AND concept_events.event_date >= run.start_12m
                               THEN concept_events.event_date END) AS fall_days
         , MAX(CASE WHEN concept_events.concept = 'medication_review'
                    THEN concept_events.event_date END) AS last_review_date
         , MAX(CASE WHEN concept_events.concept = 'medication_review'
                     AND concept_events.event_date >= run.start_12m THEN 1 ELSE 0 END) AS reviews
         , MAX(CASE WHEN concept_events.concept = 'flu_vaccine'
                     AND concept_events.event_date >= run_windows.first_day THEN 1 ELSE 0 END) AS vaccines
         , MAX(CASE WHEN concept_events.concept = 'copd_rescue_medicine'
                     AND concept_events.event_date >= run.start_12m THEN 1 ELSE 0 END) AS rescue_medicines
    FROM concept_events
    CROSS JOIN run
    JOIN run_windows
      ON run_windows.window_name = 'flu_season'
    WHERE concept_events.list = 'flags'
      AND concept_events.concept IN ('fall', 'medication_review', 'flu_vaccine', 'copd_rescue_medicine')
    GROUP BY concept_events.person
), contacts AS (
    SELECT gp_contacts.person
         , COUNT(*) AS contact_count
    FROM gp_contacts
    JOIN people
      ON people.person = gp_contacts.person
    CROSS JOIN run
    WHERE gp_contacts.contact_date >= run.start_12m
      AND gp_contacts.contact_date < run.as_of
      AND gp_contacts.contact_date >= people.date_of_birth
    GROUP BY gp_contacts.person
)
SELECT people.person
     , CASE WHEN practice_coverage.contacts_cover_12m
            THEN CAST(COALESCE(contacts.contact_count, 0) AS INTEGER) END AS gp_contacts_12m
     , CASE WHEN practice_coverage.events_cover_12m
            THEN CAST(COALESCE(recorded.fall_days, 0) AS INTEGER) END AS falls_12m
     , recorded.last_review_date AS medication_review_last_date
     , CASE WHEN practice_coverage.events_cover_flu_season
            THEN COALESCE(recorded.vaccines, 0) = 1 END AS flu_vaccine_this_season
     , CASE WHEN practice_coverage.events_cover_12m
            THEN COALESCE(recorded.rescue_medicines, 0) = 1 END AS copd_rescue_medicine_12m
     , CASE WHEN recorded.reviews = 1 THEN TRUE
            WHEN practice_coverage.events_cover_12m THEN FALSE
       END AS medication_reviewed_12m
FROM people
JOIN practice_coverage
  ON practice_coverage.practice_code = people.practice_code
LEFT JOIN recorded
  ON recorded.person = people.person
LEFT JOIN contacts
  ON contacts.person = people.person
