"""Deliveries of a demo town whose three largest feeds look back further than the demo's own: a site, ready to run.

    python -m benchmarks.data FOLDER --people 1000000 --format csv

Every extract of the town is there. GP entries, episodes and community contacts are lengthened to ROWS_A_PERSON by
telling the town's history again years earlier, under keys of its own: the same people, more years of them. What looks
back 12 or 24 months finds what it found before. One row in a hundred of every feed that adds up waits for the second
delivery. The same rows are kept as typed Parquet, in the folder ``typed`` beside the site, to measure floors with.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.running import measure_work
from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.demo.people import HISTORY_YEARS
from riskstrat.demo.town import write_town
from riskstrat.keys import init_keys
from riskstrat.progress import Progress
from riskstrat.site import Site, load_site, write_default_site
from riskstrat.sqltext import literal, quoted

FIRST_NIGHT, SECOND_NIGHT = date(2026, 4, 1), date(2026, 4, 2)
ROWS_A_PERSON = {"gp_events": 30, "acute_episodes": 3, "community_contacts": 10}
# What must be over for a row to be told again years earlier: an open spell would stay open for ever.
ENDS = {"acute_episodes": "discharge_date"}
# Identifiers, beside the key, that another row of the same event has too.
SHARED_IDS = {"acute_episodes": ("spell_id",)}
LATE_SHARE = 0.01
FORMATS = ("csv", "parquet")
TYPED = "typed"
SAMPLES = 1_000_000
THREADS, MEMORY_LIMIT = 2, "3GB"
# DuckDB's part of the memory of a run: the whole process is to stay below 4 GB for a million people and 8 GB for more.
RUN_MEMORY = ((1_000_000, "2GB"), (1_000_000_000, "5GB"))


def main() -> None:
    """Write the site and say what it holds, and what making the town and lengthening it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--format", choices=FORMATS, default="csv")
    options = parser.parse_args()
    print(json.dumps(write_site(options.folder, options.people, options.format)))


def write_site(folder: Path, people: int, file_format: str) -> dict[str, Any]:
    """The site in ``folder/site`` with keys and two deliveries; its memory limit, rows, bytes and the making's cost."""
    root = folder / "site"
    write_default_site(root)
    init_keys(root / "keys")
    memory = next(limit for most, limit in RUN_MEMORY if people <= most)
    with (root / "config" / "site.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"threads: {THREADS}\nmemory_limit: {memory}\n")
    site, town = load_site(root), folder / "town"
    making = measure_work(lambda: _write_town(site, town, people))
    lengthening = measure_work(lambda: _write_deliveries(site, town, people, file_format))
    shutil.rmtree(town)
    rows = lengthening.pop("rows")
    return {
        "people": people,
        "format": file_format,
        "threads": THREADS,
        "memory_limit": memory,
        **rows,
        "bytes": {night: _size(folder, night) for night in ("first", "second")},
        "making": {"town": making, "deliveries": lengthening},
    }


def delivery_of(site: Path, night: date) -> Path:
    """The folder of what is delivered on the day before a night."""
    return site / "landing" / f"{night - timedelta(days=1)}"


def _size(folder: Path, night: str) -> int:
    place = delivery_of(folder / "site", FIRST_NIGHT if night == "first" else SECOND_NIGHT)
    return sum(path.stat().st_size for path in place.iterdir())


def _write_town(site: Site, town: Path, people: int) -> Mapping[str, Any]:
    write_town(
        *(town, site.config / "codelists", site.config / "geography", site.data_contracts),
        people=people,
        seed=1,
        as_of=FIRST_NIGHT,
        file_format="parquet",
        progress=Progress(quiet=True),
    )
    return {}


def _write_deliveries(site: Site, town: Path, people: int, file_format: str) -> Mapping[str, Any]:
    """Typed Parquet of both deliveries, and the delivered files made of them; the rows of each extract."""
    definitions = load_definitions(site.root)
    told = delivery_of(town.parent, FIRST_NIGHT).name
    rows: dict[str, dict[str, int]] = {"rows": {}, "late_rows": {}}
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY_LIMIT}'")
        spill = literal(str(town / "spill"))
        connection.execute(f"SET temp_directory = {spill}")
        register = f"read_parquet({literal(str(town / told / 'gp_patients.parquet'))})"
        connection.execute(
            "CREATE TABLE births AS SELECT nhs_number, min(CAST(date_of_birth AS DATE)) AS birth "
            f"FROM {register} GROUP BY nhs_number"
        )
        for name in definitions.extract_names:
            source = f"read_parquet({literal(str(town / told / f'{name}.parquet'))})"
            contract = definitions.contracts[name]
            wanted = people * ROWS_A_PERSON.get(name, 0)
            select = _typed(_lengthened(connection, source, contract, wanted), source, contract, connection)
            for night, kept in _nights(contract, definitions):
                path = town.parent / TYPED / delivery_of(site.root, night).name / f"{name}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                counted = _copy(connection, f"SELECT * FROM ({select}) WHERE {kept}", path)
                rows["rows" if night == FIRST_NIGHT else "late_rows"][name] = counted
                target = delivery_of(site.root, night) / f"{name}.{file_format}"
                target.parent.mkdir(parents=True, exist_ok=True)
                _deliver(connection, path, target)
    return {"rows": rows}


def _nights(contract: Contract, definitions: Definitions) -> list[tuple[date, str]]:
    """Which rows each delivery brings: what is sent in full comes twice, of the rest a share comes late."""
    if definitions.source(contract.name).mode == "full":
        return [(FIRST_NIGHT, "TRUE"), (SECOND_NIGHT, "TRUE")]
    is_late = _sampled(contract.key[0], LATE_SHARE, "late")
    return [(FIRST_NIGHT, f"NOT ({is_late})"), (SECOND_NIGHT, is_late)]


def _sampled(column: str, share: float, purpose: str) -> str:
    """SQL: whether a row is of a share of all, drawn by a hash of its key, differently for each purpose."""
    return f"hash({quoted(column)} || {literal(purpose)}) % {SAMPLES} < {round(share * SAMPLES)}"


def _lengthened(connection: duckdb.DuckDBPyConnection, source: str, contract: Contract, wanted: int) -> str:
    """A SELECT of a file's rows and, until there are about ``wanted``, of the same years earlier.

    Nothing is told of a time before a person's birth, and nothing that is not over.
    """
    (there,) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    selects, missing, copy = [f"SELECT * FROM {source}"], wanted - there, 0
    while missing > 0:
        copy += 1
        back, event = f"INTERVAL {12 * HISTORY_YEARS * copy} MONTH", contract.event_date
        over = f"AND {ENDS[contract.name]} IS NOT NULL" if contract.name in ENDS else ""
        rows = f"FROM {source} JOIN births USING (nhs_number) WHERE CAST({event} AS DATE) - {back} > birth {over}"
        (possible,) = connection.execute(f"SELECT count(*) {rows}").fetchall()[0]
        if not possible:
            break
        share = min(1.0, missing / possible)
        ids = (contract.key[0], *SHARED_IDS.get(contract.name, ()))
        dates = [column.name for column in contract.columns if column.type == "date"]
        there_too = _columns(connection, source)
        changed = [f"{name} || '-{copy}' AS {name}" for name in ids]
        changed += [
            f"CAST(CAST(CAST({name} AS DATE) - {back} AS DATE) AS VARCHAR) AS {name}"
            for name in dates
            if name in there_too
        ]
        drawn = _sampled(contract.key[0], share, str(copy)) if share < 1 else "TRUE"
        selects.append(f"SELECT * EXCLUDE (birth) REPLACE ({', '.join(changed)}) {rows} AND {drawn}")
        missing -= round(share * possible)
    return " UNION ALL ".join(selects)


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]


def _typed(select: str, source: str, contract: Contract, connection: duckdb.DuckDBPyConnection) -> str:
    """The rows with the types of the contract."""
    types = {column.name: column.sql_type for column in contract.columns}
    columns = ", ".join(
        f"CAST({quoted(name)} AS {types[name]}) AS {quoted(name)}" for name in _columns(connection, source)
    )
    return f"SELECT {columns} FROM ({select})"


def _copy(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    (count,) = connection.execute(
        f"COPY ({select}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()[0]
    return int(count)


def _deliver(connection: duckdb.DuckDBPyConnection, typed: Path, target: Path) -> None:
    if target.suffix == ".parquet":
        target.hardlink_to(typed)
        return
    connection.execute(
        f"COPY (FROM read_parquet({literal(str(typed))})) TO {literal(str(target))} (HEADER, DELIMITER ',')"
    )


if __name__ == "__main__":
    main()
