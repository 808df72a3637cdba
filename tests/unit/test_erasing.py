"""Delivered files lose the rows of erased people and nothing else."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.definitions.layouts import load_layouts
from riskstrat.erasing import (
    OTHER_IDENTIFIERS,
    UNKNOWN_FILE,
    Left,
    UnreadableFileError,
    holds,
    why_not,
    write_without,
)
from riskstrat.site import load_site
from tests import factories

GONE, ALSO_GONE, STAYS = (factories.nhs_number(index) for index in (1, 2, 3))
NUMBERS = frozenset({GONE, ALSO_GONE})
SPACED = f"{GONE[:3]} {GONE[3:6]} {GONE[6:]}"
DASHED = f"{ALSO_GONE[:3]}-{ALSO_GONE[3:6]}-{ALSO_GONE[6:]}"
EXTRACTS = ("gp_patients", "gp_events", "assessments")


def _erased(path: Path, content: bytes) -> tuple[bytes, Left]:
    path.write_bytes(content)
    assert holds(path, NUMBERS) is True
    target = path.with_name(f"new_{path.name}")
    left = write_without(path, target, NUMBERS)
    assert holds(target, NUMBERS) is False
    return target.read_bytes(), left


@pytest.mark.parametrize("written", [GONE, SPACED, DASHED, f'"{GONE}"', f'" {SPACED} "'])
def test_row_goes_however_its_number_is_written(tmp_path: Path, written: str) -> None:
    before, after = f"event_id,nhs_number,code\r\n1,{STAYS},a\r\n", f"3,{STAYS},c\r\n"
    content, left = _erased(tmp_path / "gp_events.csv", f"{before}2,{written},b\r\n{after}".encode())
    assert content.decode() == before + after
    assert left == Left(rows=1, crossed_out=0)


def test_number_in_a_note_about_somebody_else_is_crossed_out_and_the_row_stays(tmp_path: Path) -> None:
    note = f'1,{STAYS},"lives with her son,\n{SPACED}, and 12{GONE}"\n'
    content, left = _erased(tmp_path / "assessments.csv", f"id,nhs_number,note\n{note}".encode())
    assert content.decode() == f"id,nhs_number,note\n{note.replace(SPACED, 'x' * len(SPACED))}"
    assert left == Left(rows=0, crossed_out=1)


def test_row_over_several_lines_goes_whole(tmp_path: Path) -> None:
    theirs = f'1,{GONE},"first line\nsecond, ""quoted"" line\n"\n'
    content, left = _erased(
        tmp_path / "assessments.csv", f"id,nhs_number,note\n{theirs}2,{STAYS},\n".encode()
    )
    assert content.decode() == f"id,nhs_number,note\n2,{STAYS},\n"
    assert left.rows == 1


def test_quote_that_nothing_closes_takes_no_other_row_along(tmp_path: Path) -> None:
    lines = [f'1,{STAYS},"never closed\n', f"2,{GONE},b\n", *(f"{n},{STAYS},c\n" for n in range(3, 1500))]
    content, left = _erased(tmp_path / "assessments.csv", ("id,nhs_number,note\n" + "".join(lines)).encode())
    assert content.decode() == "id,nhs_number,note\n" + "".join(lines[:1] + lines[2:])
    assert left.rows == 1


@pytest.mark.parametrize("delimiter", ["\t", "|", ";"])
def test_other_delimiters_and_bytes_that_are_no_utf8_are_kept(tmp_path: Path, delimiter: str) -> None:
    header = delimiter.join(("id", "NHS_NUMBER", "note")).encode()
    lines = [delimiter.join(("1", number, "caf")).encode() + b"\xe9\xff" for number in (STAYS, GONE, STAYS)]
    content, left = _erased(tmp_path / "extract.csv", b"\n".join([header, *lines]))
    assert content == b"\n".join([header, lines[0], lines[2]])
    assert left.rows == 1


def test_packed_file_is_packed_again_and_the_same_each_time(tmp_path: Path) -> None:
    text = f"event_id,nhs_number\n1,{GONE}\n2,{STAYS}\n".encode()
    packed, _ = _erased(tmp_path / "gp_events.csv.gz", gzip.compress(text))
    assert gzip.decompress(packed) == f"event_id,nhs_number\n2,{STAYS}\n".encode()
    assert _erased(tmp_path / "gp_events.csv.gz", gzip.compress(text, 1))[0] == packed


@pytest.mark.parametrize("kind", ["text", "number", "dictionary"])
def test_parquet_loses_the_rows_and_keeps_its_types(tmp_path: Path, kind: str) -> None:
    numbers = pa.array([STAYS, GONE, STAYS, ALSO_GONE])
    if kind == "number":
        numbers = numbers.cast(pa.int64())
    elif kind == "dictionary":
        numbers = numbers.dictionary_encode()
    notes = pa.array(["a", "b", f"son {SPACED}", None])
    dates = pa.array([1, 2, None, 4], pa.date32())
    table = pa.table({"nhs_number": numbers, "note": notes, "day": dates})
    path, target = tmp_path / "gp_events.parquet", tmp_path / "new.parquet"
    pq.write_table(table, path)
    assert holds(path, NUMBERS)
    left = write_without(path, target, NUMBERS)
    assert left == Left(rows=2, crossed_out=1)
    written = pq.read_table(target)
    assert written.schema == pq.read_schema(path)
    assert [str(one) for one in written["nhs_number"].to_pylist()] == [STAYS, STAYS]
    assert written["note"].to_pylist() == ["a", f"son {'x' * len(SPACED)}"]
    assert not holds(target, NUMBERS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gp_events.csv.gz", gzip.compress(b"nhs_number\n" * 9999)[:-9]),
        ("gp_events.csv.gz", b"no gzip"),
        ("gp_events.parquet", b"PAR1 and no more"),
        ("extract.xlsx", b"PK\x03\x04\x00\x00"),
    ],
)
def test_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError):
        holds(path, NUMBERS)


def test_number_across_two_blocks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskstrat.erasing.BLOCK_BYTES", 64)
    for before in range(40, 70):
        path = tmp_path / "gp_events.csv"
        path.write_bytes(b"n" * before + b"," + SPACED.encode() + b"," + b"n" * 100)
        assert holds(path, NUMBERS), before
        path.write_bytes(b"n" * before + b",1" + GONE.encode() + b"," + b"n" * 100)
        assert not holds(path, NUMBERS), "eleven digits are no NHS number"


def test_files_whose_rows_name_people_otherwise_are_left_alone(made_up_site: Path) -> None:
    layouts = load_layouts(load_site(made_up_site).config / "sources")
    for name, expected in {
        "gp_events.csv": None,
        "gp_events_A81001.csv.gz": None,
        "assessments.parquet": None,
        "sus_apc_202603.csv": None,
        "291_Admin_Patient_20260331.csv": OTHER_IDENTIFIERS,
        "291_CareRecord_Observation_20260331.csv": OTHER_IDENTIFIERS,
        "notes.txt": UNKNOWN_FILE,
    }.items():
        assert why_not(Path(name), EXTRACTS, layouts) == expected, name


def test_what_is_left_is_what_a_reader_of_csv_would_leave() -> None:
    """Random tables, written as suppliers write them: quotes, commas and line breaks within values."""
    dice = random.Random(20260401)
    words = ["", "a", "b c", 'say "x"', "one, two", "first\nsecond", f"see {STAYS}", "=1+1", "é"]
    for _ in range(300):
        numbers = dice.choices(
            [GONE, SPACED, DASHED, STAYS, factories.nhs_number(4), ""], k=dice.randint(1, 12)
        )
        rows = [[str(n), number, dice.choice(words), dice.choice(words)] for n, number in enumerate(numbers)]
        quoting = dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        ending = dice.choice(["\n", "\r\n"])
        wanted = [row for row in rows if row[1] not in (GONE, SPACED, DASHED)]
        assert _written(rows, quoting, ending, is_erased=True) == _written(wanted, quoting, ending)


def _written(rows: list[list[str]], quoting: int, ending: str, *, is_erased: bool = False) -> bytes:
    from riskstrat.erasing import _write_text

    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=quoting, lineterminator=ending)
    writer.writerows([["id", "nhs_number", "note", "more"], *rows])
    content = stream.getvalue().encode()
    if not is_erased:
        return content
    target = io.BytesIO()
    _write_text(io.BytesIO(content), target, NUMBERS)
    return target.getvalue()
