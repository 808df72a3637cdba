-- Meaning: what was known of a person 12 months before as_of, and how many frailty bands they have risen since.
-- Grain:   one row per person.
-- Missing: NULL where it was unknown then; bands risen is NULL where frailty is unknown then or now.
-- Source:  40_features/history.sql. Bands are ranked by the severity of config/reference/bands.csv, whichever
--          source spoke; a fall is negative.
SELECT history.person
     , history.efi_deficits AS efi_deficits_12m_ago
     , history.frailty_category AS frailty_category_12m_ago
     , CAST(bands_now.severity - bands_then.severity AS INTEGER) AS frailty_bands_risen_12m
     , history.unplanned_admissions_12m AS unplanned_admissions_12m_a_year_ago
FROM history
JOIN frailty
  ON frailty.person = history.person
LEFT JOIN reference_bands AS bands_now
  ON bands_now.score = 'efi'
 AND bands_now.category = frailty.frailty_category
LEFT JOIN reference_bands AS bands_then
  ON bands_then.score = 'efi'
 AND bands_then.category = history.frailty_category
WHERE history.months_before = 12
