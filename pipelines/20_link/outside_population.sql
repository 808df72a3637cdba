-- Meaning: everybody on the GP register who is not in the population, and why; a comparison of two runs says by it
--          why somebody is on a list no longer.
-- Grain:   one row per person.
-- Missing: people of whom an opt-out is applied, or whom the site was told to erase, have no row, whatever else is true
--          of them: nobody may learn who they are.
-- Source:  RULES, People. Who died is said to have died even where the registration ended with the death, which
--          register_status counts under the registration.
WITH first_deaths AS (
    SELECT gp_patients.person
         , MIN(gp_patients.date_of_death) AS first_date_of_death
    FROM gp_patients
    WHERE gp_patients.person IS NOT NULL
    GROUP BY gp_patients.person
), applied_opt_outs AS (
    SELECT opted_out.person
    FROM opted_out
    JOIN reference_opt_outs_applied AS opt_outs_applied
      ON opt_outs_applied.opt_out = opted_out.opt_out
    WHERE opt_outs_applied.purpose = 'risk_stratification'
      AND opt_outs_applied.applied
    GROUP BY opted_out.person
)
SELECT register_status.person
     , CASE WHEN first_deaths.first_date_of_death < run.as_of THEN 'died'
            WHEN register_status.exclusion = 'no open registration in scope' THEN 'moved away'
            ELSE 'not born yet'
       END AS status
FROM register_status
JOIN first_deaths
  ON first_deaths.person = register_status.person
CROSS JOIN run
LEFT JOIN applied_opt_outs
  ON applied_opt_outs.person = register_status.person
WHERE register_status.exclusion IS NOT NULL
  AND register_status.exclusion <> 'erased at this site'
  AND applied_opt_outs.person IS NULL
