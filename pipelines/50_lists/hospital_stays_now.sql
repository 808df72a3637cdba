-- Meaning: stays in hospital as a daily list knows them: by the messages of the day, and by episodes where no
--          message could tell of a stay.
-- Grain:   one row per person and provider by messages; per person and spell by episodes (is_by_episodes).
-- Missing: discharge_date is NULL while the stay goes on.
-- Source:  RULES, Acute: acute_adt feeds the daily list only. Project rule: episodes stand in for a provider that sends
--          no messages, and for stays that began before its first one and of which it has said nothing since; regular
--          day and night attenders are no in-patients.
WITH first_messages AS (
    SELECT acute_adt.provider_code
         , MIN(CAST(acute_adt.event_at AS DATE)) AS first_day
    FROM acute_adt
    CROSS JOIN run
    WHERE CAST(acute_adt.event_at AS DATE) < run.as_of
    GROUP BY acute_adt.provider_code
), last_messages AS (
    SELECT hospital_messages.person
         , hospital_messages.provider_code
         , MAX(CAST(hospital_messages.event_at AS DATE)) AS last_day
    FROM hospital_messages
    GROUP BY hospital_messages.person
           , hospital_messages.provider_code
)
SELECT latest_message_stays.person
     , latest_message_stays.admission_date
     , latest_message_stays.discharge_date
     , FALSE AS is_by_episodes
FROM latest_message_stays
UNION ALL
SELECT provider_spells.person
     , provider_spells.admission_date
     , provider_spells.discharge_date
     , TRUE AS is_by_episodes
FROM provider_spells
JOIN list_candidates
  ON list_candidates.person = provider_spells.person
LEFT JOIN first_messages
  ON first_messages.provider_code = provider_spells.provider_code
LEFT JOIN last_messages
  ON last_messages.person = provider_spells.person
 AND last_messages.provider_code = provider_spells.provider_code
WHERE NOT provider_spells.is_regular_attender
  AND (first_messages.first_day IS NULL OR provider_spells.admission_date < first_messages.first_day)
  AND (last_messages.last_day IS NULL OR last_messages.last_day < provider_spells.admission_date)
