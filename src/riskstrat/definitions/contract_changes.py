"""What differs between two versions of a contract, and whether its version says so.

A breaking change needs a new major version, a compatible one at least a new minor one, other words at least a new
patch. Source: Semantic Versioning 2.0.0, read for data instead of code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskstrat.definitions.contract_differences import Level, differences
from riskstrat.definitions.contracts import Contract

LEVELS: tuple[Level, ...] = ("breaking", "compatible", "wording")


@dataclass(frozen=True)
class Change:
    """One difference: ``place`` is a part of the contract, such as ``column code``; ``what`` happened to it."""

    contract: str
    place: str
    what: str
    level: Level

    @property
    def breaking(self) -> bool:
        """Whether suppliers or readers have to do something about it."""
        return self.level == "breaking"

    def __str__(self) -> str:
        return f"{self.place} {self.what}"


@dataclass(frozen=True)
class Problem:
    """A contract whose version does not say what its changes are; ``needed`` is the lowest version that would."""

    contract: str
    before: str
    after: str
    needed: str
    level: Level
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> bool:
        """Whether a breaking change came without a new major version."""
        return self.level == "breaking"

    def __str__(self) -> str:
        named = f"{self.level}: {', '.join(map(str, self.changes))}; " if self.changes else ""
        versions = f"{self.contract} {self.before} -> {self.after}"
        return f"{versions}: {named}its version must be {self.needed} or later"


def changes_of_all(before: Mapping[str, Contract], after: Mapping[str, Contract]) -> list[Change]:
    """Every change between two sets of contracts, by contract name; a contract that is gone is a breaking change."""
    found: list[Change] = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            found.append(Change(name, "the contract", "was removed", "breaking"))
        elif name not in before:
            found.append(Change(name, "the contract", "is new", "compatible"))
        else:
            found += changes(before[name], after[name])
    return found


def changes(before: Contract, after: Contract) -> list[Change]:
    """What became of one contract, breaking changes first; empty when nothing but its version differs."""
    found = sorted(differences(before, after), key=lambda entry: LEVELS.index(entry[2]))
    return [Change(after.name, place, what, level) for place, what, level in found]


def check_versions(before: Mapping[str, Contract], after: Mapping[str, Contract]) -> list[Problem]:
    """The contracts of both sets whose new version is too low for what changed, in name order.

    A contract that was removed has no version left that could say so; ``changes_of_all`` names it.
    """
    found = (_problem(before[name], after[name]) for name in sorted(before.keys() & after.keys()))
    return [problem for problem in found if problem is not None]


def _problem(before: Contract, after: Contract) -> Problem | None:
    found = changes(before, after)
    level = found[0].level if found else "wording"
    major, minor, patch = _numbers(before.version)
    needed = {
        "breaking": (major + 1, 0, 0),
        "compatible": (major, minor + 1, 0),
        "wording": (major, minor, patch + bool(found)),
    }[level]
    if _numbers(after.version) >= needed:
        return None
    named = tuple(change for change in found if change.level == level)
    written = ".".join(map(str, needed))
    return Problem(after.name, before.version, after.version, written, level, named)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
