-- Meaning: the states of a person that stand on as_of, side by side.
-- Grain:   one row per person.
-- Missing: FALSE for a state that was never recorded or has ended; ever-recorded states are not made
--          unknown by a silent month.
-- Source:  person_states; config/reference/states.csv.
WITH standing AS (
    SELECT person_states.person
         , MAX(CASE WHEN person_states.state = 'has_dementia' THEN 1 ELSE 0 END) AS dementia
         , MAX(CASE WHEN person_states.state = 'has_copd' THEN 1 ELSE 0 END) AS copd
         , MAX(CASE WHEN person_states.state = 'lives_alone' THEN 1 ELSE 0 END) AS alone
         , MAX(CASE WHEN person_states.state = 'is_housebound' THEN 1 ELSE 0 END) AS housebound
         , MAX(CASE WHEN person_states.state = 'is_care_home_resident' THEN 1 ELSE 0 END) AS care_home
         , MAX(CASE WHEN person_states.state = 'is_end_of_life' THEN 1 ELSE 0 END) AS end_of_life
    FROM person_states
    WHERE person_states.is_current
    GROUP BY person_states.person
)
SELECT people.person
     , COALESCE(standing.dementia, 0) = 1 AS has_dementia
     , COALESCE(standing.copd, 0) = 1 AS has_copd
     , COALESCE(standing.alone, 0) = 1 AS lives_alone
     , COALESCE(standing.housebound, 0) = 1 AS is_housebound
     , COALESCE(standing.care_home, 0) = 1 AS is_care_home_resident
     , COALESCE(standing.end_of_life, 0) = 1 AS is_end_of_life
FROM people
LEFT JOIN standing
  ON standing.person = people.person
