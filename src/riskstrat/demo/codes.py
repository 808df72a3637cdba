"""Which codes stand for what: pools from the site's own code lists, so that scores come out as meant.

A deficit's pool holds only codes that the list gives to that deficit alone and to no flag; a flag's pool
holds only codes that no deficit uses, or only the one that the flag goes with. A numeric test is used where
its abnormal values trigger the deficit for the person's sex and its normal values trigger nothing.
"""

from __future__ import annotations

import csv
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from riskstrat.demo.calibration import Integers, conditions, read_knowledge
from riskstrat.errors import DefinitionError

SYSTEMS = ("snomed", "readv2", "ctv3")
MEDICINES_DEFICIT = "polypharmacy"
SEXES = ("male", "female")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass
class CodeBook:
    """Numbers codes as they are first seen, so that rows can carry a small integer instead of text."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    _places: dict[tuple[str, str], int] = field(default_factory=dict)

    def number(self, system: str, code: str) -> int:
        """The number of a code, a new one when it is new."""
        if (system, code) not in self._places:
            self._places[system, code] = len(self.pairs)
            self.pairs.append((system, code))
        return self._places[system, code]


@dataclass(frozen=True)
class NumericTest:
    """A test: its code, normal and abnormal range, and for which sexes an abnormal value is the deficit."""

    deficit: str
    code: int
    unit: str
    normal: tuple[float, float]
    abnormal: tuple[float, float]
    decimals: int
    weight: float
    works_for: frozenset[str]


@dataclass(frozen=True)
class Observation:
    """Something recorded often that means nothing for any score; ``normal`` is None where it has no value."""

    code: int
    unit: str
    normal: tuple[float, float] | None
    decimals: int
    weight: float


@dataclass(frozen=True)
class Vocabulary:
    """Everything that GP events are written with; pools hold code numbers by topic and code system."""

    book: CodeBook
    pools: dict[str, tuple[Integers, Integers, Integers]]
    tests: tuple[NumericTest, ...]
    observations: tuple[Observation, ...]

    def draw(self, topic: str, systems: Integers, generator: np.random.Generator) -> Integers:
        """A code of the topic for each event, in the event's code system where the topic has one there.

        The first codes of a pool are drawn more often, as in real records.
        """
        drawn = np.empty(len(systems), dtype=np.int64)
        skew = generator.random(len(systems)) ** 2
        pools = self.pools[topic]
        fallback = next(pool for pool in pools if len(pool))
        for place, own in enumerate(pools):
            here = systems == place
            pool = own if len(own) else fallback
            drawn[here] = pool[(skew[here] * len(pool)).astype(np.int64)]
        return drawn


def load_vocabulary(codelists_folder: Path) -> Vocabulary:
    """Read the frailty and flag lists. Raises DefinitionError for a concept without a code of its own."""
    efi = _concepts(codelists_folder / "efi.csv")
    flags = _concepts(codelists_folder / "flags.csv")
    book = CodeBook()
    pools = {
        deficit(condition.name): _pool(
            _codes_of_deficit(condition.name, efi, flags), condition.name, book, codelists_folder / "efi.csv"
        )
        for condition in conditions()
        if condition.is_deficit and condition.name != MEDICINES_DEFICIT
    }
    for flag in sorted({name for owners in flags.values() for name in owners}):
        chosen = _codes_of_flag(flag, efi, flags)
        if chosen:
            pools[flag] = _pool(chosen, flag, book, codelists_folder / "flags.csv")
    rules = _value_rules(codelists_folder / "efi_values.csv")
    known = set(efi) | set(flags) | {(rule["code_system"], rule["code"]) for rule in rules}
    return Vocabulary(book, pools, _tests(rules, set(efi) | set(flags), book), _observations(known, book))


def deficit(name: str) -> str:
    """The topic of a deficit; flags of the same name are topics of their own."""
    return f"deficit {name}"


def _codes_of_deficit(
    name: str, efi: dict[tuple[str, str], set[str]], flags: dict[tuple[str, str], set[str]]
) -> list[tuple[str, str]]:
    own = [pair for pair, owners in efi.items() if owners == {name}]
    return [pair for pair in own if pair not in flags] or own


def _codes_of_flag(
    flag: str, efi: dict[tuple[str, str], set[str]], flags: dict[tuple[str, str], set[str]]
) -> list[tuple[str, str]]:
    """Codes that start no other state; one may end another: who lives alone is in no care home."""
    rows = read_knowledge("flags")
    partner = {row["flag"]: row["needs"] for row in rows}.get(flag, "")
    others = {row["flag"] for row in rows} - {flag}
    return [
        pair
        for pair, owners in flags.items()
        if flag in owners and not owners & others and efi.get(pair, set()) <= {partner}
    ]


def _concepts(path: Path) -> dict[tuple[str, str], set[str]]:
    owners: dict[tuple[str, str], set[str]] = {}
    for row in _read(path):
        owners.setdefault((row["code_system"], row["code"]), set()).add(row["concept"])
    return owners


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except FileNotFoundError:
        raise DefinitionError("is missing.", file=path, remedy="restore it from riskstrat init.") from None


def _pool(
    pairs: list[tuple[str, str]], topic: str, book: CodeBook, path: Path
) -> tuple[Integers, Integers, Integers]:
    if not pairs:
        raise DefinitionError(
            f"has no code that means {topic} and nothing else.",
            file=path,
            remedy="the town needs one to write it with.",
        )
    by_system = [
        np.array([book.number(*pair) for pair in sorted(pairs) if pair[0] == system], dtype=np.int64)
        for system in SYSTEMS
    ]
    return by_system[0], by_system[1], by_system[2]


def _value_rules(path: Path) -> list[dict[str, str]]:
    return [row for row in _read(path) if row["code_system"] == SYSTEMS[0]]


def _triggers(rule: dict[str, str], sex: str, value: float) -> bool:
    if rule["sex"] not in ("any", sex):
        return False
    above = not rule["operator"] or _COMPARE[rule["operator"]](value, float(rule["value"]))
    below = not rule["max_operator"] or _COMPARE[rule["max_operator"]](value, float(rule["max_value"]))
    return above and below


def _tests(
    rules: list[dict[str, str]], coded: set[tuple[str, str]], book: CodeBook
) -> tuple[NumericTest, ...]:
    tests = []
    for row in read_knowledge("numeric_tests"):
        low, high = float(row["low"]), float(row["high"])
        abnormal = float(row["abnormal_low"]), float(row["abnormal_high"])
        codes = sorted(
            {
                rule["code"]
                for rule in rules
                if (rule["concept"], rule["unit"]) == (row["deficit"], row["unit"])
            }
        )
        for code in codes:
            about = [rule for rule in rules if rule["code"] == code]
            own = [rule for rule in about if rule["concept"] == row["deficit"]]
            harmless = not any(
                _triggers(rule, sex, value) for rule in about for sex in SEXES for value in (low, high)
            )
            works_for = frozenset(
                sex
                for sex in SEXES
                if all(any(_triggers(rule, sex, value) for rule in own) for value in abnormal)
            )
            if harmless and works_for and (SYSTEMS[0], code) not in coded:
                tests.append(
                    NumericTest(
                        deficit=row["deficit"],
                        code=book.number(SYSTEMS[0], code),
                        unit=row["unit"],
                        normal=(low, high),
                        abnormal=(abnormal[0], abnormal[1]),
                        decimals=int(row["decimals"]),
                        weight=float(row["weight"]),
                        works_for=works_for,
                    )
                )
                break
    return tuple(tests)


def _observations(known: set[tuple[str, str]], book: CodeBook) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            code=book.number(SYSTEMS[0], row["code"]),
            unit=row["unit"],
            normal=(float(row["low"]), float(row["high"])) if row["low"] else None,
            decimals=int(row["decimals"]),
            weight=float(row["weight"]),
        )
        for row in read_knowledge("observations")
        if (SYSTEMS[0], row["code"]) not in known
    )
