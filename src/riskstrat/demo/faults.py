"""Damage as suppliers do it: extra rows that break a rule, each kind counted exactly.

Nearly every fault is a row added beside the good ones (a damaged copy, a duplicate, an older version),
and the rest only write a valid number with spaces or hyphens. So a town with faults has the same truth, and
should give the same features, as the town without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.demo.calibration import Booleans, Integers, read_knowledge
from riskstrat.demo.columns import Header, check_fits
from riskstrat.demo.nhs_numbers import with_wrong_check_digit
from riskstrat.demo.people import Calendar, People
from riskstrat.demo.rows import Rows, constant_text, days, numbered, numbers

Columns = dict[str, pa.Array]
# The column that says when an extract's row was recorded against when it happened, where it has both.
HAPPENED = {"gp_events": "event_date", "acute_episodes": "admission_date"}


@dataclass(frozen=True)
class Fault:
    """A row of ``knowledge/faults.csv``."""

    name: str
    extract: str
    kind: str
    column: str
    value: str
    rate: float
    expected: str


@dataclass
class Damage:
    """Adds faults to rows and counts them. ``strangers`` are valid numbers that nobody in the town has."""

    calendar: Calendar
    strangers: Integers
    header: Header
    counts: dict[str, int] = field(default_factory=dict)

    def apply(
        self, rows: Rows, people: People, generator: np.random.Generator, *, at_least_one: bool
    ) -> Columns:
        """The rows' columns with their faults: rewritten numbers in place, added rows at the end."""
        columns, added = dict(rows.columns), []
        free = np.ones(len(rows), dtype=bool)
        for fault in (fault for fault in all_faults() if fault.extract == rows.extract):
            able = np.flatnonzero(free & _able(fault, rows))
            wanted = int(fault.rate * len(rows) + generator.random())
            count = min(max(wanted, int(at_least_one)), len(able))
            chosen = able[np.sort(generator.choice(len(able), count, replace=False))]
            free[chosen] = False
            if fault.kind in _REWRITES:
                columns["nhs_number"] = _rewritten(columns["nhs_number"], chosen, _REWRITES[fault.kind])
            else:
                added.append(self._damaged(fault, rows, people, chosen, generator))
            self.counts[fault.name] = self.counts.get(fault.name, 0) + count
        for part in (columns, *added):
            check_fits(rows.extract, part, self.header)
        names = self.header[rows.extract]
        every = [
            {name: part.get(name, pa.nulls(_count(part), pa.string())) for name in names}
            for part in (columns, *added)
        ]
        return {name: pa.concat_arrays([part[name] for part in every]) for name in names}

    def _damaged(
        self, fault: Fault, rows: Rows, people: People, chosen: Integers, generator: np.random.Generator
    ) -> Columns:
        copies = {name: column.take(pa.array(chosen)) for name, column in rows.columns.items()}
        person, count = rows.person[chosen], len(chosen)
        if fault.kind not in ("duplicate", "older_version") and rows.extract != "gp_patients":
            first = self.counts.get(fault.name, 0) + 1
            copies[self.header[rows.extract][0]] = numbered(f"X-{fault.name}-", first, count)
        number = people.nhs_number[person]
        if fault.kind in ("set", "deleted"):
            copies[fault.column] = (
                constant_text(fault.value, count) if fault.value else pa.nulls(count, pa.string())
            )
            if fault.column == "code":
                copies["code_system"] = constant_text("snomed", count)
        elif fault.kind == "wrong_check_digit":
            copies["nhs_number"] = numbers(with_wrong_check_digit(number))
        elif fault.kind == "stranger":
            copies["nhs_number"] = numbers(generator.choice(self.strangers, count))
        elif fault.kind == "before_birth":
            copies[fault.column] = days(people.birth[person] - generator.integers(1, 400, count))
        elif fault.kind == "after_as_of":
            copies[fault.column] = days(self.calendar.as_of + generator.integers(0, 60, count))
        elif fault.kind == "discharge_before_admission":
            admitted = pc.cast(pc.cast(copies["admission_date"], pa.date32()), pa.int32()).to_numpy()
            copies["discharge_date"] = days(admitted.astype(np.int64) - generator.integers(1, 40, count))
        elif fault.kind == "older_version":
            copies.update(_as_first_sent(fault, copies, count))
        return copies


@cache
def all_faults() -> tuple[Fault, ...]:
    """All rows of ``faults.csv``, in file order."""
    return tuple(
        Fault(
            name=row["fault"],
            extract=row["extract"],
            kind=row["kind"],
            column=row["column"],
            value=row["value"],
            rate=float(row["rate"]),
            expected=row["expected"],
        )
        for row in read_knowledge("faults")
    )


def _able(fault: Fault, rows: Rows) -> Booleans:
    """Rows that a fault can be made from: an older version needs one recorded later than it happened."""
    if fault.kind not in ("older_version", "discharge_before_admission"):
        return np.ones(len(rows), dtype=bool)
    able = pa.repeat(pa.scalar(True), len(rows))
    if rows.extract == "acute_episodes":
        able = pc.is_valid(rows.columns["discharge_date"])
    if fault.kind == "older_version":
        later = pc.greater(rows.columns["recorded_date"], rows.columns[HAPPENED[rows.extract]])
        able = pc.and_(able, later)
    mask: Booleans = able.to_numpy(zero_copy_only=False)
    return mask


def _as_first_sent(fault: Fault, copies: Columns, count: int) -> Columns:
    """An older version: recorded on the day itself, a stay not yet ended, a value not yet corrected."""
    columns = {
        "recorded_date": copies[HAPPENED[fault.extract]],
        fault.column: constant_text(fault.value, count),
    }
    if fault.extract == "acute_episodes":
        nothing = pa.nulls(count, pa.string())
        columns |= {
            "discharge_date": nothing,
            "episode_end": nothing,
            "discharge_destination": constant_text("98", count),
        }
    return columns


def _rewritten(column: pa.Array, chosen: Integers, pattern: str) -> pa.Array:
    mask = np.zeros(len(column), dtype=bool)
    mask[chosen] = True
    written = pc.replace_substring_regex(column.take(pa.array(chosen)), r"^(\d{3})(\d{3})(\d{4})$", pattern)
    return pc.replace_with_mask(column, pa.array(mask), written)


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values())))


_REWRITES: dict[str, str] = {"spaced_number": r"\1 \2 \3", "hyphened_number": r"\1-\2-\3"}


def fault_table(counts: dict[str, int]) -> list[dict[str, str | int]]:
    """The fault list as rows: fault, extract, kind, column, rows and what a correct run does with them."""
    return [
        {
            "fault": fault.name,
            "extract": fault.extract,
            "kind": fault.kind,
            "column": fault.column,
            "rows": counts[fault.name],
            "expected": fault.expected,
        }
        for fault in all_faults()
        if fault.name in counts
    ]
