"""The workbook and the CSV that a team was sent come back as they are, filled in by hand."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from riskstrat.exports.exporting import Order, export
from riskstrat.exports.identities import make_identity
from riskstrat.exports.opening import open_sealed
from riskstrat.exports.recipients import add_recipient
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.returns.applying import take_back
from riskstrat.runs import latest
from riskstrat.site import Site, load_site
from tests import small_town

LIST = "weekly_mdt"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = small_town.write_site(tmp_path_factory.mktemp("town") / "site")
    small_town.write_landing(folder)
    definition = folder / "config" / "lists" / f"{LIST}.yaml"
    text = definition.read_text(encoding="utf-8")
    definition.write_text(text.replace("[luton_core]", "[luton_core, luton_frailty, flu_vaccine_due]"))
    run(load_site(folder), small_town.AS_OF, progress=Progress(quiet=True))
    return load_site(folder)


@pytest.fixture(scope="module")
def area(site: Site) -> str:
    """The neighbourhood with most people on its list."""
    rows = pq.read_table(latest(site.output).folder / "lists" / f"{LIST}.parquet").to_pylist()
    ((code, _),) = Counter(str(row["area_code"]) for row in rows).most_common(1)
    return code


@pytest.fixture(scope="module")
def key(site: Site, area: str) -> Path:
    path = site.root.parent / "team.key"
    add_recipient(site, "team", make_identity(path), "direct_care_team", area)
    return path


def sent(site: Site, key: Path, folder: Path, form: str) -> Path:
    order = Order(LIST, "direct_care_team", form=form, out=folder)
    (file,) = export(site, latest(site.output), order).files
    path = folder / f"list.{form}"
    path.write_bytes(open_sealed(file.path, key).content)
    return path


def filled_workbook(path: Path, answer: dict[str, Any]) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    for head, value in answer.items():
        sheet.cell(2, heads.index(head) + 1).value = value
    book.save(path)


def filled_text(path: Path, answer: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    for head, value in answer.items():
        rows[0][head.casefold().replace(" ", "_")] = (
            f"{value:%d/%m/%Y}" if isinstance(value, datetime) else value
        )
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(("form", "fill"), [("xlsx", filled_workbook), ("csv", filled_text)])
def test_one_answer_in_a_file_is_one_answer_taken(
    site: Site, area: str, key: Path, tmp_path: Path, form: str, fill: Any
) -> None:
    path = sent(site, key, tmp_path, form)
    answer = {
        "Outcome": "referred",
        "Outcome date": datetime(*small_town.AS_OF.timetuple()[:3]),
        "Referred to": "falls_service",
        "Case manager": "A. Nurse",
        "Q2 falls": "yes",
    }
    fill(path, answer)
    people = pq.read_table(latest(site.output).folder / "lists" / f"{LIST}.parquet").to_pylist()
    count = sum(row["area_code"] == area and row["rank"] is not None for row in people)
    taken = take_back(site, path, area=area, dry_run=True)
    assert count > 1
    assert (taken.read, taken.applied, taken.not_filled_in) == (count, 1, count - 1)
    assert (taken.quarantined, dict(taken.outcomes)) == (0, {"referred": 1})
