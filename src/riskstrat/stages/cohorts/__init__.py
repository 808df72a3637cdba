"""Cohorts: who matches each definition, ranked, with the reasons and the gaps in plain English."""

from riskstrat.stages.cohorts.selecting import cohorts, compile_cohorts

__all__ = ["cohorts", "compile_cohorts"]
