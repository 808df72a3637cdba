"""pandas: the columns of the feature table, unknown where the feeds do not cover them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.baselines.acute import COUNTED_STAYS
from benchmarks.baselines.feeds import Coverage, unscheduled_coverage
from benchmarks.baselines.pandas_gp import band
from benchmarks.baselines.pandas_inputs import Inputs

ORDINARY = ("sex", "ethnic_category", "practice_code", "pcn_code", "neighbourhood_code", "imd_decile")
STATES = (
    *("has_dementia", "has_copd", "lives_alone", "is_housebound", "is_care_home_resident", "is_end_of_life"),
)


@dataclass(frozen=True)
class Columns:
    """Every feature by its name, from the joined parts; ``says_ambulance`` is about the whole extract."""

    inputs: Inputs
    joined: pd.DataFrame
    covered: Coverage
    says_ambulance: bool

    def all(self) -> pd.DataFrame:
        """The features in the order of the contract."""
        rooms = (
            self._who(),
            self._frailty(),
            self._admissions(),
            self._contacts(),
            self._states(),
            self._a_year_ago(),
            self._others(),
        )
        return pd.DataFrame({name: values for room in rooms for name, values in room.items()})

    def _whole(self, value: Any, kind: str) -> pd.Series:
        return pd.Series(value, index=self.joined.index, dtype=kind)

    def _number(self, column: str) -> pd.Series:
        return self.joined[column].fillna(0).astype("Int32")

    def _is(self, column: str) -> pd.Series:
        return self.joined[column].eq(other=True).astype("boolean")

    def _counted(self, column: str, extract: str, window: str) -> pd.Series:
        """0 for people without a row; nothing for anybody where the extract does not cover the window."""
        if not self.covered.for_everyone(extract, window):
            return self._whole(None, "Int32")
        return self._number(column)

    def _came(self, extract: str, values: pd.Series) -> pd.Series:
        return values if extract in self.covered.present else self._whole(None, str(values.dtype))

    def _practice(self, extract: str, window: str) -> pd.Series:
        return self._by_practice(self.covered.of_practices(extract, window))

    def _by_practice(self, flags: list[bool]) -> pd.Series:
        by_code = dict(zip(self.covered.practices, flags, strict=True))
        return self.joined["practice_code"].map(by_code).astype("bool")

    def _bands(self, score: str) -> list[tuple[str, float, float | None]]:
        rows = [row for row in self.inputs.knowledge.rows("reference_bands") if row["score"] == score]
        return [(row["category"], row["lower"], row["below"]) for row in rows]

    def _who(self) -> dict[str, pd.Series]:
        ages = self.inputs.knowledge.rows("reference_age_bands")
        return {
            "person_id": self.joined["person_id"],
            "age": self.joined["age"],
            "age_band": band(
                self.joined["age"], [(row["age_band"], row["lower"], row["below"]) for row in ages]
            ),
        } | {name: self.joined[name] for name in ORDINARY}

    def _by_source(self, when: str, window: str) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
        """Deficits, their category, the category that holds and the source that speaks."""
        rows, known = self.joined, self.inputs.knowledge
        has_many = rows[f"medicines{when}"] >= known.parameter("polypharmacy_medicines")
        counted = self._number(f"deficits{when}") + has_many.astype("Int32")
        counted = counted.where(self._practice("gp_medications", window))
        categories = {
            "computed": band(counted, self._bands("efi")),
            "coded": rows[f"coded{when}"],
            "supplied": rows[f"supplied{when}"],
        }
        order = sorted(
            known.rows("reference_frailty_precedence"),
            key=lambda row: (row["precedence"], row["frailty_source"]),
        )
        category, source = self._whole(None, "str"), self._whole(None, "str")
        for row in order:
            now = category.isna() & categories[row["frailty_source"]].notna()
            category = category.where(~now, categories[row["frailty_source"]])
            source = source.mask(now, row["frailty_source"])
        return counted, categories["computed"], category, source

    def _frailty(self) -> dict[str, pd.Series]:
        known, rows = self.inputs.knowledge, self.joined
        counted, computed, category, source = self._by_source("", "12m")
        tenths = self._counted("hfrs_tenths", "acute_episodes", "24m")
        medicines, events = self._practice("gp_medications", "12m"), self._practice("gp_events", "12m")
        hundredths = self._number("cambridge_hundredths").astype("Float64")
        return {
            "efi_deficits": counted,
            "efi": counted.astype("Float64") / known.parameter("efi_deficits_counted"),
            "efi_category": computed,
            "frailty_coded": rows["coded"],
            "frailty_supplied": rows["supplied"],
            "frailty_category": category,
            "frailty_source": source,
            "hfrs": tenths.astype("Float64") / 10,
            "hfrs_category": band(tenths, self._bands("hfrs")),
            "hfrs_validated_age": rows["age"] >= known.parameter("hfrs_validated_age"),
            "charlson": self._counted("charlson_points", "acute_episodes", "24m"),
            "cambridge_multimorbidity": (hundredths / 100).where(medicines & events),
            "medicines_12m": self._number("medicines").where(medicines),
        }

    def _admissions(self) -> dict[str, pd.Series]:
        return {
            name: self._counted(column, "acute_episodes", window)
            for name, (column, window) in COUNTED_STAYS.items()
        }

    def _contacts(self) -> dict[str, pd.Series]:
        return {
            "ae_attendances_12m": self._counted("emergency_12m", "acute_attendances", "12m"),
            "ae_attendances_90d": self._counted("emergency_90d", "acute_attendances", "90d"),
            "sdec_attendances_12m": self._counted("same_day_12m", "acute_attendances", "12m"),
            "is_inpatient": self._came("acute_episodes", self._is("has_open_spell")),
            "last_discharge_date": self.joined["last_discharge_date"],
            "community_contacts_12m": self._counted("community_12m", "community_contacts", "12m"),
            "last_community_contact_date": self.joined["last_community_contact_date"],
            "gp_contacts_12m": self._number("gp_contacts").where(self._practice("gp_contacts", "12m")),
            "agencies_90d": self._came("agency_contacts", self._number("agency_count")),
            "falls_12m": self._number("fall_days").where(self._practice("gp_events", "12m")),
        }

    def _states(self) -> dict[str, pd.Series]:
        rows = self.joined
        has_plan = self._is("coded_plan") | rows["care_plan_created_date"].notna()
        if "care_plans" not in self.covered.present:
            has_plan = has_plan.where(has_plan)
        return {name: self._is(name) for name in STATES} | {
            "has_care_plan": has_plan,
            "care_plan_last_reviewed_date": rows["care_plan_last_reviewed_date"],
            "five_questions_last_asked_date": rows["five_questions_last_asked_date"],
            "medication_review_last_date": rows["medication_review_last_date"],
            "flu_vaccine_this_season": self._is("vaccine").where(self._practice("gp_events", "flu_season")),
            "case_manager": rows["case_manager"],
            "is_known_to_team": self._came("community_caseload", self._is("is_on_caseload")),
        }

    def _a_year_ago(self) -> dict[str, pd.Series]:
        bands = self.inputs.knowledge.rows("reference_bands")
        severity = {row["category"]: row["severity"] for row in bands if row["score"] == "efi"}
        _, _, now, _ = self._by_source("", "12m")
        counted, _, then, _ = self._by_source("_a_year_ago", "a_year_ago")
        return {
            "efi_deficits_12m_ago": counted,
            "frailty_category_12m_ago": then,
            "frailty_bands_risen_12m": now.map(severity).astype("Int32") - then.map(severity).astype("Int32"),
            "unplanned_admissions_12m_a_year_ago": self._counted(
                "unplanned_a_year_ago", "acute_episodes", "a_year_ago"
            ),
        }

    def _others(self) -> dict[str, pd.Series]:
        rows, known, run = self.joined, self.inputs.knowledge, self.inputs.knowledge.windows
        usual = rows["unscheduled_earlier"].fillna(0) * 90.0 / (run.start_90d - run.start_12m).days
        is_there = rows["registered_from"] <= self.inputs.day("start_12m")
        covers_90d, covers_12m = (
            self._by_practice(unscheduled_coverage(self.covered, known, window)) for window in ("90d", "12m")
        )
        events = self._practice("gp_events", "12m")
        ambulance = self._counted("ambulance_12m", "acute_attendances", "12m")
        reviewed = (rows["medication_review_last_date"] >= self.inputs.day("start_12m")).astype("boolean")
        discharged = rows["discharged_14d"].gt(0).astype("boolean")
        if not self.covered.for_everyone("acute_episodes", "90d"):
            discharged = discharged.where(discharged)
        return {
            "receives_homecare": self._came("social_care_services", self._is("has_homecare")),
            "homecare_started_date": rows["homecare_started_date"],
            "homecare_last_review_date": rows["homecare_last_review_date"],
            "agency_contacts_90d": self._came("agency_contacts", self._number("agency_90d")),
            "agency_contacts_12m": self._came("agency_contacts", self._number("agency_12m")),
            "unscheduled_contacts_90d": self._number("unscheduled_90d").where(covers_90d),
            "unscheduled_contacts_usual_90d": np.round(usual, 4).where(covers_12m & is_there),
            "copd_rescue_medicine_12m": self._is("rescue").where(events),
            "ambulance_arrivals_12m": ambulance if self.says_ambulance else self._whole(None, "Int32"),
            "medication_reviewed_12m": reviewed.where(reviewed | events),
            "unplanned_discharge_14d": discharged,
            "care_plan_created_date": rows["care_plan_created_date"],
        }
