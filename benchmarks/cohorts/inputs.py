"""The same people as the tables of OMOP's common data model, for the cohort tools that read it.

In two editions: cut-down tables hold the rows that the question needs and no others, so the peers read less than they
would in practice; whole records hold everything else too, as the tables of a site do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cohorts.people import TODAY, Numbers, People
from benchmarks.cohorts.records import CODED, VISITS, Entries, Records

# The concepts of the peers' definitions. Visits are OMOP's own; the vocabulary has no concepts for the categories.
EMERGENCY_INPATIENT, INPATIENT = 262, 9201
FRAILTY_CONCEPTS = {"mild": 2_000_000_001, "moderate": 2_000_000_002, "severe": 2_000_000_003}
BEGIN_DAY = TODAY - 20 * 365
TABLES = {
    "condition": "condition_occurrence",
    "measurement": "measurement",
    "observation": "observation",
    "drug": "drug_exposure",
}


def write_omop(folder: Path, people: People, records: Records | None = None) -> dict[str, int]:
    """One Parquet file a table of the OMOP common data model 5.4; returns the rows of each.

    Without ``records`` the tables are cut down.
    """
    tables = {
        "person": _persons(people),
        "observation_period": _observation_periods(people),
        "visit_occurrence": _visits(people, records),
        "condition_occurrence": _conditions(people, records),
        "concept": _concepts(records),
        "concept_ancestor": _ancestors(records),
    }
    if records:
        tables |= {
            "measurement": _entries("measurement", "measurement_date", records.measurements),
            "observation": _entries("observation", "observation_date", records.observations),
            "drug_exposure": _entries("drug", "drug_exposure_start_date", records.drugs),
        }
    folder.mkdir(parents=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return {name: len(table) for name, table in tables.items()}


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


def _visits(people: People, records: Records | None) -> pa.Table:
    kinds = [(people.unplanned, EMERGENCY_INPATIENT), (people.planned, INPATIENT)]
    person = [events.person for events, _ in kinds]
    day = [events.day for events, _ in kinds]
    concept = [np.full(len(events.person), kind) for events, kind in kinds]
    nights = [np.full(len(events.person), 3) for events, _ in kinds]
    if records:
        person.append(records.visits.person)
        day.append(records.visits.day)
        concept.append(records.visits.concept)
        nights.append(np.zeros(len(records.visits), dtype=np.int64))
    return _visit_table(*(np.concatenate(parts) for parts in (person, day, concept, nights)))


def _visit_table(person: Numbers, day: Numbers, concept: Numbers, nights: Numbers) -> pa.Table:
    order = np.lexsort((day, person))
    return pa.table(
        {
            "visit_occurrence_id": pa.array(np.arange(len(order)), pa.int32()),
            "person_id": pa.array(person[order], pa.int32()),
            "visit_concept_id": pa.array(concept[order], pa.int32()),
            "visit_start_date": _dates(day[order]),
            "visit_end_date": _dates(np.minimum(day[order] + nights[order], TODAY - 1)),
            "visit_type_concept_id": pa.array(np.full(len(order), 32817), pa.int32()),
        }
    )


def _conditions(people: People, records: Records | None) -> pa.Table:
    """One record for each person of known frailty above fit: the category that holds on the day of the run."""
    frailty = people.frailty()
    person = np.flatnonzero(np.isin(frailty, list(FRAILTY_CONCEPTS)))
    concept = np.select([frailty[person] == name for name in FRAILTY_CONCEPTS], FRAILTY_CONCEPTS.values(), 0)
    day = people.frailty_day[person]
    if records:
        person = np.concatenate([person, records.conditions.person])
        concept = np.concatenate([concept, records.conditions.concept])
        day = np.concatenate([day, records.conditions.day])
        order = np.lexsort((day, person))
        person, concept, day = person[order], concept[order], day[order]
    return _entries("condition", "condition_start_date", Entries(person, day, concept))


def _entries(domain: str, date_column: str, entries: Entries) -> pa.Table:
    """A clinical table: its own number, whose, which concept, when, and a value where there are any."""
    columns = {
        f"{TABLES[domain]}_id": pa.array(np.arange(len(entries)), pa.int32()),
        "person_id": pa.array(entries.person, pa.int32()),
        f"{domain}_concept_id": pa.array(entries.concept, pa.int32()),
        date_column: _dates(entries.day),
        f"{domain}_type_concept_id": pa.array(np.full(len(entries), 32817), pa.int32()),
    }
    if entries.value is not None:
        columns["value_as_number"] = pa.array(entries.value, pa.float64())
    return pa.table(columns)


def _named_concepts(records: Records | None) -> dict[int, tuple[str, str]]:
    """Name and domain of every concept that the tables hold."""
    named = {EMERGENCY_INPATIENT: "Emergency Room and Inpatient Visit", INPATIENT: "Inpatient Visit"}
    found = {concept: (name, "Visit") for concept, name in named.items()}
    found |= {
        concept: (f"{name.capitalize()} frailty", "Condition") for name, concept in FRAILTY_CONCEPTS.items()
    }
    if records:
        found |= {concept: (kind.replace("_", " "), "Visit") for kind, concept in VISITS.items()}
        for domain, (first, number) in CODED.items():
            found |= {
                first + place: (f"{domain} {place}", domain.capitalize()) for place in range(number + 1)
            }
    return found


def _concepts(records: Records | None) -> pa.Table:
    named = _named_concepts(records)
    return pa.table(
        {
            "concept_id": pa.array(list(named), pa.int32()),
            "concept_name": [name for name, _ in named.values()],
            "domain_id": [domain for _, domain in named.values()],
            "standard_concept": ["S"] * len(named),
            "invalid_reason": pa.nulls(len(named), pa.string()),
        }
    )


def _ancestors(records: Records | None) -> pa.Table:
    """Every concept is its own descendant, and has no other."""
    own = pa.array(list(_named_concepts(records)), pa.int32())
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
