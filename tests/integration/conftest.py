"""Fixtures of tests that type commands."""

from __future__ import annotations

import pytest


@pytest.fixture
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 100 columns, and no site but the one that a command names."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("RISKSTRAT_SITE", raising=False)
