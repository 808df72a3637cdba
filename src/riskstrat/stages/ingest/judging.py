"""What is said about an extract once its rows are counted: its delivery, its broken rules, and the verdict on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import ContractBrokenError
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.accounting import Books
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.staging import becomes_unknown


def delivery_status(context: Context, contract: Contract, feeds: Sequence[Feed]) -> dict[str, Any]:
    """What the manifest says of an extract's delivery; a stale one is warned about."""
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
        "files": sorted({relative_to(path, context.landing) for feed in feeds for path in feed.paths}),
        "newest_delivery": newest.isoformat() if newest else None,
    }


def say_broken_rules(context: Context, every_books: Sequence[Books]) -> None:
    """Name every broken rule, where it was broken first, and its remedy."""
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


def judge(context: Context, every_books: Sequence[Books]) -> None:
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


def relative_to(path: Path, landing: Path) -> str:
    """The path as a message shows it."""
    return path.relative_to(landing).as_posix() if path.is_relative_to(landing) else path.name
