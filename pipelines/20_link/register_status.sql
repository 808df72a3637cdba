-- Meaning: everybody on the GP register, with the first reason why somebody is not in the population.
-- Grain:   one row per person on the register.  Missing: exclusion is NULL for people in the population.
-- Source:  RULES, People and Time (alive and born before as_of); opt-outs as
--          config/reference/opt_outs_applied.csv applies them to risk stratification; people whom the site was told to
--          erase and who are still delivered (erased_people).
WITH register AS (
    SELECT gp_patients.person
         , MIN(gp_patients.date_of_death) AS first_date_of_death
    FROM gp_patients
    WHERE gp_patients.person IS NOT NULL
    GROUP BY gp_patients.person
), applied_opt_outs AS (
    SELECT opted_out.person
         , MAX(CASE WHEN opted_out.opt_out = 'type_1' THEN 1 ELSE 0 END) AS has_type_1
    FROM opted_out
    JOIN reference_opt_outs_applied AS opt_outs_applied
      ON opt_outs_applied.opt_out = opted_out.opt_out
    WHERE opt_outs_applied.purpose = 'risk_stratification'
      AND opt_outs_applied.applied
    GROUP BY opted_out.person
)
SELECT register.person
     , CASE WHEN erased_people.person IS NOT NULL THEN 'erased at this site'
            WHEN registrations.person IS NULL THEN 'no open registration in scope'
            WHEN registrations.date_of_birth >= run.as_of THEN 'born on or after the date of the run'
            WHEN register.first_date_of_death < run.as_of THEN 'died'
            WHEN applied_opt_outs.has_type_1 = 1 THEN 'opted out (type 1)'
            WHEN applied_opt_outs.person IS NOT NULL THEN 'opted out (national)'
       END AS exclusion
FROM register
CROSS JOIN run
LEFT JOIN registrations
  ON registrations.person = register.person
LEFT JOIN applied_opt_outs
  ON applied_opt_outs.person = register.person
LEFT JOIN erased_people
  ON erased_people.person = register.person
