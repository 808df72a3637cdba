"""A file that somebody downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.codelists.small_lists import WriteFile


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_file(text: str | bytes, name: str = "download.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file
