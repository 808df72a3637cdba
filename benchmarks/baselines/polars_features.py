"""The feature table in polars, from riskstrat's own staged files: lazy scans, joins, groups, no row loops."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.baselines import polars_acute as acute
from benchmarks.baselines import polars_care as care
from benchmarks.baselines import polars_gp as gp
from benchmarks.baselines.feeds import Coverage, unscheduled_coverage
from benchmarks.baselines.knowledge import Knowledge
from benchmarks.baselines.polars_cambridge import cambridge
from benchmarks.baselines.polars_columns import Columns, with_frailty
from benchmarks.baselines.polars_inputs import Inputs, collected
from benchmarks.baselines.polars_people import feeds, listed_events, population, registrations


def write_features(folder: Path, knowledge: Knowledge, target: Path) -> None:
    """Read the staged extracts in ``folder`` and write one row a person, in the order of person_id."""
    inputs = Inputs(folder, knowledge)
    registered = registrations(inputs)
    listed = listed_events(inputs, registered)
    people = population(inputs, registered, listed)
    covered = feeds(inputs, registered, people)
    events = listed.filter(~pl.col("is_before_birth")).join(people.select("person"), on="person", how="semi")
    found = acute.stays(inputs, people)
    recorded = acute.diagnoses(inputs, found)
    parts = [
        gp.deficits(inputs, events, people),
        gp.medicines(inputs, people),
        gp.coded_frailty(inputs, events),
        gp.flags(inputs, events),
        cambridge(inputs, events, people),
        acute.admissions(inputs, found, recorded),
        acute.bed_days(inputs, found),
        acute.in_hospital(found),
        acute.hfrs(inputs, found, recorded),
        acute.charlson(inputs, recorded),
        *(
            part(inputs, people)
            for part in (care.attendances, care.community, care.gp_contacts, care.agencies)
        ),
        *(
            part(inputs, people)
            for part in (care.unscheduled, care.care_plans, care.questions, care.homecare, care.team)
        ),
    ]
    keys = inputs.scan("person_keys").select("person", "person_id")
    joined = people.lazy().join(keys, on="person").join(_practices(covered, inputs), on="practice_code")
    for part in parts:
        joined = joined.join(part.lazy(), on="person", how="left")
    columns = Columns(knowledge, covered, care.says_ambulance(inputs)).all()
    wide = with_frailty(joined, knowledge).select(columns)
    collected(wide.sort("person_id")).write_parquet(target, compression="zstd")


def _practices(covered: Coverage, inputs: Inputs) -> pl.LazyFrame:
    """What the feeds of each practice cover."""
    windows = {
        "events_12m": covered.of_practices("gp_events", "12m"),
        "events_flu_season": covered.of_practices("gp_events", "flu_season"),
        "medications_12m": covered.of_practices("gp_medications", "12m"),
        "medications_a_year_ago": covered.of_practices("gp_medications", "a_year_ago"),
        "contacts_12m": covered.of_practices("gp_contacts", "12m"),
        "unscheduled_cover_90d": unscheduled_coverage(covered, inputs.knowledge, "90d"),
        "unscheduled_cover_12m": unscheduled_coverage(covered, inputs.knowledge, "12m"),
    }
    return pl.LazyFrame({"practice_code": covered.practices, **windows})
