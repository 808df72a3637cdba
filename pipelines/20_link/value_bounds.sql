-- Meaning: between which numbers a recorded value of a code can be right.
-- Grain:   one row per code system and code whose value counts for something.
-- Missing: a code without a row has no bounds; where a code comes in two units the bounds hold both.
-- Source:  config/reference/plausible_values.csv, by the concept and unit of a value rule.
WITH counted AS (
    SELECT efi_values.code_system
         , efi_values.code
         , plausible_values.lowest
         , plausible_values.highest
    FROM efi_values
    JOIN reference_plausible_values AS plausible_values
      ON plausible_values.concept = efi_values.concept
     AND plausible_values.unit = efi_values.unit
    UNION ALL
    SELECT codelist.code_system
         , codelist.code
         , plausible_values.lowest
         , plausible_values.highest
    FROM codelist
    JOIN reference_plausible_values AS plausible_values
      ON plausible_values.concept = codelist.concept
    WHERE codelist.list = 'cambridge'
)
SELECT counted.code_system
     , counted.code
     , MIN(counted.lowest) AS lowest
     , MAX(counted.highest) AS highest
FROM counted
GROUP BY counted.code_system
       , counted.code
