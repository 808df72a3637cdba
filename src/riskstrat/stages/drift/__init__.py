"""Drift: whether the model that scored tonight's people still fits them; nothing where none did."""

from riskstrat.stages.drift.writing import drift

__all__ = ["drift"]
