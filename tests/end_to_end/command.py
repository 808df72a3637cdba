"""Calling the riskstrat command in this process, as the console script does."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskstrat.cli import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def riskstrat(capsys: pytest.CaptureFixture[str], site: Path | None, *arguments: str) -> Answer:
    """Run the command on ``site`` and return its exit code and what it printed."""
    before = sys.argv
    sys.argv = ["riskstrat", *(["--site", str(site)] if site else []), *arguments]
    capsys.readouterr()
    try:
        main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    printed = capsys.readouterr()
    return Answer(code, printed.out, printed.err)
