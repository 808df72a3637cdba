"""The synthetic town for tests of landmark frames: one delivery of the day before AS_OF, three years of history."""

from __future__ import annotations

import csv
import shutil
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.demo.town import write_town
from riskstrat.keys import init_keys
from riskstrat.model.frames import Frames, read_frames
from riskstrat.progress import Progress
from riskstrat.site import Site, load_site, write_default_site

AS_OF, THEN = date(2026, 4, 1), date(2025, 4, 1)
PEOPLE, SEED = 1_500, 21
DELIVERY = AS_OF - timedelta(days=1)
LABELS = (
    *("label_12m", "follow_up_days_12m", "label_90d", "follow_up_days_90d"),
    *("died_12m", "left_12m", "admissions_12m", "first_admission_date"),
)
TYPE_1_DISSENT, TYPE_1_WITHDRAWN = ("827241000000103", "9Nu0.", "XaZ89"), ("9Nu1.", "XaZ8A")


def write_demo_site(folder: Path, nights: int = 1) -> Site:
    write_default_site(folder)
    init_keys(folder / "keys")
    site = load_site(folder)
    write_town(
        *(site.landing, site.config / "codelists", site.config / "geography", site.data_contracts),
        people=PEOPLE,
        seed=SEED,
        as_of=AS_OF,
        nights=nights,
        faults=False,
        progress=Progress(quiet=True),
    )
    return site


def copied(site: Site, folder: Path) -> Site:
    """The same site and keys elsewhere, without anything that was made of it."""
    shutil.copytree(site.root, folder, ignore=shutil.ignore_patterns("state", "output"))
    return load_site(folder)


def features_at(frames: Frames, day: date) -> pa.Table:
    """The features of one index date, as a run of that day publishes them."""
    table = read_frames(frames.path)
    return table.filter(pc.equal(table["index_date"], day)).drop_columns(["index_date", *LABELS])


def delivered(site: Site, extract: str, day: date = DELIVERY) -> list[dict[str, str]]:
    with (site.landing / day.isoformat() / f"{extract}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
