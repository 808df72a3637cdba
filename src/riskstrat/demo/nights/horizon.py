"""The days that the nights tell of, and rows that are sent on one of them.

Everything is drawn for the longest town there can be and told as far as asked, so that a town of fewer nights is
the beginning of one of more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from riskstrat.demo.calibration import Booleans, Floats, Integers
from riskstrat.demo.people import YEAR, Calendar
from riskstrat.demo.rows import NEVER, Rows

MOST_NIGHTS = 31
NIGHT_STREAMS = ("spells", "episodes", "messages", "attendances", "register", "newcomers", "opt_outs", "records",
                 "medicines", "contacts", "community", "teams", "additions")  # fmt: skip
# Identifiers of the nights start so far after those of the first delivery.
NIGHT_IDS = 5_000_000


@dataclass(frozen=True)
class Horizon:
    """Days since 1970: ``first`` is as_of, ``last`` follows all that is drawn, ``until`` follows the last delivery."""

    first: int
    last: int
    until: int

    @classmethod
    def of(cls, calendar: Calendar, nights: int) -> Horizon:
        """The horizon of a town of so many nights, the first of which was delivered the day before as_of."""
        return cls(calendar.as_of, calendar.as_of + MOST_NIGHTS - 1, calendar.as_of + nights - 1)

    @property
    def years(self) -> float:
        """How long everything is drawn for."""
        return (self.last - self.first) / YEAR

    @property
    def deliveries(self) -> range:
        """The days on which something is delivered."""
        return range(self.first, self.until)

    def days(self, count: int, generator: np.random.Generator) -> Integers:
        """Days of the horizon, each as likely as another."""
        return generator.integers(self.first, self.last, count)

    def happens(self, yearly: Floats, generator: np.random.Generator) -> Integers:
        """The day on which something that happens so often a year first happens, NEVER where it does not."""
        wait = np.floor(generator.exponential(1.0, len(yearly)) / np.maximum(yearly, 1e-12) * YEAR)
        day = self.first + np.minimum(wait, NEVER).astype(np.int64)
        return np.where(day < self.last, day, NEVER)

    def often(self, yearly: Floats, generator: np.random.Generator) -> tuple[Integers, Integers]:
        """Persons and days of what happens so often a year to each, by person."""
        person = np.repeat(np.arange(len(yearly)), generator.poisson(yearly * self.years))
        return person, self.days(len(person), generator)


def night_streams(seed: int, chunk: int) -> dict[str, np.random.Generator]:
    """A stream of chance for every subject of a chunk's nights; none of the first delivery's is touched."""
    return {
        name: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2, chunk, place)))
        for place, name in enumerate(NIGHT_STREAMS)
    }


def lags(count: int, late_share: float, most: int, generator: np.random.Generator) -> Integers:
    """Days until something is sent: mostly 0, for a share 1 to ``most``."""
    late = generator.random(count) < late_share
    return np.where(late, generator.integers(1, most + 1, count), 0)


@dataclass(frozen=True)
class Sent:
    """Rows of one extract and the delivery that brings each."""

    rows: Rows
    day: Integers

    def on(self, day: int) -> Rows:
        """What one delivery brings, in order."""
        places = np.flatnonzero(self.day == day)
        columns = {name: column.take(pa.array(places)) for name, column in self.rows.columns.items()}
        return Rows(self.rows.extract, columns, self.rows.person[places])


def in_order_sent(sent: Integers, horizon: Horizon, *then: Integers) -> Integers:
    """Places of what is sent before the horizon ends, by delivery and then by other keys, the weightiest first."""
    order = np.lexsort((*reversed(then), sent))
    told: Booleans = (sent[order] >= horizon.first) & (sent[order] < horizon.until)
    return order[told]
