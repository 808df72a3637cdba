"""The one-page report of a run: what came in, what was turned away, who is on which list."""

from riskstrat.report.page import render_report

__all__ = ["render_report"]
