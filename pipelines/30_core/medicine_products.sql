-- Meaning: which medicines a person had at which snapshots: each product with the set of snapshots in whose 12
--          months it was issued.
-- Grain:   one row per person and distinct dm+d product code with such an issue; the code itself is not kept.
-- Missing: a product issued before every snapshot's 12 months has no row; first_issue_date_12m is NULL where it
--          was not issued in the 12 months before as_of.
-- Source:  RULES, Frailty (polypharmacy) and Time. Every issue is read once, for the present and for the history;
--          a set of snapshots is the sum of their snapshot_bit.
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
)
SELECT gp_medications.person
     , BIT_OR(day_snapshots.snapshot_bits) AS snapshot_bits
     , MIN(CASE WHEN gp_medications.issue_date >= run.start_12m
                THEN gp_medications.issue_date END) AS first_issue_date_12m
FROM gp_medications
JOIN people
  ON people.person = gp_medications.person
JOIN day_snapshots
  ON day_snapshots.issue_date = gp_medications.issue_date
CROSS JOIN run
WHERE gp_medications.issue_date >= people.date_of_birth
  AND gp_medications.issue_date < run.as_of
GROUP BY gp_medications.person
       , gp_medications.dmd_code
