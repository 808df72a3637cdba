"""Who the people are: the register's NHS numbers become persons before any other extract is read."""

from __future__ import annotations

from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest import identity
from riskstrat.stages.ingest.deliveries import Deliveries, Feed
from riskstrat.stages.ingest.reading import run_scan
from riskstrat.stages.ingest.rejects import drop_rejects
from riskstrat.stages.ingest.scans import scan_feed, supplier_file


def register(context: Context, deliveries: Deliveries) -> None:
    """Give every person of the register a dense number."""
    name = context.definitions.register_extract
    contract = context.definitions.contracts[name]
    selects = []
    for number, feed in enumerate(deliveries.feeds.get(name, ())):
        scan = scan_feed(feed, contract, number)
        table = f"{identity.IDENTITY}.given_{number}"
        run_scan(
            context.engine,
            f"CREATE TABLE {table} AS SELECT DISTINCT CAST(nhs_number AS VARCHAR) AS nhs_number FROM ({scan.select})",
            feed,
            scan.pipes,
        )
        drop_rejects(context.engine, scan.rejects)
        selects.append(f"SELECT nhs_number FROM {table}")
    identity.register_people(context.engine, selects)


def number_synthetic(context: Context, deliveries: Deliveries) -> None:
    """Give the people of synthetic data sets numbers, the same in every delivery."""
    selects: list[str] = []
    for layout in deliveries.layouts.values():
        for name, column in layout.synthetic_numbers_for:
            for delivered, path in deliveries.supplied.get((layout.name, name), ()):
                table = f"{identity.IDENTITY}.given_synthetic_{len(selects)}"
                source = supplier_file(
                    layout, layout.files[name], (path,), f"rejects_synthetic_{len(selects)}"
                )
                run_scan(
                    context.engine,
                    f"CREATE TABLE {table} AS SELECT DISTINCT {quoted(column)} AS source_id FROM ({source.select})",
                    Feed(name, delivered, path, layout),
                    source.pipes,
                )
                drop_rejects(context.engine, source.rejects)
                selects.append(f"SELECT source_id FROM {table}")
        if layout.synthetic_numbers_for:
            context.warn(
                f"the layout {layout.name} gives people synthetic NHS numbers of the 999 range: not for real patients."
            )
    if selects:
        identity.number_synthetic_people(context.engine, selects)
