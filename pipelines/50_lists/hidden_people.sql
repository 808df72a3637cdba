-- Meaning: people on the register whom no list may name or remember: they have opted out, or were erased.
-- Grain:   one row per person.
-- Missing: none; who is not on the register has no row.
-- Source:  RULES, People; config/reference/opt_outs_applied.csv. outside_population leaves out whom nobody may learn of.
WITH applied_opt_outs AS (
    SELECT opted_out.person
    FROM opted_out
    JOIN reference_opt_outs_applied AS opt_outs_applied
      ON opt_outs_applied.opt_out = opted_out.opt_out
    WHERE opt_outs_applied.purpose = 'risk_stratification'
      AND opt_outs_applied.applied
    GROUP BY opted_out.person
)
SELECT register_status.person
     , applied_opt_outs.person IS NOT NULL AS has_opted_out
FROM register_status
LEFT JOIN outside_population
  ON outside_population.person = register_status.person
LEFT JOIN applied_opt_outs
  ON applied_opt_outs.person = register_status.person
WHERE register_status.exclusion IS NOT NULL
  AND outside_population.person IS NULL
