"""docs/model-frames.md lists how a look back differs from a run of that day: a person for each, and nobody else.

Deliveries of the day before the index date and of a year later; a run reads the first, the frame both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from riskstrat import pipeline
from riskstrat.keys import person_id
from tests import factories
from tests.landmarks import ONCE_TABLE, RUN_TABLE, deliver, frame_rows, frames_of, listed, write_frame_site

THEN, NOW = date(2025, 4, 1), date(2026, 4, 1)
FIRST, SECOND = THEN - timedelta(days=1), NOW - timedelta(days=1)
WHOLE_ROW = "the whole row"
COPD, NOT_LISTED = "13645005", "62315008"
EXTRACTS = (
    *factories.REQUIRED_EXTRACTS,
    *("gp_contacts", "agency_contacts", "community_caseload", "care_plans"),
    *("social_care_services", "national_opt_out"),
)

Rows = dict[str, list[dict[str, Any]]]


class Sent:
    """What two deliveries say of people who are named after what is special about them."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}
        self.first: Rows = {}
        self.second: Rows = {}

    def person(self, name: str, then: dict[str, Any] | None = None, now: dict[str, Any] | None = None) -> str:
        """Register somebody, with what differs from the usual in each delivery; None is not on the register."""
        number = self.numbers[name] = factories.nhs_number(len(self.numbers) + 1)
        practice = factories.PRACTICES[len(self.numbers)]
        for rows, columns in ((self.first, then), (self.second, now)):
            if columns is not None:
                patient = factories.patient(number, **{"practice_code": practice} | columns)
                rows.setdefault("gp_patients", []).append(patient)
        return number

    def rows(self, extract: str, name: str, then: dict[str, Any] | None, now: dict[str, Any] | None) -> None:
        """One row as the deliveries send it, under the same key; None where a delivery does not send it."""
        usual = factories.MAKERS[extract](self.numbers[name])
        for rows, columns in ((self.first, then), (self.second, now)):
            if columns is not None:
                rows.setdefault(extract, []).append(usual | columns)


def sent() -> Sent:
    made = Sent()
    for name in (
        "opted_out_since",
        "caseload",
        "caseload of another manager",
        "late_row",
        "late_row set aside",
    ):
        made.person(name, {}, {})
    made.rows("national_opt_out", "opted_out_since", None, {"checked_on": date(2026, 3, 30)})
    made.person("death_entered_late", {}, {"date_of_death": date(2025, 3, 20)})
    made.person("leaving_entered_late", {}, {"registered_to": date(2025, 3, 20)})
    made.person("registration_entered_late", None, {"registered_from": date(2025, 3, 20)})
    made.person("gone_from_register", {}, None)
    made.person(
        "register_details", {}, {"sex": "2", "ethnic_category": "B", "lsoa_code": factories.AFFLUENT_AREA}
    )
    on_list = {"from_date": date(2025, 1, 6), "case_manager": "Matron Able"}
    made.rows("community_caseload", "caseload", on_list, None)
    made.rows(
        "community_caseload",
        "caseload of another manager",
        on_list,
        on_list | {"case_manager": "Nurse Baker"},
    )
    came = {"arrival_at": "2025-03-20 10:00:00"}
    made.rows("acute_attendances", "late_row", None, came)
    made.rows("acute_attendances", "late_row set aside", came | {"attendance_category": None}, came)
    changed_since(made)
    return made


def changed_since(made: Sent) -> None:
    """People of whom both deliveries tell, each as it was: one look back differs only where it has one delivery."""
    for name in (
        *("stay_open_then", "diagnoses_of_the_end", "review_since", "review_since at home"),
        *(
            "corrected_or_withdrawn_since",
            "corrected_or_withdrawn_since to another code",
            "sent_with_versions",
        ),
    ):
        made.person(name, {}, {})
    stay = {"admission_date": date(2025, 3, 20), "episode_start": date(2025, 3, 20), "diagnosis_01": "H26.9"}
    left = {"discharge_date": date(2025, 4, 10), "discharge_destination": "19", "discharge_method": "1"}
    begun, ended = {"recorded_date": date(2025, 3, 21)}, {"recorded_date": date(2025, 4, 12)}
    made.rows("acute_episodes", "stay_open_then", stay | begun, stay | left | ended)
    made.rows("acute_episodes", "sent_with_versions", stay | begun, stay | begun)
    made.second["acute_episodes"].append(made.second["acute_episodes"][-1] | left | ended)
    frail = {"diagnosis_01": "J44.1", "diagnosis_02": "F00", "diagnosis_03": "I50", "diagnosis_04": "N18"}
    made.rows("acute_episodes", "diagnoses_of_the_end", stay, stay | left | frail)
    plan, home = {"created_date": date(2024, 1, 8)}, {"start_date": date(2024, 1, 8)}
    made.rows(
        *("care_plans", "review_since"),
        plan | {"last_reviewed_date": date(2025, 1, 8)},
        plan | {"last_reviewed_date": date(2026, 1, 8)},
    )
    made.rows(
        *("social_care_services", "review_since at home"),
        home | {"last_review_date": date(2025, 1, 8)},
        home | {"last_review_date": date(2026, 1, 8), "end_date": date(2026, 2, 1)},
    )
    coded = {
        "event_date": date(2024, 5, 6),
        "recorded_date": date(2024, 5, 6),
        "code": COPD,
        "deleted": "false",
    }
    withdrawn, other = {"deleted": "true", "recorded_date": date(2025, 9, 1)}, {"code": NOT_LISTED}
    made.rows("gp_events", "corrected_or_withdrawn_since", coded, coded | withdrawn)
    made.rows("gp_events", "corrected_or_withdrawn_since to another code", coded, coded | other)


def with_everybodys(rows: Rows) -> Rows:
    """The delivery with every extract, of somebody else where it says nothing."""
    stranger = factories.nhs_number(90_000)
    others = {name: [factories.MAKERS[name](stranger)] for name in EXTRACTS if name not in rows}
    return rows | others


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, Any]]]:
    """Who looked at T (run, frame, frame of the second delivery alone) to person to features."""
    made, folder = sent(), tmp_path_factory.mktemp("sites")
    first, second = with_everybodys(made.first), with_everybodys(made.second)
    looks = {}
    for name, deliveries in {"frame": {FIRST: first, SECOND: second}, "once": {SECOND: second}}.items():
        site = write_frame_site(folder / name)
        (site / "keys" / "site.key").write_bytes(pipeline.TEST_KEY)
        for day, rows in deliveries.items():
            deliver(site, day, rows)
        looks[name] = {person: row for (person, _), row in frame_rows(frames_of(site, [THEN])).items()}
    run = pipeline.compute_features(folder / "frame", first, THEN).to_pylist()
    looks["run"] = {row["person_id"]: row for row in run}
    key = pipeline.TEST_KEY
    return {
        look: {
            name: rows[one]
            for name, number in made.numbers.items()
            if (one := person_id(key, number)) in rows
        }
        for look, rows in looks.items()
    }


def differences(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]], features: list[str]
) -> dict[str, set[str]]:
    """Person to the columns that differ, for everybody of whom one does."""
    found: dict[str, set[str]] = {}
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            found[name] = {WHOLE_ROW}
        elif changed := {column for column in features if before[name][column] != after[name][column]}:
            found[name] = changed
    return found


def by_kind(found: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """A kind is the first word of the names of its people."""
    kinds: dict[str, set[str]] = {}
    for name, columns in found.items():
        kinds.setdefault(name.split(" ")[0], set()).update(columns)
    return kinds


def test_a_run_differs_in_what_the_page_lists_and_in_nothing_else(
    compared: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> None:
    features = list(compared["run"]["caseload"])
    found = differences(compared["run"], compared["frame"], features)
    assert by_kind(found) == dict(listed(RUN_TABLE))
    assert len(found) == 10
    for name in ("stay_open_then", "sent_with_versions"):
        assert compared["frame"][name]["is_inpatient"] is True


def test_one_delivery_differs_in_what_the_page_lists_and_in_nothing_else(
    compared: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> None:
    features = list(compared["run"]["caseload"])
    found = differences(compared["frame"], compared["once"], features)
    assert by_kind(found) == dict(listed(ONCE_TABLE))
    assert len(found) == 6
