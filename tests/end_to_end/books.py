"""The books of a run, as its manifest keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def balanced_books(manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What became of the rows read, by extract; ways that no row took are left out. Every row must be accounted for."""
    books: dict[str, dict[str, int]] = manifest["conservation"]
    assert books, "a run that read nothing proves nothing"
    for extract, counts in books.items():
        assert counts["read"] == sum(count for way, count in counts.items() if way != "read"), extract
    return {
        extract: {way: count for way, count in counts.items() if count} for extract, counts in books.items()
    }
