"""Every way in which riskstrat refuses, with the exit code that the command line returns.

A message says where (file, row, column), what, and the remedy. It never carries a patient's value.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class RiskstratError(Exception):
    """Base of all errors that a user may see; ``exit_code`` 1 is an unexpected failure."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        column: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.file = printable(str(file)) if file is not None else None
        self.row = row
        self.column = column
        self.remedy = remedy

    def __str__(self) -> str:
        where = [
            part for part in (self.file, _labelled("row", self.row), _labelled("column", self.column)) if part
        ]
        text = f"{', '.join(where)}: {self.what}" if where else self.what
        return f"{text} Remedy: {self.remedy}" if self.remedy else text


def printable(text: str) -> str:
    r"""The text on one line, what is no printable character written out: a file's name may hold anything.

    >>> printable("gp_events_\n.csv")
    'gp_events_\\n.csv'
    """
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)


def _labelled(label: str, value: object) -> str | None:
    return None if value is None else f"{label} {value}"


class MisuseError(RiskstratError):
    """The command was called with arguments that cannot work (exit 2)."""

    exit_code = 2


class DefinitionError(RiskstratError):
    """A file under config/, data_contracts/ or pipelines/ is wrong (exit 3)."""

    exit_code = 3


class ContractBrokenError(RiskstratError):
    """An extract broke its contract beyond its threshold (exit 4)."""

    exit_code = 4


class NotPermittedError(RiskstratError):
    """Audience, legal basis or key does not allow it (exit 5)."""

    exit_code = 5


class NothingPublishedError(RiskstratError):
    """No run has been published yet, or there is no such run (exit 6)."""

    exit_code = 6


class RunLockedError(RiskstratError):
    """Another run holds the site's lock (exit 7)."""

    exit_code = 7
