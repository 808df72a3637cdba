"""The files of lists and of their wording: what is refused, and with which remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from riskstrat.definitions.everything import Definitions, list_columns, load_definitions
from riskstrat.definitions.list_columns import WORKING
from riskstrat.definitions.list_rules import check_list, check_wording, compile_list, compile_wording
from riskstrat.definitions.lists import load_list
from riskstrat.definitions.reasons import load_wording
from riskstrat.errors import DefinitionError
from riskstrat.site import default_site

AS_OF = date(2026, 4, 1)
SHIPPED = default_site() / "config"
Change = Callable[[dict], object]


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(default_site())


def changed(source: Path, target: Path, change: Change) -> Path:
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    change(document)
    target.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return target


def test_the_three_shipped_lists_are_daily_weekly_and_monthly(definitions: Definitions):
    found = {name: (one.cadence, one.area, one.capacity) for name, one in definitions.lists.items()}
    assert found == {
        "daily_huddle": ("daily", "neighbourhood", 25),
        "weekly_mdt": ("weekly", "neighbourhood", 25),
        "monthly_practice": ("monthly", "practice", None),
    }


def test_the_daily_huddle_puts_the_unknown_first_then_the_overdue_then_the_score(definitions: Definitions):
    huddle = definitions.lists["daily_huddle"]
    assert [item.text for item in huddle.order_by] == [
        "is_known_to_team ASC NULLS FIRST",
        "review_days_overdue DESC",
        "score DESC",
    ]
    assert huddle.include == ("event IS NOT NULL",)
    assert [section.name for section in huddle.sections] == ["not_known", "review_overdue", "known"]


WRONG_LISTS: dict[str, tuple[Change, str]] = {
    "unknown key": (lambda one: one.update(capacities=3), "unknown key 'capacities'"),
    "missing key": (lambda one: one.pop("sections"), "the key 'sections' is missing"),
    "unknown area": (lambda one: one.update(area="ward"), "write one of neighbourhood, practice"),
    "no cohort": (lambda one: one.update(cohorts=[]), "cohorts is empty"),
    "cohort twice": (
        lambda one: one.update(cohorts=["luton_core", "luton_core"]),
        "names 'luton_core' twice",
    ),
    "no capacity": (lambda one: one.pop("capacity"), "a list without a capacity has no limit"),
    "capacity 0": (lambda one: one.update(capacity=0), "whole number of 1 or more"),
    "unknown allocation": (
        lambda one: one.update(allocation="fair"),
        "write one of need, city_wide, per_head",
    ),
    "need without a feature": (lambda one: one.pop("need_feature"), "need takes a need_feature"),
    "feature without need": (lambda one: one.update(allocation="per_head"), "take need_feature away"),
    "no order": (lambda one: one.update(order_by=[]), "order_by names no column"),
    "order twice": (
        lambda one: one.update(order_by=["score DESC", "score ASC"]),
        "order_by names score twice",
    ),
    "no column to order by": (
        lambda one: one.update(order_by=["score; DROP"]),
        "not a column with ASC or DESC",
    ),
    "compared with tonight": (lambda one: one.update(compare_days=0), "whole number of days, 1 or more"),
    "rest as text": (lambda one: one.update(rest_days="7"), "whole number of days, 0 or more"),
    "sections are no list": (lambda one: one.update(sections={}), "sections must be a list"),
    "section twice": (
        lambda one: one["sections"].insert(0, one["sections"][0]),
        "'not_known' is no name for a section",
    ),
    "section of the dropped": (
        lambda one: one["sections"][0].update(name="dropped_off"),
        "'dropped_off' is no name for a section",
    ),
    "somebody is left over": (
        lambda one: one["sections"][-1].update(when="age > 1"),
        "the last section, and no other, takes everybody",
    ),
    "everybody too early": (
        lambda one: one["sections"][0].pop("when"),
        "the last section, and no other, takes everybody",
    ),
    "no columns": (lambda one: one.update(columns=[]), "columns is empty"),
    "no date": (lambda one: one["review"].update(next_review="soon"), "next_review is no date"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_LISTS.values(), ids=WRONG_LISTS)
def test_a_wrong_list_is_refused_with_its_place(tmp_path: Path, change: Change, message: str):
    path = changed(SHIPPED / "lists" / "daily_huddle.yaml", tmp_path / "mine.yaml", change)
    with pytest.raises(DefinitionError, match=message) as refused:
        load_list(path)
    assert refused.value.file == str(path)


@pytest.mark.parametrize("name", ["eligible", "memory", "Daily", "a b"])
def test_a_list_cannot_be_called_like_a_file_beside_the_lists(tmp_path: Path, name: str):
    path = tmp_path / f"{name}.yaml"
    shutil.copy(SHIPPED / "lists" / "daily_huddle.yaml", path)
    with pytest.raises(DefinitionError, match="a list has a name of lower case letters"):
        load_list(path)


WRONG_NAMES: dict[str, tuple[Change, str]] = {
    "cohort": (
        lambda one: one.update(cohorts=["luton_cor"]),
        "'luton_cor' is not a cohort.*did you mean 'luton_core'",
    ),
    "order": (
        lambda one: one.update(order_by=["scores DESC"]),
        "'scores' is not a feature.*did you mean 'score'",
    ),
    "column": (lambda one: one.update(columns=["nhs_number"]), "'nhs_number' is not a column of lists"),
    "need": (lambda one: one.update(need_feature="unplanned"), "'unplanned' is not a feature"),
    "need that is no number": (lambda one: one.update(need_feature="sex"), "sex is no number"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_a_name_that_stands_for_nothing_is_refused(
    definitions: Definitions, tmp_path: Path, change: Change, message: str
):
    path = changed(SHIPPED / "lists" / "daily_huddle.yaml", tmp_path / "mine.yaml", change)
    with pytest.raises(DefinitionError, match=message):
        check_list(load_list(path), list_columns(definitions), definitions.cohorts, path)


WRONG_CONDITIONS: dict[str, tuple[Change, str]] = {
    "event": (lambda one: one.update(include=["event = 'in A&E'"]), "is never 'in A&E'"),
    "change before it is known": (lambda one: one.update(include=["change = 'NEW'"]), "change"),
    "another table": (
        lambda one: one["sections"][0].update(when="age IN (SELECT age FROM people)"),
        "a query inside the expression",
    ),
    "clock": (lambda one: one["sections"][0].update(when="event_date = current_date"), "current_date"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_CONDITIONS.values(), ids=WRONG_CONDITIONS)
def test_a_condition_that_cannot_be_asked_is_refused(
    definitions: Definitions, tmp_path: Path, change: Change, message: str
):
    path = changed(SHIPPED / "lists" / "daily_huddle.yaml", tmp_path / "mine.yaml", change)
    with pytest.raises(DefinitionError, match=message):
        compile_list(load_list(path), list_columns(definitions), AS_OF, path)


WRONG_WORDINGS: dict[str, tuple[Change, str]] = {
    "unknown 5M": (lambda one: one["reasons"][0].update(m="money"), "write one of mind, mobility"),
    "unknown kind": (lambda one: one["reasons"][0].update(kind="causal"), "write one of fixed, actionable"),
    "brace": (lambda one: one["reasons"][0].update(text="{Age} years"), "is no placeholder"),
    "two phrases": (lambda one: one["reasons"][0].update(text="old; frail"), "holds a ';'"),
    "reason twice": (lambda one: one["reasons"].append(one["reasons"][0]), "reasons names .* twice"),
    "gap twice": (lambda one: one["gaps"].append(one["gaps"][0]), "gaps names 'care_plan' twice"),
    "gap without an action": (lambda one: one["gaps"][0].pop("action"), "the key 'action' is missing"),
    "situation twice": (
        lambda one: one["situations"].append(one["situations"][0]),
        "situations names .* twice",
    ),
    "situation without a condition": (
        lambda one: one["situations"][0].pop("when"),
        "the key 'when' is missing",
    ),
    "question 6": (lambda one: one["actions"][0].update(question=6), "whole number from 1 to 5"),
    "question left out": (lambda one: one["actions"].pop(), "each of the questions 1 to 5 needs one action"),
    "no reasons": (lambda one: one.update(reasons=[]), "reasons must be a list that is not empty"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_WORDINGS.values(), ids=WRONG_WORDINGS)
def test_a_wrong_wording_is_refused(tmp_path: Path, change: Change, message: str):
    path = changed(SHIPPED / "reasons.yaml", tmp_path / "reasons.yaml", change)
    with pytest.raises(DefinitionError, match=message):
        load_wording(path)


def test_a_reason_with_an_unknown_feature_or_decimals_of_a_text_is_refused(
    definitions: Definitions, tmp_path: Path
):
    columns = list_columns(definitions)
    for text, message in (("{falls} falls", "'falls' is not a feature"), ("{sex:1}", "sex has no decimals")):
        path = changed(
            SHIPPED / "reasons.yaml",
            tmp_path / "reasons.yaml",
            lambda one, text=text: one["reasons"][0].update(text=text),
        )
        with pytest.raises(DefinitionError, match=message):
            check_wording(load_wording(path), columns, path)


def test_no_reason_says_why_something_happened():
    wording = load_wording(SHIPPED / "reasons.yaml")
    causal = ("because", "due to", "caused", "leads to", "therefore", "as a result")
    said = [entry.text for entry in (*wording.reasons, *wording.gaps, *wording.situations)]
    assert not [text for text in said if any(word in text.lower() for word in causal)]


def test_every_condition_of_the_shipped_wording_is_unknown_of_somebody_unknown(definitions: Definitions):
    """Whoever nothing is known of has no reason to be listed, and nothing is said to be missing."""
    import duckdb

    columns = list_columns(definitions)
    rules = compile_wording(definitions.wording, columns, AS_OF, SHIPPED / "reasons.yaml")
    nobody = ", ".join(
        f'CAST(NULL AS {column.sql_type}) AS "{name}"' for name, column in columns.before.items()
    )
    for entry, when in (*rules.reasons, *rules.gaps, *rules.situations):
        assert duckdb.sql(f"SELECT ({when.sql}) FROM (SELECT {nobody})").fetchall() == [(None,)], entry.name


def test_the_page_of_the_lists_names_every_column(definitions: Definitions):
    page = (Path(__file__).resolve().parents[2] / "docs" / "worklists.md").read_text(encoding="utf-8")
    named = [column.name for column in definitions.contracts["lists"].columns] + list(WORKING)
    assert not [name for name in named if f"`{name}`" not in page]
    reasons = definitions.contracts["lists"].column("dropped_because").allowed
    assert not [reason for reason in reasons if reason not in page]
