"""pandas: the Cambridge Multimorbidity Score, in integer hundredths."""

from __future__ import annotations

import pandas as pd

from benchmarks.baselines.pandas_inputs import Inputs, numbered


def cambridge(
    inputs: Inputs, events: pd.DataFrame, issues: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    """The points of every condition that a person meets a criterion of; nobody else has a row."""
    criteria, codes = inputs.table("reference_cambridge_criteria"), _codes(inputs, events)
    issued = _issues(inputs, issues)
    points = inputs.table("score_points").query("score == 'cambridge'").set_index("concept")["points"]
    met = pd.concat(
        [
            _by_code(inputs, criteria, codes, issued),
            _by_medicine(criteria, codes, issued),
            _by_value(inputs, criteria, people),
        ]
    ).drop_duplicates()
    hundredths = (points * 100).round().astype("int64")
    met["cambridge_hundredths"] = met["item"].map(hundredths)
    return met.groupby("person")[["cambridge_hundredths"]].sum()


def _codes(inputs: Inputs, events: pd.DataFrame) -> pd.DataFrame:
    codes = inputs.listed("cambridge")[["listed", "concept"]].astype({"concept": "category"})
    found = events[["person", "listed", "event_date"]].merge(codes, on="listed")
    days = found.groupby(["person", "concept"], observed=True, sort=False)["event_date"]
    return days.agg(first_date="min", last_date="max").reset_index().astype({"concept": "str"})


def _issues(inputs: Inputs, issues: pd.DataFrame) -> pd.DataFrame:
    codes = inputs.listed("cambridge").query("code_system == 'snomed'")[["concept", "code"]]
    products = issues["dmd_code"].cat
    codes = codes.assign(product=products.categories.get_indexer(codes["code"]))
    found = pd.DataFrame(
        {
            "person": issues["person"],
            "product": products.codes.astype("int64"),
            "is_recent": issues["date"] >= inputs.day("start_12m"),
        }
    )
    found = found[found["product"].isin(codes["product"])].merge(codes[["product", "concept"]], on="product")
    recent = found.groupby(["person", "concept"], sort=False)["is_recent"]
    return recent.agg(issues_ever="size", issues_12m="sum").reset_index()


def _by_code(
    inputs: Inputs, criteria: pd.DataFrame, codes: pd.DataFrame, issued: pd.DataFrame
) -> pd.DataFrame:
    coded = criteria[criteria["coded_concept"].notna()]
    found = codes.merge(coded, left_on="concept", right_on="coded_concept").merge(
        issued.rename(columns={"concept": "medicine_concept"}), on=["person", "medicine_concept"], how="left"
    )
    rule = found["code_rule"]
    holds = rule == "ever"
    holds |= (rule == "first_in_5y") & (found["first_date"] >= inputs.day("start_5y"))
    holds |= (rule == "in_12m") & (found["last_date"] >= inputs.day("start_12m"))
    holds &= found["medicine_concept"].isna() | (found["issues_12m"].fillna(0) >= found["minimum_issues_12m"])
    return found.loc[holds, ["person", "item"]]


def _by_medicine(criteria: pd.DataFrame, codes: pd.DataFrame, issued: pd.DataFrame) -> pd.DataFrame:
    alone = criteria[criteria["coded_concept"].isna()]
    found = issued.merge(alone, left_on="concept", right_on="medicine_concept")
    forbidden = codes.assign(is_forbidden=True)[["person", "concept", "is_forbidden"]]
    found = found.merge(
        forbidden.rename(columns={"concept": "absent_concept"}), on=["person", "absent_concept"], how="left"
    )
    counts = found["is_forbidden"].isna()
    for issues, least in (("issues_12m", "minimum_issues_12m"), ("issues_ever", "minimum_issues_ever")):
        counts &= found[least].isna() | (found[issues] >= found[least])
    return found.loc[counts, ["person", "item"]]


def _by_value(inputs: Inputs, criteria: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """The best of the latest readings below the limit; a reading that cannot be right is none."""
    known, run = inputs.knowledge, inputs.knowledge.windows
    rules = (
        criteria[criteria["code_rule"] == "best_of_latest"]
        .merge(inputs.listed("cambridge"), left_on="coded_concept", right_on="concept")
        .merge(inputs.table("reference_plausible_values"), on="concept", how="left")
    )
    events = inputs.read(
        "gp_events",
        *("person", "event_date", "recorded_date", "event_id", "value"),
        filters=[("event_date", "<", run.as_of), ("code", "in", sorted(set(rules["code"])))],
        categories=("code_system", "code"),
    )
    late = events["recorded_date"] >= inputs.day("as_of")
    events = events[events["value"].notna() & ~late & events["person"].isin(people.index)]
    events = events[events["event_date"] >= events["person"].map(people["date_of_birth"])]
    readings = numbered(events, rules[["code_system", "code", "item", "lowest", "highest"]])
    is_right = readings["lowest"].isna() | readings["value"].between(readings["lowest"], readings["highest"])
    in_order = readings[is_right].sort_values(["event_date", "event_id"])
    latest = in_order.groupby(["person", "item"]).tail(known.parameter("egfr_readings"))
    best = latest.groupby(["person", "item"])["value"].max()
    return best[best < known.parameter("egfr_below")].reset_index()[["person", "item"]]
