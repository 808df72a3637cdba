"""What tests of exports type, and what an export leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.site import Site
from tests.end_to_end.command import Answer, riskstrat
from tests.fake_exports import COHORT, Town


def export(capsys: pytest.CaptureFixture[str], town: Town, audience: str, *more: str) -> Answer:
    return riskstrat(capsys, town.site.root, "worklist", "export", COHORT, "--audience", audience, *more)


def exported(site: Site) -> list[str]:
    folder = site.root / "exports"
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def last_entry(site: Site) -> dict[str, Any]:
    assert verify(site) == []
    return dict(read_entries(site)[-1].facts)
