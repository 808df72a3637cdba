-- Meaning: the conditions that make up a person's Cambridge Multimorbidity Score.
-- Grain:   one row per person and condition, out of 20.
-- Missing: no row means no criterion of the condition is met in what was recorded.
-- Source:  Payne 2020, 10.1503/cmaj.190757: general-outcome weights and usage rules. The criteria (codes
--          ever, in a window, with or instead of medicines) are config/reference/cambridge_criteria.csv.
WITH codes AS (
    SELECT concept_events.person
         , concept_events.concept
         , MIN(concept_events.event_date) AS first_date
         , MAX(concept_events.event_date) AS last_date
    FROM concept_events
    WHERE concept_events.list = 'cambridge'
    GROUP BY concept_events.person
           , concept_events.concept
), medicines AS (
    SELECT medicine_concept_issues.person
         , medicine_concept_issues.concept
         , medicine_concept_issues.issues_ever
         , medicine_concept_issues.issues_12m
    FROM medicine_concept_issues
    WHERE medicine_concept_issues.list = 'cambridge'
), by_code AS (
    SELECT codes.person
         , criteria.item
    FROM reference_cambridge_criteria AS criteria
    JOIN codes
      ON codes.concept = criteria.coded_concept
    CROSS JOIN run
    LEFT JOIN medicines
      ON medicines.person = codes.person
     AND medicines.concept = criteria.medicine_concept
    WHERE CASE criteria.code_rule
              WHEN 'ever' THEN TRUE
              WHEN 'first_in_5y' THEN codes.first_date >= run.start_5y
              WHEN 'in_12m' THEN codes.last_date >= run.start_12m
              ELSE FALSE
          END
      AND (criteria.medicine_concept IS NULL
           OR COALESCE(medicines.issues_12m, 0) >= criteria.minimum_issues_12m)
), by_medicine AS (
    SELECT medicines.person
         , criteria.item
    FROM reference_cambridge_criteria AS criteria
    JOIN medicines
      ON medicines.concept = criteria.medicine_concept
    LEFT JOIN codes AS forbidden
      ON forbidden.person = medicines.person
     AND forbidden.concept = criteria.absent_concept
    WHERE criteria.coded_concept IS NULL
      AND forbidden.person IS NULL
      AND (criteria.minimum_issues_12m IS NULL OR medicines.issues_12m >= criteria.minimum_issues_12m)
      AND (criteria.minimum_issues_ever IS NULL OR medicines.issues_ever >= criteria.minimum_issues_ever)
), latest_egfr AS (
    SELECT concept_events.person
         , criteria.item
         , concept_events.value
         , ROW_NUMBER() OVER (
               PARTITION BY concept_events.person, criteria.item
               ORDER BY concept_events.event_date DESC, concept_events.event_id DESC
           ) AS recency
    FROM concept_events
    JOIN reference_cambridge_criteria AS criteria
      ON criteria.code_rule = 'best_of_latest'
     AND criteria.coded_concept = concept_events.concept
    LEFT JOIN reference_plausible_values AS plausible_values
      ON plausible_values.concept = concept_events.concept
    WHERE concept_events.list = 'cambridge'
      AND concept_events.value IS NOT NULL
      AND (plausible_values.concept IS NULL
           OR concept_events.value BETWEEN plausible_values.lowest AND plausible_values.highest)
), by_value AS (
    SELECT latest_egfr.person
         , latest_egfr.item
    FROM latest_egfr
    CROSS JOIN parameters
    WHERE latest_egfr.recency <= parameters.egfr_readings
    GROUP BY latest_egfr.person
           , latest_egfr.item
           , parameters.egfr_below
    HAVING MAX(latest_egfr.value) < parameters.egfr_below
), present AS (
    SELECT person, item FROM by_code
    UNION
    SELECT person, item FROM by_medicine
    UNION
    SELECT person, item FROM by_value
)
SELECT present.person
     , present.item
     , score_points.points
FROM present
JOIN score_points
  ON score_points.score = 'cambridge'
 AND score_points.concept = present.item
