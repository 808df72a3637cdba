"""The records behind one person's features, read from a published run.

Imports only the standard library and DuckDB, as every reading command must start at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from riskstrat.errors import MisuseError, NothingPublishedError
from riskstrat.runs import Run
from riskstrat.sqltext import literal

EVIDENCE = "evidence"
KEY = "person_id"
SHORTEST_KEY = 8
KEY_TEXT = re.compile(rf"[0-9a-f]{{{SHORTEST_KEY},32}}")


@dataclass(frozen=True)
class Records:
    """Records of one kind of evidence: column names without the person, and the rows in the run's order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_dicts(self) -> list[dict[str, Any]]:
        """Each row by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Explanation:
    """One person's features by name, and their evidence by kind: efi, hfrs, charlson, cambridge, flags, stays."""

    person_id: str
    features: Mapping[str, Any]
    evidence: Mapping[str, Records]


def explain_person(connection: duckdb.DuckDBPyConnection, run: Run, person_id: str) -> Explanation:
    """Everything that the run kept of one person, found by person_id or by its first digits (8 at least).

    Raises MisuseError where that is no person_id or means nobody, or several; NothingPublishedError where the run keeps
    no evidence. No message repeats what was asked for: it may be an NHS number typed in error.
    """
    kinds = evidence_kinds(run)
    if not kinds:
        raise NothingPublishedError(
            f"run {run.id} keeps no evidence; it is older than this command.",
            remedy=f"publish that date again: riskstrat run --as-of {run.as_of}",
        )
    found = find_person(connection, run, person_id)
    whole = str(found[KEY])
    return Explanation(whole, found, {kind: evidence_of(connection, run, kind, whole) for kind in kinds})


def evidence_kinds(run: Run) -> list[str]:
    """The kinds of evidence that the run keeps; none where it is older than evidence."""
    return sorted(path.stem for path in (run.folder / EVIDENCE).glob("*.parquet"))


def evidence_of(connection: duckdb.DuckDBPyConnection, run: Run, kind: str, person_id: str) -> Records:
    """A person's records of one kind of evidence; ``person_id`` is whole."""
    path = run.folder.resolve() / EVIDENCE / f"{kind}.parquet"
    cursor = connection.execute(
        f"SELECT * EXCLUDE ({KEY}) FROM read_parquet({literal(str(path))}) WHERE {KEY} = {literal(person_id)}"
    )
    columns: Sequence[Any] = cursor.description or ()
    return Records(tuple(str(column[0]) for column in columns), tuple(cursor.fetchall()))


def find_person(connection: duckdb.DuckDBPyConnection, run: Run, person_id: str) -> dict[str, Any]:
    """The features of the person whose person_id is, or begins with, the digits. Raises MisuseError."""
    wanted = person_id.strip().lower()
    if not KEY_TEXT.fullmatch(wanted):
        raise MisuseError(
            "that is no person_id.",
            remedy=f"give its 32 hexadecimal digits, or the first {SHORTEST_KEY} or more of them; "
            "riskstrat cohort query shows them.",
        )
    cursor = connection.execute(f"FROM features WHERE starts_with({KEY}, {literal(wanted)}) LIMIT 2")
    columns = [str(column[0]) for column in cursor.description or ()]
    rows = cursor.fetchall()
    if not rows:
        raise MisuseError(
            f"nobody in run {run.id} has that person_id.",
            remedy="a person_id belongs to one site and key; somebody who died, moved or opted out is in no later run.",
        )
    if len(rows) > 1:
        raise MisuseError("several people's person_id begins like that.", remedy="give more of its digits.")
    return dict(zip(columns, rows[0], strict=True))
