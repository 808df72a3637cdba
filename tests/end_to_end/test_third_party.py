"""Data sets that nobody here wrote go the whole way through their layouts, and the books balance.

The counts were found apart from the pipeline, with Python's csv module, from the files as they are.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.keys import init_site_key
from riskstrat.pipeline import Outcome, run
from riskstrat.progress import Progress
from riskstrat.site import load_site, write_default_site
from tests.end_to_end.books import balanced_books

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

Books = dict[str, dict[str, int]]


@dataclass(frozen=True)
class DataSet:
    """A folder or file under DATA, the day to run it for, and what the books must say; counts of 0 are left out.

    An extract that is not in the books is not delivered.
    """

    source: str
    layout: str
    as_of: date
    population: int
    books: Books

    @property
    def path(self) -> Path:
        return DATA / self.source


def _all(count: int) -> dict[str, int]:
    return {"read": count, "accepted": count} if count else {}


SYNTHEA_PY: Books = {
    "gp_patients": _all(180),
    "gp_events": {"read": 84096, "accepted": 81325, "duplicates": 2730, "superseded": 41},
    "gp_medications": {"read": 8685, "accepted": 8677, "duplicates": 8},
    "gp_contacts": _all(25860),
    "acute_episodes": _all(586),
    "acute_attendances": _all(2054),
    "community_contacts": _all(190),
}

DATA_SETS = (
    DataSet("synthea_py_dev", "synthea", date(2012, 7, 1), 117, SYNTHEA_PY),
    DataSet("synthea_py_dev", "synthea", date(2020, 1, 1), 98, SYNTHEA_PY),
    DataSet(
        "synthea_java/B_59",
        "synthea",
        date(2022, 2, 1),
        50,
        {
            "gp_patients": _all(59),
            "gp_events": {"read": 5792, "accepted": 4965, "duplicates": 816, "superseded": 11},
            "gp_medications": {"read": 1772, "accepted": 1765, "duplicates": 7},
            "gp_contacts": _all(2300),
            "acute_episodes": _all(94),
            "acute_attendances": _all(135),
            "community_contacts": _all(47),
            "care_plans": _all(69),
        },
    ),
    # No observations, procedures with a DATE, and nobody was visited at home.
    DataSet(
        "synthea_java/C_ri115",
        "synthea",
        date(2022, 2, 1),
        100,
        {
            "gp_patients": _all(115),
            "gp_events": _all(5137),
            "gp_medications": {"read": 4485, "accepted": 4448, "duplicates": 37},
            "gp_contacts": _all(4079),
            "acute_episodes": _all(67),
            "acute_attendances": _all(256),
            "community_contacts": {},
            "care_plans": _all(137),
        },
    ),
    # Three episodes tell neither the month of birth nor an age; each is of a person of whom nothing else is known.
    DataSet(
        "nhs_artificial_hes/hes_apc_2001_02_first_half.csv",
        "hes_artificial_apc",
        date(2002, 4, 1),
        422,
        {
            "gp_patients": {
                "read": 1037,
                "accepted": 422,
                "quarantined": 3,
                "duplicates": 593,
                "superseded": 19,
            },
            "acute_episodes": _all(1037),
        },
    ),
    # Four rows without an age; eleven whose category is not known.
    DataSet(
        "nhs_artificial_hes/hes_ae_2007_08.csv",
        "hes_artificial_ae",
        date(2008, 4, 1),
        670,
        {
            "gp_patients": {"read": 1000, "accepted": 670, "quarantined": 4, "superseded": 326},
            "acute_attendances": {"read": 1000, "accepted": 989, "quarantined": 11},
        },
    ),
    DataSet(
        "ehrql_example_gp",
        "ehrql",
        date(2024, 4, 1),
        38,
        {"gp_patients": _all(511), "gp_events": _all(293), "gp_medications": _all(14)},
    ),
)


def run_data_set(data: DataSet, folder: Path) -> Outcome:
    """One run of a fresh site to which only the data set was delivered, the day before its as_of."""
    site = folder / "site"
    write_default_site(site)
    init_site_key(site / "keys")
    delivery = site / "landing" / (data.as_of - timedelta(days=1)).isoformat()
    if data.path.is_dir():
        shutil.copytree(data.path, delivery)
    else:
        delivery.mkdir(parents=True)
        shutil.copy(data.path, delivery)
    return run(load_site(site), data.as_of, progress=Progress(quiet=True))


@pytest.mark.parametrize("data", DATA_SETS, ids=lambda data: f"{data.source}-{data.as_of}")
def test_data_set_runs_through_its_layout_and_every_row_is_accounted_for(data: DataSet, tmp_path: Path):
    if not data.path.exists():
        pytest.skip(f"{data.source} is not beside this checkout")
    outcome = run_data_set(data, tmp_path)
    assert balanced_books(outcome.manifest) == data.books
    extracts = outcome.manifest["extracts"]
    assert {name for name, extract in extracts.items() if extract["present"]} == set(data.books)
    assert {extracts[name]["layout"] for name in data.books} == {data.layout}
    assert outcome.manifest["population"]["steps"][-1]["people"] == data.population
    features = pq.read_table(outcome.folder / "features.parquet")
    assert features.num_rows == data.population
