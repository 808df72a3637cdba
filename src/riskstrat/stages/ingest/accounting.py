"""The books of one extract: every row read is accepted, quarantined, a duplicate, superseded or deleted."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract, Rule
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import RiskstratError
from riskstrat.stages.ingest.rejects import Reject
from riskstrat.stages.ingest.staging import STATUSES, Staging


@dataclass(frozen=True)
class Place:
    """Where a rule was first broken: the file, its line (1 is the header) and the column, if one is to blame."""

    file: str
    row: int
    column: str | None


@dataclass(frozen=True)
class DeliveryCount:
    """Rows of an extract in one delivery. ``corrected`` of the quarantined ones arrived sound in a later one."""

    delivery: date
    files: tuple[str, ...]
    read: int
    accepted: int
    quarantined: int
    corrected: int
    failed: Mapping[str, int]


@dataclass
class Books:
    """Counts of one extract in one run. ``failed`` counts rows a rule; a row may break several.

    ``left_out`` are lines of a supplier's files that a mapping's filter says are no rows of this extract, by file.
    """

    contract: Contract
    files: tuple[str, ...]
    read: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    first: dict[str, Place] = field(default_factory=dict)
    deliveries: tuple[DeliveryCount, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    unlinked: int = 0
    after_as_of: int = 0
    before_birth: int = 0
    implausible: int = 0

    @property
    def corrected(self) -> int:
        """Quarantined rows whose key arrived sound in a later delivery."""
        return sum(delivery.corrected for delivery in self.deliveries)

    @property
    def conservation(self) -> dict[str, int]:
        """Rows read, and the five ways they end."""
        return {"read": self.read, **{status: self.statuses.get(status, 0) for status in STATUSES}}

    def check_balance(self) -> None:
        """Raise RiskstratError when a row was lost or invented.

        Each number is counted where it arises: read when a file is read, accepted in the staged table at the end.
        """
        parts = sum(self.statuses.get(status, 0) for status in STATUSES)
        if parts != self.read:
            raise RiskstratError(
                f"the rows of {self.contract.name} do not balance: {self.read} read, {parts} accounted for.",
                remedy="this is a fault of riskstrat, not of the data; please report it.",
            )

    def summary(self) -> dict[str, Any]:
        """What ``quality/EXTRACT/summary.json`` holds."""
        return {
            "extract": self.contract.name,
            "title": self.contract.title,
            "files": list(self.files),
            "conservation": self.conservation,
            "corrected": self.corrected,
            "deliveries": [
                {**asdict(delivery), "delivery": delivery.delivery.isoformat()}
                for delivery in self.deliveries
            ],
            "left_out": self.left_out,
            "unlinked": self.unlinked,
            "before_birth": self.before_birth,
            "after_as_of": self.after_as_of,
            "implausible": self.implausible,
            "checks": [self._check(rule) for rule in self.contract.rules],
            "first_failures": [
                {"check": rule, "file": place.file, "row": place.row, "column": place.column}
                for rule, place in sorted(self.first.items())
            ],
        }

    def _check(self, rule: Rule) -> dict[str, Any]:
        failed = self.failed.get(rule.id, 0)
        return {
            "id": rule.id,
            "column": rule.column,
            "kind": rule.kind,
            "severity": rule.severity,
            "failed": failed,
            "share": round(failed / self.read, 6) if self.read else 0.0,
            "message": rule.message,
            "remedy": rule.remedy,
        }


@dataclass(frozen=True)
class SourceFile:
    """A file that was staged: its name, its delivery, its rows, and its lines that are no row at all."""

    name: str
    delivery: date
    rows: int
    rejects: tuple[Reject, ...] = ()

    def line(self, place: int) -> int:
        """The file's line of the ``place``-th row: every rejected line before it counts too."""
        before = [reject.line - 1 - number for number, reject in enumerate(self.rejects, start=1)]
        return place + 1 + bisect_left(before, place)


def keep_books(engine: DuckDBEngine, staging: Staging, files: Sequence[SourceFile]) -> Books:
    """Count every row once, and every broken rule, of each file and delivery."""
    contract = staging.contract
    books = Books(contract, tuple(file.name for file in files))
    decided = _count_decided(engine, staging)
    failed = _count_rules(engine, staging, books, files)
    structure = f"{contract.name}.row.structure"
    every = []
    for number, file in enumerate(files):
        quarantined, corrected, others, keyless = decided.get(number, (0, 0, 0, 0))
        lines, accepted = len(file.rejects), file.rows - quarantined - others
        if _is_sent_again(files, number, accepted, others):
            corrected += keyless + lines
        broken = failed.get(number, {}) | ({structure: lines} if lines else {})
        every.append(
            DeliveryCount(
                file.delivery,
                (file.name,),
                file.rows + lines,
                accepted,
                quarantined + lines,
                corrected,
                broken,
            )
        )
        if lines and structure not in books.first:
            books.first[structure] = Place(file.name, file.rejects[0].line, file.rejects[0].column)
        for rule, count in broken.items():
            books.failed[rule] = books.failed.get(rule, 0) + count
    books.read = sum(file.rows + len(file.rejects) for file in files)
    decided_rows = dict(engine.rows(f"SELECT status, count(*) FROM {staging.judged} GROUP BY status"))
    books.statuses = {status: int(decided_rows.get(status, 0)) for status in STATUSES if status != "accepted"}
    books.statuses["quarantined"] += sum(len(file.rejects) for file in files)
    books.deliveries = _by_delivery(every)
    return books


def _count_decided(engine: DuckDBEngine, staging: Staging) -> dict[int, tuple[int, int, int, int]]:
    """Rows quarantined, since corrected, otherwise not accepted, and quarantined without a key, by file."""
    rows = engine.rows(
        "SELECT located.file_number, count(*) FILTER (WHERE judged.status = 'quarantined'), "
        "count(corrected.row_id), count(*) FILTER (WHERE judged.status <> 'quarantined'), "
        f"count(*) FILTER (WHERE judged.status = 'quarantined' AND NOT ({staging.has_key})) "
        f"FROM {staging.located('TRUE')} AS located JOIN {staging.judged} AS judged USING (row_id) "
        "LEFT JOIN corrected USING (row_id) GROUP BY located.file_number"
        if engine.count(staging.judged.strip('"'))
        else "SELECT NULL, NULL, NULL, NULL, NULL WHERE FALSE"
    )
    return {
        int(file): (int(quarantined), int(corrected), int(others), int(keyless))
        for file, quarantined, corrected, others, keyless in rows
    }


def _is_sent_again(files: Sequence[SourceFile], number: int, accepted: int, others: int) -> bool:
    """Whether a later delivery holds all that could be read of a file, or a file of its name where nothing could.

    Then its rows without a readable key, which cannot be looked for, are taken to have come again as well.
    """
    file = files[number]
    later = [other for other in files if other.delivery > file.delivery]
    if accepted or not later:
        return False
    return bool(others) or any(Path(other.name).name == Path(file.name).name for other in later)


def _by_delivery(files: Sequence[DeliveryCount]) -> tuple[DeliveryCount, ...]:
    merged = []
    for day in sorted({file.delivery for file in files}):
        parts = [file for file in files if file.delivery == day]
        failed: Counter[str] = Counter()
        for part in parts:
            failed.update(part.failed)
        merged.append(
            DeliveryCount(
                day,
                tuple(name for part in parts for name in part.files),
                read=sum(part.read for part in parts),
                accepted=sum(part.accepted for part in parts),
                quarantined=sum(part.quarantined for part in parts),
                corrected=sum(part.corrected for part in parts),
                failed=dict(sorted(failed.items())),
            )
        )
    return tuple(merged)


def _count_rules(
    engine: DuckDBEngine, staging: Staging, books: Books, files: Sequence[SourceFile]
) -> dict[int, dict[str, int]]:
    """Rows that break each rule, by file; the first such row of all goes into the books."""
    rules = staging.contract.rules
    counted = ", ".join(
        f"count(*) FILTER (WHERE broken & {1 << place} <> 0), "
        f"min(place) FILTER (WHERE broken & {1 << place} <> 0)"
        for place in range(len(rules))
    )
    found = engine.rows(
        f"SELECT file_number, {counted} FROM {staging.located('broken <> 0')} "
        "GROUP BY file_number ORDER BY file_number"
    )
    failed: dict[int, dict[str, int]] = {}
    for number, *values in found:
        file = files[number]
        for place, rule in enumerate(rules):
            count, first = values[2 * place], values[2 * place + 1]
            if not count:
                continue
            failed.setdefault(number, {})[rule.id] = int(count)
            books.first.setdefault(rule.id, Place(file.name, file.line(int(first)), rule.column))
    return failed
