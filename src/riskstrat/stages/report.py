"""Report: the quality page and the run report, written from what earlier stages left in the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from riskstrat.definitions.contract_snapshots import IN_A_RUN, snapshots
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.judging import warn_of, write_summaries

if TYPE_CHECKING:
    from riskstrat.quality.coverage import Calendar


def report(context: Context) -> None:
    """Write what is left of ``quality/``, then ``quality/index.html`` and ``report/index.html``."""
    from riskstrat.quality.page import render_quality_page
    from riskstrat.report.page import render_report

    finish_quality(context)
    kept = snapshots(context.definitions.contracts)
    (context.building / IN_A_RUN).write_text(kept, encoding="utf-8")
    quality = render_quality_page(context.building, context.as_of.isoformat())
    (context.building / "quality" / "index.html").write_text(quality, encoding="utf-8")
    folder = context.building / "report"
    folder.mkdir()
    page = render_report(
        context.building,
        context.manifest,
        older_from_age=context.definitions.report_layout.older_from_age,
        frailty_categories=context.definitions.contracts["features"].column("frailty_category").allowed,
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def finish_quality(context: Context) -> None:
    """Coverage, codes and summaries: what only the features stage could count."""
    from riskstrat.quality.codes import write_codes
    from riskstrat.quality.coverage import enough_rows, read_calendars, write_coverage

    calendars = read_calendars(context.engine)
    write_coverage(context.building, calendars.values())
    _judge_providers(context, calendars, enough_rows(context.engine))
    write_codes(context.engine, context.building)
    write_summaries(context)


def _judge_providers(context: Context, calendars: Mapping[str, Calendar], enough: float) -> None:
    """Hold each provider's newest complete month against its own mean; this comes too late to stop a run."""
    from riskstrat.quality.expectations import judge_all, verdict
    from riskstrat.quality.measures import measure_providers
    from riskstrat.quality.store import stored_observations, stored_verdicts, write_raw, write_verdicts

    stored = {name: found for name, found in stored_verdicts(context.building).items() if name in calendars}
    seen = {
        name: replace(
            stored_observations(found, context.building),
            calendar_providers=len(calendars[name].providers),
            providers=calendars[name].newest_months(enough),
            silent=calendars[name].silent_months(),
        )
        for name, found in stored.items()
    }
    measured = {
        name: list(measure_providers(found, context.definitions.limits[name])) for name, found in seen.items()
    }
    judged, judgement = judge_all(measured)
    write_raw(context.building, "features", judgement)
    verdicts = {
        name: verdict([*stored[name]["results"], *judged[name]["results"]], judgement.version)
        for name in stored
    }
    write_verdicts(context.building, seen, verdicts)
    for found in judged.values():
        warn_of(context, found["results"])
