"""Random people with every column of the feature table, for tests of whatever reads a published run.

One latent health value drives deficits, admissions and contacts together, so the fake has the shape of life;
the town is older than life, so that every list has somebody. Nobody is real, and no constant is calibrated.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

AS_OF = date(2026, 4, 1)
NEIGHBOURHOODS = {
    "NB01": "Alder Vale",
    "NB02": "Brackenmoor",
    "NB03": "Castle Ings and the Wharves",
    "NB04": "Dunmere",
    "NB05": "Eastholme",
    "NB06": "Foss Bank",
}
AGE_BANDS = ((0, "0-17"), (18, "18-49"), (50, "50-64"), (65, "65-74"), (75, "75-84"), (85, "85+"))
FRAILTY_BANDS = ((13, "severe"), (9, "moderate"), (5, "mild"), (0, "fit"))

NUMBER = ("efi", "hfrs", "cambridge_multimorbidity", "unscheduled_contacts_usual_90d")
TEXT = ("person_id", "age_band", "sex", "case_manager", "frailty_category_12m_ago")
TEXT_ENDINGS = ("_code", "_category", "_source", "_coded", "_supplied")
FLAG_STARTS = ("has_", "is_", "lives_", "receives_", "flu_vaccine_", "copd_rescue_", "hfrs_validated_")
FLAGS = ("medication_reviewed_12m", "unplanned_discharge_14d")


def fake_features(people: int, seed: int) -> pa.Table:
    """The feature table: one row per person, columns, types and order of its contract, ordered by person_id."""
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 101, people)
    health = rng.gamma(1.6, 0.55, people) * np.exp((age - 60) / 26)
    columns = (
        _identity(rng, age, seed)
        | _burden(rng, age, health)
        | _activity(rng, health)
        | _care(rng, age, health)
    )
    columns |= _year_ago(rng, columns) | _need(rng, columns, health)
    rows = pd.DataFrame(columns).sort_values("person_id", ignore_index=True)
    schema = pa.schema([(name, _type(name)) for name in rows.columns])
    return pa.Table.from_pandas(rows, schema=schema, preserve_index=False).replace_schema_metadata(None)


def fake_scores(features: pd.DataFrame) -> pd.DataFrame:
    """The transparent score with its components; an unknown part adds no points."""
    parts = pd.DataFrame(
        {
            "unplanned_admissions_points": features["unplanned_admissions_12m"].astype(float) * 10_000,
            "frailty_deficits_points": features["efi_deficits"].astype(float).fillna(0.0) * 200,
            "age_points": features["age"].astype(float),
        }
    )
    parts.insert(0, "score", parts.sum(axis=1))
    parts.insert(0, "person_id", features["person_id"])
    return parts


def _identity(rng: np.random.Generator, age: Any, seed: int) -> dict[str, Any]:
    people = len(age)
    home = rng.choice(list(NEIGHBOURHOODS), people, p=[0.22, 0.2, 0.18, 0.16, 0.13, 0.11])
    place = np.array([int(code[-1]) for code in home])
    return {
        "person_id": [hashlib.sha256(f"{seed}/{row}".encode()).hexdigest()[:32] for row in range(people)],
        "age": age,
        "age_band": [[name for floor, name in AGE_BANDS if years >= floor][-1] for years in age],
        "sex": rng.choice(["male", "female"], people, p=[0.49, 0.51]),
        "ethnic_category": rng.choice(["A", "J", "H", "N", "Z"], people, p=[0.6, 0.15, 0.1, 0.1, 0.05]),
        "practice_code": [
            f"X99{number}{door}" for number, door in zip(place, rng.integers(1, 5, people), strict=True)
        ],
        "pcn_code": [f"U990{1 + number % 5}" for number in place],
        "neighbourhood_code": home,
        "imd_decile": np.clip(rng.integers(1, 6, people) + place - 1, 1, 10),
    }


def _burden(rng: np.random.Generator, age: Any, health: Any) -> dict[str, Any]:
    """Frailty from its three sources, hospital frailty risk and multimorbidity."""
    people = len(age)
    efi_known = rng.random(people) > 0.03
    deficits = np.minimum(rng.poisson(2.2 * health), 30)
    is_coded = rng.random(people) < np.where(deficits >= 9, 0.4, 0.02)
    bands = [_band(count) for count in deficits]
    hfrs = np.where(health > 1.5, rng.gamma(1.5, 3.0, people) * np.minimum(health, 4) / 2, 0.0).round(1)
    return {
        "efi_deficits": _where(efi_known, deficits),
        "efi": _where(efi_known, deficits / 36),
        "efi_category": _where(efi_known, bands),
        "frailty_coded": _where(is_coded, [band if band != "fit" else "mild" for band in bands]),
        "frailty_supplied": [None] * people,
        "frailty_category": _where(efi_known | is_coded, bands),
        "frailty_source": _where(efi_known | is_coded, np.where(efi_known, "computed", "coded")),
        "hfrs": hfrs,
        "hfrs_category": np.select([hfrs > 15, hfrs >= 5], ["high", "intermediate"], "low"),
        "hfrs_validated_age": age >= 75,
        "charlson": rng.poisson(0.5 * health),
        "cambridge_multimorbidity": (0.4 * health).round(2),
        "medicines_12m": rng.poisson(1.8 * np.minimum(health, 8)),
    }


def _activity(rng: np.random.Generator, health: Any) -> dict[str, Any]:
    """Use of services; two feeds are absent, so their features are unknown for everyone."""
    people = len(health)
    admissions = rng.poisson(0.22 * health)
    return {
        "unplanned_admissions_12m": admissions,
        "unplanned_admissions_24m": admissions + rng.poisson(0.2 * health),
        "unplanned_admissions_last_calendar_year": rng.binomial(admissions, 0.75),
        "unplanned_admissions_90d": rng.binomial(admissions, 0.25),
        "acsc_admissions_12m": rng.binomial(admissions, 0.2),
        "unplanned_bed_days_12m": admissions * rng.integers(0, 15, people),
        "emergency_readmissions_30d_12m": rng.binomial(np.maximum(admissions - 1, 0), 0.3),
        "ae_attendances_12m": admissions + rng.poisson(0.3 * np.minimum(health, 6)),
        "ae_attendances_90d": rng.binomial(admissions, 0.25),
        "sdec_attendances_12m": rng.poisson(0.05 * health),
        "is_inpatient": (admissions > 0) & (rng.random(people) < 0.05),
        "last_discharge_date": _dates(rng, admissions > 0),
        "community_contacts_12m": rng.poisson(0.8 * health),
        "last_community_contact_date": _dates(rng, health > 2),
        "gp_contacts_12m": [None] * people,
        "agencies_90d": [None] * people,
        "falls_12m": rng.poisson(0.05 * health),
    }


def _care(rng: np.random.Generator, age: Any, health: Any) -> dict[str, Any]:
    people = len(age)
    has_care_plan = rng.random(people) < 0.04 * np.minimum(health, 8)
    return {
        "has_dementia": (age >= 65) & (rng.random(people) < 0.03 * health),
        "has_copd": (age >= 40) & (rng.random(people) < 0.03 * health),
        "lives_alone": rng.random(people) < np.where(age >= 65, 0.3, 0.1),
        "is_housebound": (age >= 65) & (rng.random(people) < 0.02 * health),
        "is_care_home_resident": (age >= 75) & (rng.random(people) < 0.02 * health),
        "is_end_of_life": rng.random(people) < 0.01 * np.minimum(health, 8),
        "has_care_plan": has_care_plan,
        "care_plan_last_reviewed_date": _dates(rng, has_care_plan),
        "five_questions_last_asked_date": _dates(rng, rng.random(people) < 0.05 * health),
        "medication_review_last_date": _dates(rng, rng.random(people) < 0.1 * health),
        "flu_vaccine_this_season": rng.random(people) < np.where(age >= 65, 0.75, 0.2),
        "case_manager": _where(has_care_plan, rng.choice(["CM01", "CM02", "CM03"], people)),
        "is_known_to_team": has_care_plan | (rng.random(people) < 0.02 * health),
    }


def _year_ago(rng: np.random.Generator, now: dict[str, Any]) -> dict[str, Any]:
    """The same people 12 months earlier: never more deficits than now, which are unknown to whom they are now."""
    deficits = [
        None if count is None else max(count - fewer, 0)
        for count, fewer in zip(now["efi_deficits"], rng.poisson(0.8, len(now["age"])), strict=True)
    ]
    bands = [None if count is None else _band(count) for count in deficits]
    names = [name for _, name in reversed(FRAILTY_BANDS)]
    return {
        "efi_deficits_12m_ago": deficits,
        "frailty_category_12m_ago": bands,
        "frailty_bands_risen_12m": [
            None if None in (band, before) else names.index(band) - names.index(before)
            for band, before in zip(now["frailty_category"], bands, strict=True)
        ],
        "unplanned_admissions_12m_a_year_ago": now["unplanned_admissions_24m"]
        - now["unplanned_admissions_12m"],
    }


def _need(rng: np.random.Generator, now: dict[str, Any], health: Any) -> dict[str, Any]:
    """Home care, rescue medicines and ambulances; what the two absent feeds would say is unknown for everyone."""
    people = len(health)
    homecare = (now["age"] >= 65) & (rng.random(people) < 0.03 * health)
    return {
        "receives_homecare": homecare,
        "homecare_started_date": _dates(rng, homecare, most=1_000),
        "homecare_last_review_date": _dates(rng, homecare & (rng.random(people) < 0.7), most=700),
        "agency_contacts_90d": [None] * people,
        "agency_contacts_12m": [None] * people,
        "unscheduled_contacts_90d": [None] * people,
        "unscheduled_contacts_usual_90d": [None] * people,
        "copd_rescue_medicine_12m": now["has_copd"] & (rng.random(people) < 0.3),
        "ambulance_arrivals_12m": rng.binomial(now["ae_attendances_12m"], 0.3),
        "medication_reviewed_12m": [day is not None for day in now["medication_review_last_date"]],
        "unplanned_discharge_14d": [
            day is not None and (AS_OF - day).days <= 14 for day in now["last_discharge_date"]
        ],
        "care_plan_created_date": _dates(rng, now["has_care_plan"], most=1_000),
    }


def _band(deficits: int) -> str:
    return next(name for floor, name in FRAILTY_BANDS if deficits >= floor)


def _where(is_known: Any, values: Any) -> list[Any]:
    """The values, None where they are not known."""
    plain = np.asarray(values).tolist()
    return [value if known else None for value, known in zip(plain, is_known, strict=True)]


def _dates(rng: np.random.Generator, is_known: Any, most: int = 365) -> list[date | None]:
    days = rng.integers(1, most, len(is_known)).tolist()
    return [
        AS_OF - timedelta(days=back) if known else None for back, known in zip(days, is_known, strict=True)
    ]


def _type(column: str) -> pa.DataType:
    """The type that a column's name promises; whatever is nothing else is a count."""
    if column in TEXT or column.endswith(TEXT_ENDINGS):
        return pa.string()
    if column in NUMBER:
        return pa.float64()
    if column.startswith(FLAG_STARTS) or column in FLAGS:
        return pa.bool_()
    return pa.date32() if column.endswith("_date") else pa.int32()
