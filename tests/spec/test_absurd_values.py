"""Values that cannot be right: each has one rule, and none of them makes anybody frail, old or ill."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from tests import factories
from tests.engine import engine_features, person_id
from tests.spec.tables import Town

town = Town()

test_an_age_that_nobody_reached_is_unknown = town.rule(
    gp_patients="""
        person      | date_of_birth
        eldest      | 1903-04-02
        past_eldest | 1903-04-01
        filler      | 1896-04-01
        child       | 2026-03-31
    """,
    features="""
        person      | age | age_band | hfrs_validated_age
        eldest      | 122 | 85+      | true
        past_eldest | unknown | unknown | unknown
        filler      | unknown | unknown | unknown
        child       | 0   | 0-17     | false
    """,
)

test_a_value_outside_what_is_plausible_counts_for_nothing = town.rule(
    gp_events="""
        person       | code             | value
        low_egfr     | 1011481000000105 | 0
        negative     | 1011481000000105 | -1
        barthel      | 273302005        | 0
        barthel_bad  | 273302005        | -1
        bone         | 391068001        | -10
        bone_bad     | 391068001        | -10.1
        pressure     | 314449000        | 350
        pressure_bad | 314449000        | 351
        stroke_risk  | 735259005        | 9
        stroke_bad   | 735259005        | 47
        blood        | 271026005        | 90
        blood_bad    | 271026005        | -9
        thyroid      | 1022791000000101 | 1000
        thyroid_bad  | 1022791000000101 | 1000.5
    """,
    features="""
        person       | efi_deficits
        low_egfr     | 1
        negative     | 0
        barthel      | 1
        barthel_bad  | 0
        bone         | 1
        bone_bad     | 0
        pressure     | 1
        pressure_bad | 0
        stroke_risk  | 1
        stroke_bad   | 0
        blood        | 1
        blood_bad    | 0
        thyroid      | 1
        thyroid_bad  | 0
    """,
)

test_an_impossible_reading_does_not_stand_for_a_latest_one = town.rule(
    gp_events="""
        person  | code             | event_date | value
        typo    | 1011481000000105 | 2025-01-01 | 90
        typo    | 1011481000000105 | 2025-06-01 | -5
        typo    | 1011481000000105 | 2025-07-01 | -6
        twice   | 1011481000000105 | 2025-01-01 | 90
        twice   | 1011481000000105 | 2025-06-01 | 50
        twice   | 1011481000000105 | 2025-07-01 | 55
    """,
    features="""
        person  | cambridge_multimorbidity
        typo    | 0
        twice   | 0.53
    """,
)


def test_a_value_without_bounds_still_counts(made_up_site: Path, tmp_path: Path) -> None:
    """A site that adds a value rule, and no bounds for it, must not lose its deficits."""
    site = shutil.copytree(made_up_site, tmp_path / "site")
    bounds = site / "config" / "reference" / "plausible_values.csv"
    bounds.write_text(
        "".join(
            line
            for line in bounds.read_text(encoding="utf-8").splitlines(keepends=True)
            if not line.startswith(("ckd,", "egfr,"))
        ),
        encoding="utf-8",
    )
    number = factories.nhs_number(1)
    events = [
        factories.event(number, code="1011481000000105", value=40, event_date=date(2025, month, 1))
        for month in (1, 2)
    ]
    found = engine_features(
        site, {"gp_patients": [factories.patient(number)], "gp_events": events}, factories.AS_OF
    )[person_id(number)]
    assert (found["efi_deficits"], found["cambridge_multimorbidity"]) == (1, 0.53)
