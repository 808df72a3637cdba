"""What shows only in a file of several reading buffers, with two threads at work: which line a row was."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskstrat.checking import check
from riskstrat.definitions.everything import load_definitions
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town

ROWS = 1_200_000
TWICE = range(0, ROWS, 600)
BAD = {451_293: "nhs_number", 700_001: "event_date", 1_150_000: "fields"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of about 100 MB: 2,000 keys stand on two lines far apart, and three known lines are bad."""
    site = small_town.write_site(tmp_path_factory.mktemp("large") / "site", is_threaded=True)
    small_town.write_landing(site)
    number = factories.nhs_number(1)
    path = next((site / "landing").glob("*/gp_events.csv"))
    padding = "u" * 30
    with path.open("w", encoding="utf-8") as stream:
        stream.write("event_id,nhs_number,event_date,code_system,code,value,unit\n")
        for row in range(ROWS):
            stream.write(_line(row, number, padding))
        for row in TWICE:
            stream.write(f"E{row},{number},2020-05-04,snomed,38341003,2,{padding}\n")
    return site


def _line(row: int, number: str, padding: str) -> str:
    line = row + 2
    if BAD.get(line) == "fields":
        return f"E{row},{number},2020-05-04\n"
    number = "9990000019" if BAD.get(line) == "nhs_number" else number
    day = "2020-13-04" if BAD.get(line) == "event_date" else "2020-05-04"
    return f"E{row},{number},{day},snomed,38341003,1,{padding}\n"


def test_lines_and_versions_are_told_by_their_place_in_the_file(site: Path):
    definitions = load_definitions(site)
    checked = check(load_site(site), definitions, extract="gp_events", progress=Progress(quiet=True))
    (books,) = checked.books
    assert books.conservation == {
        "read": ROWS + len(TWICE),
        "accepted": ROWS - len(BAD),
        "quarantined": len(BAD),
        "duplicates": 0,
        "superseded": len(TWICE),
        "deleted": 0,
    }
    places = {place.column: place.row for place in books.first.values() if place.column != "unit"}
    assert places["nhs_number"] == 451_293
    assert places["event_date"] == 700_001
    assert books.first["gp_events.row.structure"].row == 1_150_000


def test_the_later_of_two_lines_of_one_key_wins_every_time(site: Path, monkeypatch: pytest.MonkeyPatch):
    import riskstrat.checking

    seen = []
    link = riskstrat.checking.link

    def look(context):
        seen.append(context.engine.rows('SELECT "value", count(*) FROM gp_events GROUP BY ALL ORDER BY ALL'))
        link(context)

    monkeypatch.setattr(riskstrat.checking, "link", look)
    for _ in range(2):
        check(load_site(site), load_definitions(site), extract="gp_events", progress=Progress(quiet=True))
    newest = len(TWICE)
    assert seen == [[(1.0, ROWS - newest - len(BAD)), (2.0, newest)]] * 2
