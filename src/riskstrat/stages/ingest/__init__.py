"""Ingest: landing files to staged tables. Typed, judged by contract, deduplicated, and every row accounted for."""

from __future__ import annotations

from collections.abc import Sequence

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import DefinitionError
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest import identity
from riskstrat.stages.ingest.accounting import Books, keep_books, write_quarantine
from riskstrat.stages.ingest.deliveries import Deliveries, Feed
from riskstrat.stages.ingest.judging import delivery_status, judge, relative_to, say_broken_rules
from riskstrat.stages.ingest.knowledge import load_knowledge
from riskstrat.stages.ingest.reading import (
    drop_rejects,
    file_scan,
    refuse_swallowed_rows,
    rejected_lines,
    run_scan,
    scan_feed,
)
from riskstrat.stages.ingest.staging import (
    Staging,
    create_absent,
    create_incoming,
    insert_statement,
    keep_accepted,
    settle_versions,
)


def ingest(context: Context) -> None:
    """Stage every extract of the deliveries before as_of.

    Leaves one table an extract, ``extract_status``, ``declared_gaps``, the reference tables and the one-row table
    ``run``; writes ``quality/`` into the run being built. Raises ContractBrokenError beyond a threshold.
    """
    deliveries = context.deliveries
    for path in deliveries.unrecognised:
        context.warn(
            f"{relative_to(path, context.landing)} is no extract and fits no layout; it was not read."
        )
    load_knowledge(context.engine, context.definitions, context.windows)
    identity.open_identity(context.engine, context.key)
    _register(context, deliveries)
    every_books = []
    for name in context.definitions.extract_names:
        contract = context.definitions.contracts[name]
        feeds = deliveries.feeds.get(name, ())
        context.manifest.setdefault("extracts", {})[name] = delivery_status(context, contract, feeds)
        if not feeds:
            create_absent(context.engine, contract)
            continue
        context.progress.step(f"ingest {name}")
        every_books.append(_stage_extract(context, contract, feeds))
        if contract.required and not every_books[-1].read:
            context.warn(
                f"{name} was delivered without a row: what it would tell is counted as zero, not as unknown."
            )
    context.engine.load(
        "extract_status",
        (("extract", "VARCHAR"), ("is_present", "BOOLEAN")),
        [(name, name in deliveries.feeds) for name in context.definitions.extract_names],
    )
    context.manifest["conservation"] = {books.contract.name: books.conservation for books in every_books}
    context.books = every_books
    say_broken_rules(context, every_books)
    judge(context, every_books)


def _register(context: Context, deliveries: Deliveries) -> None:
    """Number the people of the register before any other extract is read."""
    register = context.definitions.register_extract
    selects = []
    for number, feed in enumerate(deliveries.feeds.get(register, ())):
        contract = context.definitions.contracts[register]
        _number_synthetic(context, feed)
        scan = scan_feed(feed, contract, number)
        run_scan(
            context.engine,
            f"CREATE TABLE {identity.IDENTITY}.given_{number} AS SELECT nhs_number FROM ({scan.select})",
            feed,
        )
        drop_rejects(context.engine, scan.rejects)
        selects.append(f"SELECT nhs_number FROM {identity.IDENTITY}.given_{number}")
    identity.register_people(context.engine, selects)


def _number_synthetic(context: Context, feed: Feed) -> None:
    if feed.layout is None or feed.layout.synthetic_numbers_for is None:
        return
    name, column = feed.layout.synthetic_numbers_for
    select = f"SELECT {quoted(column)} AS source_id FROM {file_scan(feed.files[name], 'numbered')}"
    identity.number_synthetic_people(context.engine, select)
    drop_rejects(context.engine, ("rejects_numbered",))
    context.warn(
        f"the layout {feed.layout.name} gives people synthetic NHS numbers of the 999 range: not for real patients."
    )


def _stage_extract(context: Context, contract: Contract, feeds: Sequence[Feed]) -> Books:
    engine, staging = context.engine, Staging(contract)
    create_incoming(engine, staging)
    files, unread = [], {}
    for number, feed in enumerate(feeds):
        scan = scan_feed(feed, contract, number)
        files.append(relative_to(feed.main_path, context.landing))
        if scan.unknown_columns:
            context.warn(
                f"{files[-1]}: the contract does not know {', '.join(scan.unknown_columns)}; not read."
            )
        run_scan(engine, insert_statement(staging, scan, feed, number), feed)
        if feed.layout is not None:
            _refuse_repeated_rows(context, staging, feed, number)
        unread[number] = rejected_lines(engine, scan)
        read = engine.rows(f"SELECT count(*) FROM {staging.raw} WHERE source_file = {number}")[0][0]
        refuse_swallowed_rows(engine, scan, feed, int(read), len(unread[number]))
        drop_rejects(engine, scan.rejects)
    settle_versions(engine, staging, context.as_of)
    books = keep_books(engine, staging, files, unread)
    books.check_balance()
    folder = context.building / "quality" / contract.name
    folder.mkdir(parents=True)
    write_quarantine(engine, staging, books, unread, folder / "quarantine.parquet")
    keep_accepted(engine, staging)
    _count_odd_rows(context, staging, books)
    return books


def _refuse_repeated_rows(context: Context, staging: Staging, feed: Feed, number: int) -> None:
    """A mapping whose joins give one line twice would invent rows."""
    repeated = context.engine.rows(
        f"SELECT count(*) - count(DISTINCT source_row) FROM {staging.raw} WHERE source_file = {number}"
    )[0][0]
    if repeated and feed.layout is not None:
        raise DefinitionError(
            f"the mapping of {feed.extract} gives {repeated} lines of {feed.used[0]} more than once.",
            file=context.definitions.root / "config" / "sources" / f"{feed.layout.name}.yaml",
            column="from",
            remedy="join only to tables with one row a key.",
        )


def _count_odd_rows(context: Context, staging: Staging, books: Books) -> None:
    """Rows that are accepted and cannot be used: of people not on the register, and dated on or after as_of."""
    table = quoted(staging.contract.name)
    if staging.has_person:
        books.unlinked = int(context.engine.rows(f"SELECT count(*) FROM {table} WHERE person IS NULL")[0][0])
    if staging.contract.event_date:
        day = f"CAST({quoted(staging.contract.event_date)} AS DATE)"
        after = context.engine.rows(f"SELECT count(*) FROM {table} WHERE {day} >= DATE '{context.as_of}'")
        books.after_as_of = int(after[0][0])
