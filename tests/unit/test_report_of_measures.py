"""Throughput and coverage on the run report: every share with its denominator, and unknown never as no."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskstrat.measures.counting import COLUMNS
from riskstrat.report import render_report
from riskstrat.report.measures import Value, measure_tables
from tests.fake_run import write_fake_run
from tests.unit.test_report import SHOWN, text_of

AS_OF = date(2026, 4, 1)
ABOUT = {
    "title": "Throughput and coverage",
    "confidence": 0.95,
    "shown": [
        {"name": "reached", "heading": "Seen", "title": "Seen or reviewed from the list"},
        {"name": "plan", "heading": "Care plan", "title": "Has a care plan"},
        {"name": "wait", "heading": "Days", "title": "Days to the first outcome"},
    ],
}
TYPES = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "DATE": pa.date32()}


def row(kind: str, name: str, measure: str, **counted: object) -> dict[str, Any]:
    blank = {column: None for column, _ in COLUMNS}
    zero = {"numerator": 0, "denominator": 0, "undecided": 0, "as_of": AS_OF, "area_kind": "all"}
    return {**blank, **zero, "kind": kind, "cohort_or_list": name, "measure": measure, **counted}


ROWS = (
    row("list", "huddle", "reached", numerator=158, denominator=160, share=0.9875, low=0.956, high=0.997),
    row("list", "huddle", "wait", numerator=7, denominator=8, median_days=2.5, low=1.0, high=6.0),
    row("list", "huddle", "unshown", numerator=77, denominator=77, share=1.0, low=0.9, high=1.0),
    row(
        "cohort", "frail", "plan", numerator=0, denominator=12, undecided=1_234, share=0.0, low=0.0, high=0.24
    ),
    row("cohort", "frail", "reached", undecided=40),
    row("cohort", "nobody", "plan"),
    row(
        "cohort",
        "frail",
        "plan",
        area_kind="practice",
        area_code="X1",
        numerator=55,
        denominator=66,
        share=0.8,
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, ROWS)


def write(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    fields = pa.schema([(name, TYPES[kind]) for name, kind in COLUMNS])
    pq.write_table(pa.Table.from_pylist(list(rows), fields), folder / "measures.parquet")
    return folder


def test_each_share_stands_with_how_many_of_how_many_and_its_interval(folder: Path) -> None:
    lists, cohorts = measure_tables(folder, ABOUT)
    assert (lists.what, lists.headings) == (
        "List",
        [("Seen", "Seen or reviewed from the list"), ("Days", "Days to the first outcome")],
    )
    assert lists.rows == [
        (
            "huddle",
            [
                Value("99%", ["158 of 160", "96\u2013100%"]),
                Value("2.5 days", ["7 of 8", "1\u20136 days"]),
            ],
        )
    ]
    assert cohorts.rows == [
        (
            "frail",
            [Value("unknown", ["40 unknown"]), Value("0%", ["0 of 12", "0\u201324%", "1,234 unknown"])],
        ),
        ("nobody", [None, Value("nobody", [])]),
    ]


def test_run_that_measured_nothing_has_no_table(tmp_path: Path) -> None:
    assert measure_tables(tmp_path, ABOUT) == []
    assert measure_tables(write(tmp_path, []), ABOUT) == []
    assert measure_tables(write(tmp_path, ROWS), None) == []


def test_page_shows_all_areas_together_and_says_what_unknown_means(tmp_path: Path) -> None:
    run = tmp_path / "20260401-0fa4e0f1"
    manifest = copy.deepcopy(write_fake_run(run, 300))
    assert "Throughput" not in render_report(run, manifest, **SHOWN)
    write(run, ROWS)
    text = text_of(render_report(run, {**manifest, "measures": ABOUT}, **SHOWN))
    assert "Throughput and coverage" in text
    assert "99% 158 of 160 96\u2013100%" in text
    assert "counted as unknown and not as no" in text
    assert "55 of 66" not in text  # one area alone stands in the file
