"""Room in the landing folder: a town takes the place of an earlier one, and of nothing else."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

from riskstrat.errors import MisuseError

MARKER = ".synthetic-town"
NIGHTS_TRUTH = "nights.parquet"
MARK = "A synthetic town; riskstrat demo may replace it.\n"


def make_room(folder: Path, truth_folder: Path, nights: int) -> None:
    """Empty and marked folders for the first delivery and every night after it; those of the earlier town are gone.

    Raises MisuseError, and removes nothing, where something else lies in the way.
    """
    first = date.fromisoformat(folder.name)
    later = [folder.with_name(f"{first + timedelta(days=night)}") for night in range(1, nights)]
    mark = f"A night of the synthetic town of {first}; riskstrat demo may replace it.\n"
    for each, own in ((folder, {MARK}), *((night, {mark}) for night in later)):
        if each.exists() and _mark_of(each) not in own:
            raise MisuseError(
                "there is a delivery already, and it is not this synthetic town's.",
                file=each,
                remedy="choose another date with --as-of, or another site; a delivery is never overwritten.",
            )
    old = [path.parent for path in folder.parent.glob(f"*/{MARKER}") if _mark_of(path.parent) == mark]
    for each in (folder, *old):
        if each.exists():
            shutil.rmtree(each)
    for each in (folder, *later):
        each.mkdir(parents=True)
        (each / MARKER).write_text(MARK if each == folder else mark, encoding="utf-8")
    truth_folder.mkdir(parents=True, exist_ok=True)
    (truth_folder / NIGHTS_TRUTH).unlink(missing_ok=True)


def _mark_of(folder: Path) -> str | None:
    marker = folder / MARKER
    return marker.read_text(encoding="utf-8") if marker.is_file() else None
