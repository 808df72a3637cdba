"""Rows as bytes in memory: CSV, XLSX with a legend, or a list of NHS numbers for a GP system."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import choice_at, text_at
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError, NotPermittedError
from riskstrat.exports.people import Rows
from riskstrat.sqltext import harmless

CSV, XLSX, S1_LIST, HTML = "csv", "xlsx", "s1-list", "html"
S1_KEYS = ("title", "extension", "header", "line", "line_ending")
LINE_ENDINGS = {"crlf": "\r\n", "lf": "\n"}
NUMBER_WORD = "{nhs_number}"
WIDEST, MARGIN = 60, 2
TRUTH = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Legend:
    """What a reader of a spreadsheet must know: lines of a heading, and what each column means."""

    facts: Mapping[str, str]
    columns: Mapping[str, str]


@dataclass(frozen=True)
class NumberList:
    """``config/exports/s1_list.yaml``: a line a person."""

    extension: str
    header: str | None
    line: str
    line_ending: str


def load_number_list(path: Path) -> NumberList:
    """Parse the template strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=S1_KEYS, required=S1_KEYS, file=path)
    line = text_at(document, "line", path)
    if NUMBER_WORD not in line or "{" in line.replace(NUMBER_WORD, ""):
        raise DefinitionError(
            "has other words in braces than nhs_number, or not that.",
            file=path,
            column="line",
            remedy=f'write for instance "{NUMBER_WORD}".',
        )
    header = None if document["header"] is None else text_at(document, "header", path)
    extension = text_at(document, "extension", path)
    if not extension.isalnum():
        raise DefinitionError(
            "must be letters and digits.", file=path, column="extension", remedy="write txt."
        )
    return NumberList(extension, header, line, choice_at(document, "line_ending", LINE_ENDINGS, path))


def as_csv(rows: Rows) -> bytes:
    """UTF-8 CSV: texts in quotes and harmless in a spreadsheet, dates as YYYY-MM-DD, unknown is empty."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    stream.write(",".join(rows.columns) + "\n")
    writer.writerows([_csv_cell(value) for value in row] for row in rows.rows)
    return stream.getvalue().encode("utf-8")


def as_number_list(rows: Rows, template: NumberList) -> bytes:
    """NHS numbers as the template writes them. Raises NotPermittedError where the columns hold none."""
    if "nhs_number" not in rows.columns:
        raise NotPermittedError(
            "a list of NHS numbers is for audiences that may have them.", remedy="use --format csv."
        )
    place = rows.columns.index("nhs_number")
    lines = [template.header] if template.header is not None else []
    lines += [template.line.replace(NUMBER_WORD, str(row[place])) for row in rows.rows]
    ending = LINE_ENDINGS[template.line_ending]
    return "".join(f"{line}{ending}" for line in lines).encode("ascii")


def as_xlsx(rows: Rows, legend: Legend) -> bytes:
    """A workbook with the list, its header frozen and filtered, and a legend; made in memory, never in a file."""
    import xlsxwriter

    stream = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(stream, options) as book:
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        formats = {
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "text": book.add_format({"num_format": "@"}),
        }
        sheet = book.add_worksheet("List")
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows.rows), 1), len(rows.columns) - 1)
        for place, column in enumerate(rows.columns):
            sheet.write_string(0, place, column, heading)
            sheet.set_column(place, place, _width(column, [row[place] for row in rows.rows]))
        for line, row in enumerate(rows.rows, start=1):
            for place, value in enumerate(row):
                _write_cell(sheet, line, place, value, formats)
        _write_legend(book.add_worksheet("Legend"), legend, heading, book.add_format({"text_wrap": True}))
    return stream.getvalue()


def _write_cell(sheet: Any, line: int, place: int, value: Any, formats: Mapping[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_string(line, place, TRUTH[value], formats["text"])
    elif isinstance(value, int | float):
        sheet.write_number(line, place, value)
    elif isinstance(value, date):
        sheet.write_datetime(line, place, datetime(value.year, value.month, value.day), formats["date"])
    else:
        sheet.write_string(line, place, harmless(str(value)), formats["text"])


def _write_legend(sheet: Any, legend: Legend, heading: Any, wrapped: Any) -> None:
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    lines = [*legend.facts.items(), ("", ""), ("Column", "Meaning"), *legend.columns.items()]
    for line, (name, text) in enumerate(lines):
        sheet.write_string(line, 0, name, heading)
        sheet.write_string(line, 1, harmless(text), wrapped)


def _width(column: str, values: Sequence[Any]) -> int:
    longest = max((len(str(value)) for value in values if value is not None), default=0)
    return min(max(len(column) // 2 + 4, longest), WIDEST) + MARGIN


def _csv_cell(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else harmless(str(value))
