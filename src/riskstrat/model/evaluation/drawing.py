"""What the charts of an evaluation have in common: sizes, colours, and figures with the ends of their intervals."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 760
LINES = (
    ("#0a3564", (1, 0)),
    ("#3b7cb3", (7, 3)),
    ("#b35c00", (1, 0)),
    ("#6b4e9b", (6, 3)),
    ("#3d7d4f", (2, 2)),
    ("#8a8f94", (8, 2, 2, 2)),
)
"""Colour and dashes of each line in order: told apart without colour vision too."""
HEED = "#8a4b00"
BAND = 0.14


def named(found: Sequence[float | None] | None) -> dict[str, float | None]:
    """A figure and the ends of its interval by name; all are unknown where it is hidden."""
    value, low, high = found or (None, None, None)
    return {"value": value, "low": low, "high": high}
