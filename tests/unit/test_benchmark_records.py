"""The whole records of the cohort benchmark add everything but what bears on its question."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.cohorts.inputs import EMERGENCY_INPATIENT, FRAILTY_CONCEPTS, INPATIENT, write_omop
from benchmarks.cohorts.meds import meds_events
from benchmarks.cohorts.people import TODAY, People, make_people
from benchmarks.cohorts.records import Records, make_records

QUESTIONS = [EMERGENCY_INPATIENT, INPATIENT, *FRAILTY_CONCEPTS.values()]


@pytest.fixture(scope="module")
def people() -> People:
    return make_people(300, seed=5)


@pytest.fixture(scope="module")
def records(people: People) -> Records:
    return make_records(people, seed=5)


@pytest.mark.parametrize("name", Records.__dataclass_fields__)
def test_entries_lie_in_a_life_before_the_run_and_have_no_concept_of_the_question(
    name: str, people: People, records: Records
) -> None:
    entries = getattr(records, name)
    assert len(entries) > len(people)
    assert not np.isin(entries.concept, QUESTIONS).any()
    assert (entries.day < TODAY).all()
    assert (entries.day >= people.birth_day[entries.person]).all()


@pytest.mark.parametrize(
    ("table", "concept", "day"),
    [
        ("condition_occurrence", "condition_concept_id", "condition_start_date"),
        ("visit_occurrence", "visit_concept_id", "visit_start_date"),
    ],
)
def test_both_editions_hold_the_same_rows_of_the_question(
    table: str, concept: str, day: str, people: People, records: Records, tmp_path: Path
) -> None:
    write_omop(tmp_path / "cut_down", people)
    write_omop(tmp_path / "whole", people, records)

    def asked(edition: str) -> list[tuple[int, int, object]]:
        rows = pq.read_table(tmp_path / edition / f"{table}.parquet", columns=["person_id", concept, day])
        found = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        return sorted(row for row in found if row[1] in QUESTIONS)

    assert asked("whole") == asked("cut_down")
    assert asked("cut_down")


def test_meds_events_are_in_order_and_keep_those_of_the_question(people: People, records: Records) -> None:
    cut_down, whole = (meds_events(people, of) for of in (None, records))
    subjects, times = whole["subject_id"].to_numpy(), whole["time"].to_numpy()
    steps = np.diff(subjects)
    assert (steps >= 0).all()
    assert (np.diff(times)[steps == 0] >= np.timedelta64(0)).all()

    def asked(table: pa.Table) -> list[tuple[int, object, str]]:
        rows = zip(*(table[name].to_pylist() for name in ("subject_id", "time", "code")), strict=True)
        kept = ("MEDS_BIRTH", "AS_OF", "FRAILTY//", "ADMISSION//")
        return sorted(row for row in rows if row[2].startswith(kept))

    assert asked(whole) == asked(cut_down)
