-- Meaning: whose identity the vault keeps, and which row of the register says who they are.
-- Grain:   one row per person of the population or otherwise on the register.
-- Missing: people of whom an opt-out is applied, or whom the site was told to erase, have no row: no output may name
--          them, so nothing needs to know them.
--          practice_code is NULL where no registration counts on as_of.
-- Source:  project rules, Disclosure; the registration that counts speaks, else the row that was read last.
WITH vaulted AS (
    SELECT people.person
    FROM people
    UNION ALL
    SELECT outside_population.person
    FROM outside_population
), last_rows AS (
    SELECT gp_patients.person
         , MAX(gp_patients.register_row) AS register_row
    FROM gp_patients
    WHERE gp_patients.person IS NOT NULL
    GROUP BY gp_patients.person
)
SELECT vaulted.person
     , gp_patients.register_row
     , gp_patients.date_of_birth
     , gp_patients.sex
     , registrations.practice_code
FROM vaulted
JOIN last_rows
  ON last_rows.person = vaulted.person
LEFT JOIN registrations
  ON registrations.person = vaulted.person
JOIN gp_patients
  ON gp_patients.register_row = COALESCE(registrations.register_row, last_rows.register_row)
