-- Meaning: who is in hospital on as_of, and when somebody last left hospital.
-- Grain:   one row per person.
-- Missing: is_inpatient is NULL only where acute_episodes is absent; last_discharge_date is NULL for people
--          not known to have been discharged. Neither looks back over a window.
-- Source:  RULES, Acute: an open provider spell, planned or not; regular attenders are left out.
WITH spells AS (
    SELECT provider_spells.person
         , MAX(CASE WHEN provider_spells.discharge_date IS NULL THEN 1 ELSE 0 END) AS open_spells
         , MAX(provider_spells.discharge_date) AS last_discharge_date
    FROM provider_spells
    WHERE NOT provider_spells.is_regular_attender
    GROUP BY provider_spells.person
)
SELECT people.person
     , CASE WHEN extract_coverage.is_present
            THEN COALESCE(spells.open_spells, 0) = 1 END AS is_inpatient
     , spells.last_discharge_date
FROM people
JOIN extract_coverage
  ON extract_coverage.extract = 'acute_episodes'
LEFT JOIN spells
  ON spells.person = people.person
