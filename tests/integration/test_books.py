"""The books of an extract: both sides are counted where they arise, and what was bad heals when it comes sound."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import riskstrat.stages.ingest
from riskstrat.checking import Checked, check
from riskstrat.definitions.everything import load_definitions
from riskstrat.errors import RiskstratError
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town

NUMBER = factories.nhs_number(1)
HEADER = "event_id,nhs_number,event_date,code_system,code,value\n"
QUIET = Progress(quiet=True)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = small_town.write_site(tmp_path / "site")
    small_town.write_landing(site)
    return site


def _deliver(site: Path, days: int, lines: list[str]) -> None:
    folder = site / "landing" / (small_town.DELIVERY + timedelta(days=days)).isoformat()
    folder.mkdir(exist_ok=True)
    (folder / "gp_events.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def _event(number: int, value: str = "1") -> str:
    return f"E{number},{NUMBER},2025-05-04,snomed,38341003,{value}"


def _checked(site: Path, extract: str | None = "gp_events") -> Checked:
    return check(load_site(site), load_definitions(site), extract=extract, progress=QUIET)


@pytest.mark.parametrize(
    ("harm", "accounted"),
    [
        ("DELETE FROM incoming_gp_events WHERE rowid = 3", 19),
        ("INSERT INTO incoming_gp_events SELECT * FROM incoming_gp_events LIMIT 1", 21),
    ],
    ids=["lost", "invented"],
)
def test_row_lost_or_invented_after_it_was_read_fails_the_run(
    site: Path, monkeypatch: pytest.MonkeyPatch, harm: str, accounted: int
):
    _deliver(site, 0, [_event(number) for number in range(20)])
    settle: Callable[..., None] = riskstrat.stages.ingest.settle_versions

    def harmed(engine, staging, as_of):
        if staging.contract.name == "gp_events":
            engine.execute(harm)
            engine.execute("UPDATE incoming_gp_events SET event_id = 'N' || rowid")
        settle(engine, staging, as_of)

    monkeypatch.setattr(riskstrat.stages.ingest, "settle_versions", harmed)
    said = rf"gp_events do(es)? not balance: 20 read, {accounted} accounted"
    with pytest.raises(RiskstratError, match=said):
        _checked(site)


def test_row_decided_twice_fails_the_run(site: Path, monkeypatch: pytest.MonkeyPatch):
    _deliver(site, 0, [_event(number) for number in range(20)])
    settle = riskstrat.stages.ingest.settle_versions

    def harmed(engine, staging, as_of):
        settle(engine, staging, as_of)
        if staging.contract.name == "gp_events":
            engine.execute("INSERT INTO judged_gp_events VALUES (0, 'duplicates'), (0, 'superseded')")

    monkeypatch.setattr(riskstrat.stages.ingest, "settle_versions", harmed)
    with pytest.raises(RiskstratError, match="2 rows of gp_events were decided upon and 1 were there"):
        _checked(site)


@pytest.mark.parametrize("bad", [",too,many", ""], ids=["structure", "no key"])
def test_file_that_came_again_sound_heals_the_next_night(site: Path, bad: str):
    sound = [_event(number) for number in range(100)]
    broken = [f"{line}{bad}" if bad else line.replace(line.split(",")[0], "", 1) for line in sound[:25]]
    _deliver(site, 0, broken + sound[25:])
    first = _checked(site)
    assert first.stopped_by is not None
    _deliver(site, 1, sound)
    second = _checked(site)
    assert second.stopped_by is None
    (books,) = second.books
    assert (books.corrected, books.conservation["accepted"], books.conservation["quarantined"]) == (
        25,
        100,
        25,
    )


def test_quarantined_row_keeps_no_number_of_ten_digits_in_a_numeric_column(site: Path):
    _deliver(site, 0, [_event(1), f"E2,{NUMBER},2025-99-99,snomed,38341003,{NUMBER}"])
    outcome = run(load_site(site), small_town.AS_OF, progress=QUIET)
    (row,) = pq.read_table(outcome.folder / "quality" / "gp_events" / "quarantine.parquet").to_pylist()
    assert (row["event_id"], row["value"]) == ("E2", None)
