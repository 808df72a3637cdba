"""Reading the files of one extract into its table of incoming rows, and what no row could be made of."""

from __future__ import annotations

from collections.abc import Sequence

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import DefinitionError
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.accounting import SourceFile
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.judging import relative_to
from riskstrat.stages.ingest.reading import run_scan
from riskstrat.stages.ingest.rejects import (
    drop_rejects,
    refuse_swallowed_rows,
    refuse_too_many_rejects,
    rejected_lines,
)
from riskstrat.stages.ingest.scans import Scan, scan_feed, supplier_file
from riskstrat.stages.ingest.staging import Staging, create_incoming, record_file
from riskstrat.stages.ingest.typed_rows import insert_statement


def read_feeds(
    context: Context, contract: Contract, feeds: Sequence[Feed]
) -> tuple[Staging, list[SourceFile], dict[str, int]]:
    """Read every feed into the incoming table; also the lines that filters left out, by file."""
    scans = [scan_feed(feed, contract, number) for number, feed in enumerate(feeds)]
    staging = Staging(
        contract,
        has_files=len(feeds) > 1,
        is_numbered=any(scan.is_numbered for scan in scans),
        is_ordered=any(scan.is_ordered for scan in scans),
        is_register=contract.name == context.definitions.register_extract,
    )
    create_incoming(context.engine, staging)
    files: list[SourceFile] = []
    left_out: dict[str, int] = {}
    for number, (feed, scan) in enumerate(zip(feeds, scans, strict=True)):
        file = _read_feed(context, staging, feed, scan, number)
        files.append(file)
        if feed.mapping is not None and feed.mapping.where:
            skipped = _count_lines(context, feed) - file.rows
            left_out[file.name] = left_out.get(file.name, 0) + skipped
    return staging, files, left_out


def _read_feed(context: Context, staging: Staging, feed: Feed, scan: Scan, number: int) -> SourceFile:
    engine, name = context.engine, relative_to(feed.path, context.landing)
    if scan.unknown_columns:
        context.warn(f"{name}: the contract does not know {', '.join(scan.unknown_columns)}; not read.")
    first = record_file(engine, staging, number, name, feed.delivery)
    read = run_scan(engine, insert_statement(staging, scan, number), feed, scan.pipes)
    refuse_too_many_rejects(engine, scan, feed)
    rejects = tuple(rejected_lines(engine, scan))
    if feed.mapping is not None and feed.layout is not None:
        _refuse_repeated_rows(context, staging, feed, first)
    file = SourceFile(name, feed.delivery, read, rejects)
    refuse_swallowed_rows(engine, scan, feed, file.rows, len(rejects))
    drop_rejects(engine, scan.rejects)
    return file


def _count_lines(context: Context, feed: Feed) -> int:
    """Readable lines of the main file of a mapping."""
    if feed.layout is None or feed.mapping is None:
        return 0
    main = feed.layout.files[feed.mapping.main]
    source = supplier_file(feed.layout, main, (feed.path,), "rejects_counted")
    lines = run_scan(context.engine, f"SELECT count(*) FROM ({source.select})", feed, source.pipes)
    drop_rejects(context.engine, source.rejects)
    return lines


def _refuse_repeated_rows(context: Context, staging: Staging, feed: Feed, first: int) -> None:
    """A mapping whose joins give one line twice would invent rows."""
    repeated = context.engine.rows(
        f"SELECT count(*) - count(DISTINCT source_row) FROM {staging.raw} WHERE rowid >= {first}"
    )[0][0]
    if repeated and feed.layout is not None and feed.mapping is not None:
        raise DefinitionError(
            f"the mapping of {feed.extract} gives {repeated} lines of {feed.mapping.main} more than once.",
            file=feed.layout.path,
            column="from",
            remedy="join only to tables with one row a key.",
        )
