-- Meaning: stays in hospital by the messages of one provider.
-- Grain:   one row per person, provider and stay.
-- Missing: admitted_at is NULL where the messages begin in the middle of a stay, discharged_at while it goes on.
-- Source:  RULES, Acute: acute_adt feeds the daily list only.
SELECT hospital_messages.person
     , hospital_messages.provider_code
     , hospital_messages.stay_number
     , MAX(CASE WHEN hospital_messages.event_type = 'admitted' THEN hospital_messages.event_at END) AS admitted_at
     , MIN(hospital_messages.event_at) AS first_at
     , MAX(hospital_messages.event_at) AS last_at
     , CASE WHEN MAX(CASE WHEN hospital_messages.event_type = 'discharged'
                          THEN hospital_messages.message_number END)
                 = MAX(hospital_messages.message_number)
            THEN MAX(hospital_messages.event_at) END AS discharged_at
     , COALESCE(MAX(CASE WHEN hospital_messages.event_type = 'transferred'
                         THEN hospital_messages.message_number END)
                = MAX(hospital_messages.message_number), FALSE) AS ends_in_transfer
FROM hospital_messages
GROUP BY hospital_messages.person
       , hospital_messages.provider_code
       , hospital_messages.stay_number
