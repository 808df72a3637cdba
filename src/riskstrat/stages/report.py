"""Report: the quality page and the run report, written from what earlier stages left in the run."""

from __future__ import annotations

from riskstrat.stages.context import Context
from riskstrat.stages.ingest.judging import write_summaries


def report(context: Context) -> None:
    """Write ``quality/EXTRACT/summary.json``, ``quality/index.html`` and ``report/index.html``."""
    from riskstrat.quality.page import render_quality_page
    from riskstrat.report.page import render_report

    write_summaries(context)
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
