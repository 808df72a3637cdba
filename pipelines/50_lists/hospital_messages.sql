-- Meaning: messages from hospitals about the people whom a list may name, in their order, numbered by stay, without
--          those that were taken back: a stay begins with a message of an admission, and stay 0 is what came before the
--          first.
-- Grain:   one row per person, provider, kind of message and instant that stands; a message sent twice counts once.
-- Missing: empty where acute_adt is absent.
-- Source:  RULES, Time and Acute: acute_adt feeds the daily list only. In the order of when it happened, whenever it
--          was delivered; at one instant an admission comes before a transfer, a discharge and a cancellation. Project
--          rules: a cancellation takes back the message before it that still stands, of the same stay, so that whoever
--          was discharged by mistake is in hospital still; a stay whose admission was taken back never was. HL7 v2.5
--          chapter 3 has a message of its own for each (A11, A12, A13); the extract has one word.
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
), numbered AS (
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
), balances AS (
    SELECT numbered.person
         , numbered.provider_code
         , numbered.event_type
         , numbered.event_at
         , numbered.message_number
         , numbered.stay_number
         , SUM(CASE WHEN numbered.event_type = 'cancelled' THEN -1 ELSE 1 END) OVER (
               PARTITION BY numbered.person, numbered.provider_code, numbered.stay_number
               ORDER BY numbered.message_number
               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ) AS balance
    FROM numbered
), lowest_balances AS (
    SELECT balances.person
         , balances.provider_code
         , balances.event_type
         , balances.event_at
         , balances.message_number
         , balances.stay_number
         , balances.balance
         , MIN(balances.balance) OVER (
               PARTITION BY balances.person, balances.provider_code, balances.stay_number
               ORDER BY balances.message_number
               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ) AS lowest_balance
    FROM balances
), standing_counts AS (
    SELECT lowest_balances.person
         , lowest_balances.provider_code
         , lowest_balances.event_type
         , lowest_balances.event_at
         , lowest_balances.message_number
         , lowest_balances.stay_number
         , lowest_balances.balance - LEAST(lowest_balances.lowest_balance, 0) AS standing
    FROM lowest_balances
), judged AS (
    SELECT standing_counts.person
         , standing_counts.provider_code
         , standing_counts.event_type
         , standing_counts.event_at
         , standing_counts.message_number
         , standing_counts.stay_number
         , standing_counts.event_type <> 'cancelled'
           AND COALESCE(MIN(standing_counts.standing) OVER (
                   PARTITION BY standing_counts.person, standing_counts.provider_code, standing_counts.stay_number
                   ORDER BY standing_counts.message_number
                   ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
               ), standing_counts.standing) >= standing_counts.standing AS stands
    FROM standing_counts
), stays_that_were AS (
    SELECT judged.person
         , judged.provider_code
         , judged.stay_number
    FROM judged
    GROUP BY judged.person
           , judged.provider_code
           , judged.stay_number
    HAVING judged.stay_number = 0
        OR MAX(CASE WHEN judged.event_type = 'admitted' AND judged.stands THEN 1 ELSE 0 END) = 1
)
SELECT judged.person
     , judged.provider_code
     , judged.event_type
     , judged.event_at
     , judged.message_number
     , judged.stay_number
FROM judged
JOIN stays_that_were
  ON stays_that_were.person = judged.person
 AND stays_that_were.provider_code = judged.provider_code
 AND stays_that_were.stay_number = judged.stay_number
WHERE judged.stands
