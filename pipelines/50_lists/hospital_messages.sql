-- Meaning: messages from hospitals about the people whom a list may name, in their order, numbered by stay: a stay
--          begins with a message of an admission, and stay 0 is what came before the first.
-- Grain:   one row per person, provider, kind of message and instant; a message sent twice counts once.
-- Missing: empty where acute_adt is absent.
-- Source:  RULES, Time and Acute: acute_adt feeds the daily list only. In the order of when it happened, whenever it
--          was delivered; at one instant an admission comes before a transfer, a discharge and a cancellation.
WITH known_messages AS (
    SELECT acute_adt.person
         , acute_adt.provider_code
         , acute_adt.event_type
         , acute_adt.event_at
         , CASE acute_adt.event_type WHEN 'admitted' THEN 1
                                     WHEN 'transferred' THEN 2
                                     WHEN 'discharged' THEN 3
                                     ELSE 4 END AS order_at_one_instant
    FROM acute_adt
    JOIN list_candidates
      ON list_candidates.person = acute_adt.person
    JOIN people
      ON people.person = acute_adt.person
    CROSS JOIN run
    WHERE CAST(acute_adt.event_at AS DATE) < run.as_of
      AND CAST(acute_adt.event_at AS DATE) >= people.date_of_birth
    GROUP BY acute_adt.person
           , acute_adt.provider_code
           , acute_adt.event_type
           , acute_adt.event_at
)
SELECT known_messages.person
     , known_messages.provider_code
     , known_messages.event_type
     , known_messages.event_at
     , CAST(ROW_NUMBER() OVER (
           PARTITION BY known_messages.person, known_messages.provider_code
           ORDER BY known_messages.event_at, known_messages.order_at_one_instant
       ) AS INTEGER) AS message_number
     , CAST(SUM(CASE WHEN known_messages.event_type = 'admitted' THEN 1 ELSE 0 END) OVER (
           PARTITION BY known_messages.person, known_messages.provider_code
           ORDER BY known_messages.event_at, known_messages.order_at_one_instant
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
       ) AS INTEGER) AS stay_number
FROM known_messages
