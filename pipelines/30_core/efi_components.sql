-- Meaning: the eFI deficits that a person has, each with the record that first showed it.
-- Grain:   one row per person and deficit, out of 36.
-- Missing: no row means never recorded. Polypharmacy has no row either while medicines are unknown, so a
--          total is made in efi.sql only where they are known.
-- Source:  Clegg 2016, 10.1093/ageing/afw039; RULES, Frailty. 35 deficits count once ever recorded. A code
--          of efi_values counts for its deficit by a value within all stated bounds, never by occurrence, and
--          not by one that cannot be right (config/reference/plausible_values.csv).
WITH numeric_codes AS (
    SELECT DISTINCT efi_values.concept
         , efi_values.code_system
         , efi_values.code
    FROM efi_values
), coded AS (
    SELECT concept_events.person, concept_events.concept AS deficit, concept_events.event_date
         , concept_events.known_date, concept_events.event_id, concept_events.code_system
         , concept_events.code, CAST(NULL AS DOUBLE) AS value
    FROM concept_events
    LEFT JOIN numeric_codes
      ON numeric_codes.concept = concept_events.concept
     AND numeric_codes.code_system = concept_events.code_system
     AND numeric_codes.code = concept_events.code
    WHERE concept_events.list = 'efi'
      AND numeric_codes.code IS NULL
), abnormal AS (
    SELECT concept_events.person, concept_events.concept AS deficit, concept_events.event_date
         , concept_events.known_date, concept_events.event_id, concept_events.code_system
         , concept_events.code, concept_events.value
    FROM concept_events
    JOIN efi_values
      ON efi_values.concept = concept_events.concept
     AND efi_values.code_system = concept_events.code_system
     AND efi_values.code = concept_events.code
    LEFT JOIN reference_plausible_values AS plausible_values
      ON plausible_values.concept = efi_values.concept
     AND plausible_values.unit = efi_values.unit
    JOIN people
      ON people.person = concept_events.person
    LEFT JOIN reference_sexes AS sexes
      ON sexes.code = people.sex
    WHERE concept_events.list = 'efi_values'
      AND concept_events.value IS NOT NULL
      AND (plausible_values.concept IS NULL
           OR concept_events.value BETWEEN plausible_values.lowest AND plausible_values.highest)
      AND (efi_values.sex = 'any' OR efi_values.sex = sexes.sex)
      AND CASE WHEN efi_values.value IS NULL THEN TRUE
               WHEN efi_values.operator = '>' THEN concept_events.value > efi_values.value
               WHEN efi_values.operator = '>=' THEN concept_events.value >= efi_values.value
               WHEN efi_values.operator = '<' THEN concept_events.value < efi_values.value
               WHEN efi_values.operator = '<=' THEN concept_events.value <= efi_values.value
               WHEN efi_values.operator = '=' THEN concept_events.value = efi_values.value
               ELSE FALSE
          END
      AND CASE WHEN efi_values.max_value IS NULL THEN TRUE
               WHEN efi_values.max_operator = '<' THEN concept_events.value < efi_values.max_value
               WHEN efi_values.max_operator = '<=' THEN concept_events.value <= efi_values.max_value
               ELSE FALSE
          END
), medicines AS (
    SELECT medicines_12m.person, deficits.deficit, medicines_12m.first_issue_date AS event_date
         , medicines_12m.first_issue_date AS known_date, CAST(NULL AS VARCHAR) AS event_id
         , CAST(NULL AS VARCHAR) AS code_system, CAST(NULL AS VARCHAR) AS code
         , CAST(medicines_12m.medicines_12m AS DOUBLE) AS value
    FROM medicines_12m
    CROSS JOIN parameters
    JOIN reference_efi_deficits AS deficits
      ON deficits.counted_from = 'medicines'
    WHERE medicines_12m.medicines_12m >= parameters.polypharmacy_medicines
), found AS (
    SELECT person, deficit, event_date, known_date, event_id, code_system, code, value FROM coded
    UNION ALL
    SELECT person, deficit, event_date, known_date, event_id, code_system, code, value FROM abnormal
    UNION ALL
    SELECT person, deficit, event_date, known_date, event_id, code_system, code, value FROM medicines
), first_days AS (
    SELECT found.person
         , found.deficit
         , MIN(found.event_date) AS first_date
         , MIN(found.known_date) AS first_known_date
    FROM found
    GROUP BY found.person
           , found.deficit
)
SELECT found.person
     , deficits.deficit_number
     , deficits.deficit
     , first_days.first_date
     , first_days.first_known_date
     , found.event_id
     , found.code_system
     , found.code
     , found.value
FROM found
JOIN first_days
  ON first_days.person = found.person
 AND first_days.deficit = found.deficit
 AND first_days.first_date = found.event_date
JOIN reference_efi_deficits AS deficits
  ON deficits.deficit = found.deficit
QUALIFY ROW_NUMBER() OVER (
            PARTITION BY found.person, deficits.deficit_number
            ORDER BY found.event_id NULLS LAST, found.code_system, found.code
        ) = 1
