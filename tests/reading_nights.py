"""Nights that only read: what ingest leaves with what the site remembers, and what it leaves without."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.keys import read_site_key
from riskstrat.pipeline import identity_of
from riskstrat.progress import Progress
from riskstrat.site import load_site
from riskstrat.stages.context import Context
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import find_deliveries
from riskstrat.stages.ingest.entries import ABOUT, ROWS
from riskstrat.stages.ingest.memory import FOLDER, open_memory


@dataclass(frozen=True)
class Night:
    """What ingest left; two nights are equal when all of it is, down to the order of the rows.

    ``files`` are how many files were read, known and passed over, ``said`` what is said of them.
    """

    rows: dict[str, list[tuple[Any, ...]]]
    books: dict[str, Any]
    quarantined: dict[str, list[dict[str, Any]]]
    codes: list[tuple[Any, ...]]
    warnings: list[str]
    files: tuple[int, int, int] = field(compare=False)
    said: str = field(compare=False)


def read_night(root: Path, as_of: date, *, remembers: bool = True, is_cold: bool = False) -> Night:
    """Ingest the deliveries before ``as_of`` and settle what is remembered; nothing is judged or published."""
    site = load_site(root)
    key = read_site_key(site.keys)
    definitions = _definitions(root, json.dumps(identity_of(site, as_of, [], key)["definitions"]))
    deliveries = find_deliveries(site.landing, as_of, definitions)
    with tempfile.TemporaryDirectory(dir=root) as work:
        building = Path(work) / "run"
        building.mkdir()
        engine = DuckDBEngine(Path(work) / "run.duckdb", threads=2, memory_limit="1GB")
        identity = identity_of(site, as_of, deliveries.paths, key)
        memory = (
            open_memory(site.state, Path(work), site.landing, identity, key, as_of=as_of, is_cold=is_cold)
            if remembers
            else None
        )
        context = Context(
            *(as_of, definitions, engine, deliveries, site.landing, building, key, Progress(quiet=True)),
            judged=False,
            memory=memory,
        )
        try:
            ingest(context)
            if memory is not None:
                memory.settle()
            tables = [name for name in definitions.extract_names if name != definitions.register_extract]
            return Night(
                {name: engine.rows(f"SELECT * FROM {name}") for name in tables},
                {books.contract.name: books.summary() for books in context.books},
                {
                    path.parent.name: pq.read_table(path).to_pylist()
                    for path in sorted(building.glob("quality/*/quarantine.parquet"))
                },
                engine.rows("SELECT * FROM code_counts ORDER BY ALL"),
                list(context.manifest.get("warnings", [])),
                (memory.read, memory.known, memory.passed_over) if memory else (0, 0, 0),
                memory.account() if memory else "",
            )
        finally:
            engine.close()


_loaded: dict[str, Definitions] = {}


def _definitions(root: Path, hashes: str) -> Definitions:
    """Definitions of the same hashes are loaded once: that takes longer than reading a town."""
    if hashes not in _loaded:
        _loaded[hashes] = load_definitions(root)
    return _loaded[hashes]


def entries(root: Path, extract: str = "") -> list[Path]:
    """The folders of what the site remembers, of one extract or of all."""
    found = sorted((root / "state" / FOLDER).glob("*"))
    assert all(path.is_dir() for path in found)
    return [path for path in found if f"-{extract}" in path.name]


def entry_of(root: Path, extract: str) -> Path:
    (entry,) = entries(root, extract)
    return entry


def rows_in(entry: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(entry / ROWS).to_pylist()
    return rows


def about(entry: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((entry / ABOUT).read_text(encoding="utf-8"))
    return facts


def forget_all(root: Path) -> None:
    shutil.rmtree(root / "state" / FOLDER)


def remembered_bytes(root: Path) -> Iterator[bytes]:
    """Every byte of what is remembered, and of Parquet files also what they unpack to."""
    for path in sorted((root / "state" / FOLDER).rglob("*")):
        if path.is_file():
            yield path.read_bytes()
            if path.suffix == ".parquet":
                yield str(pq.read_table(path).to_pylist()).encode()
