"""A growing pile of GP events: arrays of person, day, code and value, written together."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Floats, Integers, constant
from riskstrat.demo.codes import CodeBook
from riskstrat.demo.people import Calendar, People
from riskstrat.demo.rows import Rows, days, labels, numbered, numbers


@dataclass
class Pile:
    """Events of a chunk. A value of NaN is no value; unit is a place in ``units``."""

    units: list[str] = field(default_factory=lambda: [""])
    _parts: list[tuple[Integers, Integers, Integers, Floats, Integers]] = field(default_factory=list)

    def add(
        self,
        person: Integers,
        day: Integers,
        code: Integers | int,
        value: Floats | None = None,
        unit: str = "",
    ) -> None:
        """Put events on the pile; one code for all or one each."""
        count = len(person)
        if unit not in self.units:
            self.units.append(unit)
        self._parts.append(
            (
                person,
                day,
                np.broadcast_to(np.asarray(code, dtype=np.int64), count),
                np.full(count, np.nan) if value is None else value,
                np.full(count, self.units.index(unit)),
            )
        )

    def events(self) -> tuple[Integers, Integers, Integers, Floats, Integers]:
        """Person, day, code, value and unit of all events by person and day."""
        person, day, code, value, unit = (
            np.concatenate([part[column] for part in self._parts]) for column in range(5)
        )
        # One key sorts faster than two; the span of days is far below a million.
        order = np.argsort(person * 1_000_000 + (day + 100_000), kind="stable")
        return person[order], day[order], code[order], value[order], unit[order]


def event_rows(
    pile: Pile,
    people: People,
    book: CodeBook,
    calendar: Calendar,
    *,
    first_id: int,
    generator: np.random.Generator,
) -> Rows:
    """The extract gp_events. Some events are recorded days later, none on or after as_of."""
    person, day, code, value, unit = pile.events()
    count = len(person)
    late = generator.random(count) < constant("late_record_share")
    lag = np.where(late, generator.integers(1, 22, count), 0)
    recorded = np.minimum(day + lag, calendar.as_of - 1)
    events = Events(person, day, code, value, unit, recorded)
    return rows_of_events(events, pile.units, people, book, numbered("E", first_id, count))


@dataclass(frozen=True)
class Events:
    """GP events, one array element each."""

    person: Integers
    day: Integers
    code: Integers
    value: Floats
    unit: Integers
    recorded: Integers

    def at(self, places: Integers | Booleans) -> Events:
        """The events at some places, or where a mask is true."""
        return Events(*(getattr(self, field.name)[places] for field in fields(self)))


def rows_of_events(
    events: Events, units: list[str], people: People, book: CodeBook, identifiers: pa.Array
) -> Rows:
    """Rows of gp_events, one an event."""
    columns = {
        "event_id": identifiers,
        "nhs_number": numbers(people.nhs_number).take(pa.array(events.person)),
        "event_date": days(events.day),
        "recorded_date": days(events.recorded),
        "code_system": labels([system for system, _ in book.pairs], events.code),
        "code": labels([text for _, text in book.pairs], events.code),
        "value": numbers(np.round(events.value, 2), np.isnan(events.value)),
        "unit": labels(units, events.unit),
    }
    return Rows("gp_events", columns, events.person)
