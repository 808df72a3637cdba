"""What is said about an extract once its rows are counted: its delivery, its broken rules, and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import ContractBrokenError, printable
from riskstrat.quality.observations import Delivered, Observations
from riskstrat.quality.store import write_json, write_raw, write_verdicts
from riskstrat.quality.wording import kind_of, notices, sentence
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.accounting import Books
from riskstrat.stages.ingest.deliveries import Feed, mode_of
from riskstrat.stages.ingest.replaced import count_replaced
from riskstrat.stages.ingest.typed_rows import becomes_unknown

SAID_BEFORE = "rows.read"  # ingest says in its own words what an empty extract means
QUARANTINE = ("rows.quarantined_share", "rows.accepted")


def delivery_status(context: Context, contract: Contract, feeds: Sequence[Feed]) -> dict[str, Any]:
    """What the manifest says of an extract's delivery."""
    newest = max((feed.delivery for feed in feeds), default=None)
    layout = next((feed.layout for feed in reversed(feeds) if feed.layout), None)
    return {
        "present": bool(feeds),
        "required": contract.required,
        "mode": mode_of(contract.name, layout, context.definitions),
        "layout": layout.name if layout else None,
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
    """Hold what was counted against the limits; keep the verdicts, say what warns, and raise what stops.

    Raises ContractBrokenError with the first reason in full and every other one named after it.
    """
    if not context.judged:
        return
    from riskstrat.quality.expectations import judge_all
    from riskstrat.quality.measures import measure

    context.progress.step("judge contracts")
    definitions = context.definitions
    seen = {books.contract.name: observe(context, books) for books in every_books}
    measured = {
        books.contract.name: measure(
            seen[books.contract.name], books.contract, definitions.limits[books.contract.name]
        )
        for books in every_books
    }
    verdicts, judgement = judge_all(measured)
    write_raw(context.building, "ingest", judgement)
    write_verdicts(context.building, seen, verdicts)
    reasons = []
    for books in every_books:
        results = verdicts[books.contract.name]["results"]
        warn_of(context, results)
        reasons += _stop_reasons(books, results)
    if reasons:
        _keep_numbers(context, reasons)
        raise _joined(reasons)


def _keep_numbers(context: Context, reasons: Sequence[ContractBrokenError]) -> None:
    """What was counted of a run that stops would go with its folder; its page stays beside the published runs."""
    if "run" not in context.manifest:  # a check of deliveries publishes nothing
        return
    from riskstrat.quality.page import write_stopped_page

    write_summaries(context)
    output, as_of = context.building.parent.parent, context.as_of.isoformat()
    path = write_stopped_page(output, context.building, as_of, [reason.what for reason in reasons])
    context.progress.say(f"what was counted is on {path}")


def observe(context: Context, books: Books) -> Observations:
    """Everything about an extract that limits can be held against, from its books and its deliveries."""
    name, counted = books.contract.name, books.conservation
    feeds = context.deliveries.feeds[name]
    replaced = count_replaced(context, books.contract)
    newest = max(feed.delivery for feed in feeds)
    dates = {one.delivery for one in replaced} | {feed.delivery for feed in feeds}
    earlier = [day for day in context.deliveries.dates if min(dates) <= day <= newest]
    missed = [day for day in context.deliveries.dates if day > newest]
    always = dates.issuperset(earlier)
    return Observations(
        extract=name,
        mode=context.manifest["extracts"][name]["mode"],
        as_of=context.as_of,
        read=books.read,
        accepted=counted["accepted"],
        quarantined=counted["quarantined"],
        corrected=books.corrected,
        failed={rule.id: books.failed.get(rule.id, 0) for rule in books.contract.rules},
        newest_delivery=newest,
        deliveries=(
            *replaced,
            *(
                Delivered(one.delivery, one.files, one.read, one.accepted, one.quarantined, one.corrected)
                for one in books.deliveries
            ),
        ),
        missed=tuple(missed) if always else (),
        held=len(earlier),
    )


def warn_of(context: Context, results: Sequence[Mapping[str, Any]]) -> None:
    """Warn of what an extract's checks say, rules apart; what stops the run is said by the error."""
    stopping = {
        result["check"] for result in results if result["severity"] == "stop" and not result["success"]
    }
    left = [
        result
        for result in results
        if result["check"] not in stopping and kind_of(result["check"]) != SAID_BEFORE
    ]
    for notice in notices(left):
        context.warn(notice)


def _stop_reasons(books: Books, results: Sequence[Mapping[str, Any]]) -> list[ContractBrokenError]:
    failed = [result for result in results if result["severity"] == "stop" and not result["success"]]
    damaged = [result for result in failed if kind_of(result["check"]) in QUARANTINE]
    others = [result for result in failed if kind_of(result["check"]) not in QUARANTINE]
    return [_damaged(books, result) for result in damaged[:1]] + [
        _stopped(books, result) for result in others
    ]


def _damaged(books: Books, result: Mapping[str, Any]) -> ContractBrokenError:
    """Too many rows were quarantined or too few accepted: the rule that did most of it leads to the remedy."""
    quarantining = {rule.id: rule for rule in books.contract.rules if rule.severity == "quarantine"}
    worst = max(
        (rule for rule in books.failed if rule in quarantining),
        key=lambda rule: books.failed[rule],
        default=None,
    )
    if worst is None:
        remedy = f"ask the supplier for a complete delivery, or {_other_limit(books, 'min_rows')}."
        return ContractBrokenError(sentence(result), file=books.files[0], remedy=remedy)
    place = books.first[worst]
    return ContractBrokenError(
        f"{sentence(result)} Most often ({books.failed[worst]} rows): {quarantining[worst].message}",
        file=place.file,
        row=place.row,
        column=place.column,
        remedy=quarantining[worst].remedy,
    )


def _stopped(books: Books, result: Mapping[str, Any]) -> ContractBrokenError:
    rule = {rule.id: rule for rule in books.contract.rules}.get(result["check"])
    if rule is not None:
        place = books.first[rule.id]
        return ContractBrokenError(
            sentence(result), file=place.file, row=place.row, column=place.column, remedy=rule.remedy
        )
    limits = {"delivery.freshness": "stop_after_days", "delivery.volume": "stop_small_share"}
    limit = _other_limit(books, limits[kind_of(result["check"])])
    newest = books.deliveries[-1].files[0] if books.deliveries else books.files[-1]
    return ContractBrokenError(
        sentence(result), file=newest, remedy=f"ask the supplier for a complete new delivery, or {limit}."
    )


def _other_limit(books: Books, limit: str) -> str:
    return f"set another {limit} in data_contracts/{books.contract.name}.yaml or config/sources.yaml"


def _joined(reasons: Sequence[ContractBrokenError]) -> ContractBrokenError:
    """The first reason with its place and remedy, and what the others say."""
    first, others = reasons[0], reasons[1:]
    what = " ".join([first.what, *(f"Also: {other.what}" for other in others)])
    return ContractBrokenError(what, file=first.file, row=first.row, column=first.column, remedy=first.remedy)


def write_summaries(context: Context) -> None:
    """Write each extract's ``summary.json`` once later stages have added what only they can count."""
    for books in context.books:
        write_json(context.building / "quality" / books.contract.name / "summary.json", books.summary())


def relative_to(path: Path, landing: Path) -> str:
    """The path as a message shows it."""
    return printable(path.relative_to(landing).as_posix() if path.is_relative_to(landing) else path.name)
