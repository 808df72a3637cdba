"""pandas: frailty, states and activity from coded events and medicines."""

from __future__ import annotations

import operator

import numpy as np
import pandas as pd

from benchmarks.baselines.pandas_inputs import Inputs

OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}


def deficits(inputs: Inputs, events: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """How many eFI deficits but polypharmacy each person has on as_of, and had a year before."""
    found = pd.concat([_by_code(inputs, events), _by_value(inputs, events, people)])
    first = found.groupby(["person", "deficit_number"], sort=False)["known_date"].min().reset_index()
    first["is_old"] = first["known_date"] < inputs.day("a_year_ago")
    return first.groupby("person").agg(deficits=("is_old", "size"), deficits_a_year_ago=("is_old", "sum"))


def _numbers(inputs: Inputs) -> pd.DataFrame:
    table = inputs.table("reference_efi_deficits")
    return table[["deficit", "deficit_number"]].rename(columns={"deficit": "concept"})


def _by_code(inputs: Inputs, events: pd.DataFrame) -> pd.DataFrame:
    same = ["concept", "code_system", "code"]
    numeric = inputs.listed("efi_values")[same].assign(is_numeric=True)
    coded = inputs.listed("efi").merge(_numbers(inputs), on="concept").merge(numeric, on=same, how="left")
    coded = coded.loc[coded["is_numeric"].isna(), ["listed", "deficit_number"]]
    return events[["person", "listed", "known_date"]].merge(coded, on="listed").drop(columns="listed")


def _by_value(inputs: Inputs, events: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """One abnormal value ever; a value that cannot be right, and one beside the rule's sex, does not count."""
    plausible = inputs.table("reference_plausible_values")[["concept", "unit", "lowest", "highest"]]
    rules = (
        inputs.table("efi_values")
        .rename(columns={"value": "limit", "sex": "for_sex"})
        .merge(inputs.listed("efi_values"), on=["concept", "code_system", "code"])
        .merge(_numbers(inputs), on="concept")
        .merge(plausible, on=["concept", "unit"], how="left")
    )
    measured = events[events["value"].notna()].merge(rules, on="listed")
    sexes = dict(inputs.table("reference_sexes")[["code", "sex"]].to_numpy())
    sex, value = measured["person"].map(people["sex"].map(sexes)), measured["value"]
    counts = (measured["for_sex"] == "any") | (measured["for_sex"] == sex)
    counts &= measured["lowest"].isna() | value.between(measured["lowest"], measured["highest"])
    for sign, limit in (("operator", "limit"), ("max_operator", "max_value")):
        meets = np.zeros(len(measured), dtype=bool)
        for text in ("<", "<=") if sign == "max_operator" else OPERATORS:
            meets |= (measured[sign] == text) & OPERATORS[text](value, measured[limit].astype(float))
        counts &= measured[limit].isna() | meets
    return measured.loc[counts, ["person", "deficit_number", "known_date"]]


def medicines(issues: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """How many different products each person was issued in the last 12 months, and in the 12 before a year ago."""
    day = issues["date"]
    windows = {
        "medicines": day >= inputs.day("start_12m"),
        "medicines_a_year_ago": (day >= inputs.day("two_years_ago")) & (day < inputs.day("a_year_ago")),
    }
    return pd.DataFrame(
        {
            name: issues.loc[inside, ["person", "dmd_code"]].drop_duplicates().groupby("person").size()
            for name, inside in windows.items()
        }
    )


def flagged(inputs: Inputs, events: pd.DataFrame) -> pd.DataFrame:
    """The events of list flags with their concepts."""
    codes = inputs.listed("flags")[["listed", "concept"]].astype({"concept": "category"})
    return events.merge(codes, on="listed")


def coded_frailty(inputs: Inputs, flags: pd.DataFrame) -> pd.DataFrame:
    """A clinician's latest category and the latest supplied eFI, known on as_of and a year before."""
    rows = [row for row in inputs.knowledge.rows("reference_bands") if row["score"] == "supplied_efi"]
    categories = inputs.table("reference_coded_frailty").set_index("concept")
    coded = flags[flags["concept"].isin(categories.index)].copy()
    concept = coded["concept"].astype("str")
    coded["category"] = concept.map(categories["category"])
    coded["weight"] = concept.map(categories["severity"])
    supplied = flags[(flags["concept"] == "supplied_efi") & flags["value"].between(0, 1)].copy()
    supplied["weight"] = supplied["value"]
    supplied["category"] = band(
        supplied["value"],
        [
            (row["category"], row["lower"] / 100, None if row["below"] is None else row["below"] / 100)
            for row in rows
        ],
    )
    found = {}
    for source, records in (("coded", coded), ("supplied", supplied)):
        in_order = records.sort_values(["event_date", "weight", "category"])
        for when, until in (("", "as_of"), ("_a_year_ago", "a_year_ago")):
            known = in_order[in_order["known_date"] < inputs.day(until)]
            found[f"{source}{when}"] = known.drop_duplicates("person", keep="last").set_index("person")[
                "category"
            ]
    return pd.DataFrame(found)


def band(numbers: pd.Series, bands: list[tuple[str, float, float | None]]) -> pd.Series:
    """The category that a number falls in; nothing for no number."""
    found = pd.Series(None, index=numbers.index, dtype="str")
    for category, lower, below in bands:
        inside = numbers >= lower if below is None else (numbers >= lower) & (numbers < below)
        found[inside.fillna(value=False).astype(bool)] = category
    return found


def flags_now(inputs: Inputs, flags: pd.DataFrame) -> pd.DataFrame:
    """States that stand, and what the flags say of falls, reviews, vaccines and plans."""
    latest = (
        flags.groupby(["person", "concept"], observed=True, sort=False)["event_date"].max().unstack("concept")
    )

    def last(concept: str | None) -> pd.Series:
        return latest[concept] if concept in latest else pd.Series(pd.NaT, index=latest.index)

    found = pd.DataFrame(index=latest.index)
    for state in inputs.knowledge.rows("reference_states"):
        started, ended = last(state["started_by"]), last(state["ended_by"])
        found[state["state"]] = started.notna() & (ended.isna() | (started >= ended))
    year = inputs.day("start_12m")
    falls = flags[(flags["concept"] == "fall") & (flags["event_date"] >= year)]
    found["fall_days"] = falls.drop_duplicates(["person", "event_date"]).groupby("person").size()
    found["medication_review_last_date"] = last("medication_review")
    found["vaccine"] = last("flu_vaccine") >= inputs.day("flu_season_start")
    found["rescue"] = last("copd_rescue_medicine") >= year
    found["coded_plan"] = last("care_plan").notna()
    return found
