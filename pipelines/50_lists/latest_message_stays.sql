-- Meaning: what each provider said last of a person: in hospital, or gone and when.
-- Grain:   one row per person and provider with a stay.
-- Missing: discharge_date is NULL while the stay goes on. Stays that another provider took over have no row.
-- Source:  Project rules. The provider's latest stay counts. A transfer that is the provider's last word ends the stay
--          once another provider speaks of the person, then or later. A message of a discharge can be lost, so a stay
--          also ends when the episodes of that provider show a stay that began with it or later, lasted a night and
--          ended after the last message; without that somebody would be in hospital for ever. Where the messages begin in
--          the middle of a stay, the day of admission is that of the provider's episodes of that time, if there are any.
WITH begun_before AS (
    SELECT message_stays.person
         , message_stays.provider_code
         , message_stays.stay_number
         , MAX(provider_spells.admission_date) AS admission_date
    FROM message_stays
    JOIN provider_spells
      ON provider_spells.person = message_stays.person
     AND provider_spells.provider_code = message_stays.provider_code
     AND provider_spells.admission_date <= CAST(message_stays.first_at AS DATE)
     AND (provider_spells.discharge_date IS NULL
          OR provider_spells.discharge_date >= CAST(message_stays.first_at AS DATE))
    WHERE message_stays.admitted_at IS NULL
      AND NOT provider_spells.is_regular_attender
    GROUP BY message_stays.person
           , message_stays.provider_code
           , message_stays.stay_number
), latest AS (
    SELECT message_stays.person
         , message_stays.provider_code
         , message_stays.first_at
         , message_stays.last_at
         , message_stays.ends_in_transfer
         , message_stays.admitted_at
         , message_stays.discharged_at
         , COALESCE(begun_before.admission_date
                  , CAST(COALESCE(message_stays.admitted_at, message_stays.first_at) AS DATE)) AS admission_date
    FROM message_stays
    LEFT JOIN begun_before
      ON begun_before.person = message_stays.person
     AND begun_before.provider_code = message_stays.provider_code
     AND begun_before.stay_number = message_stays.stay_number
    QUALIFY ROW_NUMBER() OVER (
                PARTITION BY message_stays.person, message_stays.provider_code
                ORDER BY message_stays.stay_number DESC
            ) = 1
), taken_over AS (
    SELECT latest.person
         , latest.provider_code
    FROM latest
    JOIN message_stays AS elsewhere
      ON elsewhere.person = latest.person
     AND elsewhere.provider_code <> latest.provider_code
     AND elsewhere.first_at >= latest.last_at
     AND (elsewhere.first_at > latest.first_at OR elsewhere.provider_code > latest.provider_code)
    WHERE latest.ends_in_transfer
    GROUP BY latest.person
           , latest.provider_code
), ended_by_episodes AS (
    SELECT latest.person
         , latest.provider_code
         , MAX(provider_spells.discharge_date) AS discharge_date
    FROM latest
    JOIN provider_spells
      ON provider_spells.person = latest.person
     AND provider_spells.provider_code = latest.provider_code
     AND provider_spells.admission_date >= latest.admission_date
     AND provider_spells.discharge_date > provider_spells.admission_date
     AND provider_spells.discharge_date >= CAST(latest.last_at AS DATE)
    WHERE NOT provider_spells.is_regular_attender
    GROUP BY latest.person
           , latest.provider_code
)
SELECT latest.person
     , latest.provider_code
     , latest.admission_date
     , COALESCE(CAST(latest.discharged_at AS DATE), ended_by_episodes.discharge_date) AS discharge_date
FROM latest
LEFT JOIN taken_over
  ON taken_over.person = latest.person
 AND taken_over.provider_code = latest.provider_code
LEFT JOIN ended_by_episodes
  ON ended_by_episodes.person = latest.person
 AND ended_by_episodes.provider_code = latest.provider_code
WHERE taken_over.person IS NULL
