"""The same people as two public models for exchange have them: OMOP tables for cohort tools of OHDSI, MEDS events.

Each table holds the rows that the question needs and no others, so the peers read less than they would in practice.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cohorts.people import TODAY, Events, Numbers, People

# The concepts of the peers' definitions. Visits are OMOP's own; the vocabulary has no concepts for the categories.
EMERGENCY_INPATIENT, INPATIENT = 262, 9201
FRAILTY_CONCEPTS = {"mild": 2_000_000_001, "moderate": 2_000_000_002, "severe": 2_000_000_003}
BEGIN_DAY = TODAY - 20 * 365
AS_OF_CODE, BIRTH_CODE = "AS_OF", "MEDS_BIRTH"


def write_omop(folder: Path, people: People) -> dict[str, int]:
    """One Parquet file a table of the OMOP common data model 5.4; returns the rows of each."""
    tables = {
        "person": _persons(people),
        "observation_period": _observation_periods(people),
        "visit_occurrence": _visits(people),
        "condition_occurrence": _conditions(people),
        "concept": _concepts(),
        "concept_ancestor": _ancestors(),
    }
    folder.mkdir(parents=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return {name: len(table) for name, table in tables.items()}


def write_meds(folder: Path, people: People) -> dict[str, int]:
    """One shard of MEDS events, by subject and time; a subject is the person's place in the order of person_id."""
    table = meds_events(people)
    path = folder / "data" / "all" / "0.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path, compression="zstd")
    (folder / "metadata").mkdir()
    about = {"dataset_name": "benchmark", "meds_version": "0.4.0"}
    (folder / "metadata" / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    return {"events": len(table)}


def meds_events(people: People) -> pa.Table:
    """Births, frailty records, admissions, and one event a person on the day of the run to ask the question from."""
    frailty, everybody = people.frailty(), np.arange(len(people))
    recorded = np.flatnonzero(np.isin(frailty, list(FRAILTY_CONCEPTS)))
    parts = [
        (everybody, people.birth_day, np.full(len(people), BIRTH_CODE)),
        (recorded, people.frailty_day[recorded], np.char.add("FRAILTY//", frailty[recorded])),
        (people.unplanned.person, people.unplanned.day, _same("ADMISSION//UNPLANNED", people.unplanned)),
        (people.planned.person, people.planned.day, _same("ADMISSION//PLANNED", people.planned)),
        (everybody, np.full(len(people), TODAY), np.full(len(people), AS_OF_CODE)),
    ]
    person, day, code = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((day, person))
    return pa.table(
        {
            "subject_id": pa.array(person[order], pa.int64()),
            "time": pa.array(day[order].astype("datetime64[D]").astype("datetime64[us]")),
            "code": pa.array(code[order], pa.string()),
            "numeric_value": pa.nulls(len(order), pa.float32()),
        }
    )


def _same(code: str, events: Events) -> Numbers:
    return np.full(len(events.person), code)


def _persons(people: People) -> pa.Table:
    births = people.birth_day.astype("datetime64[D]")
    months = births.astype("datetime64[M]")
    return pa.table(
        {
            "person_id": pa.array(np.arange(len(people)), pa.int32()),
            "gender_concept_id": pa.array(np.where(people.is_male, 8507, 8532), pa.int32()),
            "year_of_birth": pa.array(births.astype("datetime64[Y]").astype(int) + 1970, pa.int32()),
            "month_of_birth": pa.array(months.astype(int) % 12 + 1, pa.int32()),
            "day_of_birth": pa.array((births - months).astype(int) + 1, pa.int32()),
            "birth_datetime": births.astype("datetime64[us]"),
            "race_concept_id": pa.array(np.zeros(len(people)), pa.int32()),
            "ethnicity_concept_id": pa.array(np.zeros(len(people)), pa.int32()),
            "person_source_value": people.person_id,
        }
    )


def _observation_periods(people: People) -> pa.Table:
    """Everybody is registered from birth or twenty years ago to the end of the day of the run."""
    number = np.arange(len(people))
    return pa.table(
        {
            "observation_period_id": pa.array(number, pa.int32()),
            "person_id": pa.array(number, pa.int32()),
            "observation_period_start_date": _dates(np.maximum(people.birth_day, BEGIN_DAY)),
            "observation_period_end_date": _dates(np.full(len(people), TODAY)),
            "period_type_concept_id": pa.array(np.full(len(people), 32817), pa.int32()),
        }
    )


def _visits(people: People) -> pa.Table:
    kinds = [(people.unplanned, EMERGENCY_INPATIENT), (people.planned, INPATIENT)]
    person = np.concatenate([events.person for events, _ in kinds])
    day = np.concatenate([events.day for events, _ in kinds])
    concept = np.concatenate([np.full(len(events.person), kind) for events, kind in kinds])
    order = np.lexsort((day, person))
    return pa.table(
        {
            "visit_occurrence_id": pa.array(np.arange(len(order)), pa.int32()),
            "person_id": pa.array(person[order], pa.int32()),
            "visit_concept_id": pa.array(concept[order], pa.int32()),
            "visit_start_date": _dates(day[order]),
            "visit_end_date": _dates(np.minimum(day[order] + 3, TODAY - 1)),
            "visit_type_concept_id": pa.array(np.full(len(order), 32817), pa.int32()),
        }
    )


def _conditions(people: People) -> pa.Table:
    """One record for each person of known frailty above fit: the category that holds on the day of the run."""
    frailty = people.frailty()
    person = np.flatnonzero(np.isin(frailty, list(FRAILTY_CONCEPTS)))
    concept = np.select([frailty[person] == name for name in FRAILTY_CONCEPTS], FRAILTY_CONCEPTS.values(), 0)
    return pa.table(
        {
            "condition_occurrence_id": pa.array(np.arange(len(person)), pa.int32()),
            "person_id": pa.array(person, pa.int32()),
            "condition_concept_id": pa.array(concept, pa.int32()),
            "condition_start_date": _dates(people.frailty_day[person]),
            "condition_type_concept_id": pa.array(np.full(len(person), 32817), pa.int32()),
        }
    )


def _concepts() -> pa.Table:
    named = {EMERGENCY_INPATIENT: "Emergency Room and Inpatient Visit", INPATIENT: "Inpatient Visit"}
    named |= {concept: f"{name.capitalize()} frailty" for name, concept in FRAILTY_CONCEPTS.items()}
    return pa.table(
        {
            "concept_id": pa.array(list(named), pa.int32()),
            "concept_name": list(named.values()),
            "domain_id": ["Visit", "Visit", *["Condition"] * len(FRAILTY_CONCEPTS)],
            "standard_concept": ["S"] * len(named),
            "invalid_reason": pa.nulls(len(named), pa.string()),
        }
    )


def _ancestors() -> pa.Table:
    own = pa.array([EMERGENCY_INPATIENT, INPATIENT, *FRAILTY_CONCEPTS.values()], pa.int32())
    none = pa.array(np.zeros(len(own)), pa.int32())
    return pa.table(
        {
            "ancestor_concept_id": own,
            "descendant_concept_id": own,
            "min_levels_of_separation": none,
            "max_levels_of_separation": none,
        }
    )


def _dates(days: Numbers) -> pa.Array:
    return pa.array(days, pa.int32()).cast(pa.date32())
