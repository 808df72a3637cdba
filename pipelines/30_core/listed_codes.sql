-- Meaning: every code of a code list, numbered, with the list and concept it stands for.
-- Grain:   one row per list, concept, code system and code.
-- Missing: nothing is missing; a code under several concepts has a number for each.
-- Source:  config/codelists; the codes of efi_values.csv stand under that list's name. The numbers follow list,
--          concept, code system and code, and are of this run only.
WITH codes AS (
    SELECT codelist.list
         , codelist.concept
         , codelist.code_system
         , codelist.code
    FROM codelist
    UNION
    SELECT 'efi_values' AS list
         , efi_values.concept
         , efi_values.code_system
         , efi_values.code
    FROM efi_values
)
SELECT CAST(ROW_NUMBER() OVER (
           ORDER BY codes.list, codes.concept, codes.code_system, codes.code
       ) AS INTEGER) AS listed_code
     , codes.list
     , codes.concept
     , codes.code_system
     , codes.code
FROM codes
