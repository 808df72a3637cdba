"""Reading the files of one extract into its table of incoming rows, and what no row could be made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import DefinitionError
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.accounting import SourceFile
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.entries import Entry
from riskstrat.stages.ingest.judging import relative_to
from riskstrat.stages.ingest.reading import run_scan
from riskstrat.stages.ingest.rejects import (
    drop_rejects,
    refuse_swallowed_rows,
    refuse_too_many_rejects,
    rejected_lines,
)
from riskstrat.stages.ingest.remembering import ReadFeed, load_entry
from riskstrat.stages.ingest.scans import Scan, scan_feed, supplier_file
from riskstrat.stages.ingest.staging import Staging, create_incoming, record_file
from riskstrat.stages.ingest.typed_rows import insert_statement


@dataclass(frozen=True)
class Reading:
    """The feeds of one extract in its table of incoming rows."""

    staging: Staging
    feeds: tuple[ReadFeed, ...]

    @property
    def files(self) -> list[SourceFile]:
        """What is known of each file."""
        return [feed.file for feed in self.feeds]

    @property
    def left_out(self) -> dict[str, int]:
        """The lines that filters left out, by file."""
        lines: dict[str, int] = {}
        for feed in self.feeds:
            if feed.left_out is not None:
                lines[feed.file.name] = lines.get(feed.file.name, 0) + feed.left_out
        return lines

    @property
    def is_fresh(self) -> str:
        """SQL that is true for rows that were read tonight, and not for those that were remembered."""
        fresh = [self.staging.of_file(feed.number) for feed in self.feeds if feed.is_fresh]
        return "TRUE" if len(fresh) == len(self.feeds) else f"({' OR '.join(fresh) or 'FALSE'})"


def read_feeds(context: Context, contract: Contract, feeds: Sequence[Feed]) -> Reading:
    """Bring the rows of every feed into the incoming table: remembered ones, or read from its files."""
    scans = [scan_feed(feed, contract, number) for number, feed in enumerate(feeds)]
    names = [_entry_name(context, contract, feed) for feed in feeds]
    entries = [context.memory.find(name) if context.memory else None for name in names]
    staging = Staging(
        contract,
        has_files=len(feeds) > 1,
        is_numbered=any(scan.is_numbered for scan in scans),
        is_ordered=any(scan.is_ordered for scan in scans),
        is_register=contract.name == context.definitions.register_extract,
        has_strangers=any(name and not entry for name, entry in zip(names, entries, strict=True)),
    )
    create_incoming(context.engine, staging)
    read = []
    for number, (feed, scan, name, entry) in enumerate(zip(feeds, scans, names, entries, strict=True)):
        file = relative_to(feed.path, context.landing)
        if scan.unknown_columns:
            context.warn(f"{file}: the contract does not know {', '.join(scan.unknown_columns)}; not read.")
        first = record_file(context.engine, staging, number, file, feed.delivery)
        known = _remembered(context, staging, feed, number, entry)
        read.append(known or _fresh(context, staging, feed, scan, number, first, name))
    return Reading(staging, tuple(read))


def _entry_name(context: Context, contract: Contract, feed: Feed) -> str | None:
    """The name under which what a feed leaves is remembered; the register is read every night."""
    is_register = contract.name == context.definitions.register_extract
    return context.memory.name_of(feed, contract) if context.memory and not is_register else None


def _remembered(
    context: Context, staging: Staging, feed: Feed, number: int, entry: Entry | None
) -> ReadFeed | None:
    """The feed with the rows that an earlier night kept; None where there are none."""
    if entry is None or context.memory is None:
        return None
    rows = load_entry(context.engine, staging, entry, number, context.memory)
    if rows is None:
        return None
    file = SourceFile(relative_to(feed.path, context.landing), feed.delivery, rows, entry.rejects)
    return ReadFeed(number, feed, file, entry.left_out, None, is_fresh=False)


def _fresh(
    context: Context, staging: Staging, feed: Feed, scan: Scan, number: int, first: int, name: str | None
) -> ReadFeed:
    """The feed, read from its files."""
    file = _read_feed(context, staging, feed, scan, number, first)
    is_filtered = feed.mapping is not None and feed.mapping.where
    left_out = _count_lines(context, feed) - file.rows if is_filtered else None
    if context.memory:
        context.memory.read += 1
    # An entry that was there and could not be read after all is written anew by the next night.
    return ReadFeed(number, feed, file, left_out, name if staging.has_strangers else None, is_fresh=True)


def _read_feed(
    context: Context, staging: Staging, feed: Feed, scan: Scan, number: int, first: int
) -> SourceFile:
    engine, name = context.engine, relative_to(feed.path, context.landing)
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
