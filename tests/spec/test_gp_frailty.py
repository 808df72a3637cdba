"""The electronic frailty index, coded and supplied frailty, medicines (rules: Frailty).

Deficits are given by values, one code per deficit, so that no table leans on a list of codes.
"""

from __future__ import annotations

from tests import factories
from tests.spec.tables import Town

town = Town()

ABNORMAL = (
    ("391002003", 2),  # falls in the last 12 months
    ("314449000", 140),  # average 24-hour systolic blood pressure
    ("408492009", 10),  # six-item cognitive impairment test
    ("391068001", -3),  # hip T score
    ("401221002", 0.8),  # ankle brachial pressure index
    ("723245007", 3),  # exacerbations of COPD in a year
    ("1022791000000101", 9),  # TSH
    ("444297006", 2),  # malnutrition score
    ("271026005", 90),  # haemoglobin
    ("735259005", 3),  # stroke risk score
    ("273302005", 12),  # Barthel index
    ("1011481000000105", 40),  # glomerular filtration rate
)
MEDICINES = tuple(factories.snomed_id(3972031100000110 + number) for number in range(5))


def with_deficits(**counts: int) -> str:
    """A table of events that gives each person so many of the twelve deficits above."""
    lines = ["person | code | value"]
    lines += [
        f"{name} | {code} | {value}" for name, count in counts.items() for code, value in ABNORMAL[:count]
    ]
    return "\n".join(lines)


def with_medicines(person: str, issue_date: str) -> str:
    lines = ["person | dmd_code | issue_date"]
    return "\n".join(lines + [f"{person} | {medicine} | {issue_date}" for medicine in MEDICINES])


test_efi_bands_are_on_whole_deficits_of_36 = town.rule(
    gp_events=with_deficits(four=4, five=5, eight=8, nine=9, twelve=12, thirteen=12),
    gp_medications=with_medicines("thirteen", "2026-01-15"),
    features="""
        person   | efi_deficits | efi      | efi_category
        none     | 0            | 0        | fit
        four     | 4            | 0.111111 | fit
        five     | 5            | 0.138889 | mild
        eight    | 8            | 0.222222 | mild
        nine     | 9            | 0.25     | moderate
        twelve   | 12           | 0.333333 | moderate
        thirteen | 13           | 0.361111 | severe
    """,
)

test_one_abnormal_value_ever_counts = town.rule(
    gp_events="""
        person      | code             | event_date | value
        recovered   | 1011481000000105 | 2001-01-01 | 59
        recovered   | 1011481000000105 | 2026-01-01 | 95
        healthy     | 1011481000000105 | 2026-01-01 | 60
        not_a_value | 1011481000000105 | 2026-01-01 |
    """,
    features="""
        person      | efi_deficits
        recovered   | 1
        healthy     | 0
        not_a_value | 0
    """,
)

test_numeric_code_counts_only_by_its_value = town.rule(
    gp_events="""
        person      | code      | value
        risk_1      | 735259005 | 1
        risk_0      | 735259005 | 0
        risk_empty  | 735259005 |
        barthel_18  | 273302005 | 18
        barthel_19  | 273302005 | 19
        barthel_0   | 273302005 | 0
        systolic    | 314449000 | 135
        abpi_normal | 401221002 | 0.95
        hip_edge    | 391068001 | -2.5
        hip_normal  | 391068001 | -2.4
    """,
    features="""
        person      | efi_deficits
        risk_1      | 1
        risk_0      | 0
        risk_empty  | 0
        barthel_18  | 1
        barthel_19  | 0
        barthel_0   | 1
        systolic    | 0
        abpi_normal | 0
        hip_edge    | 1
        hip_normal  | 0
    """,
)

test_haemoglobin_is_read_by_sex_in_either_unit = town.rule(
    gp_patients="""
        person        | sex | practice_code
        man_low       | 1   | T00100
        man_low_dl    | 1   | T00101
        man_fine      | 1   | T00102
        woman_fine    | 2   | T00103
        woman_low     | 2   | T00104
        woman_low_dl  | 2   | T00105
        sex_not_known | X   | T00106
    """,
    gp_events="""
        person        | code      | value
        man_low       | 271026005 | 129
        man_low_dl    | 271026005 | 12.9
        man_fine      | 271026005 | 130
        woman_fine    | 271026005 | 115
        woman_low     | 271026005 | 114
        woman_low_dl  | 271026005 | 11.4
        sex_not_known | 271026005 | 90
    """,
    features="""
        person        | efi_deficits
        man_low       | 1
        man_low_dl    | 1
        man_fine      | 0
        woman_fine    | 0
        woman_low     | 1
        woman_low_dl  | 1
        sex_not_known | 0
    """,
)

test_deficit_counts_once_however_it_is_coded = town.rule(
    gp_events="""
        person | code_system | code      | event_date | value
        ann    | snomed      | 138079003 | 1999-01-01 |
        ann    | snomed      | 160689007 | 2020-01-01 |
        ann    | ctv3        | 13CA.     | 2025-01-01 |
    """,
    features="""
        person | efi_deficits
        ann    | 1
    """,
)

test_code_under_several_deficits_counts_for_each = town.rule(
    gp_events="""
        person | code_system | code
        ann    | ctv3        | F4640
    """,
    features="""
        person | efi_deficits
        ann    | 2
    """,
)

test_code_matches_in_its_own_system_and_case_only = town.rule(
    gp_events="""
        person       | code_system | code
        right        | readv2      | 13CA.
        wrong_case   | readv2      | 13ca.
        wrong_system | snomed      | 13CA.
        shortened    | readv2      | 13CA
    """,
    features="""
        person       | efi_deficits
        right        | 1
        wrong_case   | 0
        wrong_system | 0
        shortened    | 0
    """,
)

test_mechanical_snomed_maps_are_not_followed = town.rule(
    gp_events="""
        person   | code
        diabetes | 73211009
        coronary | 53741008
        visit    | 439708006
    """,
    features="""
        person   | efi_deficits | is_housebound
        diabetes | 1            | false
        coronary | 1            | false
        visit    | 0            | false
    """,
)

test_polypharmacy_switches_off = town.rule(
    gp_medications="""
        person    | dmd_code | issue_date
        five      | 1001     | 2025-04-01
        five      | 1002     | 2025-06-01
        five      | 1003     | 2025-08-01
        five      | 1004     | 2025-10-01
        five      | 1005     | 2026-03-31
        four      | 1001     | 2025-05-01
        four      | 1002     | 2025-06-01
        four      | 1003     | 2025-08-01
        four      | 1004     | 2025-10-01
        four      | 1004     | 2025-11-01
        four      | 1001     | 2025-12-01
        stopped   | 1001     | 2025-03-31
        stopped   | 1002     | 2025-06-01
        stopped   | 1003     | 2025-08-01
        stopped   | 1004     | 2025-10-01
        stopped   | 1005     | 2026-03-31
        too_early | 1001     | 2025-05-01
        too_early | 1002     | 2025-06-01
        too_early | 1003     | 2025-08-01
        too_early | 1004     | 2025-10-01
        too_early | 1005     | 2026-04-01
    """,
    features="""
        person    | medicines_12m | efi_deficits
        five      | 5             | 1
        four      | 4             | 0
        stopped   | 4             | 0
        too_early | 4             | 0
    """,
)

test_event_on_as_of_or_recorded_on_as_of_is_not_known = town.rule(
    gp_events="""
        person    | code      | event_date | recorded_date
        yesterday | 138079003 | 2026-03-31 |
        today     | 138079003 | 2026-04-01 |
        recorded  | 138079003 | 2020-01-01 | 2026-04-01
        in_time   | 138079003 | 2020-01-01 | 2026-03-31
    """,
    features="""
        person    | efi_deficits
        yesterday | 1
        today     | 0
        recorded  | 0
        in_time   | 1
    """,
)

test_supplied_score_0_36_is_severe = town.rule(
    gp_events="""
        person | code             | value
        s_00   | 1084961000000105 | 0
        s_11   | 1084961000000105 | 0.11
        s_12   | 1084961000000105 | 0.12
        s_14   | 1084961000000105 | 0.14
        s_22   | 1084961000000105 | 0.22
        s_24   | 1084961000000105 | 0.24
        s_25   | 1084961000000105 | 0.25
        s_33   | 1084961000000105 | 0.33
        s_36   | 1084961000000105 | 0.36
        s_100  | 1084961000000105 | 1
        empty  | 1084961000000105 |
    """,
    features="""
        person | frailty_supplied
        s_00   | fit
        s_11   | fit
        s_12   | mild
        s_14   | mild
        s_22   | mild
        s_24   | moderate
        s_25   | moderate
        s_33   | moderate
        s_36   | severe
        s_100  | severe
        empty  | unknown
    """,
)

test_latest_coded_frailty_counts_and_the_more_severe_of_a_day = town.rule(
    gp_events="""
        person   | code            | event_date
        improved | 925861000000102 | 2024-01-01
        improved | 925791000000100 | 2025-01-01
        same_day | 925791000000100 | 2025-01-01
        same_day | 925831000000107 | 2025-01-01
        severe   | 925861000000102 | 2025-01-01
    """,
    features="""
        person    | frailty_coded
        improved  | mild
        same_day  | moderate
        severe    | severe
        not_coded | unknown
    """,
)

test_three_sources_stay_apart_and_computed_speaks_first = town.rule(
    gp_events="""
        person | code             | value
        ann    | 925861000000102  |
        ann    | 1084961000000105 | 0.25
    """,
    features="""
        person | efi_category | frailty_coded | frailty_supplied | frailty_category | frailty_source
        ann    | fit          | severe        | moderate         | fit              | computed
        bob    | fit          | unknown       | unknown          | fit              | computed
    """,
)
