"""Sealed exports of a cohort: each gets its own people and columns, and nobody else opens them."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import stat
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pyrage
import pytest

from riskstrat.exports.sealing import BLOCK_BYTES
from riskstrat.sqltext import harmless
from riskstrat.vault import read_people, vault_of
from tests.end_to_end.command import riskstrat
from tests.fake_exports import (
    AREA,
    COHORT,
    OTHER_PCN,
    OTHER_PRACTICE,
    PCN,
    PRACTICE,
    PRACTICE_ELSEWHERE,
    Town,
)
from tests.fake_run import RUN
from tests.integration.exports.commands import export, last_entry
from tests.sealed_files import manifest_of, paths, rows_of, unsealed

pytestmark = pytest.mark.usefixtures("usual_terminal")


def test_practice_gets_its_own_people_with_names_and_nothing_it_may_not_have(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE))
    assert path.name == f"{RUN}-{COHORT}-{PRACTICE}.csv.age"
    rows = rows_of(path, town.keys[PRACTICE])
    mine = [one for one in town.members() if one["practice_code"] == PRACTICE]
    assert mine
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, len(mine) + 1)]
    for row, member in zip(rows, mine, strict=True):
        person = town.people[member["person_id"]]
        assert row["nhs_number"] == person["nhs_number"]
        assert row["date_of_birth"] == person["date_of_birth"].isoformat()
        assert row["family_name"] == harmless(person["family_name"])
        assert row["practice_code"] == PRACTICE
        assert row["reasons"] == member["reasons"]
    assert not {"person_id", "pseudonym", "pcn_code"} & set(rows[0])
    text = unsealed(path, town.keys[PRACTICE]).decode()
    assert not [key for key in town.people if key in text]


def test_team_gets_its_neighbourhood_and_fewer_columns(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team"))
    rows = rows_of(path, town.keys["team"])
    mine = [one for one in town.members() if one["neighbourhood_code"] == AREA]
    assert [row["nhs_number"] for row in rows] == [
        town.people[one["person_id"]]["nhs_number"] for one in mine
    ]
    assert not {"frailty_category", "age", "sex", "lives_alone"} & set(rows[0])


def test_capacity_is_that_of_the_neighbourhood(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team"))
    rows = rows_of(path, town.keys["team"])
    assert [row["within_capacity"] for row in rows] == [str(place < 25).lower() for place in range(len(rows))]


def test_analysts_get_pseudonyms_that_differ_from_each_others_and_from_the_person_key(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bob = (rows_of(path, town.keys[name]) for path, name in _for_analysts(town, capsys))
    assert len(ann) == len(bob) == len(town.members())
    ours, theirs = ({row["pseudonym"] for row in rows} for rows in (ann, bob))
    assert len(ours) == len(ann)
    assert not ours & theirs
    assert not (ours | theirs) & set(town.people)
    assert not {"nhs_number", "family_name", "postcode", "date_of_birth"} & set(ann[0])
    again = rows_of(_for_analysts(town, capsys)[0][0], town.keys["ann"])
    assert [row["pseudonym"] for row in again] == [row["pseudonym"] for row in ann]


def _for_analysts(town: Town, capsys: pytest.CaptureFixture[str]) -> list[tuple[Path, str]]:
    return list(zip(paths(export(capsys, town, "analyst")), ("ann", "bob"), strict=True))


def test_commissioner_exports_for_everybody_and_opens_nothing(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = export(capsys, town, "commissioner")
    *sealed, counts = paths(answer)
    assert [path.name.split("-")[-1].split(".")[0] for path in sealed] == sorted(
        [PRACTICE, OTHER_PRACTICE, PRACTICE_ELSEWHERE, "team"]
    )
    for path in sealed:
        for name, key in town.keys.items():
            if name not in path.name:
                with pytest.raises(pyrage.DecryptError):
                    unsealed(path, key)
    opened = {path.name: rows_of(path, town.keys[manifest_of(path)["for"]["recipient"]]) for path in sealed}
    assert any(opened.values())
    # What lies in the folder, and what was printed, says of no practice how many people it has, and of nobody who.
    readable = "".join(path.read_text() for path in counts.parent.iterdir() if path.suffix != ".age")
    for text in (readable, answer.out, answer.err):
        assert not [
            one for one in town.people.values() if one["nhs_number"] in text or one["person_id"] in text
        ]
    for path in sealed:
        assert manifest_of(path)["rows"] == "*"
        assert _blocks(path) == _blocks(sealed[0])


def test_commissioner_counts_pass_the_disclosure_policy(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, path = paths(export(capsys, town, "commissioner"))
    shown = {row["neighbourhood_code"]: row["people"] for row in csv.DictReader(path.open())}
    true: dict[str, int] = {}
    for member in town.members():
        true[member["neighbourhood_code"]] = true.get(member["neighbourhood_code"], 0) + 1
    assert set(true) <= set(shown)
    for code, text in shown.items():
        count = true.get(code, 0) if code != "all" else sum(true.values())
        assert text == "*" or (int(text) % 5 == 0 and abs(int(text) - count) <= 2)
        if 0 < count < 8:
            assert text == "*"
    assert manifest_of(path)["policy"] == "hes"
    assert manifest_of(path)["purpose"] == "commissioning"


def test_counts_are_the_same_whatever_part_is_asked_for(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first = paths(export(capsys, town, "commissioner"))[-1].read_bytes()
    again = paths(export(capsys, town, "commissioner", "--area", PCN, "--out", str(town.site.root / "pcn")))[
        -1
    ]
    assert again.read_bytes() == first


def test_commissioner_exports_for_the_practices_of_one_pcn(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    *sealed, _ = paths(export(capsys, town, "commissioner", "--area", PCN))
    names = {manifest_of(path)["for"]["recipient"] for path in sealed}
    assert PRACTICE in names
    assert PRACTICE_ELSEWHERE not in names
    answer = export(capsys, town, "commissioner", "--area", OTHER_PCN)
    assert "no recipient yet, so nothing was written for: X9922, X9923, X9924" in answer.err
    *sealed, _ = paths(answer)
    assert [manifest_of(path)["for"]["recipient"] for path in sealed] == [PRACTICE_ELSEWHERE]


def test_manifest_says_what_for_whom_and_why_and_names_nobody(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE))
    manifest = manifest_of(path)
    document = json.loads((town.run_folder / "cohorts" / f"{COHORT}.json").read_text())
    assert manifest["for"] == {"recipient": PRACTICE, "audience": "gp_practice", "area": PRACTICE}
    assert manifest["purpose"] == "direct_care"
    assert manifest["cohort_definition_sha256"] == document["sha256"]
    assert (manifest["run"], manifest["as_of"]) == (RUN, "2026-04-01")
    assert manifest["rows"] == len(rows_of(path, town.keys[PRACTICE]))
    assert "nhs_number" in manifest["columns"]
    assert date.fromisoformat(manifest["expires"]) > date.fromisoformat(manifest["written_at"][:10])
    assert "professional review" in manifest["note"]
    text = json.dumps(manifest)
    assert not [one for one in town.people.values() if one["nhs_number"] in text or one["given_name"] in text]


def test_files_are_for_their_owner_alone_and_in_a_folder_that_git_ignores(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE))
    assert path.parent == town.site.root / "exports"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert "/exports/" in (town.site.root / ".gitignore").read_text().splitlines()


def _blocks(path: Path) -> int:
    """The size without the header of the age format, to which it adds some bytes at random."""
    return path.stat().st_size // BLOCK_BYTES


def test_size_of_a_file_does_not_tell_how_long_the_list_is(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("csv", "xlsx", "s1-list"):
        written = paths(export(capsys, town, "gp_practice", "--format", form))
        assert {_blocks(path) for path in written} == {1}, form
        for path in written:
            key = town.keys[manifest_of(path)["for"]["recipient"]]
            assert len(unsealed(path, key)) == BLOCK_BYTES


def _cells(content: bytes) -> tuple[str, str]:
    """The XML of the sheet and the shared strings of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        return book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()


def test_workbook_has_text_numbers_no_formula_a_frozen_header_filters_and_a_legend(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE, "--format", "xlsx"))
    assert path.name.endswith(".xlsx.age")
    content = unsealed(path, town.keys[PRACTICE])
    sheet, strings = _cells(content)
    mine = [one for one in town.members() if one["practice_code"] == PRACTICE]
    for member in mine:
        number = town.people[member["person_id"]]["nhs_number"]
        assert f"<t>{number}</t>" in strings, "an NHS number is a text"
        assert f"<v>{number}</v>" not in sheet
    assert "<f>" not in sheet
    assert 'state="frozen"' in sheet
    assert "<autoFilter" in sheet
    for start in ("=", "+", "-", "@"):
        assert f"<t>{start}" not in strings
    legend = zipfile.ZipFile(io.BytesIO(content)).read("xl/workbook.xml").decode()
    assert 'name="Legend"' in legend
    for words in (
        "professional review",
        RUN,
        "2026-04-01",
        "Frail people with repeated unplanned admissions",
    ):
        assert words in strings


def test_dangerous_cells_are_neutralised_in_csv(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team"))
    names = [row["family_name"] for row in rows_of(path, town.keys["team"])]
    assert any(name.startswith("'=") for name in names)
    for row in rows_of(path, town.keys["team"]):
        assert not [value for value in row.values() if value[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_list_of_numbers_is_one_a_line(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE, "--format", "s1-list"))
    assert path.name.endswith(".txt.age")
    mine = [one for one in town.members() if one["practice_code"] == PRACTICE]
    numbers = [town.people[one["person_id"]]["nhs_number"] for one in mine]
    assert unsealed(path, town.keys[PRACTICE]).decode().split() == numbers
    assert unsealed(path, town.keys[PRACTICE]).startswith(f"{numbers[0]}\r\n".encode())


@pytest.mark.parametrize("since", ["opted out", "moved to another practice"])
def test_people_who_left_since_the_run_are_left_out(
    town: Town, capsys: pytest.CaptureFixture[str], since: str
) -> None:
    mine = [one["person_id"] for one in town.members() if one["practice_code"] == PRACTICE]
    everybody = read_people(town.site)
    rows = everybody.to_pylist()
    if since == "opted out":
        rows = [row for row in rows if row["person_id"] != mine[0]]
    else:
        rows = [
            row | {"practice_code": OTHER_PRACTICE} if row["person_id"] == mine[0] else row for row in rows
        ]
    vault_of(town.site).write(everybody.from_pylist(rows, schema=everybody.schema), date(2026, 4, 2))
    answer = export(capsys, town, "gp_practice", "--area", PRACTICE)
    shown = rows_of(paths(answer)[0], town.keys[PRACTICE])
    assert [row["nhs_number"] for row in shown] == [town.people[one]["nhs_number"] for one in mine[1:]]
    assert [row["rank"] for row in shown] == [str(rank) for rank in range(1, len(mine))]
    assert "1 left out who have opted out, left or moved since the run" in answer.err


def test_practice_that_is_closed_gets_an_empty_list_and_stops_nobodys_export(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    path = town.site.config / "geography" / "practices.csv"
    closed = path.read_text().replace(f"{PRACTICE},Surgery", "X9999,Surgery")
    path.write_text(f"{closed}{PRACTICE},Surgery,{PCN},Old,{AREA},Old,2000-01-01,2020-01-01\n")
    *sealed, _ = paths(export(capsys, town, "commissioner"))
    found = {manifest_of(one)["for"]["recipient"]: one for one in sealed}
    assert rows_of(found[PRACTICE], town.keys[PRACTICE]) == []
    assert rows_of(found[OTHER_PRACTICE], town.keys[OTHER_PRACTICE])


def test_exports_are_logged_with_counts_and_nobody(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    export(capsys, town, "gp_practice", "--area", PRACTICE)
    entry = last_entry(town.site)
    assert (entry["action"], entry["outcome"]) == ("export", "done")
    assert (entry["cohort"], entry["audience"], entry["area"], entry["run"]) == (
        COHORT,
        "gp_practice",
        PRACTICE,
        RUN,
    )
    assert entry["count"] == len([one for one in town.members() if one["practice_code"] == PRACTICE])
    text = (town.site.state / "audit" / "log.jsonl").read_text()
    assert not [one for one in town.people.values() if one["nhs_number"] in text or one["person_id"] in text]


def test_lists_by_area_are_counted(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    answer = riskstrat(capsys, town.site.root, "worklist", "list")
    (line,) = [line for line in answer.out.splitlines() if line.startswith(COHORT)]
    assert int(line.split()[-1].replace(",", "")) == len(town.members())
    shown = riskstrat(capsys, town.site.root, "worklist", "list", "--format", "json")
    assert set(json.loads(shown.out)) == {f"NB0{place}" for place in range(1, 7)}


def test_list_is_shown_at_100_columns_and_logged(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    answer = riskstrat(capsys, town.site.root, "worklist", "show", COHORT, "--area", AREA, "--limit", "5")
    assert answer.code == 0
    assert max(map(len, answer.out.splitlines())) <= 100
    places = [line.split()[0] for line in answer.out.splitlines() if re.match(r" *\d+ +[0-9a-f]{12}", line)]
    assert places == ["1", "2", "3", "4", "5"]
    assert "unplanned admissions in 12 months" in answer.out
    entry = last_entry(town.site)
    assert (entry["action"], entry["cohort"], entry["count"]) == ("query", COHORT, 5)


def test_age_tool_opens_what_was_sealed(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    tool = shutil.which("age")
    if tool is None:
        pytest.skip("the age tool is not installed")
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE))
    command = [tool, "--decrypt", "--identity", str(town.keys[PRACTICE]), str(path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"rank,")
