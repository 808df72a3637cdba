"""Ingest: landing files to staged tables. Typed, judged by contract, deduplicated, and every row accounted for."""

from __future__ import annotations

from collections.abc import Sequence

from riskstrat.definitions.contracts import Contract
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest import identity
from riskstrat.stages.ingest.accounting import Books, keep_books
from riskstrat.stages.ingest.codes import note_code_use, open_code_use
from riskstrat.stages.ingest.deliveries import Deliveries, Feed
from riskstrat.stages.ingest.feeds import read_feeds
from riskstrat.stages.ingest.judging import delivery_status, judge, relative_to, say_broken_rules
from riskstrat.stages.ingest.knowledge import load_knowledge
from riskstrat.stages.ingest.lookups import build_lookups
from riskstrat.stages.ingest.macros import make_macros
from riskstrat.stages.ingest.numbering import number_synthetic, register
from riskstrat.stages.ingest.quarantine import write_quarantine
from riskstrat.stages.ingest.remembering import keep_feeds
from riskstrat.stages.ingest.settling import find_corrected, judge_values, keep_accepted, settle_versions
from riskstrat.stages.ingest.staging import Staging, create_absent
from riskstrat.stages.ingest.versions import set_versions_apart, show_as_known


def ingest(context: Context) -> None:
    """Stage every extract of the deliveries before as_of.

    Leaves one table or view an extract, ``extract_status``, ``declared_gaps``, ``code_use``, ``unmapped_codes``, the
    reference tables and the one-row table ``run``; writes ``quality/`` into the run being built. Raises
    ContractBrokenError beyond a threshold.
    """
    deliveries = context.deliveries
    if context.judged:
        from riskstrat.quality.expectations import load_early

        load_early()
    _say_what_was_found(context, deliveries)
    load_knowledge(context.engine, context.definitions, context.windows)
    identity.open_identity(context.engine, context.key)
    make_macros(context.engine)
    number_synthetic(context, deliveries)
    build_lookups(context, deliveries)
    register(context, deliveries)
    open_code_use(context.engine, context.definitions)
    every_books = []
    for name in context.definitions.extract_names:
        contract = context.definitions.contracts[name]
        feeds = deliveries.feeds.get(name, ())
        context.manifest.setdefault("extracts", {})[name] = delivery_status(context, contract, feeds)
        if not feeds:
            is_register = name == context.definitions.register_extract
            create_absent(context.engine, contract, is_register=is_register)
            continue
        context.progress.step(f"ingest {name}")
        every_books.append(_stage_extract(context, contract, feeds))
        newest = every_books[-1].deliveries[-1]
        if every_books[-1].read and not newest.read:
            context.warn(f"the newest delivery of {name} ({newest.delivery}) has no row.")
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


def _say_what_was_found(context: Context, deliveries: Deliveries) -> None:
    for path in deliveries.unrecognised:
        context.warn(
            f"{relative_to(path, context.landing)} is no extract and fits no layout; it was not read."
        )
    for missed in deliveries.near_misses:
        context.warn(missed)
    for name, because in (deliveries.absent or {}).items():
        context.warn(f"{name} is not there and what needs it is unknown: {because}.")


def _stage_extract(context: Context, contract: Contract, feeds: Sequence[Feed]) -> Books:
    engine = context.engine
    reading = read_feeds(context, contract, feeds)
    staging, files = reading.staging, reading.files
    judge_values(engine, staging, reading.is_fresh)
    if context.memory:
        keep_feeds(engine, staging, reading.feeds, context.memory)
    settle_versions(engine, staging, context.as_of)
    find_corrected(engine, staging)
    books = keep_books(engine, staging, files)
    books.left_out = reading.left_out
    folder = context.building / "quality" / contract.name
    folder.mkdir(parents=True)
    write_quarantine(engine, staging, files, folder / "quarantine.parquet")
    has_versions = context.keeps_versions and not staging.is_register and set_versions_apart(engine, staging)
    accepted = keep_accepted(engine, staging)
    books.statuses["accepted"] = (
        show_as_known(engine, contract.name, context.as_of) if has_versions else accepted
    )
    books.check_balance()
    note_code_use(engine, contract)
    _count_odd_rows(context, staging, books)
    return books


def _count_odd_rows(context: Context, staging: Staging, books: Books) -> None:
    """Rows that are accepted and cannot be used: of people not on the register, and dated on or after as_of."""
    table = quoted(staging.contract.name)
    if staging.has_person:
        books.unlinked = int(context.engine.rows(f"SELECT count(*) FROM {table} WHERE person IS NULL")[0][0])
    if staging.contract.event_date:
        day = f"CAST({quoted(staging.contract.event_date)} AS DATE)"
        after = context.engine.rows(f"SELECT count(*) FROM {table} WHERE {day} >= DATE '{context.as_of}'")
        books.after_as_of = int(after[0][0])
