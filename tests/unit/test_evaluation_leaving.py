"""What an evaluation lets out: nothing between nested lists is small, and groups carry no rate of a hidden count."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model_evaluation import load_evaluation_plan
from riskstrat.disclosure.gate import publish_release
from riskstrat.model.evaluation.discrimination import Interval
from riskstrat.model.evaluation.fairness import Level, by_level
from riskstrat.model.evaluation.leaving import Division, release_of, rounded, shown_steps, told
from riskstrat.model.evaluation.shown import few, group_figures, level_figures

PLAN = load_evaluation_plan(Path(__file__).parents[2] / "config" / "model" / "evaluation.yaml")
SMALL = Policy("small", "1 to 5 hidden", smallest_shown=6)
FIVES = Policy("fives", "1 to 7 hidden", smallest_shown=8, rounded_to=5)
KEY = b"k" * 32
AREA = Interval(0.7, 0.6, 0.8)


def steps_of(increments: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Found and contacted in vain on nested lists, and of everybody."""
    sums = np.cumsum(np.array(increments, dtype=float), axis=0)
    return sums[:-1], sums[-1]


counts = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12)


@given(counts, st.lists(st.integers(0, 10), max_size=4))
def test_nobody_between_two_lists_that_are_shown_is_among_few(
    increments: list[tuple[int, int]], first: list[int]
) -> None:
    sums, totals = steps_of(increments)
    assume((totals >= 6).all())  # else nothing of the evaluation leaves
    chosen = [place for place in first if place < len(sums)]
    shown = shown_steps(sums, totals, chosen, SMALL)
    kept = np.vstack([np.zeros(2), sums[shown], totals])
    for people in np.diff(kept, axis=0).ravel():
        assert people == 0 or people >= 6


def test_lists_that_matter_most_are_shown_before_those_of_the_chart() -> None:
    sums, totals = steps_of([(10, 10), (3, 9), (8, 9), (50, 900)])
    assert shown_steps(sums, totals, [], SMALL).tolist() == [True, False, True]
    assert shown_steps(sums, totals, [1], SMALL).tolist() == [False, True, True]


def test_list_with_few_admitted_people_or_few_others_is_hidden() -> None:
    assert shown_steps(np.array([[5.0, 40.0]]), np.array([100.0, 900.0]), [], SMALL).tolist() == [False]
    assert shown_steps(np.array([[40.0, 5.0]]), np.array([100.0, 900.0]), [], SMALL).tolist() == [False]
    assert shown_steps(np.array([[40.0, 0.0]]), np.array([100.0, 900.0]), [], SMALL).tolist() == [True]
    assert shown_steps(np.array([[96.0, 40.0]]), np.array([100.0, 900.0]), [], SMALL).tolist() == [False]


def test_counts_are_rounded_as_the_policy_rounds() -> None:
    assert rounded(12.4, SMALL) == 12.4
    assert rounded(12.6, FIVES) == 15
    assert rounded(12.4, FIVES) == 10


def people(rows: int = 4000) -> tuple[list[Division], Level]:
    """Two groups, one of which has a part of few people."""
    generator = np.random.default_rng(2)
    risk = generator.beta(1, 8, rows)
    outcome = generator.random(rows) < risk
    listed = risk >= np.quantile(risk, 0.98)
    sex = np.where(
        np.arange(rows) < 9, "Indeterminate", np.where(generator.random(rows) < 0.5, "Male", "Female")
    )
    outcome[:9] = [True, True, True, False, False, False, False, False, False]
    practice = np.array([f"P{number}" for number in generator.integers(0, 4, rows)])
    divisions = []
    for name, labels, parents in (
        ("sex", sex, None),
        ("practice", practice, {f"P{number}": f"U{number // 2}" for number in range(4)}),
        ("pcn", np.array([f"U{int(label[1]) // 2}" for label in practice]), None),
    ):
        levels = by_level(labels.tolist(), sorted(set(labels)), outcome, risk, listed)
        divisions.append(Division(PLAN.group(name), tuple(levels), (AREA,) * len(levels), parents))
    whole = by_level(["all"] * rows, ["all"], outcome, risk, listed)[0]
    return divisions, whole


def test_levels_count_people_exactly() -> None:
    labels = ["a", "b", "a", "a"]
    outcome, listed = np.array([True, False, False, True]), np.array([True, True, False, False])
    first, second = by_level(labels, ["a", "b"], outcome, np.array([0.5, 0.2, 0.1, 0.4]), listed)
    assert (first.people, first.admitted, first.listed, first.found) == (3, 2, 1, 1)
    assert first.expected == pytest.approx(1.0)
    assert first.selection_rate == pytest.approx(1 / 3)
    assert first.need_rate == pytest.approx(1 / 3)
    assert first.true_positive_rate == first.false_negative_rate == 0.5
    assert first.places_per_100_expected == pytest.approx(100)
    assert np.isnan(second.true_positive_rate)


def test_small_counts_of_groups_are_hidden_and_so_is_every_rate_of_them() -> None:
    divisions, whole = people()
    published = publish_release(release_of(divisions, date(2025, 4, 1)), SMALL, key=KEY)
    after = told(divisions, whole, published)
    rows = {
        level["name"]: level for group in group_figures(divisions, after, PLAN) for level in group["levels"]
    }
    small = rows["Indeterminate"]
    assert small["people"] == 9
    assert small["admitted"] is small["observed_to_expected"] is small["true_positive_rate"] is None
    hidden = [row for row in (rows["Male"], rows["Female"]) if row["admitted"] is None]
    assert len(hidden) == 1  # else the small one would be what is left of the total
    assert hidden[0]["observed_to_expected"] is None
    assert after.whole.people == 4000
    assert after.hidden >= 2
    for row in rows.values():
        for name in ("admitted", "listed", "found"):
            assert row[name] is None or row[name] == 0 or row[name] >= 6


def test_practices_add_up_to_their_pcn_in_what_the_gate_protects() -> None:
    divisions, _ = people()
    release = release_of(divisions, date(2025, 4, 1))
    parts = {relation.total: set(relation.parts) for relation in release.relations}
    total = "people scored | pcn=U0 | listed | admitted"
    assert {f"people scored | practice={practice} | listed | admitted" for practice in ("P0", "P1")} == parts[
        total
    ]
    shown = {cell.name for cell in release.cells if cell.is_shown}
    assert total in shown
    assert "people scored | pcn=U0 | listed | not admitted" not in shown


def test_rates_of_a_group_come_from_the_counts_that_are_shown() -> None:
    divisions, whole = people()
    published = publish_release(release_of(divisions, date(2025, 4, 1)), FIVES, key=KEY)
    after = told(divisions, whole, published)
    figures = level_figures(after.whole, AREA, PLAN)
    assert figures["people"] % 5 == figures["admitted"] % 5 == figures["found"] % 5 == 0
    assert figures["true_positive_rate"] == round(figures["found"] / figures["admitted"], 6)
    assert figures["observed_to_expected"][0] == round(figures["admitted"] / whole.expected, 6)
    assert figures["places_per_100_expected"] == round(100 * figures["listed"] / whole.expected, 6)


def test_list_of_few_admitted_people_says_so() -> None:
    narrow, wide = Interval(0.4, 0.35, 0.45), Interval(0.4, 0.2, 0.6)
    assert few(100, narrow, PLAN.gates) is None
    assert "too few to judge it" in (few(19, narrow, PLAN.gates) or "")
    assert "too wide" in (few(100, wide, PLAN.gates) or "")
