-- Meaning: people who had polypharmacy at a snapshot: so many different medicines in the 12 months before it.
-- Grain:   one row per person and snapshot.
-- Missing: no row means fewer than polypharmacy_medicines; history_coverage says whether the feed covers them.
-- Source:  RULES, Frailty (polypharmacy) and Time; a medicine is a distinct dm+d product code. Every issue is
--          read once: it adds the set of snapshots in whose 12 months it lies to the set of its product.
WITH issue_days AS (
    SELECT DISTINCT gp_medications.issue_date
    FROM gp_medications
), day_snapshots AS (
    SELECT issue_days.issue_date
         , BIT_OR(snapshots.snapshot_bit) AS snapshot_bits
    FROM issue_days
    JOIN snapshots
      ON issue_days.issue_date >= snapshots.start_12m
     AND issue_days.issue_date < snapshots.snapshot_date
    GROUP BY issue_days.issue_date
), products AS (
    SELECT gp_medications.person
         , gp_medications.dmd_code
         , BIT_OR(day_snapshots.snapshot_bits) AS snapshot_bits
    FROM gp_medications
    JOIN people
      ON people.person = gp_medications.person
    JOIN day_snapshots
      ON day_snapshots.issue_date = gp_medications.issue_date
    WHERE gp_medications.issue_date >= people.date_of_birth
    GROUP BY gp_medications.person
           , gp_medications.dmd_code
), product_sets AS (
    SELECT products.person
         , products.snapshot_bits
         , COUNT(*) AS medicines
         , SUM(COUNT(*)) OVER (PARTITION BY products.person) AS medicines_of_all_snapshots
    FROM products
    GROUP BY products.person
           , products.snapshot_bits
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
