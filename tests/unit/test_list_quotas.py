"""Places shared among areas: against an oracle that gives them out one by one, and by what must always hold."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from riskstrat.stages.lists.quotas import Area, share
from tests.spec.lists.oracle_places import shared

CODES = st.text("ABCDEFGH", min_size=1, max_size=2)
WEIGHTS = st.one_of(
    st.integers(0, 5).map(Fraction), st.fractions(0, 300, max_denominator=50), st.just(Fraction(1, 3))
)
AREAS = st.dictionaries(
    CODES,
    st.builds(Area, weight=WEIGHTS, people=st.integers(0, 400), takers=st.integers(0, 40)),
    min_size=1,
    max_size=7,
)
PLACES = st.integers(0, 120)


@given(PLACES, AREAS)
def test_places_are_those_of_the_slow_answer(places: int, areas: dict[str, Area]):
    weights = {code: area.weight for code, area in areas.items()}
    people = {code: Fraction(area.people) for code, area in areas.items()}
    takers = {code: area.takers for code, area in areas.items()}
    assert share(places, areas) == shared(places, weights, people, takers)


@given(PLACES, AREAS)
def test_every_place_is_given_and_none_stays_empty_while_somebody_waits(places: int, areas: dict[str, Area]):
    given_places = share(places, areas)
    assert sum(given_places.values()) == places
    assert min(given_places.values()) >= 0
    empty = [code for code, area in areas.items() if given_places[code] > area.takers]
    waiting = [code for code, area in areas.items() if given_places[code] < area.takers]
    assert not (empty and waiting)


@given(PLACES, AREAS)
def test_areas_that_can_fill_everything_differ_from_their_share_by_less_than_a_place(
    places: int, areas: dict[str, Area]
):
    ample = {code: Area(area.weight + 1, area.people, takers=places + 1) for code, area in areas.items()}
    total = sum(area.weight for area in ample.values())
    for code, number in share(places, ample).items():
        assert abs(number - places * ample[code].weight / total) < 1


def test_equal_remainders_go_by_area_code():
    same = Area(Fraction(1), people=10, takers=10)
    assert share(4, {"C": same, "A": same, "B": same}) == {"A": 2, "B": 1, "C": 1}


def test_an_area_without_need_gets_a_place_only_when_the_others_are_full():
    busy, quiet = Area(Fraction(9), people=10, takers=3), Area(Fraction(0), people=10, takers=3)
    assert share(3, {"A": busy, "B": quiet}) == {"A": 3, "B": 0}
    assert share(5, {"A": busy, "B": quiet}) == {"A": 3, "B": 2}


def test_places_that_nobody_can_take_stay_where_they_were_shared_to():
    half, whole = Area(Fraction(1), people=5, takers=0), Area(Fraction(2), people=9, takers=1)
    assert share(10, {"A": half, "B": whole}) == {"A": 3, "B": 7}


def test_no_area_needs_no_place():
    assert share(5, {}) == {}
