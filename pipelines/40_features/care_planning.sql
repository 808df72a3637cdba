-- Meaning: care plan, when the latest was made, its latest review, and when the five questions were last asked.
-- Grain:   one row per person.
-- Missing: has_care_plan is TRUE by a plan or a GP code, else FALSE, or NULL where care_plans is absent;
--          the dates are NULL where their extract is absent or nothing is recorded. A plan that is known by
--          a GP code alone has no date: the code does not say when the plan was made.
-- Source:  RULES, Time; project rule: rows count when dated before as_of and not before birth.
WITH coded_plans AS (
    SELECT DISTINCT concept_events.person
    FROM concept_events
    WHERE concept_events.list = 'flags'
      AND concept_events.concept = 'care_plan'
), plans AS (
    SELECT care_plans.person
         , MAX(care_plans.created_date) AS created_date
         , MAX(CASE WHEN care_plans.last_reviewed_date < run.as_of
                     AND care_plans.last_reviewed_date >= people.date_of_birth
                    THEN care_plans.last_reviewed_date END) AS last_reviewed_date
    FROM care_plans
    JOIN people
      ON people.person = care_plans.person
    CROSS JOIN run
    WHERE care_plans.created_date < run.as_of
      AND care_plans.created_date >= people.date_of_birth
    GROUP BY care_plans.person
), questions AS (
    SELECT assessments.person
         , MAX(assessments.assessed_on) AS last_asked_date
    FROM assessments
    JOIN people
      ON people.person = assessments.person
    CROSS JOIN run
    WHERE assessments.assessed_on < run.as_of
      AND assessments.assessed_on >= people.date_of_birth
    GROUP BY assessments.person
)
SELECT people.person
     , CASE WHEN plans.person IS NOT NULL OR coded_plans.person IS NOT NULL THEN TRUE
            WHEN extract_coverage.is_present THEN FALSE
       END AS has_care_plan
     , plans.created_date AS care_plan_created_date
     , plans.last_reviewed_date AS care_plan_last_reviewed_date
     , questions.last_asked_date AS five_questions_last_asked_date
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'care_plans'
LEFT JOIN coded_plans
  ON coded_plans.person = people.person
LEFT JOIN plans
  ON plans.person = people.person
LEFT JOIN questions
  ON questions.person = people.person
