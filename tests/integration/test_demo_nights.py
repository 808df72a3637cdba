"""The nights of the synthetic town as files: the same seed, fewer or more nights, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskstrat.demo.nights.deliveries import NIGHTLY
from riskstrat.demo.nights.horizon import MOST_NIGHTS
from riskstrat.errors import MisuseError
from tests.integration.town_of_nights import SEED, contents, read, town


def test_first_night_is_the_town_of_one_night(tmp_path: Path):
    one, ten = town(tmp_path / "one", nights=1), town(tmp_path / "ten")
    first = contents(one)
    assert "truth/nights.parquet" not in first
    assert first.items() <= contents(ten).items()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_nights(tmp_path: Path):
    first = contents(town(tmp_path / "first"))
    assert contents(town(tmp_path / "again")) == first
    other = contents(town(tmp_path / "other", seed=SEED + 1))
    assert other["2026-04-04/acute_episodes.csv"] != first["2026-04-04/acute_episodes.csv"]


def test_town_of_fewer_nights_is_the_beginning_of_one_of_more(tmp_path: Path):
    few, many = town(tmp_path / "few", nights=4), town(tmp_path / "many", nights=MOST_NIGHTS)
    short, long = contents(few), contents(many)
    for name in ("truth/nights.parquet",):
        short_truth, long_truth = (pq.read_table(folder / name) for folder in (few, many))
        nights = short_truth["as_of"].unique().to_pylist()
        kept = [row for row in long_truth.to_pylist() if row["as_of"] in nights]
        assert kept == short_truth.to_pylist()
        del short[name]
    assert len([name for name in short if name.startswith("2026-04")]) > 3 * len(NIGHTLY)
    assert short.items() <= long.items()


def test_chunks_have_nights_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("riskstrat.demo.town.CHUNK", 600)
    landing = town(tmp_path)
    truth = pq.read_table(landing / "truth" / "nights.parquet").to_pylist()
    assert len({(row["as_of"], row["person"]) for row in truth}) == len(truth)
    assert len({(row["as_of"], row["nhs_number"]) for row in truth}) == len(truth)
    for day, extracts in read(landing).items():
        for extract in ("gp_events", "acute_adt", "acute_attendances", "gp_medications"):
            keys = Counter(tuple(row.values()) for row in extracts[extract])
            owners = {(next(iter(row.values())), row["nhs_number"]) for row in extracts[extract]}
            assert len(owners) == len({key for key, _ in owners}), (day, extract)
            assert set(keys.values()) <= {1, 2}


@pytest.mark.parametrize(
    ("nights", "faults", "said"),
    [(MOST_NIGHTS + 1, False, "1 to 31 nights"), (0, False, "nights"), (2, True, "one night")],
)
def test_towns_of_nights_that_cannot_be_are_refused(tmp_path: Path, nights: int, faults: bool, said: str):
    with pytest.raises(MisuseError, match=said) as refusal:
        town(tmp_path, people=100, nights=nights, faults=faults)
    assert refusal.value.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_night_takes_the_place_of_an_earlier_towns_and_of_nothing_else(tmp_path: Path):
    town(tmp_path, people=100, nights=6)
    town(tmp_path, people=100, nights=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2026-03-31",
        "2026-04-01",
        "2026-04-02",
        "truth",
    ]
    other = tmp_path / "2026-04-04"
    other.mkdir()
    (other / "gp_events.csv").write_text("real data")
    before = contents(tmp_path)
    with pytest.raises(MisuseError, match="never overwritten"):
        town(tmp_path, people=100, nights=6)
    assert contents(tmp_path) == before
    town(tmp_path, people=100, nights=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-03-31", "2026-04-04", "truth"]
    assert not (tmp_path / "truth" / "nights.parquet").exists()
