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
), in_population AS (
    SELECT registrations.person
         , registrations.date_of_birth
         , CAST(
               EXTRACT(year FROM run.as_of) - EXTRACT(year FROM registrations.date_of_birth)
               - CASE WHEN EXTRACT(month FROM run.as_of) * 100 + EXTRACT(day FROM run.as_of)
                         < EXTRACT(month FROM registrations.date_of_birth) * 100
                           + EXTRACT(day FROM registrations.date_of_birth)
                      THEN 1 ELSE 0
                 END
           AS INTEGER) AS years
         , registrations.sex
         , registrations.ethnic_category
         , registrations.practice_code
         , registrations.pcn_code
         , registrations.neighbourhood_code
         , registrations.lsoa_code
    FROM registrations
    JOIN register_status
      ON register_status.person = registrations.person
    CROSS JOIN run
    WHERE register_status.exclusion IS NULL
)
SELECT in_population.person
     , in_population.date_of_birth
     , CASE WHEN in_population.years <= parameters.oldest_age THEN in_population.years END AS age
     , in_population.sex
     , in_population.ethnic_category
     , in_population.practice_code
     , in_population.pcn_code
     , in_population.neighbourhood_code
     , in_population.lsoa_code
     , CAST(deprivation.imd_decile AS INTEGER) AS imd_decile
FROM in_population
CROSS JOIN parameters
LEFT JOIN deprivation
  ON deprivation.lsoa_code = in_population.lsoa_code
