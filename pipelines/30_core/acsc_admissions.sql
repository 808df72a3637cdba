-- Meaning: unplanned continuous inpatient spells for a condition that care outside hospital can often manage.
-- Grain:   one row per such CIPS.  Missing: a CIPS without a primary diagnosis is not one of them.
-- Source:  NHS Outcomes Framework 2.3i; RULES, Acute. The primary diagnosis is on list acsc; other diagnoses
--          of the same episode may be required or forbidden (config/reference/acsc_conditions.csv). The
--          indicator's procedure exclusions cannot be applied: the extract carries no procedures.
WITH candidates AS (
    SELECT cips.person
         , cips.cips
         , cips.first_episode_id
         , cips.admission_date
         , cips.primary_icd10
         , MIN(diagnosis_concepts.concept) AS concept
    FROM cips
    JOIN diagnosis_concepts
      ON diagnosis_concepts.icd10 = cips.primary_icd10
     AND diagnosis_concepts.list = 'acsc'
    WHERE cips.is_unplanned
    GROUP BY cips.person
           , cips.cips
           , cips.first_episode_id
           , cips.admission_date
           , cips.primary_icd10
), judged AS (
    SELECT candidates.person
         , candidates.cips
         , MAX(CASE WHEN conditions.rule = 'require' THEN 1 ELSE 0 END) AS has_requirement
         , MAX(CASE WHEN conditions.rule = 'require' AND diagnoses.icd10 IS NOT NULL
                    THEN 1 ELSE 0 END) AS meets_requirement
         , MAX(CASE WHEN conditions.rule = 'exclude' AND diagnoses.icd10 IS NOT NULL
                    THEN 1 ELSE 0 END) AS is_excluded
    FROM candidates
    JOIN reference_acsc_conditions AS conditions
      ON SUBSTRING(candidates.primary_icd10, 1, LENGTH(conditions.primary_icd10_code))
         = conditions.primary_icd10_code
    LEFT JOIN diagnoses
      ON diagnoses.episode_id = candidates.first_episode_id
     AND SUBSTRING(diagnoses.icd10, 1, LENGTH(conditions.other_icd10_code)) = conditions.other_icd10_code
    GROUP BY candidates.person
           , candidates.cips
)
SELECT candidates.person
     , candidates.cips
     , candidates.admission_date
     , candidates.concept
     , candidates.primary_icd10
FROM candidates
LEFT JOIN judged
  ON judged.person = candidates.person
 AND judged.cips = candidates.cips
WHERE COALESCE(judged.is_excluded, 0) = 0
  AND COALESCE(judged.meets_requirement, 0) = COALESCE(judged.has_requirement, 0)
