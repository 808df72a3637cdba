"""Checking contracts and deliveries without a run: everything that ingest counts, and nothing that it would publish."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.dates import day_after
from riskstrat.definitions.everything import Definitions
from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder
from riskstrat.errors import ContractBrokenError, MisuseError
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import KEY_BYTES
from riskstrat.progress import Progress
from riskstrat.quality.store import stored_verdicts
from riskstrat.site import Site
from riskstrat.stages.context import Context
from riskstrat.stages.features import CORE_FOLDER
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.accounting import Books
from riskstrat.stages.ingest.deliveries import delivery_dates, find_deliveries
from riskstrat.stages.ingest.judging import write_summaries
from riskstrat.stages.link import link
from riskstrat.stages.report import finish_quality

COVERAGE = "feed_calendar"


@dataclass(frozen=True)
class Checked:
    """What a check found: the books of each extract, Great Expectations' verdicts by extract, and what stops a run."""

    as_of: date
    books: tuple[Books, ...]
    verdicts: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str]
    stopped_by: ContractBrokenError | None


def check(
    site: Site,
    definitions: Definitions,
    *,
    as_of: date | None = None,
    extract: str | None = None,
    page: Path | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Read and judge the deliveries that a run as of ``as_of`` would read; by default, the newest.

    With ``extract``, that one alone (and the register, which says who people are). ``page`` is where to write the
    quality page. People are keyed with a key that is forgotten at once. Raises RiskstratError where there is nothing
    to check.
    """
    progress = progress or Progress()
    dates = delivery_dates(site.landing)
    as_of = as_of or (day_after(dates[-1]) if dates else date.max)
    with translated(site), private_files(), locked(site), _workplace(site) as place:
        deliveries = find_deliveries(site.landing, as_of, definitions)
        if extract is not None:
            if extract not in deliveries.feeds:
                raise MisuseError(
                    f"no delivery before {as_of} has {extract}.",
                    file=site.landing,
                    remedy="look for its file there.",
                )
            deliveries = deliveries.only((definitions.register_extract, extract))
        engine = DuckDBEngine(place / "check.duckdb", threads=site.threads, memory_limit=site.memory_limit)
        try:
            building = place / "check"
            building.mkdir()
            key = secrets.token_bytes(KEY_BYTES)
            context = Context(as_of, definitions, engine, deliveries, site.landing, building, key, progress)
            context.manifest = {"warnings": []}
            stopped_by = _judged(context)
            if page is not None:
                from riskstrat.quality.page import render_quality_page

                stops = [stopped_by.what] if stopped_by else []
                page.write_text(
                    render_quality_page(building, as_of.isoformat(), stops, is_published=False),
                    encoding="utf-8",
                )
            return Checked(
                as_of,
                tuple(books for books in context.books if extract in (None, books.contract.name)),
                stored_verdicts(building),
                context.manifest["warnings"],
                stopped_by,
            )
        finally:
            engine.close()


def _judged(context: Context) -> ContractBrokenError | None:
    """Ingest, and, where the deliveries hold, which months each provider covers; what would stop a run is returned."""
    stopped_by = None
    with context.progress.stage("check"):
        try:
            ingest(context)
        except ContractBrokenError as problem:
            if not context.books:
                raise
            stopped_by = problem
        try:
            _link_quietly(context)
        except (
            ContractBrokenError
        ) as problem:  # nobody's practice is known, so no provider's months are either
            write_summaries(context)
            return stopped_by or problem
        run_sql_folder(context.engine, context.definitions.pipelines / CORE_FOLDER, only=COVERAGE)
        finish_quality(context)
    return stopped_by


def _link_quietly(context: Context) -> None:
    """Link, for the sake of the practices alone: what else it would warn of was not asked."""
    found, loud = list(context.manifest["warnings"]), context.progress
    context.progress = Progress(quiet=True)
    try:
        link(context)
    finally:
        context.manifest["warnings"], context.progress = found, loud


@contextmanager
def _workplace(site: Site) -> Iterator[Path]:
    """A folder in the site's state, gone when the check ends; what a killed check left goes first."""
    folder = site.state / "checks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield Path(tempfile.mkdtemp(dir=folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
