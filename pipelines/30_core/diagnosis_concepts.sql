-- Meaning: which listed concepts each recorded ICD-10 code stands for.
-- Grain:   one row per normalised code, list and concept.  Missing: a code on no list has no row.
-- Source:  RULES, Acute; ICD-10 codes of a code list match as prefixes, after the same tidying.
WITH recorded_codes AS (
    SELECT DISTINCT diagnoses.icd10
    FROM diagnoses
), prefixes AS (
    SELECT DISTINCT codelist.list
         , codelist.concept
         , UPPER(REPLACE(REPLACE(REPLACE(codelist.code, '.', ''), '-', ''), ' ', '')) AS prefix
    FROM codelist
    WHERE codelist.code_system = 'icd10'
)
SELECT DISTINCT recorded_codes.icd10
     , prefixes.list
     , prefixes.concept
FROM recorded_codes
JOIN prefixes
  ON SUBSTRING(recorded_codes.icd10, 1, LENGTH(prefixes.prefix)) = prefixes.prefix
