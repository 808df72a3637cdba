"""riskstrat codelist as a person types it, and the lists of a site before and after it."""

from __future__ import annotations

from pathlib import Path

import yaml
from typer.testing import Result

from riskstrat.definitions.codelists import load_codelists
from riskstrat.errors import RiskstratError
from riskstrat.site import default_site
from tests.codelist_files import codes as codes_of
from tests.integration.typed import typed as typed_command

SHIPPED = default_site() / "config" / "codelists"
NAMES = ["acsc", "cambridge", "charlson", "efi", "efi_values", "flags"]
DEMENTIA, COPD_RESOLVED = "52448006", "941201000000103"
# Well-formed identifiers: one that no list has, and one that efi.csv has with a term.
NEW, KNOWN_ELSEWHERE = "987654006", "386806002"
# A download with a new code, one that is there, one that repeats, and whose term holds a comma.
DOWNLOAD = f'code,term\r\n{NEW},"Impaired cognition, any"\r\n{DEMENTIA},Dementia\r\n{DEMENTIA},Dementia\r\n'


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def typed(site: Path, *arguments: object) -> Result:
    return typed_command(site, "codelist", *map(str, arguments))


def answered(site: Path, *arguments: object) -> Result:
    result = typed(site, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def refused(site: Path, exit_code: int, *arguments: object) -> RiskstratError:
    result = typed(site, *arguments)
    assert isinstance(result.exception, RiskstratError), (result.output, result.exception)
    assert result.exception.exit_code == exit_code
    return result.exception


def words(text: str) -> str:
    return " ".join(text.split())


def lists_of(site: Path) -> Path:
    return site / "config" / "codelists"


def files(site: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(lists_of(site).iterdir())}


def codes(site: Path, name: str, concept: str) -> set[str]:
    return codes_of(load_codelists(lists_of(site))[name], concept)


def add_row(site: Path, name: str, row: str) -> int:
    """Put a row at the end of a list; returns its line."""
    path = lists_of(site) / f"{name}.csv"
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    return len(path.read_text(encoding="utf-8").splitlines())


def set_metadata(site: Path, name: str, **values: str) -> None:
    path = lists_of(site) / f"{name}.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8")) | values
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
