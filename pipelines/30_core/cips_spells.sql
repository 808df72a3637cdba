-- Meaning: which continuous inpatient spell (CIPS) each provider spell belongs to.
-- Grain:   one row per person and provider spell; cips counts a person's continuous spells from 1.
-- Missing: regular attenders are not here; an open spell, or one that overlaps the spell before it, joins nothing.
-- Source:  RULES, Acute; NHS Digital, Methodology to create provider and CIP spells from HES APC data. The
--          next spell joins when it starts 0 to 2 days after and any transfer evidence stands.
WITH in_order AS (
    SELECT provider_spells.person
         , provider_spells.spell_key
         , provider_spells.spell_number
         , provider_spells.admission_date
         , provider_spells.admission_method
         , provider_spells.source_of_admission
         , LAG(provider_spells.discharge_date) OVER (
               PARTITION BY provider_spells.person ORDER BY provider_spells.spell_number
           ) AS previous_discharge_date
         , LAG(provider_spells.discharge_destination) OVER (
               PARTITION BY provider_spells.person ORDER BY provider_spells.spell_number
           ) AS previous_discharge_destination
    FROM provider_spells
    WHERE NOT provider_spells.is_regular_attender
), judged AS (
    SELECT in_order.person
         , in_order.spell_key
         , in_order.spell_number
         , date_diff('day', in_order.previous_discharge_date, in_order.admission_date) AS days_since_previous
         , went_to_hospital.code IS NOT NULL
           OR came_from_hospital.code IS NOT NULL
           OR came_by_transfer.code IS NOT NULL AS has_transfer_evidence
         , exceptions.admission_method IS NOT NULL AS is_exception
    FROM in_order
    LEFT JOIN reference_transfer_evidence AS went_to_hospital
      ON went_to_hospital.field = 'discharge_destination'
     AND went_to_hospital.code = in_order.previous_discharge_destination
    LEFT JOIN reference_transfer_evidence AS came_from_hospital
      ON came_from_hospital.field = 'source_of_admission'
     AND came_from_hospital.code = in_order.source_of_admission
    LEFT JOIN reference_transfer_evidence AS came_by_transfer
      ON came_by_transfer.field = 'admission_method'
     AND came_by_transfer.code = in_order.admission_method
    LEFT JOIN reference_transfer_exceptions AS exceptions
      ON exceptions.discharge_destination = in_order.previous_discharge_destination
     AND exceptions.admission_source = in_order.source_of_admission
     AND exceptions.admission_method = in_order.admission_method
), started AS (
    SELECT judged.person
         , judged.spell_key
         , judged.spell_number
         , CASE WHEN judged.days_since_previous BETWEEN 0 AND parameters.cips_gap_days
                 AND judged.has_transfer_evidence
                 AND NOT judged.is_exception
                THEN 0 ELSE 1 END AS starts_cips
    FROM judged
    CROSS JOIN parameters
)
SELECT started.person
     , started.spell_key
     , started.spell_number
     , CAST(SUM(started.starts_cips) OVER (
           PARTITION BY started.person ORDER BY started.spell_number
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
       ) AS INTEGER) AS cips
FROM started
