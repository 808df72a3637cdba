-- Meaning: everything the cohorts, scores and reports may know of a person on as_of.
-- Grain:   one row per person of the population.
-- Missing: NULL is unknown, never zero; each feature's own file says when.
-- Source:  RULES; the files of this folder and of 30_core.
SELECT person_keys.person_id
     , people.age
     , age_bands.age_band
     , people.sex
     , people.ethnic_category
     , people.practice_code
     , people.pcn_code
     , people.neighbourhood_code
     , people.imd_decile
     , efi.efi_deficits
     , efi.efi
     , efi.efi_category
     , frailty.frailty_coded
     , frailty.frailty_supplied
     , frailty.frailty_category
     , frailty.frailty_source
     , hfrs.hfrs
     , hfrs.hfrs_category
     , hfrs.hfrs_validated_age
     , charlson.charlson
     , cambridge.cambridge_multimorbidity
     , medicines_12m.medicines_12m
     , unplanned_admissions.unplanned_admissions_12m
     , unplanned_admissions.unplanned_admissions_24m
     , unplanned_admissions.unplanned_admissions_last_calendar_year
     , unplanned_admissions.unplanned_admissions_90d
     , unplanned_admissions.acsc_admissions_12m
     , bed_days.unplanned_bed_days_12m
     , unplanned_admissions.emergency_readmissions_30d_12m
     , attendances.ae_attendances_12m
     , attendances.ae_attendances_90d
     , attendances.sdec_attendances_12m
     , inpatients.is_inpatient
     , inpatients.last_discharge_date
     , community_activity.community_contacts_12m
     , community_activity.last_community_contact_date
     , gp_activity.gp_contacts_12m
     , agencies.agencies_90d
     , gp_activity.falls_12m
     , states.has_dementia
     , states.has_copd
     , states.lives_alone
     , states.is_housebound
     , states.is_care_home_resident
     , states.is_end_of_life
     , care_planning.has_care_plan
     , care_planning.care_plan_last_reviewed_date
     , care_planning.five_questions_last_asked_date
     , gp_activity.medication_review_last_date
     , gp_activity.flu_vaccine_this_season
     , team.case_manager
     , team.is_known_to_team
     , year_ago.efi_deficits_12m_ago
     , year_ago.frailty_category_12m_ago
     , year_ago.frailty_bands_risen_12m
     , year_ago.unplanned_admissions_12m_a_year_ago
     , homecare.receives_homecare
     , homecare.homecare_started_date
     , homecare.homecare_last_review_date
     , agencies.agency_contacts_90d
     , agencies.agency_contacts_12m
     , unscheduled.unscheduled_contacts_90d
     , unscheduled.unscheduled_contacts_usual_90d
     , gp_activity.copd_rescue_medicine_12m
     , attendances.ambulance_arrivals_12m
     , gp_activity.medication_reviewed_12m
     , discharges.unplanned_discharge_14d
     , care_planning.care_plan_created_date
FROM people
JOIN person_keys ON person_keys.person = people.person
JOIN efi ON efi.person = people.person
JOIN frailty ON frailty.person = people.person
JOIN hfrs ON hfrs.person = people.person
JOIN charlson ON charlson.person = people.person
JOIN cambridge ON cambridge.person = people.person
JOIN medicines_12m ON medicines_12m.person = people.person
JOIN unplanned_admissions ON unplanned_admissions.person = people.person
JOIN bed_days ON bed_days.person = people.person
JOIN inpatients ON inpatients.person = people.person
JOIN discharges ON discharges.person = people.person
JOIN attendances ON attendances.person = people.person
JOIN community_activity ON community_activity.person = people.person
JOIN gp_activity ON gp_activity.person = people.person
JOIN states ON states.person = people.person
JOIN care_planning ON care_planning.person = people.person
JOIN agencies ON agencies.person = people.person
JOIN team ON team.person = people.person
JOIN year_ago ON year_ago.person = people.person
JOIN homecare ON homecare.person = people.person
JOIN unscheduled ON unscheduled.person = people.person
LEFT JOIN reference_age_bands AS age_bands
  ON people.age >= age_bands.lower
 AND (age_bands.below IS NULL OR people.age < age_bands.below)
