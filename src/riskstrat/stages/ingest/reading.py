"""Running a statement that reads a feed; a file that cannot be read at all is named, with its remedy."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import duckdb

from riskstrat.engines.duckdb import STATEMENT_ERRORS, DuckDBEngine, is_disk_full
from riskstrat.errors import ContractBrokenError, DefinitionError
from riskstrat.stages.ingest.bytes import refuse_odd_bytes
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.headers import truncated_gzip
from riskstrat.stages.ingest.pipes import Pipe, flowing

LEAST_PATIENCE_SECONDS, LEAST_BYTES_A_SECOND = 45.0, 1_000_000


def run_scan(engine: DuckDBEngine, statement: str, feed: Feed, pipes: Sequence[Pipe] = ()) -> int:
    """Run a statement that reads a feed, and return the count that it gives, of rows inserted or asked for.

    A file that cannot be read at all is named, with its remedy.
    """
    refuse_odd_bytes([path for path in feed.paths if path not in {pipe.file for pipe in pipes}])
    try:
        with flowing(pipes), engine.interrupted_after(_patience_seconds(feed)):
            return int(engine.execute(statement)[0][0])
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise truncated_gzip(feed.path) from None
    except duckdb.InterruptException:
        raise ContractBrokenError(
            "the file cannot be read in any reasonable time; a field of many megabytes is the likeliest reason.",
            file=feed.path,
            remedy="ask the supplier to send it again, without the long field.",
        ) from None
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.IOException, duckdb.InvalidInputException) as problem:
        if is_disk_full(problem):
            raise
        path = _named_path(str(problem), feed)
        line = re.search(r"Line: ([0-9]+)", str(problem))
        raise ContractBrokenError(
            "the file cannot be read to its end: its lines end in different ways, or the last one is cut short.",
            file=path,
            row=int(line[1]) if line else None,
            remedy="ask the supplier to send it again.",
        ) from None
    except duckdb.Error as problem:
        if is_disk_full(problem):
            raise
        raise _unreadable(problem, feed) from None


def _unreadable(problem: duckdb.Error, feed: Feed) -> Exception:
    """What a failure means that no other case explains; a message is shown only where it cannot quote data."""
    said = isinstance(problem, STATEMENT_ERRORS)
    if feed.layout is not None:
        return DefinitionError(
            f"the mapping of {feed.extract} does not run"
            + (f": {str(problem).splitlines()[0]}" if said else " on a value of the file (use TRY_CAST)."),
            file=feed.layout.path,
            remedy="correct the expression.",
        )
    if said:
        return problem
    return ContractBrokenError(
        "the file is damaged and cannot be read.", file=feed.path, remedy="ask the supplier to send it again."
    )


def _patience_seconds(feed: Feed) -> float:
    """Far more time than reading takes on a slow machine; a gzip file may hold twenty times its size."""
    sizes = [path.stat().st_size * (20 if path.suffix == ".gz" else 1) for path in feed.paths]
    return LEAST_PATIENCE_SECONDS + sum(sizes) / LEAST_BYTES_A_SECOND


def _named_path(message: str, feed: Feed) -> Path:
    return next((path for path in feed.paths if str(path) in message), feed.paths[0])
