-- Meaning: the place of each source of frailty in the order in which they speak; the first that knows decides.
-- Grain:   one row.
-- Missing: NULL for a source that the order does not name; it never speaks.
-- Source:  RULES, Frailty; config/reference/frailty_precedence.csv.
WITH ordered_sources AS (
    SELECT frailty_precedence.frailty_source
         , CAST(ROW_NUMBER() OVER (
               ORDER BY frailty_precedence.precedence, frailty_precedence.frailty_source
           ) AS BIGINT) AS place
    FROM reference_frailty_precedence AS frailty_precedence
)
SELECT MAX(CASE WHEN ordered_sources.frailty_source = 'computed' THEN ordered_sources.place END) AS computed
     , MAX(CASE WHEN ordered_sources.frailty_source = 'coded' THEN ordered_sources.place END) AS coded
     , MAX(CASE WHEN ordered_sources.frailty_source = 'supplied' THEN ordered_sources.place END) AS supplied
FROM ordered_sources
