"""riskstrat codelist diff: which codes two sets of lists do not share."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import Result

from riskstrat.site import default_site
from tests.integration.codelists.commands import DEMENTIA, NEW, SHIPPED, add_row, answered, lists_of, refused

pytestmark = pytest.mark.usefixtures("usual_terminal")


def rows_of(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_diff_shows_exactly_what_an_import_added(site: Path, download: Path) -> None:
    answered(site, "import", download, "--concept", "dementia", "--list", "flags")
    result = answered(site, "diff", SHIPPED, "--format", "csv")
    assert rows_of(result) == [
        {
            "list": "flags",
            "concept": "dementia",
            "change": "code added",
            "code_system": "snomed",
            "code": NEW,
            "term": "Impaired cognition, any",
        }
    ]
    assert result.stderr == "codes added: 1\n"
    (back,) = rows_of(answered(site, "diff", site, SHIPPED, "--format", "csv"))
    assert (back["change"], back["code"]) == ("code removed", NEW)


def test_diff_names_a_concept_that_came_or_went(site: Path, download: Path) -> None:
    answered(site, "import", download, "--concept", "memory_clinic", "--list", "flags")
    found = json.loads(answered(site, "diff", default_site(), "--format", "json").stdout)
    assert [(row["change"], row["code"]) for row in found] == [
        ("concept added", None),
        ("code added", DEMENTIA),
        ("code added", NEW),
    ]
    assert found[0]["term"] == "2 codes"
    table = answered(site, "diff", site, default_site()).stdout
    assert [line.split()[2:4] for line in table.splitlines()[2:]] == [
        ["concept", "removed"],
        ["code", "removed"],
        ["code", "removed"],
    ]


def test_diff_of_the_same_lists_says_so(site: Path) -> None:
    path = lists_of(site) / "flags.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",Falls\n", ",A fall\n"), encoding="utf-8")
    result = answered(site, "diff", SHIPPED)
    assert result.stdout == "The lists hold the same codes.\n"
    assert "codes that stayed with another term: " in result.stderr
    assert answered(site, "diff", SHIPPED, "--format", "json").stdout == "[\n]\n"


def test_diff_takes_single_files_whatever_their_names(site: Path, download: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.csv"
    answered(site, "import", download, "--concept", "dementia", "--list", "flags", "--out", out)
    (row,) = rows_of(answered(site, "diff", lists_of(site) / "flags.csv", out, "--format", "csv"))
    assert (row["list"], row["code"]) == ("new", NEW)
    namesake = Path(shutil.copy(out, tmp_path / "flags.csv"))
    (row,) = rows_of(answered(site, "diff", namesake, "--format", "csv"))
    assert (row["list"], row["change"]) == ("flags", "code removed")
    (row,) = rows_of(answered(site, "diff", SHIPPED, namesake, "--format", "csv"))
    assert (row["list"], row["change"]) == ("flags", "code added")
    assert "holds no list new" in refused(site, 2, "diff", out).what


def test_diff_refuses_what_is_no_list(site: Path, tmp_path: Path) -> None:
    assert "holds no code lists" in refused(site, 2, "diff", tmp_path / "nothing").what
    (tmp_path / "empty").mkdir()
    assert "holds no code lists" in refused(site, 2, "diff", tmp_path / "empty").what
    row = add_row(site, "flags", "dementia,snomed,52448007,Wrong digit")
    assert refused(site, 3, "diff", SHIPPED).row == row
