-- Meaning: the population: registered with an in-scope practice and alive on as_of, opt-outs left out.
-- Grain:   one row per person.
-- Missing: ethnic_category, lsoa_code and imd_decile are NULL where the practice or the geography has none;
--          age is NULL where the date of birth makes it more than anybody's (parameters.csv, oldest_age).
-- Source:  RULES, People and Time: age is completed years on as_of; attribution is by registered practice.
WITH deprivation AS (
    SELECT areas.lsoa_code
         , MIN(areas.imd_decile) AS imd_decile
    FROM areas
    GROUP BY areas.lsoa_code
), registered_ages AS (
    SELECT registrations.person
         , CAST(
               EXTRACT(year FROM run.as_of) - EXTRACT(year FROM registrations.date_of_birth)
               - CASE WHEN EXTRACT(month FROM run.as_of) * 100 + EXTRACT(day FROM run.as_of)
                         < EXTRACT(month FROM registrations.date_of_birth) * 100
                           + EXTRACT(day FROM registrations.date_of_birth)
                      THEN 1 ELSE 0
                 END
           AS INTEGER) AS age
    FROM registrations
    CROSS JOIN run
)
SELECT registrations.person
     , registrations.date_of_birth
     , CASE WHEN registered_ages.age <= parameters.oldest_age THEN registered_ages.age END AS age
     , registrations.sex
     , registrations.ethnic_category
     , registrations.practice_code
     , registrations.pcn_code
     , registrations.neighbourhood_code
     , registrations.lsoa_code
     , CAST(deprivation.imd_decile AS INTEGER) AS imd_decile
FROM registrations
JOIN register_status
  ON register_status.person = registrations.person
JOIN registered_ages
  ON registered_ages.person = registrations.person
CROSS JOIN parameters
LEFT JOIN deprivation
  ON deprivation.lsoa_code = registrations.lsoa_code
WHERE register_status.exclusion IS NULL
