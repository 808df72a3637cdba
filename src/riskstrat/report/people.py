"""What the report counts in a run's features: people by neighbourhood, age, deprivation and frailty.

Aggregates only: no row of a person leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from riskstrat.sqltext import path_literal

UNKNOWN = "unknown"

Counts = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Neighbourhood:
    """Counts of the people of one neighbourhood.

    ``frailty`` counts those of ``older_from_age`` and over by category, the categories in order, unknown last.
    """

    code: str
    name: str
    people: int
    older: int
    oldest: int
    median_decile: int | None
    frailty: Mapping[str, int]


@dataclass(frozen=True)
class Population:
    """The people of a run: by neighbourhood (sorted by name), by age band and by deprivation decile.

    ``oldest_band`` is the label of the band that ``Neighbourhood.oldest`` counts; ``whole`` counts everybody.
    """

    older_from_age: int
    oldest_band: str
    neighbourhoods: Sequence[Neighbourhood]
    whole: Neighbourhood
    age_bands: Counts
    deciles: Counts
    frailty_sources: Counts


def count_population(
    features: Path, names: Mapping[str, str], older_from_age: int, frailty_categories: Sequence[str]
) -> Population:
    """Count the people in ``features`` (features.parquet); ``names`` maps neighbourhood codes to names."""
    categories = (*frailty_categories, UNKNOWN)
    with duckdb.connect(config={"threads": 1}) as database:
        cursor = database.execute(
            _PEOPLE.format(features=path_literal(features)), {"older_from_age": older_from_age}
        )
        columns = [column[0] for column in cursor.description or ()]
        groups = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    bands = _counts(groups, "age_band")
    oldest_band = max((name for name, _ in bands), key=lambda name: _first_number(name) or 0, default="")
    homes = {str(group["neighbourhood"]) for group in groups} | set(names)
    neighbourhoods = [
        _neighbourhood(
            code,
            names.get(code, code),
            [row for row in groups if row["neighbourhood"] == code],
            oldest_band,
            categories,
        )
        for code in homes
    ]
    return Population(
        older_from_age=older_from_age,
        oldest_band=oldest_band,
        neighbourhoods=sorted(neighbourhoods, key=lambda home: (home.name, home.code)),
        whole=_neighbourhood("", "All neighbourhoods", groups, oldest_band, categories),
        age_bands=bands,
        deciles=_counts(groups, "decile"),
        frailty_sources=_counts([row for row in groups if row["is_older"]], "frailty_source"),
    )


_PEOPLE = """
    SELECT
        COALESCE(neighbourhood_code, 'unknown') AS neighbourhood
        , COALESCE(age_band, 'unknown') AS age_band
        , COALESCE(CAST(imd_decile AS VARCHAR), 'unknown') AS decile
        , COALESCE(age >= $older_from_age, FALSE) AS is_older
        , COALESCE(frailty_category, 'unknown') AS frailty
        , COALESCE(frailty_source, 'unknown') AS frailty_source
        , COUNT(*) AS people
    FROM read_parquet({features})
    GROUP BY ALL
"""


def _neighbourhood(
    code: str, name: str, own: Sequence[Mapping[str, Any]], oldest_band: str, categories: Sequence[str]
) -> Neighbourhood:
    older = [row for row in own if row["is_older"]]
    return Neighbourhood(
        code=code,
        name=name,
        people=_total(own),
        older=_total(older),
        oldest=_total(row for row in own if row["age_band"] == oldest_band),
        median_decile=_median(_counts([row for row in own if row["decile"] != UNKNOWN], "decile")),
        frailty={
            category: _total(row for row in older if row["frailty"] == category) for category in categories
        },
    )


def _total(groups: Any) -> int:
    return sum(int(row["people"]) for row in groups)


def _counts(groups: Sequence[Mapping[str, Any]], column: str) -> list[tuple[str, int]]:
    """People by value of ``column``, in the order of the labels' first numbers; ``unknown`` comes last."""
    names = sorted({str(row[column]) for row in groups}, key=_label_order)
    return [(name, _total(row for row in groups if row[column] == name)) for name in names]


def _median(counts: Counts) -> int | None:
    """The lower median of whole-number labels, each counted as often as it occurs."""
    half, seen = sum(people for _, people in counts) / 2, 0
    for name, people in counts:
        seen += people
        if seen >= half:
            return int(name)
    return None


def _label_order(name: str) -> tuple[bool, int, str]:
    return (name == UNKNOWN, _first_number(name) or 0, name)


def _first_number(name: str) -> int | None:
    """The number that a label such as ``75-84`` or ``85+`` begins with."""
    digits = "".join(character if character.isdigit() else " " for character in name).split()
    return int(digits[0]) if digits else None
