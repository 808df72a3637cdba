-- Meaning: people who had polypharmacy at a snapshot: so many different medicines in the 12 months before it.
-- Grain:   one row per person and snapshot.
-- Missing: no row means fewer than polypharmacy_medicines; history_coverage says whether the feed covers them.
-- Source:  RULES, Frailty (polypharmacy) and Time; 30_core/medicine_products.sql.
WITH product_sets AS (
    SELECT medicine_products.person
         , medicine_products.snapshot_bits
         , COUNT(*) AS medicines
         , SUM(COUNT(*)) OVER (PARTITION BY medicine_products.person) AS medicines_of_all_snapshots
    FROM medicine_products
    GROUP BY medicine_products.person
           , medicine_products.snapshot_bits
)
SELECT product_sets.person
     , snapshots.months_before
     , CAST(SUM(product_sets.medicines) AS INTEGER) AS medicines_12m
FROM product_sets
CROSS JOIN parameters
JOIN snapshots
  ON (product_sets.snapshot_bits & snapshots.snapshot_bit) <> 0
WHERE product_sets.medicines_of_all_snapshots >= parameters.polypharmacy_medicines
GROUP BY product_sets.person
       , snapshots.months_before
       , parameters.polypharmacy_medicines
HAVING SUM(product_sets.medicines) >= parameters.polypharmacy_medicines
