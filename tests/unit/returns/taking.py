"""Lists as they come back, and what became of their rows."""

from __future__ import annotations

import csv

from riskstrat.returns import store
from riskstrat.returns.applying import TakenBack, take_back
from riskstrat.site import Site
from tests.fake_returns import Rows, as_csv, put


def taken(site: Site, rows: Rows, **options: str) -> TakenBack:
    return take_back(site, put(site.root.parent, as_csv(rows)), **options)


def reasons(back: TakenBack) -> list[dict[str, str]]:
    assert back.quarantine is not None
    with back.quarantine.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def stored_rows(site: Site) -> list[dict[str, object]]:
    return store.read_all(site.state).to_pylist()
