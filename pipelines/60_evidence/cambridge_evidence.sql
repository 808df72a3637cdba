-- Meaning: the conditions behind a person's Cambridge Multimorbidity Score.
-- Grain:   one row per person and condition.  Missing: no row means that no criterion of it is met.
-- Source:  30_core/cambridge_components.sql.
SELECT person_keys.person_id
     , cambridge_components.item
     , cambridge_components.points
FROM cambridge_components
JOIN person_keys
  ON person_keys.person = cambridge_components.person
