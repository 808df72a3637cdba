"""Sites with an audit log of a few entries, and changes that somebody could make to its lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from riskstrat.audit import append
from riskstrat.keys import init_keys
from riskstrat.site import Site

ENTRIES = 8


def new_site(folder: Path, *, keys: bool = True) -> Site:
    for name in ("config", "data_contracts", "pipelines"):
        (folder / name).mkdir(parents=True)
    if keys:
        init_keys(folder / "keys")
    rooms = {name: folder / name for name in ("landing", "state", "output", "keys")}
    return Site(root=folder, **rooms)


def filled(site: Site) -> list[bytes]:
    for place in range(1, ENTRIES + 1):
        append(site, "run", purpose="risk_stratification", run=f"2026040{place}-abcd", count=place)
    return (log_folder(site) / "log.jsonl").read_bytes().splitlines(keepends=True)


def log_folder(site: Site) -> Path:
    return site.state / "audit"


def without(place: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [line for other, line in enumerate(lines, start=1) if other != place]
