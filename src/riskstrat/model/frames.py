"""Landmark frames: everybody of each index date with the features of that day and what became of them after it.

What is staged once, by the newest deliveries, is looked at from every index date through the SQL of the nightly run;
docs/model-frames.md says what such a look back can and cannot know.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.audit import append
from riskstrat.dates import day_after
from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.model_outcome import FILE, Outcome, load_outcome
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.erased import read_erased
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import PRIVATE_FILE, PRIVATE_FOLDER
from riskstrat.model.frame_checks import (
    checked_dates,
    checked_end,
    known_before,
    refuse_no_labels,
    refuse_survivors,
)
from riskstrat.model.frame_counts import count_frame, silences_of, unfinished
from riskstrat.model.frame_files import ABOUT, TABLE, Frames, frames_folder, open_frames, read_frames
from riskstrat.model.labels import labelled, outcomes_known
from riskstrat.model.landmarks import Landmark, add_landmark, begin_frame, refuse_short_history
from riskstrat.pipeline import identity_of, refuse_changed_files, sizes_of
from riskstrat.progress import Progress
from riskstrat.runs import file_hash
from riskstrat.site import Site
from riskstrat.sqltext import literal
from riskstrat.stages.context import Context
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import Deliveries, delivery_dates, find_deliveries
from riskstrat.stages.link import link
from riskstrat.vault import own_site_key, refuse_half_rotated

__all__ = ["Frames", "build_frames", "open_frames", "read_frames"]

ACTION = "model frame"


def build_frames(
    site: Site,
    index_dates: Sequence[date],
    *,
    complete_to: date | None = None,
    progress: Progress | None = None,
) -> Frames:
    """The frame of these index dates; it is made unless it is there already.

    Outcomes are known before ``complete_to``: by default the day after the newest delivery of the extracts that labels
    are made of, the least lately delivered one deciding. Takes the site's lock. Raises MisuseError for dates of which
    nothing could be learnt, and whatever a run raises for its deliveries and definitions.
    """
    progress = progress or Progress()
    with translated(site), private_files(), locked(site):
        refuse_half_rotated(site)
        key = own_site_key(site)
        definitions, outcome = load_definitions(site.root), load_outcome(site.config / FILE)
        dates = delivery_dates(site.landing)
        today = day_after(dates[-1]) if dates else date.max
        deliveries = find_deliveries(site.landing, today, definitions)
        _require_legal_basis(definitions, deliveries, today)
        end = checked_end(complete_to, known_before(outcome, deliveries, site.config / FILE))
        days = checked_dates(index_dates, outcome, end)
        sizes = sizes_of(deliveries)
        erased = read_erased(site)
        with progress.stage("hash"):
            identity = identity_of(site, today, deliveries.paths, key)
        asked = {"index_dates": [f"{day}" for day in days], "complete_to": f"{end}", "identity": identity}
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        name = f"{end:%Y%m%d}-{digest[:10]}"
        if (frames_folder(site) / name).is_dir():
            progress.say(f"the landmark frame {name} is there already; nothing has changed since.")
            return _on_record(site, open_frames(frames_folder(site) / name))
        with _workplace(site, name) as (work, building):
            engine = DuckDBEngine(work / "frame.duckdb", threads=site.threads, memory_limit=site.memory_limit)
            try:
                context = Context(
                    *(today, definitions, engine, deliveries, site.landing, work, key, progress),
                    keeps_versions=True,
                    erased=erased,
                    manifest={"warnings": []},
                )
                with progress.stage("ingest"):
                    ingest(context)
                refuse_changed_files(deliveries, sizes)
                made = _make(context, outcome, days, end, building / TABLE)
            finally:
                engine.close()
            about = {"frame": name, **asked, "sha256": file_hash(building / TABLE), **made}
            text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False)
            (building / ABOUT).write_text(text + "\n", encoding="utf-8")
            for path in building.iterdir():
                path.chmod(PRIVATE_FILE)
            building.rename(frames_folder(site) / name)
        return _on_record(site, open_frames(frames_folder(site) / name))


def _on_record(site: Site, frames: Frames) -> Frames:
    """Say in the audit log that records of so many people are read, before anybody reads them."""
    people = max(int(counted["people"]) for counted in frames.counts.values())
    append(site, ACTION, purpose=RUN_PURPOSE, as_of=f"{frames.index_dates[-1]}", count=people)
    return frames


def _require_legal_basis(definitions: Definitions, deliveries: Deliveries, today: date) -> None:
    delivered = [name for name, feeds in deliveries.feeds.items() if feeds]
    definitions.legal_bases.require(delivered, RUN_PURPOSE, today, used_by="a landmark frame")


def _make(context: Context, outcome: Outcome, days: Sequence[date], end: date, table: Path) -> dict[str, Any]:
    """Write the table from staged deliveries; returns what is said about it."""
    engine, progress = context.engine, context.progress
    with progress.stage("link"):
        link(context)
        begin_frame(engine)
        refuse_short_history(context, outcome, days[0])
    landmarks = []
    for day in days:
        with progress.stage(f"landmark {day}"):
            landmarks.append(add_landmark(context, outcome, day, context.building / f"{day}"))
    with progress.stage("outcomes"), outcomes_known(context, outcome, days, end):
        engine.export(labelled(outcome, _features_of(landmarks)), table)
        silent = engine.rows(
            "SELECT index_date, horizon, silent_provider, first_silent_month FROM outcome_coverage "
            "WHERE is_over AND first_silent_month IS NOT NULL ORDER BY index_date, horizon"
        )
    counts = count_frame(engine, outcome, landmarks, table)
    register = context.deliveries.feeds[context.definitions.register_extract][-1].path
    refuse_survivors(outcome, counts, register)
    refuse_no_labels(outcome, counts, silences_of(silent))
    warnings = [*silences_of(silent), *unfinished(outcome, days, end)]
    for warning in warnings:
        progress.say(f"warning: {warning}")
    return {
        "outcome": {"file": f"config/{FILE.as_posix()}", **asdict(outcome)},
        "counts": counts,
        "unknown_features": {f"{one.index_date}": one.unknown_features for one in landmarks},
        "warnings": warnings,
    }


def _features_of(landmarks: Sequence[Landmark]) -> str:
    """A SELECT of all feature tables, person_id and index_date first."""
    return " UNION ALL ".join(
        f"SELECT person_id, DATE '{one.index_date}' AS index_date, * EXCLUDE (person_id) "
        f"FROM read_parquet({literal(str(one.features))})"
        for one in landmarks
    )


@contextmanager
def _workplace(site: Site, name: str) -> Iterator[tuple[Path, Path]]:
    """A scratch folder for tables, and the hidden folder that becomes the frame; what is left of them goes."""
    work, building = site.state / "scratch" / name, frames_folder(site) / f".{name}.partial"
    _remove(site)
    frames_folder(site).mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    work.mkdir(parents=True)
    building.mkdir(mode=PRIVATE_FOLDER)
    try:
        yield work, building
    finally:
        _remove(site)


def _remove(site: Site) -> None:
    for leftover in (site.state / "scratch", *frames_folder(site).glob(".*.partial")):
        shutil.rmtree(leftover, ignore_errors=True)
