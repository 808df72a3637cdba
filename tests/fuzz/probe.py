"""One delivery through riskstrat.checking.check: what it counted, accepted, set aside and said."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import io
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskstrat import checking
from riskstrat.definitions.everything import Definitions
from riskstrat.errors import RiskstratError
from riskstrat.progress import Progress
from riskstrat.site import Site
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from tests.fuzz.town import AS_OF

WATCHDOG_SECONDS = 60


@dataclass
class Found:
    """What a check came to. ``raised`` is what it refused with, ``crash`` where it failed in a way that it may not.

    ``accepted`` holds the staged rows of each extract by column, with ``person_id``; ``set_aside`` the rows of each
    ``quarantine.parquet``.
    """

    conservation: dict[str, dict[str, int]] = field(default_factory=dict)
    accepted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    set_aside: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    raised: RiskstratError | None = None
    stopped_by: RiskstratError | None = None
    crash: str = ""
    said: str = ""
    kept_text: str = ""
    key: bytes = b""
    seconds: float = 0.0


def check_delivery(site: Site, definitions: Definitions, *, page: bool = False) -> Found:
    """Check the site's landing folder; a check of more than WATCHDOG_SECONDS ends the process."""
    found, said = Found(), io.StringIO()
    began = time.perf_counter()
    shown = site.root / "page.html" if page else None
    streams = contextlib.redirect_stderr(said), contextlib.redirect_stdout(said)
    try:
        with watchdog(WATCHDOG_SECONDS), streams[0], streams[1], _peeking(found):
            checked = checking.check(
                dataclasses.replace(site, threads=1),
                definitions,
                as_of=AS_OF,
                page=shown,
                progress=Progress(),
            )
        found.stopped_by = checked.stopped_by
        found.conservation = {books.contract.name: dict(books.conservation) for books in checked.books}
        found.kept_text += repr(checked.verdicts)
    except RiskstratError as problem:
        found.raised = problem
    except Exception:
        found.crash = traceback.format_exc(limit=-4)
    found.seconds = time.perf_counter() - began
    found.said = said.getvalue()
    if shown is not None and shown.exists():
        found.kept_text += shown.read_text(encoding="utf-8")
        shown.unlink()
    return found


@contextlib.contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """End the process, with what every thread was doing on stderr, when the block takes longer."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _peeking(found: Found) -> Iterator[None]:
    """Look at a check's database and folder just before both go."""
    finish = checking.finish_quality

    def look(context: Context) -> None:
        finish(context)
        found.key = context.key
        for books in context.books:
            name = books.contract.name
            found.accepted[name] = _rows(
                context,
                f"SELECT staged.*, {'keys.person_id' if _has_person(books) else 'NULL AS person_id'} "
                f"FROM {quoted(name)} AS staged"
                + (" LEFT JOIN person_keys AS keys USING (person)" if _has_person(books) else ""),
            )
            path = context.building / "quality" / name / "quarantine.parquet"
            found.set_aside[name] = _rows(context, f"SELECT * FROM read_parquet('{path}')")
        found.kept_text += _text_below(context.building)

    checking.finish_quality = look
    try:
        yield
    finally:
        checking.finish_quality = finish


def _has_person(books: Any) -> bool:
    return any(column.identifier for column in books.contract.columns)


def _rows(context: Context, select: str) -> list[dict[str, Any]]:
    cursor = context.engine.connection.execute(select)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _text_below(folder: Path) -> str:
    """Everything that the check wrote, but Parquet, as text."""
    return "\n".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".parquet"
    )
