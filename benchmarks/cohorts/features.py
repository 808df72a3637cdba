"""The feature table of the people: columns that queries decide on from their events, every other by its contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.cohorts.people import TODAY, Numbers, People
from riskstrat.definitions.contracts import Column

ARROW_TYPES = {
    "text": pa.string(),
    "integer": pa.int32(),
    "number": pa.float64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
AGE_BANDS = ((85, "85+"), (75, "75-84"), (65, "65-74"), (50, "50-64"), (18, "18-49"), (0, "0-17"))
NEIGHBOURHOODS, PRACTICES_EACH = 24, 6
CALENDAR_YEAR = tuple(int(np.datetime64(f"{year}-01-01", "D").astype(int)) for year in (2025, 2026))


def feature_table(people: People, columns: tuple[Column, ...], seed: int) -> pa.Table:
    """All columns of the contract in its order, for people in the order of person_id."""
    rng = np.random.default_rng(seed + 1)
    known = _who(rng, people) | _frailty(people) | _admissions(people) | _place(rng, len(people))
    arrays = []
    for column in columns:
        values = known.get(column.name)
        arrays.append(_by_contract(rng, column, people) if values is None else values)
    types = [ARROW_TYPES[column.type] for column in columns]
    filled = [pa.array(one, type=kind, from_pandas=True) for one, kind in zip(arrays, types, strict=True)]
    return pa.table(filled, names=[column.name for column in columns])


def _who(rng: np.random.Generator, people: People) -> dict[str, Any]:
    age = people.age()
    floors, names = zip(*AGE_BANDS, strict=True)
    return {
        "person_id": people.person_id,
        "age": age,
        "age_band": np.select([age >= floor for floor in floors], names, ""),
        "sex": np.where(people.is_male, "male", "female"),
        "ethnic_category": rng.choice(["A", "J", "H", "N", "Z"], len(people), p=[0.6, 0.15, 0.1, 0.1, 0.05]),
        "hfrs_validated_age": age >= 75,
    }


def _frailty(people: People) -> dict[str, Any]:
    unknown = people.deficits < 0
    category = pa.array(people.frailty(), mask=unknown)
    return {
        "efi_deficits": pa.array(people.deficits, mask=unknown).cast(pa.int32()),
        "efi": pa.array(people.deficits / 36, mask=unknown),
        "efi_category": category,
        "frailty_category": category,
        "frailty_source": pa.array(np.full(len(people), "computed"), mask=unknown),
    }


def _admissions(people: People) -> dict[str, Any]:
    def unplanned(since: int, until: int = TODAY) -> Numbers:
        return people.unplanned.counted(len(people), since, until)

    return {
        "unplanned_admissions_12m": unplanned(TODAY - 365),
        "unplanned_admissions_24m": unplanned(TODAY - 730),
        "unplanned_admissions_90d": unplanned(TODAY - 90),
        "unplanned_admissions_last_calendar_year": unplanned(*CALENDAR_YEAR),
        "unplanned_admissions_12m_a_year_ago": unplanned(TODAY - 730, TODAY - 365),
    }


def _place(rng: np.random.Generator, number: int) -> dict[str, Any]:
    home = rng.integers(0, NEIGHBOURHOODS, number)
    practice = home * PRACTICES_EACH + rng.integers(0, PRACTICES_EACH, number)
    return {
        "practice_code": _codes("X9{:04d}", practice, NEIGHBOURHOODS * PRACTICES_EACH),
        "pcn_code": _codes("U9{:04d}", home // 2, NEIGHBOURHOODS),
        "neighbourhood_code": _codes("NB{:02d}", home, NEIGHBOURHOODS),
        "imd_decile": np.clip(home % 8 + rng.integers(1, 4, number), 1, 10),
    }


def _codes(pattern: str, places: Numbers, number: int) -> Numbers:
    return np.array([pattern.format(place) for place in range(number)])[places]


def _by_contract(rng: np.random.Generator, column: Column, people: People) -> Any:
    """Values that the contract allows; what is about illness or use grows with a person's burden."""
    number, burden = len(people), np.minimum(people.health, 8)
    if column.type == "boolean":
        return rng.random(number) < 0.04 * burden
    if column.type == "integer":
        return rng.poisson(0.5 * burden)
    if column.type == "number":
        return (burden * rng.gamma(1.5, 1.0, number)).round(1)
    has_value = rng.random(number) < (0.97 if column.allowed else 0.06 * burden)
    if column.type == "date":
        return pa.array((TODAY - rng.integers(1, 365, number)).astype("datetime64[D]"), mask=~has_value)
    allowed = np.array(column.allowed or [f"{column.name}-{place:02d}" for place in range(40)])
    return pa.array(allowed[rng.integers(0, len(allowed), number)], mask=~has_value)
