"""The scanner of the byte scan finds an identifier however it is written."""

from __future__ import annotations

import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.engines.duckdb import DuckDBEngine
from tests.identifiers import BLOCK_BYTES, Identifiers

NUMBER, NAME, POSTCODE = "9990000018", "Wetherquist", "ZZ4 2GG"
KNOWN = Identifiers({NUMBER.encode()}, {NAME.encode()}, {POSTCODE.replace(" ", "").encode()})


@pytest.mark.parametrize("before", [b"", b"9", b"99", b"x" * 7, b"\x00\x01\x02"])
@pytest.mark.parametrize(
    "written",
    [
        NUMBER.encode(),
        b"999 000 0018",
        b"999-000-0018",
        NUMBER.encode("utf-16-le"),
        NUMBER.encode("utf-16-be"),
        "999 000 0018".encode("utf-16-le"),
        NUMBER.encode("utf-32-le"),
        struct.pack("<q", int(NUMBER)),
        struct.pack(">q", int(NUMBER)),
        NAME.encode(),
        NAME.encode("utf-16-le"),
        POSTCODE.encode(),
        b"ZZ42GG",
        POSTCODE.encode("utf-16-le"),
    ],
)
def test_every_encoding_is_found_at_every_offset(before: bytes, written: bytes):
    assert list(KNOWN.found_in(before + written + b"\x07 and more"))


@pytest.mark.parametrize("text", [b"9990000026", b"99900000", b"Wether", b"ZZ4 2GH", b"ZZ42G", bytes(64)])
def test_other_values_are_not_found(text: bytes):
    assert not list(KNOWN.found_in(text))


def test_a_number_across_two_blocks_is_found(tmp_path: Path):
    path = tmp_path / "large.bin"
    path.write_bytes(b"." * (BLOCK_BYTES - 5) + NUMBER.encode() + b"." * 100)
    assert KNOWN.found_in_file(path)


def test_a_packed_value_of_a_parquet_file_is_found(tmp_path: Path):
    path = tmp_path / "packed.parquet"
    pq.write_table(pa.table({"reference": [int(NUMBER)] * 100}), path, compression="zstd")
    assert any("decoded" in one for one in KNOWN.found_in_file(path))


def test_a_value_of_a_table_is_found(tmp_path: Path):
    engine = DuckDBEngine(tmp_path / "run.duckdb", threads=1, memory_limit="1GB")
    engine.execute(f"CREATE TABLE planted AS SELECT '{NUMBER}' AS reference, 'x' AS other")
    assert len(KNOWN.found_in_tables(engine.connection, set())) == 1
    engine.close()
    assert KNOWN.found_in_file(tmp_path / "run.duckdb")
