"""The sound deliveries that are damaged: a small demo town with and without its own faults, on one night or two."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from riskstrat.demo.town import write_town
from riskstrat.keys import init_site_key
from riskstrat.site import write_default_site
from tests.factories import OPTIONAL_EXTRACTS, REQUIRED_EXTRACTS

AS_OF = date(2026, 4, 1)
TONIGHT, LAST_WEEK = AS_OF - timedelta(days=1), AS_OF - timedelta(days=8)
PEOPLE, TOWN_SEED = 60, 7
FORMS = ("csv", "quoted", "csv.gz", "parquet")
EXTRACTS = REQUIRED_EXTRACTS + OPTIONAL_EXTRACTS


@dataclass(frozen=True)
class Variant:
    """Which sound delivery: how its files are written, with the town's own faults or without, on which nights."""

    form: str
    faults: bool
    two_nights: bool

    @property
    def nights(self) -> tuple[date, ...]:
        return (LAST_WEEK, TONIGHT) if self.two_nights else (TONIGHT,)

    @property
    def content(self) -> str:
        """What the files hold, whichever way they are written."""
        return f"{'faulty' if self.faults else 'clean'}-{len(self.nights)}"


@dataclass(frozen=True)
class Town:
    """A folder with a fresh site and the town's files in every form."""

    root: Path

    @property
    def site(self) -> Path:
        return self.root / "site"

    def folder(self, variant: Variant, night: date) -> Path:
        return self.root / ("faulty" if variant.faults else "clean") / variant.form / night.isoformat()

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Every NHS number that a file holds, ten digits each."""
        cells = (row["nhs_number"] for rows in self._rows() for row in rows)
        return frozenset(
            digits for cell in cells if len(digits := cell.replace(" ", "").replace("-", "")) == 10
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """Family names and postcodes: they may be shown nowhere."""
        return frozenset(
            row[name]
            for rows in self._rows()
            for row in rows
            for name in ("family_name", "postcode")
            if len(row.get(name, "")) > 4
        )

    def _rows(self) -> Iterable[list[dict[str, str]]]:
        for path in sorted(self.root.glob("*/csv/*/*.csv")):
            with path.open(encoding="utf-8", newline="") as stream:
                yield list(csv.DictReader(stream))


def write_fuzz_town(root: Path) -> Town:
    """Write the site and the files of every variant below ``root``."""
    town = Town(root)
    write_default_site(town.site)
    init_site_key(town.site / "keys")
    for faults in (False, True):
        for night in (LAST_WEEK, TONIGHT):
            written = root / "written"
            write_town(
                written,
                town.site / "config" / "codelists",
                town.site / "config" / "geography",
                town.site / "data_contracts",
                people=PEOPLE,
                seed=TOWN_SEED,
                as_of=night + timedelta(days=1),
                faults=faults,
            )
            for form in FORMS:
                folder = town.folder(Variant(form, faults, two_nights=False), night)
                folder.mkdir(parents=True)
                for path in sorted((written / night.isoformat()).glob("*.csv")):
                    _write_form(path, folder, form)
            shutil.rmtree(written)
    return town


def _write_form(path: Path, folder: Path, form: str) -> None:
    if form == "csv":
        shutil.copy(path, folder / path.name)
    elif form == "csv.gz":
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    elif form == "quoted":
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        with (folder / path.name).open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        import pyarrow.csv
        import pyarrow.parquet

        with path.open(encoding="utf-8", newline="") as stream:
            names = next(csv.reader(stream))
        as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string()))
        table = pyarrow.csv.read_csv(path, convert_options=as_text)
        pyarrow.parquet.write_table(table, folder / f"{path.stem}.parquet", compression="zstd")


def lay_out(town: Town, variant: Variant, extracts: Iterable[str], landing: Path) -> None:
    """Put a variant's files of some extracts into an empty landing folder."""
    shutil.rmtree(landing, ignore_errors=True)
    for night in variant.nights:
        (landing / night.isoformat()).mkdir(parents=True)
        for extract in extracts:
            for path in town.folder(variant, night).glob(f"{extract}.*"):
                shutil.copy(path, landing / night.isoformat() / path.name)
