"""Polars: coded events of registered people, who is in the population, and which windows the feeds cover."""

from __future__ import annotations

import polars as pl

from benchmarks.baselines.feeds import Coverage, FeedRow, coverage
from benchmarks.baselines.polars_inputs import Inputs, collected, known_day, month_of


def registrations(inputs: Inputs) -> pl.DataFrame:
    """The one open registration of each person with an in-scope practice."""
    run = inputs.knowledge.windows
    practices = pl.DataFrame(
        inputs.knowledge.in_scope_practices(),
        schema={"practice_code": pl.String, "pcn_code": pl.String, "neighbourhood_code": pl.String},
        orient="row",
    )
    is_open = pl.col("registered_to").is_null() | (pl.col("registered_to") >= run.as_of)
    return collected(
        inputs.scan("gp_patients")
        .filter(pl.col("person").is_not_null(), pl.col("registered_from") <= run.as_of, is_open)
        .join(practices.lazy(), on="practice_code")
        .sort(
            ["person", "registered_from", "practice_code", "registered_to", "registration_id"],
            descending=[False, True, False, True, False],
            nulls_last=[True, True, True, False, True],
        )
        .unique("person", keep="first", maintain_order=True)
    )


def listed_events(inputs: Inputs, registered: pl.DataFrame) -> pl.DataFrame:
    """Events with a listed code, dated and known before as_of, of registered people; also those before birth."""
    run = inputs.knowledge.windows
    codes = inputs.listed().select("listed", "code_system", "code")
    return collected(
        inputs.scan("gp_events")
        .filter(pl.col("event_date") < run.as_of, known_day() < run.as_of)
        .join(codes.lazy(), on=["code_system", "code"])
        .join(registered.lazy().select("person", "date_of_birth"), on="person")
        .select(
            "person",
            "listed",
            "event_date",
            pl.max_horizontal("event_date", known_day()).alias("known_date"),
            "value",
            (pl.col("event_date") < pl.col("date_of_birth")).fill_null(value=False).alias("is_before_birth"),
        )
    )


def population(inputs: Inputs, registered: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Registered, born and alive, not erased and not opted out; with age and place."""
    run = inputs.knowledge.windows
    died = (
        inputs.scan("gp_patients")
        .group_by("person")
        .agg(pl.col("date_of_death").min())
        .filter(pl.col("date_of_death") < run.as_of)
    )
    erased = inputs.scan("erased_people").select("person")
    left_out = pl.concat([collected(died.select("person")), collected(erased), _opted_out(inputs, events)])
    birthday = pl.col("date_of_birth").dt.month().cast(pl.Int32) * 100 + pl.col("date_of_birth").dt.day()
    is_to_come = run.as_of.month * 100 + run.as_of.day < birthday
    years = run.as_of.year - pl.col("date_of_birth").dt.year().cast(pl.Int32) - is_to_come.cast(pl.Int32)
    deprivation = pl.DataFrame(
        list(inputs.knowledge.deprivation().items()),
        schema={"lsoa_code": pl.String, "imd_decile": pl.Int32},
        orient="row",
    )
    return (
        registered.filter(pl.col("date_of_birth") < run.as_of)
        .join(left_out, on="person", how="anti")
        .join(deprivation, on="lsoa_code", how="left")
        .with_columns(pl.when(years <= inputs.knowledge.parameter("oldest_age")).then(years).alias("age"))
    )


def _opted_out(inputs: Inputs, events: pl.DataFrame) -> pl.DataFrame:
    """Who set an opt-out that is applied; the latest of dissent and withdrawal, on one day dissent."""
    run, applied = inputs.knowledge.windows, inputs.knowledge.applied_opt_outs()
    found = [pl.DataFrame(schema={"person": pl.Int64})]
    if "type_1" in applied:
        state = next(
            row for row in inputs.knowledge.rows("reference_states") if row["state"] == "type_1_opt_out"
        )
        codes = (
            inputs.listed().filter(list="flags").filter(pl.col("concept").is_in(list(_ends(state).values())))
        )
        latest = (
            events.join(codes.select("listed", "concept"), on="listed")
            .group_by("person")
            .agg(
                pl.col("event_date").filter(pl.col("concept") == concept).max().alias(end)
                for end, concept in _ends(state).items()
            )
        )
        dissents = pl.col("started") >= pl.coalesce("ended", "started")
        found.append(latest.filter(dissents).select("person"))
    if "national" in applied:
        checked = pl.col("checked_on").is_null() | (pl.col("checked_on") < run.as_of)
        national = inputs.scan("national_opt_out").filter(pl.col("person").is_not_null(), checked)
        found.append(collected(national.select("person")))
    return pl.concat(found)


def _ends(state: dict[str, str]) -> dict[str, str]:
    return {"started": state["started_by"], "ended": state["ended_by"]}


def feeds(inputs: Inputs, registered: pl.DataFrame, people: pl.DataFrame) -> Coverage:
    """Count the rows of every provider and month, and judge them."""
    as_of = inputs.knowledge.windows.as_of
    practice = registered.lazy().select("person", pl.col("practice_code").alias("provider"))
    recorded = pl.col("recorded_date").is_null() | (pl.col("recorded_date") < as_of)
    dated = {
        "acute_episodes": inputs.scan("acute_episodes")
        .filter(pl.col("admission_date") < as_of, pl.col("episode_start") < as_of, recorded)
        .select(pl.col("provider_code").alias("provider"), month_of("admission_date").alias("month")),
        "acute_attendances": inputs.scan("acute_attendances")
        .filter(pl.col("arrival_at").cast(pl.Date) < as_of)
        .select(pl.col("provider_code").alias("provider"), month_of("arrival_at").alias("month")),
        "community_contacts": inputs.scan("community_contacts")
        .filter(pl.col("contact_date") < as_of)
        .select(pl.col("provider_code").alias("provider"), month_of("contact_date").alias("month")),
        "gp_events": inputs.scan("gp_events")
        .filter(pl.col("event_date") < as_of, known_day() < as_of)
        .join(practice, on="person")
        .select("provider", month_of("event_date").alias("month")),
        "gp_medications": inputs.scan("gp_medications")
        .filter(pl.col("issue_date") < as_of)
        .join(practice, on="person")
        .select("provider", month_of("issue_date").alias("month")),
        "gp_contacts": inputs.scan("gp_contacts")
        .filter(pl.col("contact_date") < as_of)
        .join(practice, on="person")
        .select("provider", month_of("contact_date").alias("month")),
    }
    counts = pl.collect_all(
        [frame.group_by("provider", "month").len() for frame in dated.values()], engine="streaming"
    )
    rows: list[FeedRow] = [
        (extract, *row) for extract, frame in zip(dated, counts, strict=True) for row in frame.iter_rows()
    ]
    present = collected(inputs.scan("extract_status").filter("is_present"))["extract"]
    return coverage(rows, present, people["practice_code"].unique(), inputs.knowledge)
