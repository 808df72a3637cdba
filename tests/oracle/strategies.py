"""Hypothesis strategies for towns of people whose histories live on the edges of the rules.

A town of 300 people is more than Hypothesis will draw choice by choice, so it draws a seed for each person,
and the person's dice do the rest. ``settle`` gives every person practices and providers alone: none of them then
sends the 20 rows a month from which a silent month would be concluded.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from datetime import date
from random import Random

from hypothesis import strategies as st

from tests import factories
from tests.oracle.acute_histories import acute_history
from tests.oracle.gp_histories import gp_history, interesting_codes
from tests.oracle.histories import History
from tests.oracle.knowledge import Knowledge

AS_OF_DATES = (
    date(2026, 4, 1),
    date(2024, 2, 29),
    date(2025, 2, 28),
    date(2025, 3, 1),
    date(2025, 1, 1),
    date(2025, 12, 31),
    date(2025, 7, 31),
)
SUFFIXES = string.digits + string.ascii_uppercase


def seeds(people: int) -> st.SearchStrategy[list[int]]:
    """One seed per person, all different."""
    seed = st.integers(min_value=0, max_value=2**32 - 1)
    return st.lists(seed, min_size=people, max_size=people, unique=True)


def acute_town(seeds: Sequence[int], as_of: date) -> list[History]:
    return [acute_history(Random(seed), as_of) for seed in seeds]


def gp_town(seeds: Sequence[int], as_of: date, knowledge: Knowledge) -> list[History]:
    codes = interesting_codes(knowledge)
    return [gp_history(Random(seed), as_of, codes) for seed in seeds]


def settle(history: History, index: int) -> tuple[str, History]:
    """The same history as rows of a town: NHS number, keys, two practices and two providers of its own."""
    number = factories.nhs_number(index + 1)
    suffix = SUFFIXES[index // 36 % 36] + SUFFIXES[index % 36]
    practices = {"A": factories.PRACTICES[2 * index], "B": factories.PRACTICES[2 * index + 1]}
    settled: History = {}
    for extract, rows in history.items():
        settled[extract] = []
        for row in rows:
            columns = dict(row)
            if "provider_code" in columns:
                columns["provider_code"] = f"{columns['provider_code']}{suffix}"
            if "practice_code" in columns:
                columns["practice_code"] = practices[columns["practice_code"]]
            settled[extract].append(factories.MAKERS[extract](number, **columns))
    return number, settled
