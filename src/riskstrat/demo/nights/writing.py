"""Writes the nights of a town beside its first delivery: a folder a night, and the truth of all nights."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import pyarrow.parquet

from riskstrat.demo.calibration import Integers
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.columns import Header
from riskstrat.demo.nights.deliveries import NIGHTLY, WHEN_CHANGED, Nights
from riskstrat.demo.nights.horizon import Horizon
from riskstrat.demo.nights.register import NEWCOMERS_A_CHUNK
from riskstrat.demo.nights.truth import NIGHTS_SCHEMA
from riskstrat.demo.rows import EPOCH, Rows
from riskstrat.demo.writer import Delivery, Format


class NightWriter:
    """Open deliveries of every night after the first. ``newcomers`` are numbers that nobody of the town has.

    The extracts that are sent only where something changed are small; they wait for the last chunk.
    """

    def __init__(
        self,
        landing: Path,
        truth: Path,
        header: Header,
        horizon: Horizon,
        *,
        seed: int,
        first_newcomer: int,
        newcomers: Integers,
        file_format: Format,
    ) -> None:
        self.horizon, self._header, self._format = horizon, header, file_format
        self._seed, self._first_newcomer, self._newcomers = seed, first_newcomer, newcomers
        self._folders = {day: landing / night_folder(day) for day in horizon.deliveries}
        self._truth_path = truth
        self._open = ExitStack()
        self._waiting: dict[tuple[int, str], list[Rows]] = {}
        self._changed: set[tuple[int, str]] = set()

    def __enter__(self) -> NightWriter:
        nightly = {name: self._header[name] for name in NIGHTLY}
        self._deliveries = {
            day: self._open.enter_context(Delivery(folder, nightly, self._format))
            for day, folder in self._folders.items()
        }
        self._truth = self._open.enter_context(
            pyarrow.parquet.ParquetWriter(self._truth_path, NIGHTS_SCHEMA, compression="zstd")
        )
        return self

    def write(self, told: Chunk) -> None:
        """Write a chunk's part of every night."""
        start = told.number * NEWCOMERS_A_CHUNK
        numbers = self._newcomers[start : start + NEWCOMERS_A_CHUNK]
        nights = Nights(told, self.horizon, numbers, self._first_newcomer + start, self._seed)
        for day, delivery in self._deliveries.items():
            for rows in nights.nightly(day):
                delivery.write(rows.extract, rows.columns)
            for rows, changed in nights.when_changed(day):
                self._waiting.setdefault((day, rows.extract), []).append(rows)
                if changed:
                    self._changed.add((day, rows.extract))
        for table in nights.truth():
            self._truth.write_table(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        if kind is not None:
            return
        for day, folder in self._folders.items():
            changed = {name: self._header[name] for name in WHEN_CHANGED if (day, name) in self._changed}
            with Delivery(folder, changed, self._format) as delivery:
                for name in changed:
                    for rows in self._waiting[day, name]:
                        delivery.write(name, rows.columns)


def night_folder(day: int) -> str:
    """The name of the folder of a delivery."""
    return (EPOCH + timedelta(days=day)).isoformat()
