"""How many rows a full source delivered before its newest delivery replaced them."""

from __future__ import annotations

from datetime import date

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import ContractBrokenError
from riskstrat.quality.observations import Delivered
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.reading import run_scan
from riskstrat.stages.ingest.rejects import drop_rejects
from riskstrat.stages.ingest.scans import scan_feed


def count_replaced(context: Context, contract: Contract) -> tuple[Delivered, ...]:
    """The replaced deliveries of an extract with the rows they held, oldest first; nothing else is known of them.

    One that cannot be read any more is left out: it counts for nothing but this comparison.
    """
    rows: dict[date, list[tuple[str, int]]] = {}
    for number, feed in enumerate(context.deliveries.replaced.get(contract.name, ())):
        count = _count(context, contract, feed, number)
        if count is not None:
            name = feed.path.relative_to(context.landing).as_posix()
            rows.setdefault(feed.delivery, []).append((name, count))
    return tuple(
        Delivered(day, tuple(name for name, _ in found), sum(count for _, count in found))
        for day, found in sorted(rows.items())
    )


def _count(context: Context, contract: Contract, feed: Feed, number: int) -> int | None:
    try:
        scan = scan_feed(feed, contract, number)
    except ContractBrokenError:
        return None
    try:
        return run_scan(context.engine, f"SELECT count(*) FROM ({scan.select})", feed, scan.pipes)
    except ContractBrokenError:
        context.warn(
            f"{feed.path.name} of {feed.delivery} cannot be read any more; nothing is compared with it."
        )
        return None
    finally:
        drop_rejects(context.engine, scan.rejects)
