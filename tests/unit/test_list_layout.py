"""How lists look, and which words stand for a value: read strictly, and nothing unknown passed off as none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat.definitions.list_layout import FILE, Line, check_list_layout, load_list_layout
from riskstrat.errors import DefinitionError
from riskstrat.exports.list_cells import SECTION
from riskstrat.exports.text_sizes import HIGHEST_ROW, characters, height_of, lines_needed
from riskstrat.exports.wording import Wording, day_in_words, heading
from riskstrat.site import default_site

SHIPPED = default_site() / "config"
EMPTY = {"event": "none", "has_care_plan": "unknown", "care_plan_last_reviewed_date": "not recorded"}


def document() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((SHIPPED / FILE).read_text(encoding="utf-8"))
    return content


def _set(*keys: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        place: Any = content
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "an unknown key": (_set("colours", value={}), "unknown key 'colours'"),
    "a missing key": (lambda content: content.pop("left"), "'left' is missing"),
    "a marking that a page would run": (_set("marking", value='x"; } body'), "other signs than letters"),
    "a word that is no text": (_set("nothing", value={"event": None}), "a text for each column"),
    "an unquoted yes": (_set("terminal", "row", value={"event": True}), "a text for each column"),
    "a brace that is open": (_set("page", 0, "lines", 0, value="{family_name"), "belongs to no column"),
    "a brace with a capital": (_set("terminal", "below", 0, value="{Event}"), "belongs to no column"),
    "a line without a text": (_set("page", 0, "lines", 0, value={"strong": True}), "'text' is missing"),
    "a page without cells": (_set("page", value=[]), "list of cells"),
    "a cell without lines": (_set("page", 0, "lines", value=[]), "must be a list"),
    "a width that is none": (_set("workbook", "widths", "gaps", value=0), "whole number of 1 or more"),
    "a column twice": (_set("workbook", "printed", value=["event", "event"]), "twice"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_mistake_is_named_with_its_file(tmp_path: Path, kind: str) -> None:
    change, expected = MISTAKES[kind]
    content = document()
    change(content)
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with pytest.raises(DefinitionError, match=expected) as wrong:
        load_list_layout(tmp_path)
    assert wrong.value.file == str(tmp_path / FILE)


def test_name_that_is_no_column_is_refused_and_a_near_one_proposed() -> None:
    layout = load_list_layout(SHIPPED)
    known = ["event", "event_date", SECTION]
    with pytest.raises(DefinitionError, match="is no column of a list"):
        check_list_layout(layout, known, SHIPPED / FILE)


def test_shipped_page_is_as_wide_as_the_page_and_leaves_room_to_write() -> None:
    assert sum(cell.width for cell in load_list_layout(SHIPPED).page) == 100 - 5 - 11


@pytest.fixture
def wording() -> Wording:
    return Wording(load_list_layout(SHIPPED), EMPTY)


@pytest.mark.parametrize(
    ("person", "column", "told"),
    [
        ({"has_care_plan": True}, "has_care_plan", "yes"),
        ({"has_care_plan": False}, "has_care_plan", "no"),
        ({"has_care_plan": None}, "has_care_plan", "unknown"),
        ({"event": None}, "event", "none"),
        ({"event": "in_ae"}, "event", "in A&E"),
        ({"event": "something else"}, "event", "something else"),
        ({"sex": "2"}, "sex", "female"),
        ({"care_plan_last_reviewed_date": None}, "care_plan_last_reviewed_date", "not recorded"),
        ({"care_plan_last_reviewed_date": date(2026, 4, 1)}, "care_plan_last_reviewed_date", "2026-04-01"),
        ({"unplanned_admissions_12m": 0}, "unplanned_admissions_12m", "0"),
        ({"unplanned_admissions_12m": None}, "unplanned_admissions_12m", "unknown"),
        ({}, "a_column_that_the_run_does_not_explain", "unknown"),
    ],
)
def test_value_is_told_in_words(wording: Wording, person: dict[str, Any], column: str, told: str) -> None:
    assert wording.told(person, column) == told


PLAN = Line("plan {has_care_plan}, seen {care_plan_last_reviewed_date}", needs="has_care_plan")


@pytest.mark.parametrize(
    ("person", "told"),
    [
        ({"has_care_plan": True}, "plan yes, seen not recorded"),
        ({"has_care_plan": None}, "plan unknown, seen not recorded"),
        ({"has_care_plan": False}, ""),
    ],
)
def test_line_stands_unless_what_it_needs_says_no(
    wording: Wording, person: dict[str, Any], told: str
) -> None:
    assert wording.text(PLAN, person, PLAN.columns) == told


def test_line_with_a_column_that_the_reader_may_not_have_is_left_out(wording: Wording) -> None:
    assert wording.text(PLAN, {"has_care_plan": True}, ["has_care_plan"]) == ""
    assert wording.text(Line("{event}", needs="event"), {"event": None}, ["event"]) == ""


def test_numbers_and_days_stay_what_they_are_in_a_spreadsheet(wording: Wording) -> None:
    person = {"rank": 3, "event_date": date(2026, 4, 1), "lives_alone": True, "gaps": None}
    assert [wording.value(person, column) for column in person] == [3, date(2026, 4, 1), "yes", "unknown"]


def test_heading_is_for_people() -> None:
    assert heading("five_questions_last_asked_date") == "Five questions last asked date"
    assert day_in_words(date(2026, 3, 31)) == "31 Mar 2026"


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("", 10, 1),
        ("one", 10, 1),
        ("one two", 4, 2),
        ("one\ntwo", 40, 2),
        ("Chandrasekaran", 6, 3),
        ("Medications: 14 different medicines and no medication review in 12 months", 20, 4),
    ],
)
def test_text_needs_so_many_lines(text: str, room: float, lines: int) -> None:
    assert lines_needed(text, room) == lines


def test_room_is_measured_in_digits_and_bold_takes_more() -> None:
    assert characters("9990000018") == 10
    assert characters("nurse", is_bold=True) > characters("nurse")
    assert characters("Łódź") > 2
    assert height_of(2) > height_of(1)
    assert height_of(1_000) == HIGHEST_ROW
