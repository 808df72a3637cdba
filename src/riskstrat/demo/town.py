"""Writes the town, chunk by chunk: the people, what every extract would say of them, and the truth."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet

from riskstrat.demo.chunk import Chunk, streams_of
from riskstrat.demo.codes import load_vocabulary
from riskstrat.demo.columns import load_header
from riskstrat.demo.faults import Damage, fault_table
from riskstrat.demo.nhs_numbers import MAXIMUM_PEOPLE, shuffled_numbers
from riskstrat.demo.nights.horizon import MOST_NIGHTS, Horizon
from riskstrat.demo.nights.register import NEWCOMERS_A_CHUNK
from riskstrat.demo.nights.writing import NightWriter
from riskstrat.demo.people import HISTORY_YEARS, LEAST_YEARS, MOST_YEARS, Calendar, load_place
from riskstrat.demo.room import NIGHTS_TRUTH, make_room
from riskstrat.demo.truth import truth_schema
from riskstrat.demo.writer import Delivery, Format
from riskstrat.errors import MisuseError
from riskstrat.progress import Progress

CHUNK = 50_000


@dataclass(frozen=True)
class TownSummary:
    """What was written: delivery and truth folders, rows of every extract and rows of every fault."""

    delivery: Path
    truth: Path
    people: int
    rows: dict[str, int]
    faults: dict[str, int]


def write_town(
    landing: Path,
    codelists_folder: Path,
    geography_folder: Path,
    contracts_folder: Path,
    *,
    people: int,
    seed: int,
    as_of: date = date(2026, 4, 1),
    years: int = HISTORY_YEARS,
    nights: int = 1,
    faults: bool = False,
    progress: Progress | None = None,
    file_format: Format = "csv",
) -> TownSummary:
    """Write all extracts to ``landing/<the day before as_of>/`` and the truth to ``landing/truth/``.

    Each of ``nights`` after the first has a folder of its own, a day later than the one before. The same people, seed,
    as_of, years, nights and definitions give the same bytes. Raises MisuseError for numbers that cannot be,
    DefinitionError when a code list, the geography or a contract cannot be used.
    """
    _refuse_what_cannot_be(people, years, nights, faults=faults)
    place = load_place(geography_folder, as_of)
    vocabulary = load_vocabulary(codelists_folder)
    header = load_header(contracts_folder)
    chunks = -(-people // CHUNK)
    numbers, strangers = shuffled_numbers(seed, people + (chunks * NEWCOMERS_A_CHUNK if nights > 1 else 0))
    calendar = Calendar.of(as_of, years)
    folder, truth_folder = landing / f"{as_of - timedelta(days=1)}", landing / "truth"
    make_room(folder, truth_folder, nights)
    damage = Damage(calendar, strangers, header)
    with ExitStack() as opened:
        delivery = opened.enter_context(Delivery(folder, header, file_format))
        truth = opened.enter_context(
            pyarrow.parquet.ParquetWriter(
                truth_folder / "people.parquet", truth_schema(calendar), compression="zstd"
            )
        )
        later = None
        if nights > 1:
            later = opened.enter_context(
                NightWriter(
                    landing,
                    truth_folder / NIGHTS_TRUTH,
                    header,
                    Horizon.of(calendar, nights),
                    seed=seed,
                    first_newcomer=people,
                    newcomers=numbers[people:],
                    file_format=file_format,
                )
            )
        for chunk in range(0, people, CHUNK):
            if progress is not None:
                progress.step(f"{chunk:,} of {people:,} people")
            told = Chunk(
                numbers[chunk : min(chunk + CHUNK, people)],
                place,
                vocabulary,
                calendar,
                number=chunk // CHUNK,
                first_person=chunk,
                streams=streams_of(seed, chunk // CHUNK),
            )
            for rows in told.extracts():
                columns = rows.columns
                if faults:
                    columns = damage.apply(rows, told.people, told.streams["faults"], at_least_one=chunk == 0)
                delivery.write(rows.extract, columns)
            truth.write_table(told.truth())
            if later is not None:
                later.write(told)
    _write_faults(truth_folder / "faults.csv", damage.counts)
    return TownSummary(folder, truth_folder, people, delivery.rows, damage.counts)


def _refuse_what_cannot_be(people: int, years: int, nights: int, *, faults: bool) -> None:
    if not 1 <= people <= MAXIMUM_PEOPLE:
        raise MisuseError(
            f"a town has 1 to {MAXIMUM_PEOPLE:,} people, not {people:,}.",
            remedy="ask for fewer.",
        )
    if not LEAST_YEARS <= years <= MOST_YEARS:
        raise MisuseError(
            f"a town has {LEAST_YEARS} to {MOST_YEARS} years of history, not {years}.",
            remedy="ask for a number between them.",
        )
    if not 1 <= nights <= MOST_NIGHTS:
        raise MisuseError(f"a town has 1 to {MOST_NIGHTS} nights, not {nights}.", remedy="ask for fewer.")
    if faults and nights > 1:
        raise MisuseError(
            "a town with faults has one night.",
            remedy="leave out --faults or --nights: rows dated after as_of would be used by the nights that follow.",
        )


def _write_faults(path: Path, counts: dict[str, int]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(
            lines, ["fault", "extract", "kind", "column", "rows", "expected"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(fault_table(counts))
