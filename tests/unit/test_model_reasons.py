"""Reasons: at most three, those that add most, only what may be said, what is fixed apart from where to begin."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from riskstrat.definitions.model import ModelReason
from riskstrat.definitions.reasons import ACTIONABLE, FIXED
from riskstrat.scoring.reasons import said

KINDS = {"age": FIXED, "falls": ACTIONABLE, "stays": FIXED, "frailty": FIXED, "copd": ACTIONABLE}
REASONS = tuple(ModelReason(name, kind, "mobility", ()) for name, kind in KINDS.items())
TEXTS = ("aged 84", "2 falls", "3 stays", "9 deficits", "COPD")


def reasons_of(*people, unsaid=(), most=3, least=0.1):
    """Fixed and actionable reasons of each person, given what each adds; ``unsaid`` cannot be said of anybody."""
    texts = [
        pa.array([None if reason.name in unsaid else text] * len(people), pa.string())
        for reason, text in zip(REASONS, TEXTS, strict=True)
    ]
    found = said(np.array(people, dtype=float), texts, REASONS, most=most, least=least)
    return list(zip(found[FIXED].to_pylist(), found[ACTIONABLE].to_pylist(), strict=True))


def test_the_three_that_add_most_are_said_and_kinds_stand_apart():
    assert reasons_of([0.2, 0.9, 0.8, 0.3, 0.1]) == [("3 stays; 9 deficits", "2 falls")]


def test_what_adds_most_stands_first():
    assert reasons_of([0.9, 0.0, 0.2, 0.5, 0.0]) == [("aged 84; 9 deficits; 3 stays", None)]


def test_what_lowers_a_score_or_adds_next_to_nothing_is_not_said():
    assert reasons_of([-2.0, 0.09, 0.1, 0.0, -0.5]) == [("3 stays", None)]


def test_nothing_is_said_of_somebody_average():
    assert reasons_of([0.0] * 5) == [(None, None)]


def test_what_is_not_true_of_a_person_makes_room_for_the_next():
    assert reasons_of([0.2, 0.9, 0.8, 0.3, 0.1], unsaid=("stays", "falls")) == [
        ("9 deficits; aged 84", "COPD")
    ]


def test_of_two_that_add_the_same_the_first_of_the_file_is_said():
    assert reasons_of([0.5, 0.5, 0.5, 0.5, 0.5], most=2) == [("aged 84", "2 falls")]


def test_everybody_keeps_a_row_where_most_have_nothing_to_say():
    people = [[0.0] * 5, [0.5, 0, 0, 0, 0], [0.0] * 5, [0, 0.5, 0, 0, 0.4], [0.0] * 5]
    assert reasons_of(*people) == [
        (None, None),
        ("aged 84", None),
        (None, None),
        (None, "2 falls; COPD"),
        (None, None),
    ]
