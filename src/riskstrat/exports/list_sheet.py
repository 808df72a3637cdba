"""A section of a list as a sheet: columns that fit, rows as high as their texts, and cells to fill in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from riskstrat.exports.list_cells import SECTION, ListFile
from riskstrat.exports.list_rows import WHY_LEFT, SectionRows
from riskstrat.exports.text_sizes import POINTS, characters, height_of, lines_needed
from riskstrat.exports.wording import NO, YES, heading
from riskstrat.sqltext import harmless

FONT = {"font_name": "Arial", "font_size": POINTS, "valign": "top"}
HEADING_POINTS, MOST_HEADING_LINES = 8, 3
DAY_FORMAT, LONGEST_DAY = "d mmm yyyy", "30 Mar 2026"
SHADE, GROUND, LINE, SOFT = "#FFF7DC", "#E9EEF3", "#B8C0C8", "#5B6672"
PADDING, LEAST_WIDTH, MOST_WIDTH, FILLED_WIDTH = 0.5, 4, 30, 13
LEFT_IN_SIGHT = 3
EARLIEST_DAY = date(2000, 1, 1)
STRONG = ("NEW", "BACK")
ITEM = "\N{BULLET} "
CHOOSE = "Choose a word; the sheet Legend says what each means."
ANSWER = "yes where there is a concern, no where there is none."
WRITE_DAY = "A date, such as 1 Apr 2026."

Formats = Mapping[str, Any]


def sheet_formats(book: Any) -> dict[str, Any]:
    """The formats of a workbook by name; colour never says anything that a word does not."""
    row = {**FONT, "bottom": 7, "bottom_color": LINE, "right": 7, "right_color": LINE}
    fill = {**row, "bg_color": SHADE, "border": 7, "border_color": LINE}
    head = {
        **FONT,
        "font_size": HEADING_POINTS,
        "bold": True,
        "text_wrap": True,
        "bottom": 2,
        "bg_color": GROUND,
        "right": 7,
        "right_color": LINE,
    }
    day = {"num_format": DAY_FORMAT, "align": "left"}
    text = {"num_format": "@", "text_wrap": True}
    settings = {
        "text": {**row, **text},
        "number": {**row, "align": "left"},
        "day": {**row, **day},
        "strong": {**row, **text, "bold": True},
        "soft": {**row, "num_format": "@", "font_color": SOFT},
        "fill": {**fill, **text},
        "fill day": {**fill, **day},
        "heading": head,
        "fill heading": {**head, "bg_color": SHADE},
        "title": {**FONT, "bold": True, "font_size": 14},
        "plain": FONT,
        "name": {**FONT, "bold": True, "text_wrap": True},
        "meaning": {**FONT, "text_wrap": True},
    }
    return {name: book.add_format(setting) for name, setting in settings.items()}


def sheet_widths(file: ListFile) -> dict[str, float]:
    """The width of every column, the same on every sheet, in digits.

    There is room for the longest word of the heading and for the longest value; a column with a width of its own wraps.
    """
    set_widths, form = file.layout.workbook.widths, file.form
    widths = {}
    for column in (*file.columns(), *file.columns_of_left()):
        texts = [
            _text(file, column, file.cell(section, person, column))
            for section in file.table.sections
            for person in section.people
        ]
        words = (
            max(characters(word, is_bold=True) for word in heading(column).split()) * HEADING_POINTS / POINTS
        )
        if column in set_widths:
            longest = max((characters(word) for text in texts for word in text.split()), default=0)
            width = max(set_widths[column], longest)
        else:
            least = FILLED_WIDTH if form is not None and column in form.filled else LEAST_WIDTH
            lines = [characters(line) for text in texts for line in text.split("\n")]
            width = max([least, *(min(line, MOST_WIDTH) for line in lines)])
        widths[column] = _with_heading(heading(column), max(width, words)) + PADDING
    return widths


def _with_heading(title: str, width: float) -> float:
    """The width, or as much more as a heading of few lines needs."""
    while _heading_lines(title, width) > MOST_HEADING_LINES:
        width += 1
    return width


def _heading_lines(title: str, width: float) -> int:
    return lines_needed(title, width * POINTS / HEADING_POINTS, is_bold=True)


@dataclass(frozen=True)
class Sheet:
    """One sheet while it is written: a page of a workbook, and the section that it is to hold."""

    page: Any
    file: ListFile
    section: SectionRows
    formats: Formats
    widths: Mapping[str, float]

    def write(self, ranges: Mapping[str, str]) -> None:
        """Write everything; ``ranges`` are the cells in which the words for a column stand."""
        columns, sight, printed = _order(self.file, self.section)
        last = len(self.section.people)
        for place, column in enumerate(columns):
            self.page.set_column(place, place, self.widths[column])
            name = "fill heading" if self._is_filled(column) else "heading"
            self.page.write_string(0, place, heading(column), self.formats[name])
        lines = max(_heading_lines(heading(column), self.widths[column]) for column in columns)
        self.page.set_row(0, height_of(1 + lines))  # and a line for the filter's button
        for line, person in enumerate(self.section.people, start=1):
            self._write_row(line, columns, person)
        self.page.freeze_panes(1, sight)
        self.page.autofilter(0, 0, last, len(columns) - 1)
        self.page.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
        self._offer_choices(columns, ranges)
        self.page.print_area(0, 0, last, printed - 1)
        self.page.repeat_rows(0)

    def _write_row(self, line: int, columns: Sequence[str], person: Mapping[str, Any]) -> None:
        values = {column: self.file.cell(self.section, person, column) for column in columns}
        for place, (column, value) in enumerate(values.items()):
            if value is None:
                self.page.write_blank(line, place, None, self._format(column, value))
            elif isinstance(value, date):
                day = datetime.combine(value, time())
                self.page.write_datetime(line, place, day, self._format(column, value))
            elif isinstance(value, int | float):
                self.page.write_number(line, place, value, self._format(column, value))
            else:
                self.page.write_string(
                    line, place, _text(self.file, column, value), self._format(column, value)
                )
        texts = {column: _text(self.file, column, value) for column, value in values.items()}
        self.page.set_row(line, height_of(self._lines(texts)))

    def _format(self, column: str, value: Any) -> Any:
        form = self.file.form
        if form is not None and column in form.filled:
            return self.formats["fill day" if column in form.days else "fill"]
        if form is not None and column in form.kept:
            return self.formats["soft"]
        if isinstance(value, date):
            return self.formats["day"]
        if isinstance(value, int | float):
            return self.formats["number"]
        return self.formats["strong" if value in STRONG else "text"]

    def _lines(self, texts: Mapping[str, str]) -> int:
        """How many lines the highest cell of a row has; those that do not wrap have one."""
        kept = () if self.file.form is None else self.file.form.kept
        return max(
            lines_needed(text, self.widths[column]) for column, text in texts.items() if column not in kept
        )

    def _is_filled(self, column: str) -> bool:
        return self.file.form is not None and column in self.file.form.filled

    def _offer_choices(self, columns: Sequence[str], ranges: Mapping[str, str]) -> None:
        for place, column in enumerate(columns):
            rule = self._rule(column, ranges)
            if rule is not None:
                self.page.data_validation(1, place, len(self.section.people), place, rule)

    def _rule(self, column: str, ranges: Mapping[str, str]) -> dict[str, Any] | None:
        """What may be written in a column, and what a spreadsheet says of it."""
        form = self.file.form
        if form is None or column not in form.filled:
            return None
        rule: dict[str, Any]
        if column in ranges:
            rule, told = {"validate": "list", "source": ranges[column]}, CHOOSE
        elif column in form.questions:
            rule, told = {"validate": "list", "source": f"{YES},{NO}"}, ANSWER
        elif column in form.days:
            rule, told = {"validate": "date", "criteria": ">=", "minimum": EARLIEST_DAY}, WRITE_DAY
        else:
            return None
        return {**rule, "error_title": heading(column), "error_message": told, "input_message": told}


def _order(file: ListFile, section: SectionRows) -> tuple[list[str], int, int]:
    """The columns of a sheet in order, how many stay in sight, and how many are printed."""
    layout = file.layout.workbook
    columns = [column for column in file.columns() if column not in (SECTION, WHY_LEFT)]
    if section.has_left:
        # A sheet that comes back must have every column of the form; of these people it says nothing.
        told = file.columns_of_left()
        form: Iterable[str] = () if file.form is None else (*file.form.filled, *file.form.kept)
        return [*told, *form], min(LEFT_IN_SIGHT, len(told)), len(told)
    shown = [column for column in columns if column in file.table.columns]
    sight = [column for column in layout.in_sight if column in shown] or shown[:1]
    printed = [column for column in layout.printed if column in shown and column not in sight]
    first = [*sight, *printed]
    return [*first, *(column for column in columns if column not in first)], len(sight), len(first)


def _text(file: ListFile, column: str, value: Any) -> str:
    """The cell as text; several texts stand one a line."""
    if value is None:
        return ""
    if isinstance(value, date):
        return LONGEST_DAY
    items = str(value).split("; ") if column in file.layout.one_a_line else []
    return "\n".join(f"{ITEM}{item}" for item in items) if len(items) > 1 else harmless(str(value))
