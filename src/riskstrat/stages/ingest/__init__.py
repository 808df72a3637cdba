"""Ingest: landing files to staged tables. Typed, judged by contract, deduplicated, and every row accounted for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import ContractBrokenError, DefinitionError
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest import identity
from riskstrat.stages.ingest.accounting import Books, keep_books, write_quarantine
from riskstrat.stages.ingest.deliveries import Deliveries, Feed
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
    becomes_unknown,
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
        context.warn(f"{_relative(path, context.landing)} is no extract and fits no layout; it was not read.")
    load_knowledge(context.engine, context.definitions, context.windows)
    identity.open_identity(context.engine, context.key)
    _register(context, deliveries)
    every_books = []
    for name in context.definitions.extract_names:
        contract = context.definitions.contracts[name]
        feeds = deliveries.feeds.get(name, ())
        context.manifest.setdefault("extracts", {})[name] = _status(context, contract, feeds)
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
    _say_broken_rules(context, every_books)
    _judge(context, every_books)


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
        files.append(_relative(feed.main_path, context.landing))
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


def _status(context: Context, contract: Contract, feeds: Sequence[Feed]) -> dict[str, Any]:
    source = context.definitions.source(contract.name)
    newest = max((feed.delivery for feed in feeds), default=None)
    if newest is not None and newest < context.as_of - timedelta(days=source.stale_after_days):
        context.warn(
            f"the newest {contract.name} is of {newest}, more than {source.stale_after_days} days "
            f"before {context.as_of}."
        )
    return {
        "present": bool(feeds),
        "required": contract.required,
        "mode": source.mode,
        "layout": next((feed.layout.name for feed in feeds if feed.layout), None),
        "files": sorted({_relative(path, context.landing) for feed in feeds for path in feed.paths}),
        "newest_delivery": newest.isoformat() if newest else None,
    }


def _say_broken_rules(context: Context, every_books: Sequence[Books]) -> None:
    for books in every_books:
        for rule in books.contract.rules:
            failed, place = books.failed.get(rule.id, 0), books.first.get(rule.id)
            if failed and place:
                kept = (
                    "kept, the value counts as unknown" if becomes_unknown(rule, books.contract) else "kept"
                )
                outcome = "quarantined" if rule.severity == "quarantine" else kept
                rows = "row was" if failed == 1 else "rows were"
                where = f"{place.file}, row {place.row}" + (
                    f", column {place.column}" if place.column else ""
                )
                context.progress.say(
                    f"warning: {where}: {rule.message} {failed} {rows} {outcome}. Remedy: {rule.remedy}"
                )


def _judge(context: Context, every_books: Sequence[Books]) -> None:
    """Let Great Expectations judge each extract's counts against its thresholds; write its results."""
    if not context.judged:
        return
    from riskstrat.quality.expectations import Counts, Limits, judge_all

    context.progress.step("judge contracts")
    asked = []
    for books in every_books:
        source, counted = context.definitions.source(books.contract.name), books.conservation
        counts = Counts(books.read, counted["accepted"], counted["quarantined"], books.failed)
        limits = Limits(source.max_quarantined_share, source.max_quarantined_rows, source.min_rows)
        asked.append((books.contract, counts, limits))
    verdicts = judge_all(asked)
    for books in every_books:
        folder = context.building / "quality" / books.contract.name
        _write_json(folder / "expectations.json", verdicts[books.contract.name])
    for books in every_books:
        if not verdicts[books.contract.name]["success"]:
            raise _beyond_threshold(books)


def _beyond_threshold(books: Books) -> ContractBrokenError:
    quarantining = {rule.id: rule for rule in books.contract.rules if rule.severity == "quarantine"}
    worst = max(
        (rule for rule in books.failed if rule in quarantining),
        key=lambda rule: books.failed[rule],
        default=None,
    )
    counts = books.conservation
    what = (
        f"{books.contract.name} broke its contract beyond its threshold: "
        f"{counts['quarantined']} of {counts['read']} rows quarantined, {counts['accepted']} accepted."
    )
    if worst is None:
        return ContractBrokenError(
            what,
            file=books.files[0],
            remedy="ask the supplier for a complete delivery, or change config/sources.yaml.",
        )
    place = books.first[worst]
    return ContractBrokenError(
        f"{what} Most often ({books.failed[worst]} rows): {quarantining[worst].message}",
        file=place.file,
        row=place.row,
        column=place.column,
        remedy=quarantining[worst].remedy,
    )


def write_summaries(context: Context) -> None:
    """Write each extract's ``summary.json`` once later stages have added what only they can count."""
    for books in context.books:
        _write_json(context.building / "quality" / books.contract.name / "summary.json", books.summary())


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _relative(path: Path, landing: Path) -> str:
    return path.relative_to(landing).as_posix() if path.is_relative_to(landing) else path.name
