"""Exported lists: each reader has their own people and columns, and may send the list back."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pyrage
import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.definitions.audiences import load_audiences
from riskstrat.returns.applying import take_back
from riskstrat.sqltext import harmless
from riskstrat.vault import read_people, vault_of
from tests.end_to_end.command import riskstrat
from tests.fake_exports import AREA, PRACTICE, PRACTICE_ELSEWHERE, Town
from tests.fake_lists import OPTED_OUT, rows_of_list
from tests.fake_run import RUN
from tests.integration.exports.lists.reading import (
    HUDDLE,
    MONTHLY,
    columns_of,
    export,
    gone_from,
    listed_in,
    number,
    team_csv,
    workbook,
)
from tests.sealed_files import manifest_of, paths, rows_of, unsealed

pytestmark = pytest.mark.usefixtures("usual_terminal")
FILLED = ("outcome", "outcome_date", "referred_to", "q1_visits", "q2_falls", "q3_medication", "q4_memory")
MAY_BE_FILLED = ("case_manager", "next_review_date")


def test_team_gets_its_own_list_in_the_published_order_with_names(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = team_csv(capsys, town)
    expected = listed_in(town, AREA)
    shown = [row for row in rows if row["rank"]]
    assert [row["nhs_number"] for row in shown] == [number(town, row) for row in expected]
    assert [(row["section"], row["rank"], row["change"]) for row in shown] == [
        (row["section"], str(row["rank"]), row["change"]) for row in expected
    ]
    for row, of_list in zip(shown, expected, strict=True):
        person = town.people[of_list["person_id"]]
        assert row["family_name"] == harmless(person["family_name"])
        assert row["date_of_birth"] == person["date_of_birth"].isoformat()
        assert row["reasons_actionable"] == (of_list["reasons_actionable"] or "none")
    text = str(rows)
    assert not [key for key in town.people if key in text]


@pytest.mark.parametrize(
    ("audience", "reader"), [("direct_care_team", "team"), ("gp_practice", PRACTICE), ("analyst", "ann")]
)
def test_reader_gets_no_column_that_the_audience_may_not_have(
    town: Town, capsys: pytest.CaptureFixture[str], audience: str, reader: str
) -> None:
    (path,) = paths(export(capsys, town, audience, "--recipient", reader))
    allowed = set(load_audiences(town.site.config / "audiences.yaml").named(audience).list_columns)
    rows = rows_of(path, town.keys[reader])
    form = {"list", "list_run", "area_code", "q5_daily_living", *FILLED, *MAY_BE_FILLED}
    assert rows
    assert set(rows[0]) - allowed <= (form if audience != "analyst" else set())


def test_team_is_not_given_what_a_visit_does_not_need(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    assert not {"sex", "score", "pcn_code", "person_id", "pseudonym"} & set(team_csv(capsys, town)[0])


def test_practice_gets_its_own_people_of_a_neighbourhoods_list_with_their_places_on_it(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "gp_practice", "--area", PRACTICE))
    rows = [row for row in rows_of(path, town.keys[PRACTICE]) if row["rank"]]
    mine = listed_in(town, PRACTICE, kind="practice_code")
    assert 0 < len(mine) < len(listed_in(town, AREA))
    assert {row["practice_code"] for row in rows} == {PRACTICE}
    assert [(row["nhs_number"], row["rank"]) for row in rows] == [
        (number(town, row), str(row["rank"])) for row in mine
    ]
    assert {row["area_code"] for row in rows} == {AREA}, "it comes back as a row of the neighbourhood's list"


def test_practices_list_goes_to_the_practice_and_to_no_other(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    for code in (PRACTICE, PRACTICE_ELSEWHERE):
        (path,) = paths(export(capsys, town, "gp_practice", "--area", code, name=MONTHLY))
        rows = [row for row in rows_of(path, town.keys[code]) if row["rank"]]
        assert [row["nhs_number"] for row in rows] == [
            number(town, row) for row in listed_in(town, code, MONTHLY)
        ]
        assert {row["area_code"] for row in rows} == {code}


def test_team_gets_the_lists_of_all_practices_of_its_neighbourhood(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team", name=MONTHLY))
    rows = [row for row in rows_of(path, town.keys["team"]) if row["rank"]]
    theirs = listed_in(town, AREA, MONTHLY, "neighbourhood_code")
    assert {row["area_code"] for row in rows} == {row["area_code"] for row in theirs}
    assert Counter(row["nhs_number"] for row in rows) == Counter(number(town, row) for row in theirs)


def test_analyst_has_pseudonyms_nobody_who_left_and_nothing_to_fill_in(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "analyst", "--recipient", "ann"))
    rows = rows_of(path, town.keys["ann"])
    listed = [row for row in rows_of_list(town, HUDDLE) if row["rank"] is not None]
    assert len({row["pseudonym"] for row in rows}) == len(rows) == len(listed)
    assert not {row["pseudonym"] for row in rows} & set(town.people)
    assert not {"nhs_number", "family_name", "outcome", "case_manager", "reasons_fixed"} & set(rows[0])
    assert export(capsys, town, "analyst", "--format", "html").code == 5


def test_unknown_is_printed_as_unknown_and_nothing_as_nothing(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {row["nhs_number"]: row for row in team_csv(capsys, town)}
    wanted = {"is_known_to_team", "is_care_home_resident", "frailty_category_12m_ago"}
    met = set()
    for of_list in listed_in(town, AREA):
        row = rows[number(town, of_list)]
        for column in wanted:
            if of_list[column] is None:
                met.add(column)
                assert row[column] == "unknown"
        if of_list["gaps"] is None:
            assert row["gaps"] == "none"
        if of_list["care_plan_days_overdue"] is None:
            assert row["care_plan_days_overdue"] == ""
    assert len(met) > 1


def test_columns_to_fill_in_are_empty_but_for_what_is_known(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {row["nhs_number"]: row for row in team_csv(capsys, town)}
    managers = set()
    for of_list in listed_in(town, AREA):
        row = rows[number(town, of_list)]
        assert {row[column] for column in FILLED} == {""}
        assert row["case_manager"] == (of_list["case_manager"] or "")
        assert row["next_review_date"] == str(of_list["next_review_date"] or "")
        assert (row["list"], row["list_run"], row["area_code"]) == (HUDDLE, RUN, AREA)
        managers.add(row["case_manager"])
    assert len(managers) > 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_file_that_nobody_filled_in_comes_back_and_says_nothing(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path, form: str
) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team", "--format", form))
    back = tmp_path / f"back.{form}"
    back.write_bytes(unsealed(path, town.keys["team"]))
    taken = take_back(town.site, back, dry_run=True)
    people = len(listed_in(town, AREA)) + len(gone_from(town, AREA))
    assert (taken.read, taken.not_filled_in, taken.quarantined) == (people, people, 0)


def test_who_left_is_shown_with_the_reason_where_the_vault_knows_them_and_else_counted(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = gone_from(town, AREA)
    forgotten = {row["person_id"] for row in gone if row["dropped_because"] in ("died", "moved")}
    everybody = read_people(town.site)
    kept = [row for row in everybody.to_pylist() if row["person_id"] not in forgotten]
    vault_of(town.site).write(everybody.from_pylist(kept, schema=everybody.schema), date(2026, 4, 2))
    book = workbook(capsys, town)
    shown = columns_of(book["Dropped off and why"])
    known = [row for row in gone if row["person_id"] not in forgotten]
    assert shown["NHS number"] == [number(town, row) for row in known]
    assert shown["Dropped because"] == [row["dropped_because"] for row in known]
    legend = dict(book["Legend"].iter_rows(min_col=1, max_col=2, values_only=True))
    assert legend["Left, and not shown"] == f"3 people left the list: died 1, moved 1, {OPTED_OUT} 1."
    text = str([[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()])
    assert not [one for one in forgotten if town.people[one]["nhs_number"] in text]


def test_who_opted_out_since_the_run_is_left_out_and_counted(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = listed_in(town, AREA)
    everybody = read_people(town.site)
    kept = [row for row in everybody.to_pylist() if row["person_id"] != first["person_id"]]
    vault_of(town.site).write(everybody.from_pylist(kept, schema=everybody.schema), date(2026, 4, 2))
    answer = export(capsys, town, "direct_care_team")
    rows = [row for row in rows_of(paths(answer)[0], town.keys["team"]) if row["rank"]]
    assert [row["nhs_number"] for row in rows] == [number(town, row) for row in others]
    assert [row["rank"] for row in rows] == [str(row["rank"]) for row in others], (
        "places are those of the list"
    )
    assert "1 left out who have opted out, left or moved since the run" in answer.err


def test_commissioner_opens_nothing_and_has_counts_by_area_and_section(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    *sealed, counts = paths(export(capsys, town, "commissioner"))
    assert {manifest_of(path)["for"]["recipient"] for path in sealed} >= {"team", PRACTICE}
    for path in sealed:
        assert manifest_of(path)["rows"] == "*"
        with pytest.raises(pyrage.DecryptError):
            unsealed(path, town.keys["icb"])
    shown = list(csv.DictReader(counts.open(encoding="utf-8")))
    true: Counter[tuple[str, str]] = Counter()
    for row in rows_of_list(town, HUDDLE):
        if row["rank"] is not None:
            for area in (row["area_code"], "all"):
                for section in (row["section"], "all"):
                    true[(area, section)] += 1
    assert {(row["area_code"], row["section"]) for row in shown} >= set(true)
    for row in shown:
        count = true[(row["area_code"], row["section"])]
        assert row["people"] == "*" or (int(row["people"]) % 5 == 0 and abs(int(row["people"]) - count) <= 2)
        if 0 < count < 8:
            assert row["people"] == "*"
    assert "*" in {row["people"] for row in shown} != {"*"}


def test_counts_are_the_same_whatever_part_is_asked_for(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    first = paths(export(capsys, town, "commissioner", "--format", "html"))[-1]
    assert first.name.endswith("-counts.csv"), "counts are a table, whatever the people's format"
    before = first.read_bytes()
    again = paths(export(capsys, town, "commissioner", "--area", AREA))[-1]
    assert again.read_bytes() == before


def test_manifest_names_the_list_its_cohorts_and_nobody(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team"))
    manifest = manifest_of(path)
    assert manifest["what"] == "daily_huddle: Daily huddle"
    assert (manifest["list"], manifest["run"], manifest["purpose"]) == (HUDDLE, RUN, "direct_care")
    assert re.fullmatch(r"[0-9a-f]{64}", manifest["list_definition_sha256"])
    assert set(manifest["cohorts"]) == {"luton_core"}
    assert manifest["rows"] == len(rows_of(path, town.keys["team"]))
    text = path.with_name(path.name.removesuffix(".age") + ".manifest.json").read_text()
    assert not [one for one in town.people.values() if one["nhs_number"] in text]


def test_export_and_opening_of_a_list_are_logged(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team", "--format", "html"))
    out = tmp_path / "list.html"
    key = tmp_path / "team.key"
    key.write_bytes(town.keys["team"].read_bytes())
    key.chmod(0o600)
    opened = riskstrat(
        *(capsys, town.site.root, "reidentify", str(path), "--recipient-key", str(key)),
        *("--reason", "huddle", "--out", str(out)),
    )
    assert opened.code == 0, opened.err
    assert "daily_huddle: Daily huddle" in opened.err
    assert out.read_text().startswith("<!doctype html>")
    assert verify(town.site) == []
    exported, reidentified = (dict(entry.facts) for entry in read_entries(town.site)[-2:])
    people = len(listed_in(town, AREA)) + len(gone_from(town, AREA))
    assert (exported["action"], exported["list"], exported["count"]) == ("export", HUDDLE, people)
    assert (reidentified["action"], reidentified["list"]) == ("reidentify", HUDDLE)
    assert "cohort" not in exported


def test_list_needs_a_live_basis_for_what_stands_behind_it(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """The messages of the hospital stand behind an event, which the list's cohort does not know."""
    path = town.site.config / "legal_basis.yaml"
    before, mark, after = path.read_text().partition("  direct_care:\n    extracts:")
    path.write_text(f"{before}{mark}{after.replace('acute_adt, ', '', 1).replace('acute_adt,', '', 1)}")
    answer = export(capsys, town, "direct_care_team")
    assert answer.code == 5
    assert "acute_adt" in answer.err
    assert (
        riskstrat(
            *(capsys, town.site.root, "worklist", "export", "luton_core"), *("--audience", "direct_care_team")
        ).code
        == 0
    )


def test_name_that_is_neither_a_list_nor_a_cohort_is_refused_with_those_there_are(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = export(capsys, town, "gp_practice", name="daily_hudle")
    assert answer.code == 3
    assert "daily_huddle" in answer.err


def test_damaged_list_is_named(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    path = town.run_folder / "lists" / f"{HUDDLE}.json"
    kept = path.read_bytes()
    path.write_text("{}")
    answer = export(capsys, town, "direct_care_team")
    path.write_bytes(kept)
    assert answer.code == 1
    assert f"lists/{HUDDLE}.json" in answer.err
    assert "riskstrat runs verify" in answer.err
