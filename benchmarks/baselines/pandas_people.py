"""pandas: coded events of registered people, who is in the population, and which windows the feeds cover."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.baselines.feeds import Coverage, FeedRow, coverage
from benchmarks.baselines.pandas_inputs import Inputs, month_of, numbered

REGISTER = ("person", "registered_from", "registered_to", "date_of_birth", "date_of_death")
TEXTS = ("practice_code", "sex", "ethnic_category", "lsoa_code", "registration_id")


def register(inputs: Inputs) -> pd.DataFrame:
    """The rows of the register that belong to somebody."""
    rows = inputs.read("gp_patients", *REGISTER, *TEXTS)
    return rows[rows["person"].notna()].astype({"person": "int64"})


def registrations(inputs: Inputs, rows: pd.DataFrame) -> pd.DataFrame:
    """The one open registration of each person with an in-scope practice, by person."""
    as_of = inputs.day("as_of")
    practices = pd.DataFrame(
        inputs.knowledge.in_scope_practices(), columns=["practice_code", "pcn_code", "neighbourhood_code"]
    )
    is_open = rows["registered_to"].isna() | (rows["registered_to"] >= as_of)
    found = rows[is_open & (rows["registered_from"] <= as_of)].merge(practices, on="practice_code")
    found["until"] = found["registered_to"].fillna(pd.Timestamp.max.as_unit("s"))
    found = found.sort_values(
        ["person", "registered_from", "practice_code", "until", "registration_id"],
        ascending=[True, False, True, False, True],
    )
    return found.drop_duplicates("person").set_index("person")


def gp_events(inputs: Inputs, registered: pd.DataFrame) -> pd.DataFrame:
    """All events of registered people that were dated and known before as_of, with the day they were known."""
    as_of = inputs.day("as_of")
    events = inputs.read(
        "gp_events",
        *("person", "event_date", "recorded_date", "value"),
        filters=[("event_date", "<", inputs.knowledge.windows.as_of)],
        categories=("code_system", "code"),
    )
    recorded = events["recorded_date"].fillna(events["event_date"])
    events = events[(recorded < as_of) & events["person"].isin(registered.index)]
    later = events["recorded_date"] > events["event_date"]
    events["known_date"] = events["recorded_date"].where(later, events["event_date"])
    return events.drop(columns="recorded_date")


def listed_events(inputs: Inputs, events: pd.DataFrame) -> pd.DataFrame:
    """The events on code lists, a row for each listed code."""
    return numbered(events, inputs.listed()[["listed", "code_system", "code"]])


def population(
    inputs: Inputs, rows: pd.DataFrame, registered: pd.DataFrame, listed: pd.DataFrame
) -> pd.DataFrame:
    """Registered, born and alive, not erased and not opted out; with age and place, by person."""
    as_of = inputs.day("as_of")
    first_death = rows.groupby("person")["date_of_death"].min()
    left_out = [
        first_death.index[first_death < as_of],
        inputs.read("erased_people", "person")["person"],
        *_opted_out(inputs, listed),
    ]
    gone = registered.index.isin(np.concatenate(left_out))
    people = registered[~gone & (registered["date_of_birth"] < as_of)].copy()
    born = people["date_of_birth"].dt
    is_to_come = as_of.month * 100 + as_of.day < born.month * 100 + born.day
    years = as_of.year - born.year - is_to_come
    people["age"] = years.astype("Int32").where(years <= inputs.knowledge.parameter("oldest_age"))
    people["imd_decile"] = people["lsoa_code"].map(inputs.knowledge.deprivation()).astype("Int32")
    return people


def _opted_out(inputs: Inputs, listed: pd.DataFrame) -> list[pd.Series]:
    """Who set an opt-out that is applied; the latest of dissent and withdrawal, on one day dissent."""
    applied, found = inputs.knowledge.applied_opt_outs(), []
    if "type_1" in applied:
        states = inputs.knowledge.rows("reference_states")
        state = next(row for row in states if row["state"] == "type_1_opt_out")
        codes = inputs.listed("flags")

        def latest(concept: str) -> pd.Series:
            of_concept = listed["listed"].isin(codes.loc[codes["concept"] == concept, "listed"])
            return listed[of_concept].groupby("person")["event_date"].max()

        dissent = latest(state["started_by"])
        withdrawal = latest(state["ended_by"]).reindex(dissent.index)
        found.append(dissent.index[withdrawal.isna() | (dissent >= withdrawal)].to_series())
    if "national" in applied:
        rows = inputs.read("national_opt_out", "person", "checked_on").dropna(subset="person")
        counts = rows["checked_on"].isna() | (rows["checked_on"] < inputs.day("as_of"))
        found.append(rows.loc[counts, "person"])
    return found


def feeds(inputs: Inputs, registered: pd.DataFrame, people: pd.DataFrame, events: pd.DataFrame) -> Coverage:
    """Count the rows of every provider and month, and judge them."""
    as_of = inputs.knowledge.windows.as_of
    practice = registered["practice_code"].astype("category")
    episodes = inputs.read(
        "acute_episodes",
        *("admission_date", "recorded_date"),
        filters=[("admission_date", "<", as_of), ("episode_start", "<", as_of)],
        categories=("provider_code",),
    )
    is_late = episodes["recorded_date"] >= inputs.day("as_of")
    counted = [_counted("gp_events", events["person"].map(practice), events["event_date"])]
    counted.append(_counted("acute_episodes", *_pair(episodes[~is_late], "provider_code", "admission_date")))
    for extract, day in (("acute_attendances", "arrival_at"), ("community_contacts", "contact_date")):
        rows = inputs.read(extract, day, filters=[(day, "<", as_of)], categories=("provider_code",))
        counted.append(_counted(extract, *_pair(rows, "provider_code", day)))
    for extract, day in (("gp_medications", "issue_date"), ("gp_contacts", "contact_date")):
        rows = inputs.read(extract, "person", day, filters=[(day, "<", as_of)])
        counted.append(_counted(extract, rows["person"].map(practice), rows[day]))
    present = inputs.read("extract_status", "extract", "is_present")
    return coverage(
        [row for rows in counted for row in rows],
        present.loc[present["is_present"], "extract"],
        people["practice_code"].unique(),
        inputs.knowledge,
    )


def _pair(rows: pd.DataFrame, provider: str, day: str) -> tuple[pd.Series, pd.Series]:
    return rows[provider], rows[day]


def _counted(extract: str, providers: pd.Series, days: pd.Series) -> list[FeedRow]:
    counts = days.groupby([providers, month_of(days)], observed=True).size()
    return [(extract, provider, month, rows) for (provider, month), rows in counts.items()]
