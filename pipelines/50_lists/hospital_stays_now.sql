-- Meaning: stays in hospital as a daily list knows them: by the messages of the day, and by episodes where no
--          messages are delivered at all.
-- Grain:   one row per person and provider by messages; per person and spell by episodes.
-- Missing: discharge_date is NULL while the stay goes on.
-- Source:  RULES, Acute: acute_adt feeds the daily list only. Project rule: episodes stand in for it where it is
--          absent; regular day and night attenders are no in-patients.
SELECT latest_message_stays.person
     , latest_message_stays.admission_date
     , latest_message_stays.discharge_date
FROM latest_message_stays
UNION ALL
SELECT provider_spells.person
     , provider_spells.admission_date
     , provider_spells.discharge_date
FROM provider_spells
JOIN list_candidates
  ON list_candidates.person = provider_spells.person
JOIN extract_status
  ON extract_status.extract = 'acute_adt'
WHERE NOT extract_status.is_present
  AND NOT provider_spells.is_regular_attender
