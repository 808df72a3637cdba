"""Commands as a person types them, run in this process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from riskstrat.cli import app
from riskstrat.errors import RiskstratError


def typed(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--site", str(site), *arguments])


def answered(site: Path, *arguments: str) -> str:
    """What a command that succeeds writes to stdout."""
    result = typed(site, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refused(site: Path, exit_code: int, *arguments: str) -> RiskstratError:
    """What a command that says nothing on stdout refuses with."""
    result = typed(site, *arguments)
    assert isinstance(result.exception, RiskstratError), (result.output, result.exception)
    assert result.exception.exit_code == exit_code
    assert result.stdout == ""
    return result.exception
