-- Meaning: frailty from three sources that are never mixed (counted, coded by a clinician, supplied by the
--          GP system), and the one that speaks for the person.
-- Grain:   one row per person.
-- Missing: NULL where a source says nothing; frailty_category and frailty_source are NULL where all are
--          silent. Unknown is not fit.
-- Source:  RULES, Frailty: the latest code or value counts, on the same day the more severe; a supplied
--          value must lie in 0 to 1. The order is config/reference/frailty_precedence.csv.
WITH coded AS (
    SELECT concept_events.person
         , coded_frailty.category
    FROM concept_events
    JOIN reference_coded_frailty AS coded_frailty
      ON coded_frailty.concept = concept_events.concept
    WHERE concept_events.list = 'flags'
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY concept_events.person
                ORDER BY concept_events.event_date DESC, coded_frailty.severity DESC
            ) = 1
), supplied AS (
    SELECT concept_events.person
         , bands.category
    FROM concept_events
    JOIN reference_bands AS bands
      ON bands.score = 'supplied_efi'
     AND concept_events.value >= CAST(bands.lower AS DOUBLE) / 100.0
     AND (bands.below IS NULL OR concept_events.value < CAST(bands.below AS DOUBLE) / 100.0)
    WHERE concept_events.list = 'flags'
      AND concept_events.concept = 'supplied_efi'
      AND concept_events.value BETWEEN 0 AND 1
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY concept_events.person
                ORDER BY concept_events.event_date DESC, concept_events.value DESC
            ) = 1
), sources AS (
    SELECT person, 'computed' AS frailty_source, efi_category AS category FROM efi
    WHERE efi_category IS NOT NULL
    UNION ALL
    SELECT person, 'coded' AS frailty_source, category FROM coded
    UNION ALL
    SELECT person, 'supplied' AS frailty_source, category FROM supplied
), speaking AS (
    SELECT sources.person
         , sources.frailty_source
         , sources.category
    FROM sources
    JOIN reference_frailty_precedence AS frailty_precedence
      ON frailty_precedence.frailty_source = sources.frailty_source
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY sources.person
                ORDER BY frailty_precedence.precedence, sources.frailty_source
            ) = 1
)
SELECT people.person
     , coded.category AS frailty_coded
     , supplied.category AS frailty_supplied
     , speaking.category AS frailty_category
     , speaking.frailty_source
FROM people
LEFT JOIN coded
  ON coded.person = people.person
LEFT JOIN supplied
  ON supplied.person = people.person
LEFT JOIN speaking
  ON speaking.person = people.person
