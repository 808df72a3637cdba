"""Polars: frailty, states and activity from coded events and medicines."""

from __future__ import annotations

from datetime import date

import polars as pl

from benchmarks.baselines.polars_inputs import Inputs, band, collected

OPERATORS = {
    ">": pl.Expr.gt,
    ">=": pl.Expr.ge,
    "<": pl.Expr.lt,
    "<=": pl.Expr.le,
    "=": pl.Expr.eq,
}


def deficits(inputs: Inputs, events: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """How many eFI deficits but polypharmacy each person has on as_of, and had a year before."""
    found = pl.concat([_by_code(inputs, events), _by_value(inputs, events, people)])
    return collected(
        found.group_by("person", "deficit_number")
        .agg(pl.col("known_date").min())
        .group_by("person")
        .agg(
            pl.len().alias("deficits"),
            (pl.col("known_date") < inputs.knowledge.a_year_ago).sum().alias("deficits_a_year_ago"),
        )
    )


def _by_code(inputs: Inputs, events: pl.DataFrame) -> pl.LazyFrame:
    codes, same = inputs.listed(), ["concept", "code_system", "code"]
    coded = (
        codes.filter(list="efi")
        .join(codes.filter(list="efi_values"), on=same, how="anti")
        .join(_numbers(inputs), on="concept")
    )
    return (
        events.lazy()
        .join(coded.lazy().select("listed", "deficit_number"), on="listed")
        .select("person", "deficit_number", "known_date")
    )


def _numbers(inputs: Inputs) -> pl.DataFrame:
    return inputs.table("reference_efi_deficits").select(
        pl.col("deficit").alias("concept"), pl.col("deficit_number").cast(pl.Int8)
    )


def _by_value(inputs: Inputs, events: pl.DataFrame, people: pl.DataFrame) -> pl.LazyFrame:
    """One abnormal value ever; a value that cannot be right, and one beside the rule's sex, does not count."""
    plausible = inputs.table("reference_plausible_values").select("concept", "unit", "lowest", "highest")
    rules = (
        inputs.table("efi_values")
        .join(inputs.listed().filter(list="efi_values"), on=["concept", "code_system", "code"])
        .join(_numbers(inputs), on="concept")
        .join(plausible, on=["concept", "unit"], how="left")
        .rename({"value": "limit"})
        .select(
            *("listed", "deficit_number", "sex", "operator", "limit", "max_operator", "max_value"),
            pl.col("lowest", "highest").cast(pl.Float64),
        )
    )
    sexes = inputs.table("reference_sexes").select(pl.col("code").alias("sex"), pl.col("sex").alias("of_sex"))
    sex_of = people.select("person", "sex").join(sexes, on="sex").select("person", "of_sex")
    value = pl.col("value")
    meets = pl.lit(value=False)
    for sign, compare in OPERATORS.items():
        meets = pl.when(pl.col("operator") == sign).then(compare(value, pl.col("limit"))).otherwise(meets)
    meets_most = pl.lit(value=False)
    for sign in ("<", "<="):
        compare = OPERATORS[sign]
        meets_most = (
            pl.when(pl.col("max_operator") == sign)
            .then(compare(value, pl.col("max_value")))
            .otherwise(meets_most)
        )
    return (
        events.lazy()
        .filter(value.is_not_null())
        .join(rules.lazy(), on="listed")
        .join(sex_of.lazy(), on="person", how="left")
        .filter(
            pl.col("lowest").is_null() | value.is_between(pl.col("lowest"), pl.col("highest")),
            (pl.col("sex") == "any") | (pl.col("sex") == pl.col("of_sex")),
            pl.col("limit").is_null() | meets,
            pl.col("max_value").is_null() | meets_most,
        )
        .select("person", "deficit_number", "known_date")
    )


def medicines(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    """How many different products each person was issued in the last 12 months, and in the 12 before a year ago."""
    known, run = inputs.knowledge, inputs.knowledge.windows
    day = pl.col("date")
    return collected(
        inputs.dated("gp_medications", "issue_date", people)
        .filter(day >= min(known.two_years_ago, run.start_12m))
        .group_by("person", "dmd_code")
        .agg(
            (day >= run.start_12m).any().alias("now"),
            day.is_between(known.two_years_ago, known.a_year_ago, closed="left").any().alias("then"),
        )
        .group_by("person")
        .agg(pl.col("now").sum().alias("medicines"), pl.col("then").sum().alias("medicines_a_year_ago"))
    )


def coded_frailty(inputs: Inputs, events: pl.DataFrame) -> pl.DataFrame:
    """A clinician's latest category and the latest supplied eFI, known on as_of and a year before."""
    flags = _flags(inputs, events)
    bands = [
        (row["category"], row["lower"] / 100, None if row["below"] is None else row["below"] / 100)
        for row in inputs.knowledge.rows("reference_bands")
        if row["score"] == "supplied_efi"
    ]
    coded = flags.join(inputs.table("reference_coded_frailty"), on="concept").select(
        "person", "event_date", "known_date", "category", pl.col("severity").cast(pl.Float64).alias("weight")
    )
    supplied = flags.filter(pl.col("concept") == "supplied_efi", pl.col("value").is_between(0, 1)).select(
        *("person", "event_date", "known_date"),
        band(pl.col("value"), bands).alias("category"),
        pl.col("value").alias("weight"),
    )
    parts = [
        _latest(records, until, f"{source}{when}")
        for source, records in (("coded", coded), ("supplied", supplied))
        for when, until in (
            ("", inputs.knowledge.windows.as_of),
            ("_a_year_ago", inputs.knowledge.a_year_ago),
        )
    ]
    found = parts[0]
    for part in parts[1:]:
        found = found.join(part, on="person", how="full", coalesce=True)
    return found


def _latest(records: pl.DataFrame, until: date, name: str) -> pl.DataFrame:
    order = ["event_date", "weight", "category"]
    return (
        records.filter(pl.col("known_date") < until)
        .group_by("person")
        .agg(pl.col("category").sort_by(order).last().alias(name))
    )


def _flags(inputs: Inputs, events: pl.DataFrame) -> pl.DataFrame:
    codes = inputs.listed().filter(list="flags").select("listed", "concept")
    return events.join(codes, on="listed")


def flags(inputs: Inputs, events: pl.DataFrame) -> pl.DataFrame:
    """States that stand, and what the flags say of falls, reviews, vaccines and plans."""
    run, states = inputs.knowledge.windows, inputs.knowledge.rows("reference_states")
    day, concept = pl.col("event_date"), pl.col("concept")

    def latest(name: str | None) -> pl.Expr:
        return day.filter(concept == (name or "")).max()

    found = (
        _flags(inputs, events)
        .group_by("person")
        .agg(
            *(latest(state["started_by"]).alias(f"{state['state']}_started") for state in states),
            *(latest(state["ended_by"]).alias(f"{state['state']}_ended") for state in states),
            day.filter(concept == "fall", day >= run.start_12m).n_unique().alias("fall_days"),
            latest("medication_review").alias("medication_review_last_date"),
            ((concept == "flu_vaccine") & (day >= inputs.knowledge.flu_season_start)).any().alias("vaccine"),
            ((concept == "copd_rescue_medicine") & (day >= run.start_12m)).any().alias("rescue"),
            (concept == "care_plan").any().alias("coded_plan"),
        )
    )
    return found.select(
        *("person", "fall_days", "medication_review_last_date", "vaccine", "rescue", "coded_plan"),
        *(
            (pl.col(f"{name}_started") >= pl.coalesce(f"{name}_ended", f"{name}_started")).alias(name)
            for name in (state["state"] for state in states)
        ),
    )
