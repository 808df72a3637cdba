-- Meaning: what a list knows of a person beyond the features: events of the day, what teams reported back, what is
--          overdue, and how complete the data are. What came back stands in place of the feature of the same name.
-- Grain:   one row per person whom a list may name.
-- Missing: NULL is unknown or none, as each column's own file says; review_days_overdue is 0 where nothing is known to
--          be overdue. A question is NULL where it was not asked in the 12 months before as_of.
-- Source:  The files of this folder. Project rules: a case manager who was reported back counts until the caseload has a
--          newer entry; a review that a team set itself is overdue from the day after it.
WITH questions AS (
    SELECT five_question_answers.person
         , MAX(CASE WHEN five_question_answers.question = 1
                    THEN CAST(five_question_answers.is_open_concern AS INTEGER) END) AS visits
         , MAX(CASE WHEN five_question_answers.question = 2
                    THEN CAST(five_question_answers.is_open_concern AS INTEGER) END) AS falls
         , MAX(CASE WHEN five_question_answers.question = 3
                    THEN CAST(five_question_answers.is_open_concern AS INTEGER) END) AS medication
         , MAX(CASE WHEN five_question_answers.question = 4
                    THEN CAST(five_question_answers.is_open_concern AS INTEGER) END) AS memory
         , MAX(CASE WHEN five_question_answers.question = 5
                    THEN CAST(five_question_answers.is_open_concern AS INTEGER) END) AS daily_living
    FROM five_question_answers
    GROUP BY five_question_answers.person
)
SELECT list_candidates.person
     , hospital_events.event
     , hospital_events.event_date
     , last_admissions.last_admission_date
     , CASE WHEN list_outcomes.is_known_to_team THEN TRUE ELSE team.is_known_to_team END AS is_known_to_team
     , CASE WHEN list_outcomes.case_manager IS NOT NULL
                 AND (team.case_manager IS NULL OR team.on_caseload_since IS NULL
                      OR team.on_caseload_since <= list_outcomes.case_manager_since)
            THEN list_outcomes.case_manager ELSE team.case_manager END AS case_manager
     , GREATEST(COALESCE(care_planning.five_questions_last_asked_date, list_outcomes.five_questions_last_asked_date)
              , COALESCE(list_outcomes.five_questions_last_asked_date, care_planning.five_questions_last_asked_date))
       AS five_questions_last_asked_date
     , care_plan_reviews.care_plan_days_overdue
     , CAST(GREATEST(COALESCE(care_plan_reviews.care_plan_days_overdue, 0)
                   , COALESCE(date_diff('day', list_outcomes.next_review_date, run.as_of), 0)
                   , 0) AS INTEGER) AS review_days_overdue
     , list_outcomes.last_outcome
     , list_outcomes.last_outcome_date
     , list_outcomes.next_review_date
     , questions.visits = 1 AS q1_visits
     , questions.falls = 1 AS q2_falls
     , questions.medication = 1 AS q3_medication
     , questions.memory = 1 AS q4_memory
     , questions.daily_living = 1 AS q5_daily_living
     , data_completeness.data_complete_to
     , CAST(date_diff('day', data_completeness.data_complete_to, run.as_of) AS INTEGER) AS score_age_days
FROM list_candidates
CROSS JOIN run
JOIN people
  ON people.person = list_candidates.person
JOIN team
  ON team.person = list_candidates.person
JOIN care_planning
  ON care_planning.person = list_candidates.person
JOIN care_plan_reviews
  ON care_plan_reviews.person = list_candidates.person
JOIN data_completeness
  ON data_completeness.practice_code = people.practice_code
LEFT JOIN hospital_events
  ON hospital_events.person = list_candidates.person
LEFT JOIN last_admissions
  ON last_admissions.person = list_candidates.person
LEFT JOIN list_outcomes
  ON list_outcomes.person = list_candidates.person
LEFT JOIN questions
  ON questions.person = list_candidates.person
