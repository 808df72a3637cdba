"""Features and random people for generated expressions; a quarter of all values are unknown."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import duckdb

AS_OF = date(2026, 3, 31)
COLUMNS = {
    "age": "INTEGER",
    "visits": "INTEGER",
    "change": "INTEGER",
    "score": "BIGINT",
    "efi": "DOUBLE",
    "has_copd": "BOOLEAN",
    "is_housebound": "BOOLEAN",
    "band": "VARCHAR",
    "manager": "VARCHAR",
    "code": "VARCHAR",
    "seen_date": "DATE",
    "discharge_date": "DATE",
}
ALLOWED = {"band": ("fit", "mild", "moderate", "severe")}
NAMES = (
    "Ng",
    "O'Brien",
    "o'brien",
    "\u00c9milie",
    "\u0130lknur",
    "\u039f\u0394\u039f\u03a3",
    "",
    " a ",
    "a_b%",
    "Stra\u00dfe",
)
CODES = ("12", "-3", "007", "5\n", " 5", "1e3", "65.5", "x", "2026-02-30", "2024-02-29", "999999999", "")
Person = dict[str, Any]


def random_people(chance: random.Random, count: int) -> list[Person]:
    """Made-up people, the first of whom nothing is known."""
    return [dict.fromkeys(COLUMNS), *(_person(chance) for _ in range(count - 1))]


def _person(chance: random.Random) -> Person:
    def day() -> date:
        return chance.choice([AS_OF, date(2024, 2, 29)]) - timedelta(
            days=chance.choice([0, 1, 29, 31, 90, 365, 900])
        )

    person = {
        "age": chance.choice([0, 17, 18, 64, 65, 66, 80, 104]),
        "visits": chance.choice([0, 1, 2, 5, 2**31 - 1]),
        "change": chance.choice([-7, -2, -1, 0, 3, -(2**31)]),
        "score": chance.choice([0, 10, -5, 2**40]),
        "efi": chance.choice([0.0, 0.11, 0.12, 0.24, 0.305, 2.5, -0.5, 1e9]),
        "has_copd": chance.random() < 0.5,
        "is_housebound": chance.random() < 0.5,
        "band": chance.choice(ALLOWED["band"]),
        "manager": chance.choice(NAMES),
        "code": chance.choice(CODES),
        "seen_date": day(),
        "discharge_date": day(),
    }
    return {name: None if chance.random() < 0.25 else value for name, value in person.items()}


def people_table(connection: duckdb.DuckDBPyConnection, people: list[Person]) -> None:
    """The table ``features`` with these people, in order of ``number``."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE features (number INTEGER, {columns})")
    places = ", ".join("?" * (len(COLUMNS) + 1))
    connection.executemany(
        f"INSERT INTO features VALUES ({places})",
        [[number, *person.values()] for number, person in enumerate(people)],
    )
