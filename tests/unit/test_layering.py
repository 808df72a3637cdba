"""Imports only point down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_imports_only_point_down():
    lint = Path(sys.executable).parent / "lint-imports"
    answer = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Imports only point down KEPT" in answer.stdout, answer.stdout
    assert answer.returncode == 0
