"""Writes the town, chunk by chunk: the people, what every extract would say of them, and the truth."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from riskstrat.demo.admissions import Stays, draw_stays
from riskstrat.demo.attendances import attendance_rows
from riskstrat.demo.calibration import Integers
from riskstrat.demo.codes import Vocabulary, load_vocabulary
from riskstrat.demo.columns import load_header
from riskstrat.demo.community import community_rows, team_rows
from riskstrat.demo.episodes import episode_rows, message_rows
from riskstrat.demo.faults import Damage, fault_table
from riskstrat.demo.gp import draw_records
from riskstrat.demo.health import draw_health
from riskstrat.demo.medicines import medicine_counts, medicine_rows
from riskstrat.demo.needs import draw_needs
from riskstrat.demo.nhs_numbers import MAXIMUM_PEOPLE, shuffled_numbers
from riskstrat.demo.oracle import exposure
from riskstrat.demo.partners import (
    addition_rows,
    agency_rows,
    draw_national_opt_outs,
    gp_contact_rows,
    opt_out_rows,
    social_care_rows,
)
from riskstrat.demo.people import Calendar, Place, draw_people, load_place
from riskstrat.demo.pile import event_rows
from riskstrat.demo.registrations import patient_rows
from riskstrat.demo.rows import Rows
from riskstrat.demo.spells import planned_spells, unplanned_spells, usual_providers, without_overlaps
from riskstrat.demo.truth import TRUTH_SCHEMA, Person, truth_table
from riskstrat.demo.writer import Delivery, Format
from riskstrat.errors import MisuseError
from riskstrat.progress import Progress

CHUNK = 50_000
MARKER = ".synthetic-town"
# Identifiers of a chunk start here times its number; no chunk has as many rows.
IDS_A_CHUNK = 10_000_000
STREAMS = ("people", "health", "oracle", "stays", "spells", "episodes", "attendances", "register", "records",
           "medicines", "contacts", "community", "teams", "partners", "faults", "needs")  # fmt: skip


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
    faults: bool = False,
    progress: Progress | None = None,
    file_format: Format = "csv",
) -> TownSummary:
    """Write all extracts to ``landing/<the day before as_of>/`` and the truth to ``landing/truth/``.

    The same people, seed, as_of and definitions give the same bytes. Raises MisuseError for a number of
    people that cannot be, DefinitionError when a code list, the geography or a contract cannot be used.
    """
    if not 1 <= people <= MAXIMUM_PEOPLE:
        raise MisuseError(
            f"a town has 1 to {MAXIMUM_PEOPLE:,} people, not {people:,}.",
            remedy="ask for fewer.",
        )
    place = load_place(geography_folder, as_of)
    vocabulary = load_vocabulary(codelists_folder)
    header = load_header(contracts_folder)
    numbers, strangers = shuffled_numbers(seed, people)
    calendar = Calendar.of(as_of)
    folder, truth_folder = landing / f"{as_of - timedelta(days=1)}", landing / "truth"
    _make_room(folder, truth_folder)
    damage = Damage(calendar, strangers, header)
    with (
        Delivery(folder, header, file_format) as delivery,
        pyarrow.parquet.ParquetWriter(
            truth_folder / "people.parquet", TRUTH_SCHEMA, compression="zstd"
        ) as truth,
    ):
        for chunk in range(0, people, CHUNK):
            if progress is not None:
                progress.step(f"{chunk:,} of {people:,} people")
            told = _Chunk(
                numbers[chunk : min(chunk + CHUNK, people)],
                place,
                vocabulary,
                calendar,
                first_person=chunk,
                streams=_streams(seed, chunk // CHUNK),
            )
            for rows in told.extracts():
                columns = rows.columns
                if faults:
                    columns = damage.apply(rows, told.people, told.streams["faults"], at_least_one=chunk == 0)
                delivery.write(rows.extract, columns)
            truth.write_table(told.truth())
    _write_faults(truth_folder / "faults.csv", damage.counts)
    return TownSummary(folder, truth_folder, people, delivery.rows, damage.counts)


def _make_room(folder: Path, truth_folder: Path) -> None:
    """Take the place of an earlier town, and of nothing else."""
    if folder.exists() and not (folder / MARKER).is_file():
        raise MisuseError(
            "there is a delivery already, and it is not a synthetic town's.",
            file=folder,
            remedy="choose another date with --as-of, or another site; a delivery is never overwritten.",
        )
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).write_text("A synthetic town; riskstrat demo may replace it.\n", encoding="utf-8")
    truth_folder.mkdir(parents=True, exist_ok=True)


def _streams(seed: int, chunk: int) -> dict[str, np.random.Generator]:
    """A stream of chance for every subject of a chunk, so that a change in one leaves the others alone."""
    return {
        name: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, chunk, place)))
        for place, name in enumerate(STREAMS)
    }


def _write_faults(path: Path, counts: dict[str, int]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(
            lines, ["fault", "extract", "kind", "column", "rows", "expected"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(fault_table(counts))


class _Chunk:
    """Some people and everything about them; extracts are made one at a time to spare memory."""

    def __init__(
        self,
        numbers: Integers,
        place: Place,
        vocabulary: Vocabulary,
        calendar: Calendar,
        *,
        first_person: int,
        streams: dict[str, np.random.Generator],
    ) -> None:
        self.first_person, self.place, self.vocabulary = first_person, place, vocabulary
        self.calendar, self.streams = calendar, streams
        self.people = draw_people(numbers, place, calendar, streams["people"])
        self.health = draw_health(self.people, streams["health"])
        self.exposed = exposure(self.people, self.health, calendar, streams["oracle"])
        self.stays: Stays = draw_stays(self.people, self.health, self.exposed, calendar, streams["stays"])
        self.opted_out = draw_national_opt_outs(self.people, calendar, streams["partners"])
        self.medicines = medicine_counts(self.people, self.health, streams["medicines"])
        self.needs = draw_needs(self.people, self.health, calendar, streams["needs"])
        self.chart = draw_records(self.people, self.health, calendar, vocabulary, streams["records"])

    def extracts(self) -> Iterator[Rows]:
        """The rows of every extract, the register first."""
        people, health, calendar, streams = self.people, self.health, self.calendar, self.streams
        needs = self.needs
        first_id = 1 + self.first_person // CHUNK * IDS_A_CHUNK
        yield patient_rows(people, self.place, calendar, streams["register"])
        yield event_rows(
            self.chart.pile,
            people,
            self.vocabulary.book,
            calendar,
            first_id=first_id,
            generator=streams["records"],
        )
        yield medicine_rows(people, self.medicines, calendar, first_id, streams["medicines"])
        yield gp_contact_rows(
            people, health, calendar, needs, first_id=first_id, generator=streams["contacts"]
        )
        yield from self._acute(first_id)
        yield from community_rows(people, health, calendar, first_id, streams["community"])
        yield from team_rows(
            people, health, self.place, calendar, first_id=first_id, generator=streams["teams"]
        )
        yield social_care_rows(
            people, health, calendar, needs, first_id=first_id, generator=streams["partners"]
        )
        yield agency_rows(people, health, calendar, needs, first_id=first_id, generator=streams["partners"])
        yield opt_out_rows(people, self.opted_out, calendar)
        yield addition_rows(people, health, calendar, streams["partners"])

    def _acute(self, first_id: int) -> Iterator[Rows]:
        people, health, calendar = self.people, self.health, self.calendar
        usual = usual_providers(people, self.streams["spells"])
        past = self.stays.only(self.stays.window > 0)
        unplanned = unplanned_spells(people, health, past, usual, self.streams["spells"])
        planned = planned_spells(people, calendar, usual, self.streams["spells"])
        spells = without_overlaps(unplanned, planned)
        spells = spells.at(spells.admission < calendar.as_of)
        yield episode_rows(
            spells, people, health, calendar, first_id=first_id, generator=self.streams["episodes"]
        )
        yield attendance_rows(
            spells, people, health, usual, calendar, first_id=first_id, generator=self.streams["attendances"]
        )
        yield message_rows(spells, people, calendar, first_id, self.streams["attendances"])

    def truth(self) -> pa.Table:
        """What is true of these people, last year, now and next year."""
        person = Person(
            self.people,
            self.health,
            self.exposed,
            self.stays,
            self.medicines,
            self.opted_out,
            self.chart.flags,
        )
        return truth_table(person, self.first_person, self.calendar)
