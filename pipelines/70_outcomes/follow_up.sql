-- Meaning: how many days after an index date somebody of the frame died or left, and how long anything is known.
-- Grain:   one row per person and index date; 0 is the index date itself.
-- Missing: days_to_death is NULL where no death was known before as_of; days_to_leaving is NULL for who died first, and
--          beyond every horizon for who has not left.
-- Source:  config/model/outcome.yaml: who died within gap_days of the end of a registration died and did not leave.
WITH deaths AS (
    SELECT gp_patients.person
         , MIN(gp_patients.date_of_death) AS date_of_death
    FROM gp_patients
    CROSS JOIN run
    WHERE gp_patients.date_of_death < run.as_of
    GROUP BY gp_patients.person
), registered AS (
    SELECT landmark_people.person
         , landmark_people.index_date
         , MAX(registered_spans.last_day) AS last_day
    FROM landmark_people
    JOIN registered_spans
      ON registered_spans.person = landmark_people.person
     AND registered_spans.first_day <= landmark_people.index_date
     AND registered_spans.last_day >= landmark_people.index_date
    GROUP BY landmark_people.person
           , landmark_people.index_date
)
SELECT registered.person
     , registered.index_date
     , CAST(date_diff('day', registered.index_date, run.as_of) AS INTEGER) AS days_known
     , CAST(date_diff('day', registered.index_date, deaths.date_of_death) AS INTEGER) AS days_to_death
     , CAST(CASE WHEN date_diff('day', registered.last_day, deaths.date_of_death) <= outcome_rules.gap_days
                 THEN NULL
                 ELSE date_diff('day', registered.index_date, registered.last_day) + 1
            END AS INTEGER) AS days_to_leaving
FROM registered
CROSS JOIN run
CROSS JOIN outcome_rules
LEFT JOIN deaths
  ON deaths.person = registered.person
