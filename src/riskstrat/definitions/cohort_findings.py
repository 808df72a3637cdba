"""What the linter of cohorts looks at, and what it says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from riskstrat.definitions.cohort_rules import Rules
from riskstrat.definitions.cohorts import Cohort
from riskstrat.definitions.rules import Column

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (error) or worth a look (warning); ``rule`` is the rule's text or the key.

    ``picture`` are the lines that show the place within the rule, where it is known.
    """

    level: Level
    cohort: str
    rule: str
    what: str
    remedy: str
    picture: tuple[str, ...] = ()


@dataclass(frozen=True)
class Examined:
    """A cohort and what its checks need: rules that compiled, the features, the extracts, the day to judge by.

    ``strict`` makes errors of unsigned and expired reviews.
    """

    cohort: Cohort
    rules: Rules
    columns: Mapping[str, Column]
    extracts: Collection[str]
    as_of: date
    strict: bool

    def finding(self, level: Level, rule: str, what: str, remedy: str) -> Finding:
        """A finding about this cohort."""
        return Finding(level, self.cohort.name, rule, what, remedy)
