"""The oracle itself on examples worked out by hand: windows, spells and continuous spells."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests import factories
from tests.oracle.example_knowledge import KNOWLEDGE
from tests.oracle.spells import Spell, acute_features, continuous_spells, known_episodes, provider_spells
from tests.oracle.windows import in_last_calendar_year, months_before

AS_OF = factories.AS_OF
BORN = factories.BORN
NUMBER = factories.nhs_number(1)


def stay(admitted: str, discharged: str | None, **columns: Any) -> factories.Row:
    left = date.fromisoformat(discharged) if discharged else None
    return factories.episode(
        NUMBER, admission_date=date.fromisoformat(admitted), discharge_date=left, **columns
    )


def spells_of(*episodes: factories.Row) -> list[Spell]:
    return provider_spells(known_episodes(episodes, AS_OF, BORN), AS_OF)


def acute(*episodes: factories.Row) -> dict[str, object]:
    spells = spells_of(*episodes)
    return acute_features(spells, continuous_spells(spells), AS_OF, KNOWLEDGE)


def lengths_of_stays(*episodes: factories.Row) -> list[int]:
    return [len(found.spells) for found in continuous_spells(spells_of(*episodes))]


# --- windows -----------------------------------------------------------------------------------


def test_months_end_on_the_last_day_of_a_shorter_month() -> None:
    assert months_before(date(2024, 2, 29), 12) == date(2023, 2, 28)
    assert months_before(date(2025, 7, 31), 24) == date(2023, 7, 31)
    assert months_before(date(2026, 1, 15), 12) == date(2025, 1, 15)


def test_last_calendar_year_is_the_year_before_as_of() -> None:
    assert in_last_calendar_year(date(2025, 1, 1), AS_OF)
    assert in_last_calendar_year(date(2025, 12, 31), AS_OF)
    assert not in_last_calendar_year(date(2026, 1, 1), AS_OF)
    assert not in_last_calendar_year(date(2024, 12, 31), AS_OF)


# --- spells and CIPS ---------------------------------------------------------------------------


def test_episodes_of_one_spell_are_one_admission() -> None:
    features = acute(
        stay("2025-10-01", "2025-10-09", spell_id="S1"),
        stay("2025-10-01", "2025-10-09", spell_id="S1", episode_number=2, episode_start=date(2025, 10, 4)),
    )
    assert features["unplanned_admissions_12m"] == 1
    assert features["unplanned_bed_days_12m"] == 8


def test_admission_fields_come_from_the_first_episode_and_discharge_fields_from_the_last() -> None:
    features = acute(
        stay(
            "2025-10-01",
            "2025-10-05",
            spell_id="S1",
            admission_method="11",
            episode_number=2,
            episode_start=date(2025, 10, 3),
        ),
        stay("2025-10-01", None, spell_id="S1", admission_method="21"),
    )
    assert features["unplanned_admissions_12m"] == 1
    assert features["last_discharge_date"] == date(2025, 10, 5)
    assert features["is_inpatient"] is False


def test_without_a_spell_id_the_admission_date_makes_the_spell() -> None:
    assert lengths_of_stays(
        stay("2025-10-01", "2025-10-02"),
        stay("2025-10-01", "2025-10-02", episode_number=2),
        stay("2025-10-20", "2025-10-21"),
    ) == [1, 1]


def test_the_same_spell_id_at_two_providers_is_two_spells() -> None:
    assert lengths_of_stays(
        stay("2025-10-01", "2025-10-05", spell_id="S1", provider_code="RA1"),
        stay("2025-11-01", "2025-11-05", spell_id="S1", provider_code="RA2"),
    ) == [1, 1]


@pytest.mark.parametrize(
    ("destination", "source", "method", "joined"),
    [
        ("19", "19", "21", False),
        ("51", "19", "21", True),
        ("84", "19", "21", True),
        ("87", "19", "21", False),
        ("19", "87", "21", True),
        ("19", "84", "21", False),
        ("19", "19", "2B", True),
        ("19", "19", "81", True),
        ("19", "51", "21", False),
        ("19", "51", "22", True),
        ("51", "51", "21", True),
        (None, None, "21", False),
    ],
)
def test_evidence_of_a_transfer(
    destination: str | None, source: str | None, method: str, joined: bool
) -> None:
    stays = lengths_of_stays(
        stay("2025-10-01", "2025-10-05", provider_code="RA1", discharge_destination=destination),
        stay(
            "2025-10-05",
            "2025-10-09",
            provider_code="RA2",
            source_of_admission=source,
            admission_method=method,
        ),
    )
    assert stays == ([2] if joined else [1, 1])


@pytest.mark.parametrize(
    ("admitted", "joined"),
    [("2025-10-04", False), ("2025-10-05", True), ("2025-10-07", True), ("2025-10-08", False)],
)
def test_a_transfer_takes_0_to_2_days(admitted: str, joined: bool) -> None:
    stays = lengths_of_stays(
        stay("2025-10-01", "2025-10-05", provider_code="RA1", discharge_destination="51"),
        stay(admitted, "2025-10-20", provider_code="RA2"),
    )
    assert stays == ([2] if joined else [1, 1])


def test_three_hospitals_can_be_one_stay() -> None:
    features = acute(
        stay("2025-10-01", "2025-10-03", provider_code="RA1", discharge_destination="51"),
        stay("2025-10-03", "2025-10-06", provider_code="RA2", discharge_destination="51"),
        stay("2025-10-07", "2025-10-10", provider_code="RA3"),
    )
    assert features["unplanned_admissions_12m"] == 1
    assert features["unplanned_bed_days_12m"] == 2 + 3 + 3
    assert features["emergency_readmissions_30d_12m"] == 0


def test_a_planned_stay_does_not_become_unplanned_by_a_transfer() -> None:
    features = acute(
        stay(
            "2025-10-01", "2025-10-05", provider_code="RA1", admission_method="11", discharge_destination="51"
        ),
        stay("2025-10-05", "2025-10-09", provider_code="RA2", admission_method="21"),
    )
    assert features["unplanned_admissions_12m"] == 0
    assert features["unplanned_bed_days_12m"] == 0


def test_regular_attenders_are_neither_admitted_nor_in_hospital_nor_links_of_a_chain() -> None:
    features = acute(
        stay("2025-10-01", "2025-10-05", provider_code="RA1", discharge_destination="51"),
        stay("2025-10-05", "2025-10-05", provider_code="RA3", patient_classification="3"),
        stay("2025-10-06", "2025-10-09", provider_code="RA2"),
        stay("2026-03-01", None, patient_classification="4"),
    )
    assert features["unplanned_admissions_12m"] == 1
    assert features["is_inpatient"] is False


def test_nested_stays_are_ordered_by_admission_and_do_not_join() -> None:
    features = acute(
        stay("2025-10-01", "2025-10-20", provider_code="RA1", discharge_destination="51"),
        stay("2025-10-05", "2025-10-06", provider_code="RA2"),
        stay("2025-10-20", "2025-10-22", provider_code="RA3"),
    )
    assert features["unplanned_admissions_12m"] == 3
    assert features["unplanned_bed_days_12m"] == 21


def test_an_open_spell_is_an_inpatient_and_counts_days_to_as_of() -> None:
    features = acute(stay("2026-03-30", None))
    assert features["is_inpatient"] is True
    assert features["unplanned_bed_days_12m"] == 2
    assert features["last_discharge_date"] is None


def test_a_discharge_on_as_of_is_not_known_yet() -> None:
    features = acute(stay("2026-03-30", "2026-04-01"))
    assert features["is_inpatient"] is True
    assert features["last_discharge_date"] is None


def test_an_admission_on_as_of_or_recorded_on_as_of_is_not_known_yet() -> None:
    features = acute(stay("2026-04-01", None), stay("2026-03-01", "2026-03-02", recorded_date=AS_OF))
    assert features["unplanned_admissions_12m"] == 0
    assert features["is_inpatient"] is False


def test_bed_days_of_a_stay_that_began_before_the_window_are_those_inside_it() -> None:
    features = acute(stay("2025-03-20", "2025-04-04"))
    assert features["unplanned_admissions_12m"] == 0
    assert features["unplanned_admissions_24m"] == 1
    assert features["unplanned_bed_days_12m"] == 3


@pytest.mark.parametrize(("admitted", "counts"), [("2025-10-05", 1), ("2025-11-03", 1), ("2025-11-04", 0)])
def test_a_readmission_starts_0_to_29_days_after_the_last_stay_ended(admitted: str, counts: int) -> None:
    features = acute(
        stay("2025-10-01", "2025-10-05", admission_method="11"),
        stay(admitted, "2025-11-10", provider_code="RA2"),
    )
    assert features["emergency_readmissions_30d_12m"] == counts


def test_the_first_episodes_primary_diagnosis_makes_an_admission_acsc() -> None:
    assert acute(stay("2025-10-01", "2025-10-02", diagnosis_01="J44.1"))["acsc_admissions_12m"] == 1
    assert acute(stay("2025-10-01", "2025-10-02", diagnosis_02="J44.1"))["acsc_admissions_12m"] == 0
    planned = stay("2025-10-01", "2025-10-02", diagnosis_01="J44.1", admission_method="11")
    assert acute(planned)["acsc_admissions_12m"] == 0


def test_acsc_conditions_on_other_diagnoses() -> None:
    bronchitis = stay("2025-10-01", "2025-10-02", diagnosis_01="J20.9")
    assert acute(bronchitis)["acsc_admissions_12m"] == 0
    assert acute(bronchitis | {"diagnosis_04": "J44.9"})["acsc_admissions_12m"] == 1
    hepatitis = stay("2025-10-01", "2025-10-02", diagnosis_01="B18.1")
    assert acute(hepatitis)["acsc_admissions_12m"] == 1
    assert acute(hepatitis | {"diagnosis_02": "D57.0"})["acsc_admissions_12m"] == 0
