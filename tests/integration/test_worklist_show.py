"""Lists in the terminal: readable at 100 columns, filtered, by pseudonym, and on record."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from riskstrat.audit import read_entries
from riskstrat.exports.list_legend import NOTE
from tests.end_to_end.command import Answer, riskstrat
from tests.fake_exports import AREA, COHORT, PRACTICE, Town
from tests.fake_lists import PLACES, rows_of_list, write_listed_town

pytestmark = pytest.mark.usefixtures("usual_terminal")
HUDDLE = "daily_huddle"
PERSON_LINE = re.compile(r" *(\d+)  (NEW|UP|DOWN|SAME|BACK) +([0-9a-f]{12}) ")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return write_listed_town(tmp_path_factory.mktemp("town"))


def show(capsys: pytest.CaptureFixture[str], town: Town, *more: str, name: str = HUDDLE) -> Answer:
    answer = riskstrat(capsys, town.site.root, "worklist", "show", name, *more)
    assert answer.code == 0, answer.err
    return answer


def listed(town: Town, code: str = AREA, name: str = HUDDLE) -> list[dict[str, Any]]:
    return [row for row in rows_of_list(town, name) if row["area_code"] == code and row["rank"] is not None]


def shown_people(answer: Answer) -> list[tuple[int, str, str]]:
    found = [PERSON_LINE.match(line) for line in answer.out.splitlines()]
    return [(int(one[1]), one[2], one[3]) for one in found if one]


@pytest.mark.parametrize("name", [HUDDLE, "weekly_mdt", "monthly_practice"])
@pytest.mark.parametrize("width", ["100", "80"])
def test_no_line_is_wider_than_the_terminal(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for code in (AREA, PRACTICE):
        answer = show(capsys, town, "--area", code, name=name)
        assert shown_people(answer)
        assert max(map(len, answer.out.splitlines())) <= int(width)


def test_everybody_stands_in_their_section_by_pseudonym_with_what_matters(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = show(capsys, town, "--area", AREA)
    rows = listed(town)
    assert shown_people(answer) == [(row["rank"], row["change"], row["person_id"][:12]) for row in rows]
    flat = " ".join(answer.out.split())
    for row in rows:
        assert row["person_id"] not in answer.out
        for reason in [*(row["reasons_fixed"] or "").split("; "), *(row["gaps"] or "").split("; ")]:
            assert reason in flat
        assert f"suggested: {row['suggested_action']}" in flat
        assert f"12 months ago {row['frailty_category_12m_ago'] or 'unknown'}" in flat
    assert "care plan unknown" in flat
    for words in ("data complete to 2026-03-31", "score age in days 1", "the list of 2026-03-01", NOTE):
        assert words in flat
    places = [
        flat.index(title) for title in ("Not known to the team (", "Known to the team, review overdue (")
    ]
    assert places == sorted(places)
    assert not [one for one in town.people.values() if one["nhs_number"] in answer.out]


def test_who_left_stands_last_with_the_reason(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    gone = [row for row in rows_of_list(town, HUDDLE) if row["area_code"] == AREA and row["rank"] is None]
    text = show(capsys, town, "--area", AREA).out
    below = text[text.index("Dropped off and why") :]
    for row in gone:
        assert re.search(rf"^{row['person_id'][:12]} .* {row['dropped_because']}$", below, re.MULTILINE)
    assert "Not shown: 1 person left the list: opted out 1." in below


@pytest.mark.parametrize("section", ["not_known", "review_overdue", "known"])
def test_section_is_shown_alone(town: Town, capsys: pytest.CaptureFixture[str], section: str) -> None:
    answer = show(capsys, town, "--area", AREA, "--section", section)
    wanted = [row["rank"] for row in listed(town) if row["section"] == section]
    assert wanted
    assert [rank for rank, _, _ in shown_people(answer)] == wanted
    assert "Dropped off" not in answer.out


@pytest.mark.parametrize("change", ["NEW", "UP", "DOWN", "SAME", "BACK"])
def test_change_is_shown_alone(town: Town, capsys: pytest.CaptureFixture[str], change: str) -> None:
    met = 0
    for code in ("NB01", "NB02", "NB03"):
        answer = show(capsys, town, "--area", code, "--change", change)
        wanted = [row["rank"] for row in listed(town, code) if row["change"] == change]
        assert [rank for rank, _, _ in shown_people(answer)] == wanted
        met += len(wanted)
    assert met


def test_who_left_can_be_asked_for_alone(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    answer = show(capsys, town, "--area", AREA, "--section", "dropped_off")
    assert not shown_people(answer)
    assert "below threshold" in answer.out


def test_practice_of_a_neighbourhoods_list_has_its_own_people_with_their_places(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = show(capsys, town, "--area", PRACTICE)
    wanted = [row["rank"] for row in listed(town) if row["practice_code"] == PRACTICE]
    assert 0 < len(wanted) < PLACES
    assert [rank for rank, _, _ in shown_people(answer)] == wanted


def test_neighbourhood_of_a_practices_list_has_the_people_of_its_practices(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = show(capsys, town, "--area", AREA, name="monthly_practice")
    practices = {row["practice_code"] for row in rows_of_list(town, HUDDLE) if row["area_code"] == AREA}
    assert len(shown_people(answer)) == sum(len(listed(town, code, "monthly_practice")) for code in practices)


def test_limit_shows_the_first_and_says_of_how_many(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    answer = show(capsys, town, "--area", AREA, "--limit", "1")
    assert [rank for rank, _, _ in shown_people(answer)] == [1]
    assert re.search(r"^Not known to the team \(1 of \d+\)$", answer.out, re.MULTILINE)


def test_rows_can_be_had_for_a_program(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(show(capsys, town, "--area", AREA, "--change", "NEW", "--format", "json").out)
    wanted = [row for row in listed(town) if row["change"] == "NEW"]
    assert [row["person_id"] for row in rows] == [row["person_id"] for row in wanted]
    assert [row["event_date"] for row in rows] == [row["event_date"].isoformat() for row in wanted]
    table = list(csv.DictReader(io.StringIO(show(capsys, town, "--area", AREA, "--format", "csv").out)))
    assert len(table) == len([row for row in rows_of_list(town, HUDDLE) if row["area_code"] == AREA])
    of_cohort = json.loads(show(capsys, town, "--area", AREA, "--format", "json", name=COHORT).out)
    mine = [one for one in town.members() if one["neighbourhood_code"] == AREA]
    assert [row["person_id"] for row in of_cohort] == [one["person_id"] for one in mine]


def test_showing_a_list_is_on_record(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    show(capsys, town, "--area", AREA, "--limit", "2")
    entry = dict(read_entries(town.site)[-1].facts)
    assert (entry["action"], entry["list"], entry["count"]) == ("query", HUDDLE, 2)
    assert "cohort" not in entry


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ((HUDDLE, "--area", AREA, "--section", "knwon"), 2, "use one of: not_known, review_overdue, known"),
        ((HUDDLE, "--area", "NOWHERE"), 2, "nobody of the run belongs to an area 'NOWHERE'"),
        ((COHORT, "--area", AREA, "--change", "NEW"), 2, "only lists have sections and changes"),
        (("daily_hudle", "--area", AREA), 3, "has no cohort 'daily_hudle'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(
    town: Town, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, expected: str
) -> None:
    answer = riskstrat(capsys, town.site.root, "worklist", "show", *arguments)
    assert answer.code == code
    assert expected in answer.err
    assert answer.out == ""


def test_areas_are_listed_with_how_many_are_listed_and_new(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = riskstrat(capsys, town.site.root, "worklist", "list")
    new = sum(row["change"] == "NEW" for row in listed(town))
    (line,) = [line for line in answer.out.splitlines() if line.startswith(f"{AREA} ")]
    assert f"{PLACES} ({new} new)" in line
    assert [line for line in answer.out.splitlines() if line.startswith(f"{PRACTICE} ")]
    assert [line for line in answer.out.splitlines() if line.startswith(COHORT)]
    assert max(map(len, answer.out.splitlines())) <= 100
    areas = json.loads(riskstrat(capsys, town.site.root, "worklist", "list", "--format", "json").out)
    assert areas[AREA]["lists"][HUDDLE]["listed"] == PLACES
    manifest = json.loads((town.site.output / "latest" / "manifest.json").read_text(encoding="utf-8"))
    published = {code: about["cohorts"][COHORT] for code, about in manifest["neighbourhoods"].items()}
    assert {code: areas[code]["cohorts"][COHORT] for code in published} == published
    assert sum(published.values()) > 0
    assert set(areas[PRACTICE]["lists"]) == {"monthly_practice"}


def test_lists_are_proposed_by_the_shell(town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import typer

    from riskstrat.cli import app
    from riskstrat.commands.completion import complete_worklist

    monkeypatch.setenv("RISKSTRAT_SITE", str(town.site.root))
    monkeypatch.chdir(tmp_path)
    command = typer.main.get_command(app)
    context = typer.Context(command)
    context.params["site"] = town.site.root
    assert complete_worklist(context, "daily") == [(HUDDLE, "Daily huddle")]
    assert (COHORT, "Frail people with repeated unplanned admissions") in complete_worklist(context, "lu")
