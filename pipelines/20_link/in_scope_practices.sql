-- Meaning: the practices whose registered people are in scope, as the geography stands on as_of.
-- Grain:   one row per practice.  Missing: a practice without a row valid on as_of is out of scope.
-- Source:  RULES, People; config/geography/practices.csv. Of several rows valid on as_of the latest wins,
--          then the lowest neighbourhood code, then the lowest PCN code.
SELECT practices.practice_code
     , practices.practice_name
     , practices.pcn_code
     , practices.pcn_name
     , practices.neighbourhood_code
     , practices.neighbourhood_name
FROM practices
CROSS JOIN run
WHERE (practices.valid_from IS NULL OR practices.valid_from <= run.as_of)
  AND (practices.valid_to IS NULL OR practices.valid_to >= run.as_of)
QUALIFY ROW_NUMBER() OVER (
            PARTITION BY practices.practice_code
            ORDER BY practices.valid_from DESC NULLS LAST
                   , practices.neighbourhood_code NULLS LAST
                   , practices.pcn_code NULLS LAST
        ) = 1
