-- Meaning: what has just happened to a person in hospital, for the lists that begin with it, and the day it began: in
--          A&E now, admitted, in hospital for longer, or discharged.
-- Grain:   one row per person with an event.
-- Missing: nobody without an event has a row.
-- Source:  Luton, July 2020 (seed row 3): admitted or discharged in the last 48 hours, which are the hospital_event_days
--          of parameters.csv, as as_of is midnight. Of several events the first of this order counts, because it is where
--          the person is now; of two of one kind the later.
WITH events AS (
    SELECT emergency_attendances_now.person
         , 'in_ae' AS event
         , emergency_attendances_now.arrival_date AS event_date
         , 1 AS event_order
    FROM emergency_attendances_now
    UNION ALL
    SELECT hospital_stays_now.person
         , CASE WHEN date_diff('day', hospital_stays_now.admission_date, run.as_of) <= parameters.hospital_event_days
                THEN 'admitted' ELSE 'in_hospital' END
         , hospital_stays_now.admission_date
         , CASE WHEN date_diff('day', hospital_stays_now.admission_date, run.as_of) <= parameters.hospital_event_days
                THEN 2 ELSE 3 END
    FROM hospital_stays_now
    CROSS JOIN run
    CROSS JOIN parameters
    WHERE hospital_stays_now.discharge_date IS NULL
    UNION ALL
    SELECT hospital_stays_now.person
         , 'discharged'
         , hospital_stays_now.discharge_date
         , 4
    FROM hospital_stays_now
    CROSS JOIN run
    CROSS JOIN parameters
    WHERE date_diff('day', hospital_stays_now.discharge_date, run.as_of) <= parameters.hospital_event_days
)
SELECT events.person
     , events.event
     , events.event_date
FROM events
QUALIFY ROW_NUMBER() OVER (
            PARTITION BY events.person
            ORDER BY events.event_order, events.event_date DESC
        ) = 1
