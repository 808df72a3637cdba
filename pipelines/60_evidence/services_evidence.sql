-- Meaning: home care and other social care services, care plans, answers to the five questions, and places on a
--          caseload: what a person has from others, since when, and when it was last reviewed.
-- Grain:   one row per record that began before as_of and not before birth.
-- Missing: end_date is NULL for what has no end; last_review_date for what was not reviewed before as_of;
--          source_row for places on a caseload, which carry no identifier of their own.
-- Source:  40_features/homecare.sql, care_planning.sql and team.sql; config/reference/homecare_services.csv.
WITH homecare_services AS (
    SELECT DISTINCT LOWER(TRIM(listed.service_type)) AS service_type
    FROM reference_homecare_services AS listed
), records AS (
    SELECT social_care_services.person
         , CASE WHEN homecare_services.service_type IS NULL THEN 'social care' ELSE 'home care' END AS kind
         , social_care_services.service_type AS description
         , social_care_services.start_date
         , social_care_services.end_date
         , social_care_services.last_review_date
         , social_care_services.service_id AS source_row
    FROM social_care_services
    LEFT JOIN homecare_services
      ON homecare_services.service_type = LOWER(TRIM(social_care_services.service_type))
    UNION ALL
    SELECT care_plans.person
         , 'care plan'
         , care_plans.plan_type
         , care_plans.created_date
         , NULL
         , care_plans.last_reviewed_date
         , care_plans.plan_id
    FROM care_plans
    UNION ALL
    SELECT assessments.person
         , 'assessment'
         , 'question ' || CAST(assessments.question AS VARCHAR)
           || CASE WHEN assessments.concern THEN ': concern' ELSE ': no concern' END
         , assessments.assessed_on
         , NULL
         , NULL
         , assessments.assessment_id
    FROM assessments
    UNION ALL
    SELECT community_caseload.person
         , 'caseload'
         , community_caseload.team || COALESCE(', ' || community_caseload.case_manager, '')
         , community_caseload.from_date
         , community_caseload.to_date
         , NULL
         , NULL
    FROM community_caseload
)
SELECT person_keys.person_id
     , records.kind
     , records.start_date
     , records.end_date
     , CASE WHEN records.last_review_date < run.as_of
             AND records.last_review_date >= people.date_of_birth
            THEN records.last_review_date END AS last_review_date
     , records.end_date IS NULL OR records.end_date >= run.as_of AS is_open
     , records.description
     , records.source_row
FROM records
JOIN people
  ON people.person = records.person
JOIN person_keys
  ON person_keys.person = people.person
CROSS JOIN run
WHERE records.start_date < run.as_of
  AND records.start_date >= people.date_of_birth
