"""Polars: episodes to provider spells to continuous inpatient spells, and what is counted on them."""

from __future__ import annotations

import polars as pl

from benchmarks.baselines.acute import POSITIONS, SPELL, Stays
from benchmarks.baselines.knowledge import plain_icd10
from benchmarks.baselines.polars_inputs import Inputs, collected


def stays(inputs: Inputs, people: pl.DataFrame) -> Stays[pl.DataFrame]:
    """Everything about hospital stays that began before as_of."""
    run = inputs.knowledge.windows
    recorded = pl.col("recorded_date").is_null() | (pl.col("recorded_date") < run.as_of)
    episodes = collected(
        inputs.dated("acute_episodes", "admission_date", people)
        .filter(pl.col("episode_start") < run.as_of, recorded)
        .with_columns(
            pl.when(pl.col("spell_id").is_null()).then(pl.col("admission_date")).alias("spell_day"),
            pl.max_horizontal("admission_date", "episode_start", "recorded_date").alias("known_date"),
            pl.col("admission_method").str.to_uppercase(),
        )
        .drop("date", "date_of_birth", *POSITIONS)
        .sort([*SPELL, "episode_number", "episode_start", "episode_id"], nulls_last=True)
    ).with_columns(pl.struct(SPELL).rle_id().alias("spell"))
    spells = _spells(inputs, episodes)
    parts = _parts(inputs, spells)
    return Stays(episodes, spells, parts, _cips(inputs, parts))


def _spells(inputs: Inputs, episodes: pl.DataFrame) -> pl.DataFrame:
    """Admission fields of the first episode, discharge fields of the last; a person's spells in their order."""
    as_of = inputs.knowledge.windows.as_of
    regular = inputs.table("reference_patient_classifications").filter("is_regular_attender")
    discharge = ("discharge_date", "discharge_destination")
    first = ("person", "provider_code", "spell_id", "episode_id", "admission_date", "admission_method")
    is_known = pl.col("discharge_date") < as_of
    return (
        episodes.group_by("spell", maintain_order=True)
        .agg(
            pl.col(*first, "source_of_admission", "patient_classification").first(),
            pl.col(*discharge).last(),
            pl.col("known_date").min(),
        )
        .with_columns(
            *(pl.when(is_known).then(pl.col(name)).alias(name) for name in discharge),
            pl.col("patient_classification")
            .is_in(regular["patient_classification"].to_list())
            .fill_null(value=False)
            .alias("is_regular"),
            pl.col("spell_id").fill_null(""),
        )
        .sort(["person", "admission_date", "discharge_date", "spell_id", "provider_code"], nulls_last=True)
    )


def _parts(inputs: Inputs, spells: pl.DataFrame) -> pl.DataFrame:
    """The spells of in-patients, each with the number of its continuous spell."""
    evidence = inputs.table("reference_transfer_evidence")

    def is_evidence(column: str, field: str) -> pl.Expr:
        codes = evidence.filter(field=field)["code"].to_list()
        return pl.col(column).is_in(codes).fill_null(value=False)

    exception = pl.lit(value=False)
    for row in inputs.knowledge.rows("reference_transfer_exceptions"):
        exception |= (
            pl.col("previous_destination").eq_missing(pl.lit(row["discharge_destination"]))
            & pl.col("source_of_admission").eq_missing(pl.lit(row["admission_source"]))
            & pl.col("admission_method").eq_missing(pl.lit(row["admission_method"]))
        )
    gap = (pl.col("admission_date") - pl.col("previous_discharge")).dt.total_days()
    joins = (
        gap.is_between(0, inputs.knowledge.parameter("cips_gap_days")).fill_null(value=False)
        & (
            is_evidence("previous_destination", "discharge_destination")
            | is_evidence("source_of_admission", "source_of_admission")
            | is_evidence("admission_method", "admission_method")
        )
        & ~exception
    )
    return (
        spells.filter(~pl.col("is_regular"))
        .with_columns(
            pl.col("discharge_date").shift(1).over("person").alias("previous_discharge"),
            pl.col("discharge_destination").shift(1).over("person").alias("previous_destination"),
        )
        .with_columns((~joins).cum_sum().alias("cips"))
    )


def _cips(inputs: Inputs, parts: pl.DataFrame) -> pl.DataFrame:
    methods = inputs.table("reference_admission_methods").filter("is_unplanned")["admission_method"]
    first = ("person", "episode_id", "admission_date", "admission_method", "known_date")
    return (
        parts.group_by("cips", maintain_order=True)
        .agg(pl.col(*first).first(), pl.col("discharge_date").last())
        .with_columns(
            pl.col("admission_method").is_in(methods.to_list()).fill_null(value=False).alias("is_unplanned"),
            (pl.col("admission_date") - pl.col("discharge_date").shift(1).over("person"))
            .dt.total_days()
            .alias("days_since_previous"),
        )
    )


def diagnoses(inputs: Inputs, found: Stays[pl.DataFrame]) -> pl.DataFrame:
    """Diagnoses of the spells admitted in the last 24 months: episode, spell, position and tidied code."""
    recent = found.spells.filter(pl.col("admission_date") >= inputs.knowledge.windows.start_24m)
    wanted = found.episodes.select("episode_id", "person", "spell").join(recent, on="spell", how="semi")
    recorded = collected(
        inputs.scan("acute_episodes")
        .select("episode_id", "person", *POSITIONS)
        .join(wanted.lazy(), on=["episode_id", "person"])
        .unpivot(
            on=POSITIONS, index=["episode_id", "person", "spell"], variable_name="position", value_name="code"
        )
        .filter(pl.col("code").is_not_null())
    )
    codes = recorded["code"].unique()
    plain = pl.DataFrame(
        {"code": codes, "icd10": [plain_icd10(code) for code in codes]},
        schema={"code": pl.String, "icd10": pl.String},
    )
    return recorded.join(plain, on="code").filter(pl.col("icd10").is_not_null())


def admissions(inputs: Inputs, found: Stays[pl.DataFrame], recorded: pl.DataFrame) -> pl.DataFrame:
    """Unplanned continuous spells by window, and emergency readmissions and discharges."""
    known, run = inputs.knowledge, inputs.knowledge.windows
    day = pl.col("admission_date")
    in_12m = day >= run.start_12m
    left = (run.as_of - pl.col("discharge_date")).dt.total_days()
    then = day.is_between(known.two_years_ago, known.a_year_ago, closed="left") & (
        pl.col("known_date") < known.a_year_ago
    )
    return (
        found.cips.filter("is_unplanned")
        .join(_acsc(inputs, found, recorded), on="cips", how="left")
        .group_by("person")
        .agg(
            (day >= run.start_90d).sum().alias("unplanned_90d"),
            in_12m.sum().alias("unplanned_12m"),
            (day >= run.start_24m).sum().alias("unplanned_24m"),
            day.is_between(run.last_calendar_year_start, run.last_calendar_year_end, closed="left")
            .sum()
            .alias("unplanned_calendar_year"),
            (in_12m & pl.col("is_acsc").fill_null(value=False)).sum().alias("acsc_12m"),
            (in_12m & pl.col("days_since_previous").is_between(0, known.parameter("readmission_days")))
            .sum()
            .alias("readmissions_12m"),
            then.sum().alias("unplanned_a_year_ago"),
            ((pl.col("discharge_date") > day) & left.is_between(1, 14)).any().alias("discharged_14d"),
        )
    )


def _acsc(inputs: Inputs, found: Stays[pl.DataFrame], recorded: pl.DataFrame) -> pl.DataFrame:
    """The continuous spells of the last 12 months whose primary diagnosis is on the list, with its conditions."""
    recent = found.cips.filter("is_unplanned", pl.col("admission_date") >= inputs.knowledge.windows.start_12m)
    primary = recorded.filter(position=POSITIONS[0]).select("episode_id", "icd10")
    candidates = recent.select("cips", "episode_id").join(primary, on="episode_id")
    listed = {code for code, _ in inputs.knowledge.concepts_of(candidates["icd10"].unique(), "acsc")}
    candidates = candidates.filter(pl.col("icd10").is_in(list(listed)))
    others = recorded.select("episode_id", pl.col("icd10").alias("other")).join(
        candidates, on="episode_id", how="semi"
    )
    judged = (
        candidates.join(inputs.table("reference_acsc_conditions"), how="cross")
        .filter(pl.col("icd10").str.starts_with(pl.col("primary_icd10_code")))
        .join(others, on="episode_id")
        .with_columns(pl.col("other").str.starts_with(pl.col("other_icd10_code")).alias("is_met"))
        .group_by("cips", "rule")
        .agg(pl.col("is_met").any())
    )
    refused = judged.filter(
        ((pl.col("rule") == "require") & ~pl.col("is_met"))
        | ((pl.col("rule") == "exclude") & pl.col("is_met"))
    )
    kept = candidates.join(refused, on="cips", how="anti")
    return kept.select("cips").unique().with_columns(pl.lit(value=True).alias("is_acsc"))


def bed_days(inputs: Inputs, found: Stays[pl.DataFrame]) -> pl.DataFrame:
    """Nights of the last 12 months in the provider spells of unplanned continuous spells, each once."""
    run = inputs.knowledge.windows
    first, end = pl.col("first_day"), pl.col("end_day")
    return (
        found.parts.join(found.cips.filter("is_unplanned"), on="cips", how="semi")
        .select(
            "person",
            pl.max_horizontal("admission_date", pl.lit(run.start_12m)).alias("first_day"),
            pl.col("discharge_date").fill_null(run.as_of).alias("end_day"),
        )
        .filter(end > first)
        .sort("person", "first_day", maintain_order=True)
        .with_columns(end.cum_max().shift(1).over("person").alias("counted_until"))
        .group_by("person")
        .agg(
            (end - pl.max_horizontal(first, "counted_until")).dt.total_days().clip(0).sum().alias("bed_days")
        )
    )


def in_hospital(found: Stays[pl.DataFrame]) -> pl.DataFrame:
    """Who has an open spell, and the last discharge that is known."""
    return (
        found.spells.filter(~pl.col("is_regular"))
        .group_by("person")
        .agg(
            pl.col("discharge_date").is_null().any().alias("has_open_spell"),
            pl.col("discharge_date").max().alias("last_discharge_date"),
        )
    )


def hfrs(inputs: Inputs, found: Stays[pl.DataFrame], recorded: pl.DataFrame) -> pl.DataFrame:
    """Hospital Frailty Risk Score in tenths: each 3-character code once, over unplanned stays of 24 months."""
    run = inputs.knowledge.windows
    weights = inputs.table("hfrs_weights").select(
        "icd10_3char", (pl.col("points") * 10.0).round().cast(pl.Int32).alias("tenths")
    )
    unplanned = found.cips.filter("is_unplanned", pl.col("admission_date") >= run.start_24m)
    spells = found.parts.join(unplanned, on="cips", how="semi").select("spell")
    return (
        recorded.join(spells, on="spell", how="semi")
        .select("person", pl.col("icd10").str.slice(0, 3).alias("icd10_3char"))
        .join(weights, on="icd10_3char")
        .unique()
        .group_by("person")
        .agg(pl.col("tenths").sum().alias("hfrs_tenths"))
    )


def charlson(inputs: Inputs, recorded: pl.DataFrame) -> pl.DataFrame:
    """Charlson's points of the diagnoses of 24 months, the lesser of a pair left out."""
    concepts = pl.DataFrame(
        inputs.knowledge.concepts_of(recorded["icd10"].unique(), "charlson"),
        schema={"icd10": pl.String, "concept": pl.String},
        orient="row",
    )
    points = inputs.table("score_points").filter(score="charlson").select("concept", "points")
    hierarchy = inputs.table("reference_charlson_hierarchy").select("winner_concept", "loser_concept")
    has = recorded.join(concepts, on="icd10").select("person", "concept").unique()
    outranked = has.join(hierarchy, left_on="concept", right_on="winner_concept").select(
        "person", pl.col("loser_concept").alias("concept")
    )
    return (
        has.join(outranked, on=["person", "concept"], how="anti")
        .join(points, on="concept")
        .group_by("person")
        .agg(pl.col("points").cast(pl.Int32).sum().alias("charlson_points"))
    )
