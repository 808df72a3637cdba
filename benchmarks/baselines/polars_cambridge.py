"""Polars: the Cambridge Multimorbidity Score, in integer hundredths."""

from __future__ import annotations

import polars as pl

from benchmarks.baselines.polars_inputs import Inputs, collected, known_day


def cambridge(inputs: Inputs, events: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The points of every condition that a person meets a criterion of; nobody else has a row."""
    criteria, codes = inputs.table("reference_cambridge_criteria"), _codes(inputs, events)
    issues = _issues(inputs, people)
    points = inputs.table("score_points").filter(score="cambridge")
    met = [
        _by_code(inputs, criteria, codes, issues),
        _by_medicine(criteria, codes, issues),
        _by_value(inputs, criteria, people),
    ]
    return (
        pl.concat(met)
        .unique()
        .join(points, left_on="item", right_on="concept")
        .group_by("person")
        .agg((pl.col("points") * 100.0).round().cast(pl.Int32).sum().alias("cambridge_hundredths"))
    )


def _codes(inputs: Inputs, events: pl.DataFrame) -> pl.DataFrame:
    codes = inputs.listed().filter(list="cambridge").select("listed", "concept")
    return (
        events.join(codes, on="listed")
        .group_by("person", "concept")
        .agg(
            pl.col("event_date").min().alias("first_date"),
            pl.col("event_date").max().alias("last_date"),
        )
    )


def _issues(inputs: Inputs, people: pl.DataFrame) -> pl.DataFrame:
    codes = inputs.listed().filter(list="cambridge", code_system="snomed").select("concept", "code")
    return collected(
        inputs.dated("gp_medications", "issue_date", people)
        .join(codes.lazy(), left_on="dmd_code", right_on="code")
        .group_by("person", "concept")
        .agg(
            pl.len().alias("issues_ever"),
            (pl.col("date") >= inputs.knowledge.windows.start_12m).sum().alias("issues_12m"),
        )
    )


def _by_code(
    inputs: Inputs, criteria: pl.DataFrame, codes: pl.DataFrame, issues: pl.DataFrame
) -> pl.DataFrame:
    run, rule = inputs.knowledge.windows, pl.col("code_rule")
    holds = (
        (rule == "ever")
        | ((rule == "first_in_5y") & (pl.col("first_date") >= run.start_5y))
        | ((rule == "in_12m") & (pl.col("last_date") >= run.start_12m))
    )
    is_treated = pl.col("medicine_concept").is_null() | (
        pl.col("issues_12m").fill_null(0) >= pl.col("minimum_issues_12m")
    )
    return (
        codes.join(criteria, left_on="concept", right_on="coded_concept")
        .join(issues, left_on=["person", "medicine_concept"], right_on=["person", "concept"], how="left")
        .filter(holds, is_treated)
        .select("person", "item")
    )


def _by_medicine(criteria: pl.DataFrame, codes: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    least = pl.col("minimum_issues_12m").is_null() | (pl.col("issues_12m") >= pl.col("minimum_issues_12m"))
    least_ever = pl.col("minimum_issues_ever").is_null() | (
        pl.col("issues_ever") >= pl.col("minimum_issues_ever")
    )
    return (
        issues.join(
            criteria.filter(pl.col("coded_concept").is_null()), left_on="concept", right_on="medicine_concept"
        )
        .join(codes, left_on=["person", "absent_concept"], right_on=["person", "concept"], how="anti")
        .filter(least, least_ever)
        .select("person", "item")
    )


def _by_value(inputs: Inputs, criteria: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The best of the latest readings below the limit; a reading that cannot be right is none."""
    known, run = inputs.knowledge, inputs.knowledge.windows
    rules = (
        criteria.filter(code_rule="best_of_latest")
        .join(inputs.listed().filter(list="cambridge"), left_on="coded_concept", right_on="concept")
        .join(
            inputs.table("reference_plausible_values").select("concept", "lowest", "highest"),
            left_on="coded_concept",
            right_on="concept",
            how="left",
        )
        .select("item", "code_system", "code", pl.col("lowest", "highest").cast(pl.Float64))
    )
    value = pl.col("value")
    readings = (
        inputs.dated("gp_events", "event_date", people)
        .filter(known_day() < run.as_of, value.is_not_null())
        .join(rules.lazy(), on=["code_system", "code"])
        .filter(pl.col("lowest").is_null() | value.is_between(pl.col("lowest"), pl.col("highest")))
        .select("person", "item", "event_date", "event_id", "value")
    )
    latest = value.sort_by(["event_date", "event_id"]).tail(known.parameter("egfr_readings"))
    return (
        collected(readings)
        .group_by("person", "item")
        .agg(latest.max())
        .filter(value < known.parameter("egfr_below"))
        .select("person", "item")
    )
