-- Meaning: the eFI deficits that a person has, each with the record that first showed it.
-- Grain:   one row per person and deficit, out of 36.
-- Missing: no row means never recorded. Polypharmacy has no row either while medicines are unknown, so a
--          total is made in efi.sql only where they are known.
-- Source:  Clegg 2016, 10.1093/ageing/afw039; RULES, Frailty. 35 deficits count once ever recorded. A code
--          of efi_values counts for its deficit by a value within all stated bounds, never by occurrence, and
--          not by one that cannot be right (config/reference/plausible_values.csv).
WITH deficit_codes AS (
    SELECT listed_codes.listed_code
         , deficits.deficit_number
    FROM listed_codes
    JOIN reference_efi_deficits AS deficits
      ON deficits.deficit = listed_codes.concept
    LEFT JOIN listed_codes AS numeric_codes
      ON numeric_codes.list = 'efi_values'
     AND numeric_codes.concept = listed_codes.concept
     AND numeric_codes.code_system = listed_codes.code_system
     AND numeric_codes.code = listed_codes.code
    WHERE listed_codes.list = 'efi'
      AND numeric_codes.listed_code IS NULL
), value_rules AS (
    SELECT listed_codes.listed_code
         , deficits.deficit_number
         , efi_values.sex
         , efi_values.operator
         , efi_values.value
         , efi_values.max_operator
         , efi_values.max_value
         , plausible_values.lowest
         , plausible_values.highest
    FROM efi_values
    JOIN listed_codes
      ON listed_codes.list = 'efi_values'
     AND listed_codes.concept = efi_values.concept
     AND listed_codes.code_system = efi_values.code_system
     AND listed_codes.code = efi_values.code
    JOIN reference_efi_deficits AS deficits
      ON deficits.deficit = efi_values.concept
    LEFT JOIN reference_plausible_values AS plausible_values
      ON plausible_values.concept = efi_values.concept
     AND plausible_values.unit = efi_values.unit
), found AS (
    SELECT listed_events.person, deficit_codes.deficit_number, listed_events.event_date
         , listed_events.known_date, listed_events.event_id, listed_events.listed_code
         , CAST(NULL AS DOUBLE) AS value
    FROM listed_events
    JOIN deficit_codes
      ON deficit_codes.listed_code = listed_events.listed_code
    UNION ALL
    SELECT listed_events.person, value_rules.deficit_number, listed_events.event_date
         , listed_events.known_date, listed_events.event_id, listed_events.listed_code
         , listed_events.value
    FROM listed_events
    JOIN value_rules
      ON value_rules.listed_code = listed_events.listed_code
    JOIN people
      ON people.person = listed_events.person
    LEFT JOIN reference_sexes AS sexes
      ON sexes.code = people.sex
    WHERE listed_events.value IS NOT NULL
      AND (value_rules.lowest IS NULL
           OR listed_events.value BETWEEN value_rules.lowest AND value_rules.highest)
      AND (value_rules.sex = 'any' OR value_rules.sex = sexes.sex)
      AND CASE WHEN value_rules.value IS NULL THEN TRUE
               WHEN value_rules.operator = '>' THEN listed_events.value > value_rules.value
               WHEN value_rules.operator = '>=' THEN listed_events.value >= value_rules.value
               WHEN value_rules.operator = '<' THEN listed_events.value < value_rules.value
               WHEN value_rules.operator = '<=' THEN listed_events.value <= value_rules.value
               WHEN value_rules.operator = '=' THEN listed_events.value = value_rules.value
               ELSE FALSE
          END
      AND CASE WHEN value_rules.max_value IS NULL THEN TRUE
               WHEN value_rules.max_operator = '<' THEN listed_events.value < value_rules.max_value
               WHEN value_rules.max_operator = '<=' THEN listed_events.value <= value_rules.max_value
               ELSE FALSE
          END
    UNION ALL
    SELECT medicines_12m.person, deficits.deficit_number, medicines_12m.first_issue_date
         , medicines_12m.first_issue_date, CAST(NULL AS VARCHAR), CAST(NULL AS INTEGER)
         , CAST(medicines_12m.medicines_12m AS DOUBLE)
    FROM medicines_12m
    CROSS JOIN parameters
    JOIN reference_efi_deficits AS deficits
      ON deficits.counted_from = 'medicines'
    WHERE medicines_12m.medicines_12m >= parameters.polypharmacy_medicines
), first_records AS (
    SELECT found.person
         , found.deficit_number
         , found.event_date
         , MIN(found.known_date) OVER (
               PARTITION BY found.person, found.deficit_number
           ) AS first_known_date
         , found.event_id
         , found.listed_code
         , found.value
    FROM found
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY found.person, found.deficit_number
                ORDER BY found.event_date, found.event_id NULLS LAST, found.listed_code
            ) = 1
)
SELECT first_records.person
     , first_records.deficit_number
     , deficits.deficit
     , first_records.event_date AS first_date
     , first_records.first_known_date
     , first_records.event_id
     , listed_codes.code_system
     , listed_codes.code
     , first_records.value
FROM first_records
JOIN reference_efi_deficits AS deficits
  ON deficits.deficit_number = first_records.deficit_number
LEFT JOIN listed_codes
  ON listed_codes.listed_code = first_records.listed_code
