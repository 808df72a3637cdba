"""A list in the terminal: section by section, a row a person with what matters under it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from riskstrat.commands.printing import FEWEST_COLUMNS, SHORT_KEY, aligned, terminal_width
from riskstrat.exports.list_legend import NOTE, area_title, compared_on
from riskstrat.exports.list_rows import WHY_LEFT, told_left
from riskstrat.exports.wording import Wording
from riskstrat.reading.published_lists import DROPPED, PublishedList, section_of

PERSON = "person_id"
INDENT = " " * 6
WIDEST_CELL = 24
Person = Mapping[str, Any]


def list_lines(
    published: PublishedList, people: Sequence[Person], shown: Sequence[Person], wording: Wording, code: str
) -> list[str]:
    """The lines of a list in one area: ``people`` are all of it, ``shown`` those that were asked for."""
    width = terminal_width()
    lines = _wrapped(_title(published, people, code), width, "")
    for section, title in published.sections.items():
        own = [person for person in shown if section_of(person) == section]
        if own:
            everybody = sum(section_of(person) == section for person in people)
            some = f"{len(own)} of " if len(own) < everybody else ""
            lines += ["", f"{title} ({some}{everybody})"]
            lines += _left(own) if section == DROPPED else _section(own, wording, width)
    unseen = _unseen(published, people, code)
    if unseen and len(shown) == len(people):
        lines += ["", *_wrapped(f"Not shown: {told_left(unseen)}", width, "")]
    return [*lines, "", *_wrapped(_footer(published, people), width, "")]


def _unseen(published: PublishedList, people: Sequence[Person], code: str) -> dict[str, int]:
    """Why how many left the list of whom it has no row: nobody may be told who they are."""
    counted = Counter(published.areas[code]["dropped"] if code in published.areas else {})
    counted.subtract(person[WHY_LEFT] for person in people if person["rank"] is None)
    return dict(sorted((+counted).items()))


def _title(published: PublishedList, people: Sequence[Person], code: str) -> str:
    changes = Counter(person["change"] for person in people if person["rank"] is not None)
    new = f", {changes['NEW']} of them new" if changes["NEW"] else ""
    area = published.areas.get(code)
    eligible = f" of {area['eligible']} eligible" if area is not None else ""
    return f"{published.title}, {area_title(published, code)}: {changes.total()} listed{eligible}{new}"


def _section(people: Sequence[Person], wording: Wording, width: int) -> list[str]:
    """A table that fits, with lines below each person; columns without room stand below too."""
    columns = dict(wording.layout.row)
    moved: list[str] = []
    table = _table(people, columns, wording)
    while max(map(len, table)) > width and len(columns) > FEWEST_COLUMNS:
        last = list(columns)[-1]
        moved.insert(0, f"{columns.pop(last)} {{{last}}}")
        table = _table(people, columns, wording)
    heading = len(table) - len(people)
    lines = table[:heading]
    for line, person in zip(table[heading:], people, strict=True):
        more = [", ".join(moved).format_map(_Told(wording, person))] if moved else []
        more += [wording.text(below, person, person) for below in wording.layout.below]
        lines.append(line)
        lines += [part for text in more if text for part in _wrapped(text, width, INDENT)]
    return lines


class _Told(dict[str, str]):
    """What stands for each column of a person."""

    def __init__(self, wording: Wording, person: Person) -> None:
        super().__init__({column: wording.told(person, column) for column in person})


def _table(people: Sequence[Person], columns: Mapping[str, str], wording: Wording) -> list[str]:
    rows = [[_cell(person, column, wording) for column in columns] for person in people]
    return aligned(list(columns.values()), rows)


def _cell(person: Person, column: str, wording: Wording) -> Any:
    if column == PERSON:
        return str(person[column])[:SHORT_KEY]
    value = person.get(column)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return textwrap.shorten(wording.told(person, column), WIDEST_CELL, placeholder="...")


def _left(people: Sequence[Person]) -> list[str]:
    """People who are on the list no more, and why."""
    return aligned(
        ["person", "practice", "because"],
        [[str(one[PERSON])[:SHORT_KEY], one["practice_code"], one[WHY_LEFT]] for one in people],
    )


def _footer(published: PublishedList, people: Sequence[Person]) -> str:
    day = compared_on(published)
    compared = "no earlier list to compare with" if day is None else f"compared with the list of {day}"
    complete = _span("data complete to", [one["data_complete_to"] for one in people])
    age = _span("score age in days", [one["score_age_days"] for one in people])
    return f"{'; '.join(part for part in (complete, age, compared) if part)}. {NOTE}"


def _span(label: str, values: Sequence[date | int | None]) -> str:
    known = sorted({str(value) for value in values if value is not None})
    if not known:
        return ""
    return f"{label} {known[0]}" if len(known) == 1 else f"{label} {known[0]} to {known[-1]}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
