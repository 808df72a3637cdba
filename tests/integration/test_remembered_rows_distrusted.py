"""What is remembered is used for the very bytes, definitions and key that made it, and only as it was sealed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.keys import new_site_key, read_site_key
from riskstrat.stages.ingest import entries as entry_files
from riskstrat.stages.ingest import memory, remembering
from riskstrat.stages.ingest.entries import ABOUT, PEOPLE, ROWS, seal_entry
from tests import factories, small_town
from tests.factories import nhs_number
from tests.reading_nights import Night, about, entries, entry_of, read_night

AS_OF = small_town.AS_OF
FILES = len(small_town.town())  # the register among them, which is read every night


@pytest.fixture(scope="module")
def remembering_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that remembers the files of one delivery."""
    site = small_town.write_site(tmp_path_factory.mktemp("remembered") / "site")
    town = small_town.town()
    town["gp_medications"].append(factories.medication(nhs_number(3)))
    small_town.write_landing(site, town)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory, "LEAST_BYTES", 0)
        assert read_night(site, AS_OF).files == (FILES, 0, 0)
    return site


@pytest.fixture(scope="module")
def cold(remembering_site: Path) -> Night:
    """What a night leaves that remembers nothing."""
    return read_night(remembering_site, AS_OF, remembers=False)


@pytest.fixture
def site(remembering_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "LEAST_BYTES", 0)
    return Path(shutil.copytree(remembering_site, tmp_path / "site"))


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as lines:
        lines.write(text)


CHANGES: dict[str, Callable[[Path], None]] = {
    "contract": lambda site: append(site / "data_contracts" / "gp_events.yaml", "# another\n"),
    "code list": lambda site: append(
        site / "config" / "codelists" / "flags.csv", "has_copd,snomed,13645005,again\n"
    ),
    "layout": lambda site: append(site / "config" / "sources" / "sus_apc.yaml", "# another\n"),
    "site key": lambda site: (site / "keys" / "site.key").write_bytes(new_site_key()) and None,
}


@pytest.mark.parametrize("changed", CHANGES)
def test_other_definitions_or_another_key_read_everything_again(site: Path, changed: str):
    before = entries(site)
    CHANGES[changed](site)
    assert read_night(site, AS_OF).files == (FILES, 0, 0)
    assert {path.name for path in entries(site)}.isdisjoint(path.name for path in before)
    assert read_night(site, AS_OF).files == (1, FILES - 1, 0)


def test_other_code_reads_everything_again(site: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("riskstrat.pipeline.code_version", lambda: "another")
    assert read_night(site, AS_OF).files == (FILES, 0, 0)


def test_changed_file_alone_is_read_again(site: Path):
    append(site / "landing" / small_town.DELIVERY.isoformat() / "gp_medications.csv", "M9,,2025-01-01,1\r\n")
    night = read_night(site, AS_OF)
    assert night.files == (2, FILES - 2, 0)
    assert night == read_night(site, AS_OF, remembers=False)


def test_cold_night_reads_everything_and_what_it_read_is_known_afterwards(site: Path):
    assert read_night(site, AS_OF, is_cold=True).files == (FILES, 0, 0)
    assert read_night(site, AS_OF).files == (1, FILES - 1, 0)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other_rows(entry: Path) -> None:
    """A table that can be read and says something else."""
    table = pq.read_table(entry / ROWS)
    pq.write_table(table.slice(1), entry / ROWS)


def other_count(entry: Path) -> None:
    facts = about(entry)
    (entry / ABOUT).write_text(str({**facts, "left_out": 7}).replace("'", '"').replace("None", "null"))


def of_another_file(entry: Path) -> None:
    other = next(path for path in entry.parent.iterdir() if "gp_medications" in path.name)
    shutil.rmtree(entry)
    shutil.copytree(other, entry)


def as_a_file(entry: Path) -> None:
    (entry / ROWS).unlink()
    (entry / ROWS).mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "rows cut short": lambda entry: halve(entry / ROWS),
    "a byte of the rows": lambda entry: flip(entry / ROWS, 100),
    "other rows": other_rows,
    "a byte of the people": lambda entry: flip(entry / PEOPLE, 30),
    "people cut short": lambda entry: halve(entry / PEOPLE),
    "people gone": lambda entry: (entry / PEOPLE).unlink(),
    "counts changed": other_count,
    "counts cut short": lambda entry: halve(entry / ABOUT),
    "counts empty": lambda entry: (entry / ABOUT).write_bytes(b""),
    "counts no object": lambda entry: (entry / ABOUT).write_bytes(b"[1]"),
    "counts gone": lambda entry: (entry / ABOUT).unlink(),
    "another file's": of_another_file,
    "a folder for a file": as_a_file,
}


# In every run of the tests, one damage of each kind and of each file; the others in the slow ones.
OFTEN = (
    "rows cut short",
    "other rows",
    "a byte of the people",
    "counts changed",
    "counts gone",
    "another file's",
)


@pytest.mark.parametrize(
    "damage",
    [pytest.param(damage, marks=[] if damage in OFTEN else pytest.mark.slow) for damage in DAMAGES],
)
def test_damaged_entry_is_read_from_the_delivery_and_replaced(site: Path, cold: Night, damage: str):
    DAMAGES[damage](entry_of(site, "gp_events"))
    night = read_night(site, AS_OF)
    assert night.files == (2, FILES - 2, 0)
    assert night == cold
    assert read_night(site, AS_OF).files == (1, FILES - 1, 0)


def test_entry_that_was_sealed_with_another_key_is_not_used(site: Path):
    entry = entry_of(site, "gp_events")
    other_rows(entry)
    seal_entry(entry, new_site_key(), delivery=small_town.DELIVERY, rejects=(), left_out=None)
    assert read_night(site, AS_OF).files == (2, FILES - 2, 0)


SEALED_NONSENSE: dict[str, Callable[[Path], object]] = {
    "no Parquet": lambda entry: (entry / ROWS).write_bytes(b"nothing"),
    "other columns": lambda entry: pq.write_table(pa.table({"place": [1]}), entry / ROWS),
    "other people": lambda entry: pq.write_table(pa.table({"pseudonym": ["short"]}), entry / PEOPLE),
}


@pytest.mark.parametrize("nonsense", SEALED_NONSENSE)
def test_sealed_entry_that_cannot_be_read_is_read_from_the_delivery(site: Path, cold: Night, nonsense: str):
    entry = entry_of(site, "gp_events")
    SEALED_NONSENSE[nonsense](entry)
    key = read_site_key(site / "keys")
    seal_entry(entry, key, delivery=small_town.DELIVERY, rejects=(), left_out=None)
    night = read_night(site, AS_OF)
    assert night.files == (2, FILES - 2, 0)
    assert night == cold


@pytest.mark.parametrize("at", ["rows", "seal", "folder", "place"])
def test_full_disk_costs_the_memory_and_not_the_night(
    site: Path, cold: Night, at: str, monkeypatch: pytest.MonkeyPatch
):
    shutil.rmtree(site / "state" / memory.FOLDER)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        if at == "rows":
            patched.setattr(remembering, "_write", full)
        elif at == "seal":
            patched.setattr(remembering, "seal_entry", full)
        elif at == "folder":
            patched.setattr(Path, "mkdir", full_for("read", Path.mkdir, full))
        else:
            patched.setattr(Path, "rename", full)
        night = read_night(site, AS_OF)
    assert night == cold
    assert night.said.endswith("there was no room to remember what was read")
    assert not entries(site)
    assert read_night(site, AS_OF).files == (FILES, 0, 0)


def full_for(name: str, usual: Callable[..., Any], full: Callable[..., Any]) -> Callable[..., Any]:
    return lambda path, *given, **named: (full if name in path.parts else usual)(path, *given, **named)


def test_night_that_dies_while_it_keeps_rows_leaves_no_half_entry(
    site: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.rmtree(site / "state" / memory.FOLDER)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(entry_files, "_seal", die)
        with pytest.raises(KeyboardInterrupt):
            read_night(site, AS_OF)
    assert not entries(site)
    assert read_night(site, AS_OF).files == (FILES, 0, 0)


def test_folder_that_may_not_be_written_is_passed_over(site: Path, cold: Night):
    if os.geteuid() == 0:
        (site / "state" / memory.FOLDER).rename(site / "state" / "aside")
        (site / "state" / memory.FOLDER).write_text("a file where the folder should be")
    else:
        (site / "state" / memory.FOLDER).chmod(0)
    assert read_night(site, AS_OF) == cold


def test_later_delivery_finds_the_same_file_under_another_name(site: Path):
    """What a file holds counts, not what it is called or when it came."""
    later = site / "landing" / (small_town.DELIVERY + timedelta(days=1)).isoformat()
    later.mkdir()
    first = site / "landing" / small_town.DELIVERY.isoformat()
    shutil.copy(first / "gp_events.csv", later / "gp_events_again.csv")
    as_of = AS_OF + timedelta(days=1)
    night = read_night(site, as_of)
    assert night.files == (1, FILES, 0)
    assert night == read_night(site, as_of, remembers=False)
    assert night.books["gp_events"]["conservation"]["duplicates"] > 0
