-- Meaning: the day of a person's latest admission, planned or not, by messages and episodes.
-- Grain:   one row per person with an admission.
-- Missing: nobody without one has a row.
-- Source:  Project rule: an admission is new to a team whichever feed brings it first.
WITH admissions AS (
    SELECT message_stays.person
         , CAST(message_stays.admitted_at AS DATE) AS admission_date
    FROM message_stays
    WHERE message_stays.admitted_at IS NOT NULL
    UNION ALL
    SELECT provider_spells.person
         , provider_spells.admission_date
    FROM provider_spells
    JOIN list_candidates
      ON list_candidates.person = provider_spells.person
    WHERE NOT provider_spells.is_regular_attender
)
SELECT admissions.person
     , MAX(admissions.admission_date) AS last_admission_date
FROM admissions
GROUP BY admissions.person
