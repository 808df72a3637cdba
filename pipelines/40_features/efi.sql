-- Meaning: the electronic frailty index: deficits out of 36, and the category they fall in.
-- Grain:   one row per person.
-- Missing: all three are NULL where medicines are unknown, because polypharmacy is then unknown. Deficits
--          that count once ever recorded are not made unknown by a silent month.
-- Source:  Clegg 2016, 10.1093/ageing/afw039; RULES, Frailty: categories are judged on whole deficits.
WITH counted AS (
    SELECT efi_components.person
         , COUNT(*) AS deficits
    FROM efi_components
    GROUP BY efi_components.person
), known AS (
    SELECT medicines_12m.person
         , CASE WHEN medicines_12m.medicines_12m IS NOT NULL
                THEN CAST(COALESCE(counted.deficits, 0) AS INTEGER) END AS efi_deficits
    FROM medicines_12m
    LEFT JOIN counted
      ON counted.person = medicines_12m.person
)
SELECT known.person
     , known.efi_deficits
     , CAST(known.efi_deficits AS DOUBLE) / CAST(parameters.efi_deficits_counted AS DOUBLE) AS efi
     , bands.category AS efi_category
FROM known
CROSS JOIN parameters
LEFT JOIN reference_bands AS bands
  ON bands.score = 'efi'
 AND known.efi_deficits >= bands.lower
 AND (bands.below IS NULL OR known.efi_deficits < bands.below)
