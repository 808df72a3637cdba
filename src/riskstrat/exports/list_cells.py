"""Which columns a list has in a file, in order, and what stands in each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskstrat.definitions.list_layout import ListLayout
from riskstrat.exports.list_rows import NHS_NUMBER, ListTable, SectionRows
from riskstrat.exports.people import Rows
from riskstrat.exports.return_form import ReturnForm
from riskstrat.exports.wording import Wording

SECTION = "section"


@dataclass(frozen=True)
class ListFile:
    """A list for one recipient with its words; ``form`` is there where it can be filled in and sent back."""

    table: ListTable
    wording: Wording
    form: ReturnForm | None

    @property
    def layout(self) -> ListLayout:
        """How it looks."""
        return self.wording.layout

    def told(self) -> tuple[str, ...]:
        """The columns to read: what a team may change and what says which row it is stand apart, and once."""
        apart = () if self.form is None else (*self.form.filled, *self.form.kept)
        return tuple(column for column in self.table.columns if column not in apart)

    def columns(self) -> tuple[str, ...]:
        """Every column of the file: what is told, what is to be filled in, what says which row it is."""
        form = () if self.form is None else (*self.form.filled, *self.form.kept)
        return (*self.told(), *form)

    def columns_of_left(self) -> tuple[str, ...]:
        """The columns of people who left the list."""
        return tuple(column for column in self.layout.left if column in self.table.columns)

    def cell(self, section: SectionRows, person: Mapping[str, Any], column: str) -> Any:
        """What stands there: a number, a date, a text, or None."""
        if self.form is not None and column in (*self.form.filled, *self.form.kept):
            return person.get(column) if column in (*self.table.columns, *self.form.kept) else None
        if section.has_left and column not in (*self.layout.left, SECTION):
            return None
        return self.wording.value(person, column)

    def rows(self) -> Rows:
        """Everybody in one table, for CSV and for lists of NHS numbers."""
        columns = self.columns()
        rows = [
            [self.cell(section, person, column) for column in columns]
            for section in self.table.sections
            for person in section.people
        ]
        return Rows(columns, rows, self.table.unknown)

    def numbers(self) -> Rows:
        """The NHS numbers of everybody who is on the list."""
        if NHS_NUMBER not in self.table.columns:
            return Rows((), [], 0)
        return Rows((NHS_NUMBER,), [[person[NHS_NUMBER]] for person in self.table.listed], self.table.unknown)
