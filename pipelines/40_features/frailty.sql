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
), three_sources AS (
    SELECT efi.person
         , efi.efi_category AS computed_category
         , coded.category AS coded_category
         , supplied.category AS supplied_category
         , CASE LEAST(CASE WHEN efi.efi_category IS NOT NULL THEN places.computed END
                    , CASE WHEN coded.category IS NOT NULL THEN places.coded END
                    , CASE WHEN supplied.category IS NOT NULL THEN places.supplied END)
                WHEN places.computed THEN 'computed'
                WHEN places.coded THEN 'coded'
                WHEN places.supplied THEN 'supplied' END AS frailty_source
    FROM efi
    CROSS JOIN frailty_places AS places
    LEFT JOIN coded
      ON coded.person = efi.person
    LEFT JOIN supplied
      ON supplied.person = efi.person
)
SELECT three_sources.person
     , three_sources.coded_category AS frailty_coded
     , three_sources.supplied_category AS frailty_supplied
     , CASE three_sources.frailty_source
            WHEN 'computed' THEN three_sources.computed_category
            WHEN 'coded' THEN three_sources.coded_category
            WHEN 'supplied' THEN three_sources.supplied_category END AS frailty_category
     , three_sources.frailty_source
FROM three_sources
