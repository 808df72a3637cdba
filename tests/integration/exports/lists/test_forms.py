"""Exported lists as workbooks, pages and lists of numbers: what stands in them and how they are laid out."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime
from xml.etree import ElementTree

import pytest

from riskstrat.exports.list_legend import NOTE
from riskstrat.exports.sealing import BLOCK_BYTES
from riskstrat.exports.wording import heading
from riskstrat.vault import read_people, vault_of
from tests.fake_exports import AREA, Town
from tests.fake_run import EARLIER_RUN, RUN
from tests.integration.exports.lists.reading import (
    columns_of,
    export,
    listed_in,
    number,
    page,
    team_csv,
    workbook,
)
from tests.sealed_files import paths, unsealed

pytestmark = pytest.mark.usefixtures("usual_terminal")

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def test_workbook_has_a_sheet_a_section_ready_to_read_and_print(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    book = workbook(capsys, town)
    sections = list(dict.fromkeys(row["section"] for row in listed_in(town, AREA)))
    assert len(sections) > 1
    assert len(book.sheetnames) == len(sections) + 2
    assert book.sheetnames[-2:] == ["Dropped off and why", "Legend"]
    for sheet, section in zip(book.worksheets, sections, strict=False):
        mine = [row for row in listed_in(town, AREA) if row["section"] == section]
        assert columns_of(sheet)["NHS number"] == [number(town, row) for row in mine]
        assert columns_of(sheet)["Rank"] == [row["rank"] for row in mine]
    for sheet in book.worksheets[:-1]:
        assert sheet.freeze_panes.endswith("2")
        assert sheet.auto_filter.ref.startswith("A1:")
        assert sheet.print_title_rows == "$1:$1"
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "OFFICIAL-SENSITIVE: PERSONAL" in sheet.oddFooter.left.text
        assert sheet.oddFooter.right.text == "Page &P of &N"


def test_cells_of_a_workbook_are_texts_days_and_numbers_and_never_formulas(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    book = workbook(capsys, town)
    names = []
    for sheet in book.worksheets[:-1]:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert not str(cell.value or "").startswith(DANGEROUS)
        names += columns_of(sheet)["Family name"]
        for value in columns_of(sheet)["NHS number"]:
            assert re.fullmatch(r"999\d{7}", value)
    for sheet in book.worksheets[:-2]:
        assert all(isinstance(day, datetime) for day in columns_of(sheet)["Event date"])
    assert any(name.startswith("'=") for name in names)


def test_workbook_offers_the_words_that_may_be_written(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    book = workbook(capsys, town)
    sheet, legend = book.worksheets[0], book["Legend"]
    rules = {
        sheet.cell(1, next(iter(rule.sqref.ranges)).min_col).value: rule
        for rule in sheet.data_validations.dataValidation
    }
    offered = {}
    for column in ("Outcome", "Referred to"):
        cells = legend[rules[column].formula1.removeprefix("Legend!").replace("$", "")]
        offered[column] = [row[0].value for row in cells]
    assert offered["Outcome"] == ["seen", "declined", "referred", "not_reached", "no_action"]
    assert "falls_service" in offered["Referred to"]
    for question in ("Q1 visits", "Q2 falls", "Q3 medication", "Q4 memory", "Q5 daily living"):
        assert rules[question].formula1.strip('"') == "yes,no"
    assert {rules[column].type for column in ("Outcome date", "Next review date")} == {"date"}


def test_every_heading_of_a_workbook_leads_back_to_its_column(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = workbook(capsys, town).worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    known = set(team_csv(capsys, town)[0])
    assert {head.casefold().replace(" ", "_") for head in heads} <= known
    assert [heading(head.casefold().replace(" ", "_")) for head in heads] == heads
    assert len(set(heads)) == len(heads)


LEGEND = {
    "What this is": NOTE,
    "As of": "1 Apr 2026",
    "Run": RUN,
    "Data complete to": "31 Mar 2026",
    "Age of the score": "1 day",
    "Unknown": "does not mean no or zero",
    "NEW": "not on this list on 1 Mar 2026",
    "BACK": "but before that",
    "Definition": "daily_huddle, SHA-256",
    "Who can be listed": "luton_core: Frail people with repeated unplanned admissions (SHA-256",
    "Case manager": "The case manager whom",
    "Outcome": "What came of it",
}


def test_legend_says_what_the_list_is_and_what_every_column_means(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    assert EARLIER_RUN.startswith("20260301")
    book = workbook(capsys, town)
    lines = list(book["Legend"].iter_rows(min_col=1, max_col=2, values_only=True))
    told = dict(lines)
    for name, words in LEGEND.items():
        assert [text for label, text in lines if label == name and words in text], name
    for sheet in book.worksheets[:-1]:
        for head in (cell.value for cell in sheet[1]):
            assert told[head], head
    assert str(told["Why"]).startswith("Every morning")


def test_empty_list_is_a_legend_that_says_so(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    everybody = read_people(town.site)
    vault_of(town.site).write(everybody.slice(0, 0), date(2026, 4, 2))
    book = workbook(capsys, town)
    assert book.sheetnames == ["Legend"]
    told = dict(book["Legend"].iter_rows(min_col=1, max_col=2, values_only=True))
    assert told["People in this file"] == "0 listed"
    assert "Nobody is on this list." in page(capsys, town)


def test_page_is_self_contained_and_escapes_what_people_are_called(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = read_people(town.site)
    rows = [row | {"family_name": "<script>alert(1)</script>"} for row in everybody.to_pylist()]
    vault_of(town.site).write(everybody.from_pylist(rows, schema=everybody.schema), date(2026, 4, 2))
    text = page(capsys, town)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.findall(r"https?:|src=|@import|url\(|<link", text)
    assert text.count('<tr class="section">') == len({row["section"] for row in listed_in(town, AREA)}) + 1


def test_page_has_everybody_with_reasons_and_boxes_to_tick(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page(capsys, town)
    plain = " ".join(re.sub(r"<[^>]+>", "", text).split())
    for row in listed_in(town, AREA):
        assert number(town, row) in plain, "the gaps in a number are no characters"
        for reason in (row["reasons_fixed"] or "").split("; "):
            assert reason in plain
        assert row["suggested_action"] in plain
    assert NOTE in plain
    assert plain.count("not reached") >= len(listed_in(town, AREA))
    assert "cannot be sent back" in plain


def test_list_of_numbers_holds_who_is_listed_and_nobody_who_left(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = paths(export(capsys, town, "direct_care_team", "--format", "s1-list"))
    numbers = unsealed(path, town.keys["team"]).decode().split()
    assert numbers == [number(town, row) for row in listed_in(town, AREA)]
    assert export(capsys, town, "analyst", "--format", "s1-list").code == 5


def test_page_of_a_cohort_is_refused_with_what_to_do(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    answer = export(capsys, town, "gp_practice", "--format", "html", name="luton_core")
    assert answer.code == 2
    assert "a page is made of a list" in answer.err
    assert not (town.site.root / "exports").exists()


def test_sealed_workbook_is_padded_inside_one_of_its_parts(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """A comment at the end of the archive would do for Excel, and LibreOffice opens no such file."""
    (path,) = paths(export(capsys, town, "direct_care_team", "--format", "xlsx"))
    content = unsealed(path, town.keys["team"])
    assert len(content) % BLOCK_BYTES == 0
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.comment == b""
        assert book.testzip() is None
        for part in book.namelist():
            ElementTree.fromstring(book.read(part))
