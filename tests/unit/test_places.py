"""Places of numbers in a sorted array, against a plain dictionary."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstrat.stages.ingest.places import Directory, place_in

NUMBERS = st.integers(-1, 10**10)


def places_by_dictionary(numbers: list[int], wanted: list[int]) -> list[int | None]:
    places = {number: place for place, number in enumerate(numbers, start=1)}
    return [places.get(number) for number in wanted]


def found(numbers: list[int], wanted: list[int]) -> list[int | None]:
    return place_in(np.array(numbers, np.int64))(pa.array(wanted, pa.int64())).to_pylist()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sets(NUMBERS, max_size=60), st.lists(NUMBERS, max_size=60), st.data())
def test_places_are_those_of_a_dictionary(numbers, others, data):
    ordered = sorted(numbers)
    near = [number + step for number in ordered for step in (-1, 0, 1)]
    wanted = others + data.draw(st.permutations(near))
    assert found(ordered, wanted) == places_by_dictionary(ordered, wanted)


@pytest.mark.parametrize("apart", [1, 11, 4_000_000], ids=["dense", "as check digits leave them", "sparse"])
def test_many_numbers_and_a_few_far_away(apart):
    numbers = [-7, *range(4_000_000_000, 4_000_000_000 + 5_000 * apart, apart), 10**15]
    wanted = [number + step for number in numbers for step in (0, 1)]
    assert found(numbers, wanted) == places_by_dictionary(numbers, wanted)


def test_directory_is_no_longer_than_twice_its_numbers():
    directory = Directory.of(np.array([1, 5, 10**12, 10**12 + 1], np.int64))
    assert len(directory.begins) <= 2 * 4 + 1


def test_nobody_has_a_place_among_none():
    assert found([], [1, 2]) == [None, None]
