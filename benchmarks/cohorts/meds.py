"""The same people as MEDS events, in the editions of ``inputs``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cohorts.inputs import FRAILTY_CONCEPTS
from benchmarks.cohorts.people import TODAY, Numbers, People
from benchmarks.cohorts.records import Entries, Records

AS_OF_CODE, BIRTH_CODE = "AS_OF", "MEDS_BIRTH"
# Whose, when, the texts of the codes, and which of these; values or nothing.
Part = tuple[Numbers, Numbers, list[str], Numbers, Numbers | None]


def write_meds(folder: Path, people: People, records: Records | None = None) -> dict[str, int]:
    """One shard of events, by subject and time; a subject is the person's place in the order of person_id."""
    table = meds_events(people, records)
    path = folder / "data" / "all" / "0.parquet"
    path.parent.mkdir(parents=True)
    # without Arrow's own schema the codes are read as texts again
    pq.write_table(table, path, compression="zstd", store_schema=False)
    (folder / "metadata").mkdir()
    about = {"dataset_name": "benchmark", "meds_version": "0.4.0"}
    (folder / "metadata" / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    return {"events": len(table)}


def meds_events(people: People, records: Records | None = None) -> pa.Table:
    """Births, frailty records, admissions, and one event a person on the day of the run to ask the question from."""
    frailty, everybody = people.frailty(), np.arange(len(people))
    parts = [
        _same(BIRTH_CODE, everybody, people.birth_day),
        *(
            _same(f"FRAILTY//{name}", found, people.frailty_day[found])
            for name in FRAILTY_CONCEPTS
            for found in [np.flatnonzero(frailty == name)]
        ),
        _same("ADMISSION//UNPLANNED", people.unplanned.person, people.unplanned.day),
        _same("ADMISSION//PLANNED", people.planned.person, people.planned.day),
        _same(AS_OF_CODE, everybody, np.full(len(people), TODAY)),
    ]
    if records:
        parts += [
            _coded("CONDITION", records.conditions),
            _coded("MEASUREMENT", records.measurements),
            _coded("OBSERVATION", records.observations),
            _coded("DRUG", records.drugs),
            _coded("VISIT", records.visits),
        ]
    person, day = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    order = np.argsort(person.astype(np.int64) * 100_000 + day, kind="stable")
    firsts = np.cumsum([0, *(len(texts) for _, _, texts, _, _ in parts)])
    places = np.concatenate([first + part[3] for first, part in zip(firsts, parts, strict=False)])
    values = np.concatenate([np.full(len(part[0]), np.nan) if part[4] is None else part[4] for part in parts])
    return pa.table(
        {
            "subject_id": pa.array(person[order], pa.int64()),
            "time": pa.array(day[order].astype("datetime64[D]").astype("datetime64[us]")),
            "code": pa.DictionaryArray.from_arrays(
                pa.array(places[order], pa.int32()), [text for part in parts for text in part[2]]
            ),
            "numeric_value": pa.array(values[order], pa.float32(), from_pandas=True),
        }
    )


def _same(code: str, person: Numbers, day: Numbers) -> Part:
    return person, day, [code], np.zeros(len(person), dtype=np.int32), None


def _coded(kind: str, entries: Entries) -> Part:
    concepts, places = np.unique(entries.concept, return_inverse=True)
    texts = [f"{kind}//{concept}" for concept in concepts]
    return entries.person, entries.day, texts, places.astype(np.int32), entries.value
