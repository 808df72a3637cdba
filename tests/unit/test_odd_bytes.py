"""Bytes that no sound text file holds, found block by block, against the whole content at once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstrat.errors import ContractBrokenError
from riskstrat.stages.ingest import bytes as odd_bytes
from riskstrat.stages.ingest.bytes import refuse_odd_bytes

LONGEST_LINE, BLOCK = 6, 9
PIECES = st.sampled_from([b"a", b"bcd", b"\n", b"\n\n", b"\0", b"efghijk"])


def refused_at(content: bytes) -> tuple[str, object] | None:
    """What is refused of a file with this content, and its row; blocks and lines of a few bytes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(odd_bytes, "LONGEST_LINE_BYTES", LONGEST_LINE),
        patch.object(odd_bytes, "LONGEST_FIELD_BYTES", BLOCK),
    ):
        file = Path(folder) / "gp_events.csv"
        file.write_bytes(content)
        try:
            refuse_odd_bytes([file])
        except ContractBrokenError as problem:
            return ("NUL" if "NUL" in problem.what else "long", problem.row)
    return None


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_nul_bytes_and_long_lines_are_found_wherever_blocks_end(content: bytes):
    lines = content.split(b"\n")
    odd = {("NUL", row) for row, line in enumerate(lines, start=1) if b"\0" in line}
    odd |= {("long", row) for row, line in enumerate(lines, start=1) if len(line) > LONGEST_LINE}
    first = {min((row for kind, row in odd if kind == wanted), default=None) for wanted in ("NUL", "long")}
    found = refused_at(content)
    assert found in odd if odd else found is None
    assert found is None or found[1] in first


@pytest.mark.parametrize("lines_before", [0, 3])
def test_quote_that_is_never_closed_is_told_with_the_row_where_it_opens(lines_before: int):
    content = b"a,b\n" * lines_before + b'"cd\n' + b"ef\n" * 9
    assert refused_at(content) == ("long", lines_before + 1)
    assert refused_at(content.replace(b"cd\n", b'cd"\n')) is None
