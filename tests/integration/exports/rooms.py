"""What tests of exports may change of a site, put back after each of them."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOMS = ("config", "keys", "state")


def keep(site: Path) -> None:
    """Keep the rooms beside the site."""
    for room in ROOMS:
        shutil.copytree(site / room, site.parent / "kept" / room)


def put_back(site: Path) -> None:
    """Make the rooms what they were when they were kept, and leave no exports."""
    for room in (*ROOMS, "exports"):
        shutil.rmtree(site / room, ignore_errors=True)
    for room in ROOMS:
        shutil.copytree(site.parent / "kept" / room, site / room)
