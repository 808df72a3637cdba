-- Meaning: whether a person receives home care on as_of, since when, and when it was last reviewed.
-- Grain:   one row per person.
-- Missing: receives_homecare is FALSE for none and NULL where social_care_services is absent; the dates are
--          NULL there, for people without home care, and for home care that was never reviewed.
-- Source:  config/reference/homecare_services.csv says which services are home care, whatever their capitals.
--          Project rule: a service is open on as_of when it began before as_of and has not ended before it;
--          rows and reviews count when dated before as_of and not before birth.
WITH homecare_services AS (
    SELECT DISTINCT LOWER(TRIM(listed.service_type)) AS service_type
    FROM reference_homecare_services AS listed
), open_homecare AS (
    SELECT social_care_services.person
         , MIN(social_care_services.start_date) AS started_date
         , MAX(CASE WHEN social_care_services.last_review_date < run.as_of
                     AND social_care_services.last_review_date >= people.date_of_birth
                    THEN social_care_services.last_review_date END) AS last_review_date
    FROM social_care_services
    JOIN homecare_services
      ON homecare_services.service_type = LOWER(TRIM(social_care_services.service_type))
    JOIN people
      ON people.person = social_care_services.person
    CROSS JOIN run
    WHERE social_care_services.start_date < run.as_of
      AND (social_care_services.end_date IS NULL OR social_care_services.end_date >= run.as_of)
      AND social_care_services.start_date >= people.date_of_birth
    GROUP BY social_care_services.person
)
SELECT people.person
     , CASE WHEN extract_coverage.is_present THEN open_homecare.person IS NOT NULL END AS receives_homecare
     , open_homecare.started_date AS homecare_started_date
     , open_homecare.last_review_date AS homecare_last_review_date
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'social_care_services'
LEFT JOIN open_homecare
  ON open_homecare.person = people.person
