-- Meaning: the events of which a label tells whether one came: unplanned admissions on or after the index date.
-- Grain:   one row per person, index date and continuous inpatient spell (CIPS) that began on or after it.
-- Missing: no row means that none was known before as_of. A CIPS that began before the index date is no new event.
-- Source:  RULES, Acute; 30_core/cips.sql as of the day up to which outcomes are known.
SELECT landmark_people.person
     , landmark_people.index_date
     , cips.cips
     , cips.admission_date AS event_date
     , CAST(date_diff('day', landmark_people.index_date, cips.admission_date) AS INTEGER) AS days_to_event
FROM landmark_people
JOIN cips
  ON cips.person = landmark_people.person
 AND cips.admission_date >= landmark_people.index_date
WHERE cips.is_unplanned
