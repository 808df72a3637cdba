"""The feature table in pandas, from riskstrat's own staged files: merges, groups, categories, no row loops."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.baselines import pandas_acute as acute
from benchmarks.baselines import pandas_care as care
from benchmarks.baselines import pandas_gp as gp
from benchmarks.baselines import pandas_people as who
from benchmarks.baselines.knowledge import Knowledge
from benchmarks.baselines.pandas_cambridge import cambridge
from benchmarks.baselines.pandas_columns import Columns
from benchmarks.baselines.pandas_inputs import Inputs


def write_features(folder: Path, knowledge: Knowledge, target: Path) -> None:
    """Read the staged extracts in ``folder`` and write one row a person, in the order of person_id."""
    inputs = Inputs(folder, knowledge)
    rows = who.register(inputs)
    registered = who.registrations(inputs, rows)
    events = who.gp_events(inputs, registered)
    listed = who.listed_events(inputs, events)
    people = who.population(inputs, rows, registered, listed)
    covered = who.feeds(inputs, registered, people, events)
    del events
    listed = listed[listed["event_date"] >= listed["person"].map(people["date_of_birth"])]
    parts = [*_of_gp(inputs, listed, people), *_of_hospitals(inputs, people), *_of_contacts(inputs, people)]
    parts += [part(inputs, people) for part in (care.care_plans, care.questions, care.homecare, care.team)]
    keys = inputs.read("person_keys", "person", "person_id").set_index("person")
    joined = pd.concat([people, *(part.reindex(people.index) for part in (keys, *parts))], axis=1)
    columns = Columns(inputs, joined, covered, care.says_ambulance(inputs)).all()
    columns.sort_values("person_id").to_parquet(target, compression="zstd", index=False)


def _of_gp(inputs: Inputs, listed: pd.DataFrame, people: pd.DataFrame) -> list[pd.DataFrame]:
    flags = gp.flagged(inputs, listed)
    issues = inputs.dated("gp_medications", "issue_date", people, categories=("dmd_code",))
    return [
        gp.deficits(inputs, listed, people),
        gp.medicines(issues, inputs),
        gp.coded_frailty(inputs, flags),
        gp.flags_now(inputs, flags),
        cambridge(inputs, listed, issues, people),
    ]


def _of_hospitals(inputs: Inputs, people: pd.DataFrame) -> list[pd.DataFrame]:
    found = acute.stays(inputs, people)
    recorded = acute.diagnoses(inputs, found)
    return [
        acute.admissions(inputs, found, recorded),
        acute.bed_days(inputs, found),
        acute.in_hospital(found),
        acute.hfrs(inputs, found, recorded),
        acute.charlson(inputs, recorded),
    ]


def _of_contacts(inputs: Inputs, people: pd.DataFrame) -> list[pd.DataFrame]:
    attended, contacts = care.first_attendances(inputs, people), care.gp_contacts(inputs, people)
    of_agencies = care.agency_contacts(inputs, people)
    return [
        care.attendances(inputs, attended),
        care.community(inputs, people),
        contacts.groupby("person").size().to_frame("gp_contacts"),
        care.agencies(inputs, of_agencies),
        care.unscheduled(inputs, attended, contacts, of_agencies),
    ]
