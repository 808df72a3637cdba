"""The round trip: a list of one night comes back, and the next night knows it, counts it and is another run."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pyrage
import pytest

from riskstrat.exports.identities import make_identity
from riskstrat.exports.recipients import add_recipient
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.returns.store import hash_of, read_returns
from riskstrat.runs import Run, latest, verify_run
from riskstrat.site import load_site
from riskstrat.vault import read_people
from tests import small_town
from tests.end_to_end.command import riskstrat

QUIET = Progress(quiet=True)
LIST = "monthly_practice"
TONIGHT, TOMORROW = small_town.AS_OF, small_town.AS_OF + timedelta(days=1)
FILLED = ("outcome", "outcome_date", "referred_to", "case_manager", "next_review_date")
QUESTIONS = ("q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = small_town.write_site(tmp_path_factory.mktemp("round_trip") / "site")
    delivery = small_town.write_landing(site)
    run(load_site(site), TONIGHT, progress=QUIET)
    shutil.copytree(delivery, delivery.with_name(TONIGHT.isoformat()))
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def sheet(site: Path, path: Path) -> list[dict[str, Any]]:
    """The list as a team gets it, by name; the first person was seen, the others are left as they are."""
    newest = latest(site / "output")
    people = {one["person_id"]: one for one in read_people(load_site(site)).to_pylist()}
    rows = [
        {
            **dict.fromkeys((*FILLED, *QUESTIONS), ""),
            "list": LIST,
            "list_run": newest.id,
            "area_code": row["area_code"],
            "nhs_number": people[row["person_id"]]["nhs_number"],
        }
        for row in listed(newest)
    ]
    rows[0] |= {"outcome": "seen", "outcome_date": TONIGHT.isoformat(), "q2_falls": "yes", "q4_memory": "no"}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def listed(one: Run) -> list[dict[str, Any]]:
    rows = pq.read_table(one.folder / "lists" / f"{LIST}.parquet").to_pylist()
    return [row for row in rows if row["rank"] is not None]


def measure(one: Run, name: str, kind: str = "list", what: str = LIST) -> tuple[int, int, int]:
    rows = pq.read_table(one.folder / "measures.parquet").to_pylist()
    (row,) = [
        row
        for row in rows
        if (row["kind"], row["cohort_or_list"], row["measure"], row["area_code"]) == (kind, what, name, None)
    ]
    return row["numerator"], row["denominator"], row["undecided"]


def test_what_came_back_changes_the_next_list_and_its_measures(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = latest(site / "output")
    people = len(listed(first))
    assert people > 1
    sheet(site, tmp_path / "list.csv")
    answer = riskstrat(capsys, site, "worklist", "returns", str(tmp_path / "list.csv"), "--format", "json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["applied"] == 1

    run(load_site(site), TOMORROW, progress=QUIET)

    second = latest(site / "output")
    assert second.id != first.id
    assert verify_run(second) == []
    assert second.manifest["returns"] == hash_of(read_returns(site / "state", TOMORROW))
    before, after = ({row["person_id"]: row for row in listed(one)} for one in (first, second))
    seen = listed(first)[0]["person_id"]
    assert {row["last_outcome"] for row in before.values()} == {None}
    assert after[seen]["last_outcome"] == "seen"
    assert after[seen]["last_outcome_date"] == TONIGHT
    assert {row["last_outcome"] for person, row in after.items() if person != seen} == {None}
    same_area = sum(row["area_code"] == before[seen]["area_code"] for row in before.values())
    assert measure(second, "reached") == (1, same_area, people - same_area)
    assert measure(second, "asked_five_questions")[0] == 1
    assert measure(second, "seen_or_reviewed", "cohort", "luton_core")[0] == 1
    report = (second.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert 'id="measures"' in report


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_list_that_was_exported_can_be_filled_in_and_sent_back(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    area = listed(latest(site / "output"))[0]["area_code"]
    public = make_identity(tmp_path / "practice.key")
    add_recipient(load_site(site), "practice", public, "gp_practice", area)
    told = riskstrat(
        *(capsys, site, "worklist", "export", LIST, "--audience", "gp_practice", "--area", area),
        *("--format", form, "--out", str(tmp_path / "out")),
    )
    assert told.code == 0, told.err
    identity = pyrage.x25519.Identity.from_str((tmp_path / "practice.key").read_text().splitlines()[-1])
    content = pyrage.decrypt(Path(told.out.splitlines()[0]).read_bytes(), [identity])
    path = tmp_path / f"back.{form}"
    path.write_bytes(content)
    untouched = riskstrat(capsys, site, "worklist", "returns", str(path), "--format", "json")
    assert untouched.code == 0, untouched.err
    books = json.loads(untouched.out)
    assert books["read"] == books["not_filled_in"] > 0
    path.write_bytes(filled(content, form))
    back = riskstrat(capsys, site, "worklist", "returns", str(path), "--area", area, "--format", "json")
    assert back.code == 0, back.err
    assert json.loads(back.out)["outcomes"] == {"seen": 1}


def filled(content: bytes, form: str) -> bytes:
    """The first person was seen, as a spreadsheet would write it."""
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        rows[0] |= {"outcome": "Seen", "outcome_date": TONIGHT.strftime("%d/%m/%Y")}
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue().encode("cp1252")
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    places = {str(cell.value).lower().replace(" ", "_"): cell.column for cell in sheet[1]}
    sheet.cell(2, places["outcome"]).value = "seen"
    sheet.cell(2, places["outcome_date"]).value = TONIGHT
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def test_run_of_the_same_night_does_not_know_what_came_back_after_it(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = latest(site / "output")
    sheet(site, tmp_path / "list.csv")
    assert riskstrat(capsys, site, "worklist", "returns", str(tmp_path / "list.csv")).code == 0
    again = run(load_site(site), TONIGHT, force=True, progress=QUIET)
    assert again.folder.name == first.id


def test_night_without_returns_is_the_same_run_as_before_there_were_any(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(load_site(site), TOMORROW, progress=QUIET)
    without = latest(site / "output")
    assert "returns" not in without.manifest
    assert measure(without, "reached")[1] == 0  # nobody is taken for not seen where no list came back
    rows = sheet(site, tmp_path / "list.csv")  # of the newer run, and nothing of it is known before the next
    assert rows
    assert riskstrat(capsys, site, "worklist", "returns", str(tmp_path / "list.csv")).code == 4
    assert run(load_site(site), TOMORROW, progress=QUIET).folder.name == without.id
