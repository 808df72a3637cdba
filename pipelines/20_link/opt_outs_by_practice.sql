-- Meaning: how many people of a practice are left out of the population for each opt-out that is applied. Somebody who
--          has set both counts under both.
-- Grain:   one row per practice and opt-out.  Missing: a practice without a row has nobody left out.
-- Source:  project rules, People: opt-outs are applied per purpose, and only counts are kept, never who.
SELECT registrations.practice_code
     , opted_out.opt_out
     , CAST(COUNT(*) AS INTEGER) AS people
FROM register_status
JOIN registrations
  ON registrations.person = register_status.person
JOIN opted_out
  ON opted_out.person = register_status.person
JOIN reference_opt_outs_applied AS opt_outs_applied
  ON opt_outs_applied.opt_out = opted_out.opt_out
WHERE register_status.exclusion IN ('opted out (type 1)', 'opted out (national)')
  AND opt_outs_applied.purpose = 'risk_stratification'
  AND opt_outs_applied.applied
GROUP BY registrations.practice_code
       , opted_out.opt_out
