-- Meaning: when a team last did something about a person of one of its lists, so that the person may rest on that list.
-- Grain:   one row per list and person.
-- Missing: nobody of whom nothing was done has a row; who could not be reached, or needed nothing, was not actioned.
-- Source:  Project rule: seen, declined and referred are actions.
SELECT list_returns.list
     , list_returns.person
     , MAX(list_returns.outcome_date) AS actioned_date
FROM list_returns
WHERE list_returns.outcome IN ('seen', 'declined', 'referred')
GROUP BY list_returns.list
       , list_returns.person
