"""A list as its reader sees it: drawn by LibreOffice and Chromium, with nothing cut off, covered or too small."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from riskstrat.exports.exporting import Order, export
from riskstrat.exports.list_legend import NOTE
from riskstrat.exports.opening import open_sealed
from riskstrat.runs import Run
from tests.end_to_end.pictures import Document, Word, drawn_page, drawn_workbook, ink, screenshot
from tests.fake_exports import AREA, Town
from tests.fake_lists import rows_of_list, write_listed_town
from tests.fake_run import RUN

PLACES = 24
MARKING = "OFFICIAL-SENSITIVE: PERSONAL"
TITLES = ("Not known to the team", "Known to the team, review overdue", "Known to the team")
DROPPED = "Dropped off and why"
LEAST_HEIGHT = 7.0  # of a word's box in points: letters of about 6 points
EDGE = 18.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return write_listed_town(tmp_path_factory.mktemp("town"), places=PLACES)


def written(town: Town, folder: Path, form: str) -> Path:
    """What the team opens: sealed, sent, and opened with its own key."""
    order = Order("daily_huddle", "direct_care_team", form=form, out=folder / "sealed")
    (file,) = export(town.site, Run(RUN, town.run_folder), order).files
    key = folder / "team.key"
    key.write_bytes(town.keys["team"].read_bytes())
    key.chmod(0o600)
    path = folder / f"huddle.{form}"
    path.write_bytes(open_sealed(file.path, key).content)
    return path


@pytest.fixture(scope="module")
def workbook(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Document:
    return drawn_workbook(written(town, tmp_path_factory.mktemp("workbook"), "xlsx"))


@pytest.fixture(scope="module")
def html(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(town, tmp_path_factory.mktemp("page"), "html")


@pytest.fixture(scope="module")
def page(html: Path) -> Document:
    return drawn_page(html)


@pytest.fixture(params=["workbook", "page"])
def document(request: pytest.FixtureRequest) -> Document:
    drawn: Document = request.getfixturevalue(request.param)
    return drawn


def listed(town: Town) -> list[dict[str, Any]]:
    return [
        row
        for row in rows_of_list(town, "daily_huddle")
        if row["area_code"] == AREA and row["rank"] is not None
    ]


def texts_of(row: dict[str, Any]) -> list[str]:
    """What must be read of a person, whole."""
    several = (row["reasons_fixed"], row["reasons_actionable"], row["gaps"])
    return [*(text for texts in several if texts for text in texts.split("; ")), row["suggested_action"]]


def test_everybody_is_there_with_every_reason_whole(town: Town, document: Document) -> None:
    flat = document.text
    people = listed(town)
    assert len(people) == PLACES
    for row in people:
        person = town.people[row["person_id"]]
        number = person["nhs_number"]
        assert re.search(rf"\b{number[:3]} ?{number[3:6]} ?{number[6:]}\b", flat)
        assert person["given_name"] in flat
        for text in texts_of(row):
            assert text in flat


def test_workbook_prints_an_nhs_number_as_ten_digits(town: Town, workbook: Document) -> None:
    printed = set(re.findall(r"\b999\d{7}\b", workbook.text))
    assert printed >= {town.people[row["person_id"]]["nhs_number"] for row in listed(town)}


def test_every_page_says_how_to_handle_it_and_which_it_is(document: Document) -> None:
    for place, text in enumerate(document.pages, start=1):
        flat = " ".join(text.split())
        assert MARKING in flat
        assert f"Page {place} of {len(document.pages)}" in flat


def test_sections_stand_in_their_order_and_the_legend_last(document: Document) -> None:
    flat = document.text
    found = [re.search(rf"{title}(?!,)", flat) for title in (*TITLES, DROPPED, "About this list")]
    places = [one.start() for one in found if one]
    assert len(places) == len(found)
    assert places == sorted(places)
    for sentence in (
        NOTE,
        "The word unknown means that nobody could tell.",
        "not on this list on 1 Mar 2026",
    ):
        assert sentence in flat
    assert f"Run {RUN}" in flat


def test_title_and_headings_are_repeated_on_every_page_of_people(town: Town, document: Document) -> None:
    numbers = [town.people[row["person_id"]]["nhs_number"] for row in listed(town)]
    with_people = 0
    for text in document.pages:
        flat = " ".join(text.split())
        if any(number in flat.replace(" ", "") for number in numbers):
            with_people += 1
            assert "Reasons actionable" in flat or "What can be acted on" in flat
            assert any(title in flat for title in TITLES)
            assert "Daily huddle" in flat
            assert "NB01 Alder Vale, as of 1 Apr 2026" in flat
    assert with_people >= len(TITLES)


def test_nothing_is_cut_off_covered_or_too_small_to_read(document: Document) -> None:
    assert "###" not in document.text
    for words in document.words:
        assert words
        for word in words:
            assert word.bottom - word.top >= LEAST_HEIGHT, word.text
            assert word.left >= EDGE / 2
            assert word.right <= 842 - EDGE / 2
            assert word.bottom <= 595 - EDGE / 2
        assert not list(_covered(words))


def _covered(words: tuple[Word, ...]) -> list[tuple[str, str]]:
    """Pairs of words that lie on each other."""
    found = []
    by_place = sorted(words, key=lambda word: (word.top, word.left))
    for place, word in enumerate(by_place):
        for other in by_place[place + 1 :]:
            if other.top > word.bottom:
                break
            if word.covers(other) or other.covers(word):
                found.append((word.text, other.text))
    return found


def test_overlapping_words_would_be_found() -> None:
    first, second = Word(0, 0, 40, 10, "one"), Word(20, 4, 60, 14, "two")
    assert _covered((first, second)) == [("one", "two")]
    assert not _covered((first, Word(0, 11, 40, 21, "below")))


def test_list_is_a_few_pages_and_none_of_them_is_empty(document: Document) -> None:
    assert len(TITLES) + 1 <= len(document.pages) <= 12
    for place in range(1, len(document.pages) + 1):
        assert 0.003 < ink(document.picture(place)) < 0.4


def test_person_is_never_split_between_two_pages(town: Town, page: Document) -> None:
    """The line of a person's number and the boxes beside it stand on one page."""
    for row, following in pairwise(listed(town)):
        number = town.people[row["person_id"]]["nhs_number"]
        spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
        mine = [" ".join(text.split()) for text in page.pages if number in text.replace(" ", "")]
        assert len(mine) == 1
        assert spaced in mine[0] or number in mine[0]
        assert f"suggested: {row['suggested_action']}" in mine[0]
        assert following["rank"] == row["rank"] + 1


def test_page_fills_a_screen_and_needs_no_colour(html: Path) -> None:
    picture = screenshot(html)
    assert picture.shape[:2] == (1600, 1280)
    assert 0.01 < ink(picture) < 0.4
    red, green, blue = (picture[:, :, band] for band in range(3))
    assert (red == green).all()
    assert (green == blue).all()
