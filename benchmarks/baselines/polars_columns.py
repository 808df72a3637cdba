"""Polars: the columns of the feature table, unknown where the feeds do not cover them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from benchmarks.baselines.acute import COUNTED_STAYS
from benchmarks.baselines.feeds import Coverage
from benchmarks.baselines.knowledge import Knowledge
from benchmarks.baselines.polars_inputs import Band, band


def with_frailty(joined: pl.LazyFrame, knowledge: Knowledge) -> pl.LazyFrame:
    """Deficits, the category of each source, and the source that speaks, on as_of and a year before."""
    order = [
        row["frailty_source"]
        for row in sorted(
            knowledge.rows("reference_frailty_precedence"),
            key=lambda row: (row["precedence"], row["frailty_source"]),
        )
    ]
    least = knowledge.parameter("polypharmacy_medicines")
    for when, cover in (("", "medications_12m"), ("_a_year_ago", "medications_a_year_ago")):
        has_many = (pl.col(f"medicines{when}") >= least).fill_null(value=False)
        count = _count(f"deficits{when}") + has_many.cast(pl.Int32)
        joined = joined.with_columns(pl.when(cover).then(count).alias(f"counted{when}"))
        joined = joined.with_columns(
            band(pl.col(f"counted{when}"), _bands(knowledge, "efi")).alias(f"computed{when}")
        )
        speaks = pl.lit(None, pl.String)
        for source in reversed(order):
            speaks = pl.when(pl.col(f"{source}{when}").is_not_null()).then(pl.lit(source)).otherwise(speaks)
        category = pl.coalesce(*(f"{source}{when}" for source in order))
        joined = joined.with_columns(speaks.alias(f"source{when}"), category.alias(f"category{when}"))
    return joined


def _bands(knowledge: Knowledge, score: str) -> list[Band]:
    rows = [row for row in knowledge.rows("reference_bands") if row["score"] == score]
    return [(row["category"], row["lower"], row["below"]) for row in rows]


def _count(column: str) -> pl.Expr:
    return pl.col(column).fill_null(0).cast(pl.Int32)


def _is(column: str) -> pl.Expr:
    return pl.col(column).fill_null(value=False)


@dataclass(frozen=True)
class Columns:
    """Every feature by its name, from the joined parts; ``says_ambulance`` is about the whole extract."""

    knowledge: Knowledge
    covered: Coverage
    says_ambulance: bool

    def all(self) -> list[pl.Expr]:
        """The features in the order of the contract."""
        return [
            *self._who(),
            *self._frailty(),
            *self._admissions(),
            *self._contacts(),
            *self._states(),
            *self._a_year_ago(),
            *self._others(),
        ]

    def _counted(self, column: str, extract: str, window: str) -> pl.Expr:
        """0 for people without a row; nothing for anybody where the extract does not cover the window."""
        if not self.covered.for_everyone(extract, window):
            return pl.lit(None, pl.Int32)
        return _count(column)

    def _came(self, extract: str, value: pl.Expr, kind: type[pl.DataType]) -> pl.Expr:
        return value if extract in self.covered.present else pl.lit(None, kind)

    def _who(self) -> list[pl.Expr]:
        rows = self.knowledge.rows("reference_age_bands")
        ages = [(row["age_band"], row["lower"], row["below"]) for row in rows]
        return [
            pl.col("person_id", "age"),
            band(pl.col("age"), ages).alias("age_band"),
            pl.col("sex", "ethnic_category", "practice_code", "pcn_code", "neighbourhood_code", "imd_decile"),
        ]

    def _frailty(self) -> list[pl.Expr]:
        known = self.knowledge
        tenths = self._counted("hfrs_tenths", "acute_episodes", "24m")
        return [
            pl.col("counted").alias("efi_deficits"),
            (pl.col("counted") / float(known.parameter("efi_deficits_counted"))).alias("efi"),
            pl.col("computed").alias("efi_category"),
            pl.col("coded").alias("frailty_coded"),
            pl.col("supplied").alias("frailty_supplied"),
            pl.col("category").alias("frailty_category"),
            pl.col("source").alias("frailty_source"),
            (tenths / 10.0).alias("hfrs"),
            band(tenths, _bands(known, "hfrs")).alias("hfrs_category"),
            (pl.col("age") >= known.parameter("hfrs_validated_age")).alias("hfrs_validated_age"),
            self._counted("charlson_points", "acute_episodes", "24m").alias("charlson"),
            pl.when(pl.col("medications_12m") & pl.col("events_12m"))
            .then(_count("cambridge_hundredths") / 100.0)
            .alias("cambridge_multimorbidity"),
            pl.when("medications_12m").then(_count("medicines")).alias("medicines_12m"),
        ]

    def _admissions(self) -> list[pl.Expr]:
        return [
            self._counted(column, "acute_episodes", window).alias(name)
            for name, (column, window) in COUNTED_STAYS.items()
        ]

    def _contacts(self) -> list[pl.Expr]:
        return [
            self._counted("emergency_12m", "acute_attendances", "12m").alias("ae_attendances_12m"),
            self._counted("emergency_90d", "acute_attendances", "90d").alias("ae_attendances_90d"),
            self._counted("same_day_12m", "acute_attendances", "12m").alias("sdec_attendances_12m"),
            self._came("acute_episodes", _is("has_open_spell"), pl.Boolean).alias("is_inpatient"),
            pl.col("last_discharge_date"),
            self._counted("community_12m", "community_contacts", "12m").alias("community_contacts_12m"),
            pl.col("last_community_contact_date"),
            pl.when("contacts_12m").then(_count("gp_contacts")).alias("gp_contacts_12m"),
            self._came("agency_contacts", _count("agency_count"), pl.Int32).alias("agencies_90d"),
            pl.when("events_12m").then(_count("fall_days")).alias("falls_12m"),
        ]

    def _states(self) -> list[pl.Expr]:
        names = ("has_dementia", "has_copd", "lives_alone", "is_housebound", "is_care_home_resident")
        has_plan = _is("coded_plan") | pl.col("care_plan_created_date").is_not_null()
        without = pl.lit(value=False) if "care_plans" in self.covered.present else pl.lit(None, pl.Boolean)
        return [
            *(_is(name).alias(name) for name in (*names, "is_end_of_life")),
            pl.when(has_plan).then(pl.lit(value=True)).otherwise(without).alias("has_care_plan"),
            pl.col(
                "care_plan_last_reviewed_date",
                "five_questions_last_asked_date",
                "medication_review_last_date",
            ),
            pl.when("events_flu_season").then(_is("vaccine")).alias("flu_vaccine_this_season"),
            pl.col("case_manager"),
            self._came("community_caseload", _is("is_on_caseload"), pl.Boolean).alias("is_known_to_team"),
        ]

    def _a_year_ago(self) -> list[pl.Expr]:
        severity = {
            row["category"]: row["severity"]
            for row in self.knowledge.rows("reference_bands")
            if row["score"] == "efi"
        }
        now, then = (
            pl.col(column).replace_strict(severity, default=None, return_dtype=pl.Int32)
            for column in ("category", "category_a_year_ago")
        )
        return [
            pl.col("counted_a_year_ago").alias("efi_deficits_12m_ago"),
            pl.col("category_a_year_ago").alias("frailty_category_12m_ago"),
            (now - then).alias("frailty_bands_risen_12m"),
            self._counted("unplanned_a_year_ago", "acute_episodes", "a_year_ago").alias(
                "unplanned_admissions_12m_a_year_ago"
            ),
        ]

    def _others(self) -> list[pl.Expr]:
        run, true = self.knowledge.windows, pl.lit(value=True)
        days = (run.start_90d - run.start_12m).days
        usual = (pl.col("unscheduled_earlier").fill_null(0).cast(pl.Float64) * 90.0 / days).round(4)
        is_covered = self.covered.for_everyone("acute_episodes", "90d")
        not_ended = pl.lit(value=False) if is_covered else pl.lit(None, pl.Boolean)
        reviewed = (pl.col("medication_review_last_date") >= run.start_12m).fill_null(value=False)
        ambulance = self._counted("ambulance_12m", "acute_attendances", "12m")
        return [
            self._came("social_care_services", _is("has_homecare"), pl.Boolean).alias("receives_homecare"),
            pl.col("homecare_started_date", "homecare_last_review_date"),
            self._came("agency_contacts", _count("agency_90d"), pl.Int32).alias("agency_contacts_90d"),
            self._came("agency_contacts", _count("agency_12m"), pl.Int32).alias("agency_contacts_12m"),
            pl.when("unscheduled_cover_90d")
            .then(_count("unscheduled_90d"))
            .alias("unscheduled_contacts_90d"),
            pl.when(pl.col("unscheduled_cover_12m") & (pl.col("registered_from") <= run.start_12m))
            .then(usual)
            .alias("unscheduled_contacts_usual_90d"),
            pl.when("events_12m").then(_is("rescue")).alias("copd_rescue_medicine_12m"),
            (ambulance if self.says_ambulance else pl.lit(None, pl.Int32)).alias("ambulance_arrivals_12m"),
            pl.when(reviewed)
            .then(true)
            .otherwise(pl.when("events_12m").then(~true))
            .alias("medication_reviewed_12m"),
            pl.when(_is("discharged_14d")).then(true).otherwise(not_ended).alias("unplanned_discharge_14d"),
            pl.col("care_plan_created_date"),
        ]
