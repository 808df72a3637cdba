"""docs/cohorts.md: its example is a cohort, and it names every key that a file may have."""

from __future__ import annotations

import re
from pathlib import Path

from riskstrat.definitions.cohorts import COHORT_KEYS, REQUIRED_KEYS, load_cohort

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cohorts.md").read_text(encoding="utf-8")


def test_example_of_the_page_is_a_cohort(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert block is not None
    path = tmp_path / "example.yaml"
    path.write_text(block[1], encoding="utf-8")
    assert load_cohort(path).include == ("has_copd", "frailty_category IN ('moderate', 'severe')")


def test_page_names_every_key() -> None:
    optional = set(COHORT_KEYS) - set(REQUIRED_KEYS) - {"exclude"}
    assert optional
    assert [key for key in sorted(optional) if f"| `{key}` |" not in PAGE] == []
