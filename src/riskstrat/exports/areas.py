"""Areas by their codes: what kind each is, and which lies within which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.audiences import AREA_KINDS
from riskstrat.definitions.geography import Geography, load_geography


@dataclass(frozen=True)
class Areas:
    """Practices, neighbourhoods and PCNs: by kind, code to the practices of it on the day; ``ever`` is code to kind."""

    practices: dict[str, dict[str, frozenset[str]]]
    ever: dict[str, str]

    def kind(self, code: str) -> str | None:
        """practice, neighbourhood or pcn, also of one that is closed; None for a code that never was one."""
        return self.ever.get(code)

    def is_within(self, inner: str, outer: str) -> bool:
        """Whether every practice of one area belongs to the other."""
        inside, around = self.practices_of(inner), self.practices_of(outer)
        return bool(inside) and inside <= around

    def practices_of(self, code: str) -> frozenset[str]:
        """The practices of an area; of a code that is none, none."""
        kind = self.kind(code)
        return self.practices[kind].get(code, frozenset()) if kind else frozenset()


def areas_of(geography: Geography, day: date | None = None) -> Areas:
    """The areas on a day, or of all times."""
    found: dict[str, dict[str, set[str]]] = {kind: {} for kind in AREA_KINDS}
    ever: dict[str, str] = {}
    for practice in geography.practices:
        for kind in reversed(AREA_KINDS):
            ever[getattr(practice, f"{kind}_code")] = kind
        if day is None or practice.is_valid_on(day):
            for kind in AREA_KINDS:
                code = getattr(practice, f"{kind}_code")
                found[kind].setdefault(code, set()).add(practice.practice_code)
    held = {kind: {code: frozenset(of) for code, of in codes.items()} for kind, codes in found.items()}
    return Areas(held, ever)


def load_areas(config: Path, day: date | None = None) -> Areas:
    """The areas of a site. Raises DefinitionError."""
    return areas_of(load_geography(config / "geography"), day)
