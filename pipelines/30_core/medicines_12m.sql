-- Meaning: how many different medicines were issued to a person in the 12 months before as_of.
-- Grain:   one row per person of the population.
-- Missing: NULL where the practice's medicines feed does not cover the window, else 0 for none.
-- Source:  RULES, Frailty (polypharmacy) and Time; a medicine is a distinct dm+d product code.
WITH recent_products AS (
    SELECT medicine_products.person
         , COUNT(*) AS medicines
         , MIN(medicine_products.first_issue_date_12m) AS first_issue_date
    FROM medicine_products
    WHERE medicine_products.first_issue_date_12m IS NOT NULL
    GROUP BY medicine_products.person
)
SELECT people.person
     , CASE WHEN practice_coverage.medications_cover_12m
            THEN CAST(COALESCE(recent_products.medicines, 0) AS INTEGER) END AS medicines_12m
     , recent_products.first_issue_date
FROM people
JOIN practice_coverage
  ON practice_coverage.practice_code = people.practice_code
LEFT JOIN recent_products
  ON recent_products.person = people.person
