"""The comparison has teeth: an engine that follows one changed rule disagrees with the oracle on the right feature."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.oracle.harness import check_town, minimal_stories
from tests.oracle.knowledge import load_knowledge
from tests.oracle.test_whole_histories import town_of
from tests.oracle.towns import Town, write_site
from tests.spec.tables import parse_table

AS_OF = date(2026, 4, 1)
PEOPLE = 2_500
# A file of config/, what stands there, what is put in its place, a feature that must differ.
CHANGES = parse_table(
    """
    file                              | rule                           | changed                         | feature
    reference/parameters.csv          | polypharmacy_medicines,5,      | polypharmacy_medicines,4,       | efi_deficits
    reference/parameters.csv          | cips_gap_days,2,               | cips_gap_days,3,                | unplanned_admissions_12m
    reference/parameters.csv          | cips_gap_days,2,               | cips_gap_days,1,                | unplanned_admissions_12m
    reference/parameters.csv          | readmission_days,29,           | readmission_days,30,            | emergency_readmissions_30d_12m
    reference/parameters.csv          | readmission_days,29,           | readmission_days,28,            | emergency_readmissions_30d_12m
    reference/parameters.csv          | hfrs_validated_age,75,         | hfrs_validated_age,76,          | hfrs_validated_age
    reference/parameters.csv          | flu_season_first_month,9,      | flu_season_first_month,10,      | flu_vaccine_this_season
    reference/parameters.csv          | egfr_readings,2,               | egfr_readings,1,                | cambridge_multimorbidity
    reference/parameters.csv          | egfr_below,60,                 | egfr_below,61,                  | cambridge_multimorbidity
    reference/transfer_evidence.csv   | discharge_destination,84,      | discharge_destination,85,       | unplanned_admissions_24m
    reference/transfer_evidence.csv   | source_of_admission,87,        | source_of_admission,88,         | unplanned_admissions_24m
    reference/transfer_evidence.csv   | admission_method,81,           | admission_method,82,            | unplanned_bed_days_12m
    reference/transfer_exceptions.csv | 19,51,21,                      | 19,51,22,                       | unplanned_admissions_24m
    reference/admission_methods.csv   | 2D,true                        | 2D,false                        | unplanned_admissions_12m
    reference/admission_methods.csv   | 2B,false                       | 2B,true                         | unplanned_admissions_12m
    reference/patient_classifications.csv | 4,true                     | 4,false                         | is_inpatient
    reference/attendance_categories.csv | 2,false                      | 2,true                          | ae_attendances_12m
    reference/attendance_statuses.csv | 6,true                         | 6,false                         | community_contacts_12m
    reference/department_types.csv    | 04,false                       | 04,true                         | sdec_attendances_12m
    reference/homecare_services.csv   | home support,                  | home supports,                  | receives_homecare
    reference/unscheduled_contacts.csv | acute_attendances,,           | community_contacts,,            | unscheduled_contacts_90d
    reference/unscheduled_contacts.csv | gp_contacts,out of hours,     | gp_contacts,surgery,            | unscheduled_contacts_90d
    reference/unscheduled_contacts.csv | agency_contacts,ambulance,    | agency_contacts,,               | unscheduled_contacts_usual_90d
    reference/acsc_conditions.csv     | J20,require,J44                | J20,require,J45                 | acsc_admissions_12m
    reference/acsc_conditions.csv     | B181,exclude,D57               | B181,exclude,D58                | acsc_admissions_12m
    reference/cambridge_criteria.csv  | constipation_medicine,4,       | constipation_medicine,3,        | cambridge_multimorbidity
    reference/cambridge_criteria.csv  | cancer,first_in_5y             | cancer,ever                     | cambridge_multimorbidity
    reference/states.csv              | lives_alone,not_living_alone   | lives_alone,                    | lives_alone
    reference/coded_frailty.csv       | frailty_severe,severe,3        | frailty_severe,severe,0         | frailty_coded
    reference/bands.csv               | supplied_efi,mild,12,24,       | supplied_efi,mild,12,25,        | frailty_supplied
    reference/bands.csv               | hfrs,intermediate,50,151,      | hfrs,intermediate,50,150,       | hfrs_category
    reference/bands.csv               | efi,moderate,9,13,             | efi,moderate,9,14,              | efi_category
    reference/age_bands.csv           | 65-74,65,75,                   | 65-74,65,76,                    | age_band
    reference/opt_outs_applied.csv    | type_1,risk_stratification,true | type_1,risk_stratification,false | (population)
    scores/charlson.csv               | renal_disease,2                | renal_disease,3                 | charlson
    scores/hfrs_weights.csv           | F00,7.1                        | F00,7.2                         | hfrs
    codelists/efi_values.csv          | ckd,ctv3,451E.,any,>=,0,<,60,  | ckd,ctv3,451E.,any,>=,0,<=,60,  | efi_deficits
    """  # noqa: E501 - a table is read a row a line
)
# What has to change with it, so that the definitions still hold together.
NEIGHBOURS = {
    "supplied_efi,mild,12,25,": ("supplied_efi,moderate,24,", "supplied_efi,moderate,25,"),
    "hfrs,intermediate,50,150,": ("hfrs,high,151,", "hfrs,high,150,"),
    "efi,moderate,9,14,": ("efi,severe,13,", "efi,severe,14,"),
    "65-74,65,76,": ("75-84,75,", "75-84,76,"),
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    site = write_site(tmp_path_factory.mktemp("town") / "site", Town(AS_OF, []))
    return town_of(12, AS_OF, PEOPLE, 0, False, load_knowledge(site))


def changed_site(folder: Path, town: Town, change: dict[str, str]) -> Path:
    site = write_site(folder, town)
    path = site / "config" / change["file"]
    text = path.read_text(encoding="utf-8")
    replacements = [(change["rule"], change["changed"])]
    if change["changed"] in NEIGHBOURS:
        replacements.append(NEIGHBOURS[change["changed"]])
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return site


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES, ids=[change["changed"] for change in CHANGES])
def test_a_changed_rule_is_noticed(town: Town, tmp_path: Path, change: dict[str, str]) -> None:
    knowledge = load_knowledge(write_site(tmp_path / "true", town))
    site = changed_site(tmp_path / "changed", town, change)
    found = check_town(town, site, knowledge)[1]
    assert change["feature"] in {name for one in found for name in one.differences}


@pytest.mark.slow
def test_a_changed_rule_is_told_by_a_short_story(town: Town, tmp_path: Path) -> None:
    knowledge = load_knowledge(write_site(tmp_path / "true", town))
    site = changed_site(tmp_path / "changed", town, CHANGES[0])
    told = minimal_stories(check_town(town, site, knowledge)[1], town, site, knowledge, shown=1)
    story = [line for line in told.splitlines() if line.startswith("    ")]
    assert CHANGES[0]["feature"] in told
    assert len([line for line in story if "gp_medications" in line]) == 4
    assert len([line for line in story if "gp_patients" in line]) == 1
    assert len(story) == 5
