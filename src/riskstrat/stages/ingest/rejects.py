"""Lines that are no row: counted and placed, and refused where rows could have vanished in them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import ContractBrokenError
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.scans import MOST_REJECTS, Scan

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Reject:
    """A line that is no row at all: its number (1 is the header), the column and kind of its first error."""

    line: int
    column: str | None
    kind: str


def rejected_lines(engine: DuckDBEngine, scan: Scan) -> list[Reject]:
    """The lines that the scan could not read, in file order, one entry a line; their text is left behind.

    Of a layout's files only the first counts: its lines are the rows.
    """
    if not scan.rejects:
        return []
    rows = engine.rows(
        f"SELECT line, min(column_name), min(CAST(error_type AS VARCHAR)) FROM {scan.rejects[0]} "
        "GROUP BY file_id, line ORDER BY file_id, line"
    )
    return [Reject(int(line), column, str(kind)) for line, column, kind in rows]


def refuse_too_many_rejects(engine: DuckDBEngine, scan: Scan, feed: Feed) -> None:
    """Raise ContractBrokenError where DuckDB stopped keeping rejected lines, so that some went uncounted."""
    for name in scan.rejects:
        if int(engine.rows(f"SELECT count(*) FROM {name}")[0][0]) >= MOST_REJECTS:
            raise ContractBrokenError(
                "too many lines have another number of fields than the header.",
                file=feed.path,
                remedy="ask for the file again as UTF-8 CSV, with text that holds commas in double quotes.",
            )


def refuse_swallowed_rows(engine: DuckDBEngine, scan: Scan, feed: Feed, rows: int, unread: int) -> None:
    """Raise ContractBrokenError where a quote that nothing closes has swallowed lines: they would vanish uncounted.

    ``rows`` and ``unread`` are what was read of the feed; header, rows and unread lines must be all its lines.
    """
    if feed.mapping is None and unread and count_lines(feed.path) == 1 + rows + unread:
        return
    for name in scan.rejects:
        refuse_open_quotes(engine, (name,), feed.path)


def refuse_open_quotes(engine: DuckDBEngine, rejects: Sequence[str], path: Path) -> None:
    """Raise ContractBrokenError where a rejected line is more than a line: it was not closed, or it closed too late."""
    for name in rejects:
        line, column = engine.rows(
            f"SELECT min(line), arg_min(column_name, line) FROM {name} WHERE CAST(error_type AS VARCHAR) = "
            "'UNQUOTED VALUE' OR contains(trim(csv_line, chr(10) || chr(13)), chr(10))"
        )[0]
        if line is not None:
            raise ContractBrokenError(
                "a double quote opens here and is not closed, or closes on another line than it should: what is a row "
                "cannot be told.",
                file=path,
                row=int(line),
                column=column,
                remedy="ask the supplier to close the quote, or to double it where it is part of the text.",
            )


def count_lines(path: Path) -> int:
    """Lines of a text file, gzipped or not; a last one without a line break counts."""
    lines, last = 0, b"\n"
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


def drop_rejects(engine: DuckDBEngine, rejects: tuple[str, ...]) -> None:
    """Forget rejected lines: DuckDB keeps their text, which holds patients' values."""
    for name in rejects:
        engine.execute(f"DROP TABLE IF EXISTS {name}")
        engine.execute(f"DROP TABLE IF EXISTS {name.replace('rejects_', 'rejects_scan_')}")
