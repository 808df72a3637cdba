"""Random rules whose answers can be tried out on every person of a small world."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tests.language import meaning
from tests.language.sentences import Part

FIRST_DAY = date(2026, 1, 1)
WORLD: dict[str, tuple[str, list[Any]]] = {
    "age": ("INTEGER", [None, *range(-1, 8)]),
    "visits": ("INTEGER", [None, *range(-1, 8)]),
    "usual": ("DOUBLE", [None, *(step / 4 for step in range(-4, 30))]),
    "has_copd": ("BOOLEAN", [None, True, False]),
    "band": ("VARCHAR", [None, "fit", "mild", "severe", "another"]),
    "seen_date": ("DATE", [None, *(FIRST_DAY + timedelta(days=day) for day in range(9))]),
}
TYPES = {name: kind for name, (kind, _) in WORLD.items()}
ALLOWED = {"band": ("fit", "mild", "severe")}
SIGNS = tuple(meaning.COMPARED)


def everybody(columns: list[str]) -> Iterator[dict[str, Any]]:
    """All people of the world, as far as these columns tell them apart."""
    for values in itertools.product(*(WORLD[name][1] for name in columns)):
        yield dict(zip(columns, values, strict=True))


class SimpleRules:
    """Rules over a few columns, among them arithmetic, whose answers boundaries alone do not settle."""

    def __init__(self, chance: random.Random, columns: list[str]) -> None:
        self.chance = chance
        self.columns = columns

    def rule(self, depth: int = 1) -> Part:
        if depth > 0 and self.chance.random() < 0.5:
            first, last = self.rule(depth - 1), self.rule(depth - 1)
            if self.chance.random() < 0.5:
                return Part(
                    f"({first.text}) AND ({last.text})",
                    lambda one: meaning.both([first.of(one), last.of(one)]),
                )
            return Part(
                f"({first.text}) OR ({last.text})", lambda one: meaning.either([first.of(one), last.of(one)])
            )
        part = self._atom(self.chance.choice(self.columns))
        if self.chance.random() < 0.25:
            return Part(f"NOT ({part.text})", lambda one: meaning.opposite(part.of(one)))
        return part

    def _atom(self, name: str) -> Part:
        if self.chance.random() < 0.12:
            return Part(f"{name} IS NULL", lambda one: one[name] is None)
        if name == "has_copd":
            return Part(name, lambda one: one[name])
        if name == "band":
            values = self.chance.sample(ALLOWED["band"], self.chance.choice([1, 2]))
            inside = ", ".join(f"'{value}'" for value in values)
            return Part(f"{name} IN ({inside})", lambda one: meaning.member(one[name], values))
        return self._day(name) if name == "seen_date" else self._number(name)

    def _day(self, name: str) -> Part:
        sign, day = self.chance.choice(SIGNS), FIRST_DAY + timedelta(days=self.chance.choice([2, 3, 4, 6]))
        if self.chance.random() < 0.6:
            return Part(f"{name} {sign} DATE '{day}'", lambda one: meaning.compare(sign, one[name], day))
        most = self.chance.choice([-1, 0, 1, 2])
        return Part(
            f"date_diff('day', {name}, DATE '{day}') {sign} {most}",
            lambda one: meaning.compare(sign, meaning.days_between(one[name], day), most),
        )

    def _number(self, name: str) -> Part:
        sign = self.chance.choice(SIGNS)
        text = self.chance.choice(["1", "2", "3", "4", "5", "2.5", "3.75"])
        value = float(text)
        other = self.chance.choice(
            [column for column in self.columns if column in ("age", "visits", "usual")]
        )
        shape = self.chance.randrange(8)
        if shape == 0:
            return Part(f"{name} {sign} {other}", lambda one: meaning.compare(sign, one[name], one[other]))
        if shape == 1:
            return Part(
                f"{name} + {other} {sign} {text}",
                lambda one: meaning.compare(sign, meaning.calculate("+", one[name], one[other]), value),
            )
        if shape == 2:
            return Part(
                f"coalesce({name}, {other}, 3) {sign} {text}",
                lambda one: meaning.compare(sign, meaning.first_known([one[name], one[other], 3]), value),
            )
        if shape == 3:
            return Part(f"{name} BETWEEN 2 AND {text}", lambda one: meaning.between(one[name], 2, value))
        return Part(f"{name} {sign} {text}", lambda one: meaning.compare(sign, one[name], value))
