"""The list of people that an entry keeps, and who they are on another night."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskstrat.stages.ingest.pseudonyms import NOBODY, PSEUDONYM, Pseudonyms

# Few digits, so that halves and neighbours are often alike.
HALVES = st.sampled_from([f"{number:016x}" for number in (0, 1, 15, 16, 2**63, 2**64 - 1)])
TEXTS = st.tuples(HALVES, HALVES).map("".join)


def tonight(numbered: dict[str, int]) -> Pseudonyms:
    """Everybody on the register: pseudonym -> dense number."""
    ordered = sorted(numbered)
    index_of = np.zeros(len(ordered) + 1, np.int64)
    for index, text in enumerate(ordered):
        index_of[numbered[text]] = index
    persons = np.array([numbered[text] for text in ordered], np.int64)
    return Pseudonyms(as_array(ordered), persons, index_of)


def as_array(texts: list[str]) -> np.ndarray:
    return np.array([text.encode() for text in texts], PSEUDONYM)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(TEXTS, unique=True, max_size=30), st.data())
def test_a_row_finds_its_person_again_on_another_night(texts, data):
    registered = texts[: data.draw(st.integers(0, len(texts)))]
    strangers = texts[len(registered) :]
    first = {text: number for number, text in enumerate(registered, start=1)}
    present = data.draw(st.permutations(registered))[: data.draw(st.integers(0, len(registered)))]
    listed = tonight(first).listed(np.array([first[text] for text in present], np.int64), as_array(strangers))
    kept = [text.decode() for text in listed.pseudonyms]
    assert kept == sorted([*present, *strangers])
    assert {text: listed.place_of[first[text]] for text in present} == {
        text: kept.index(text) + 1 for text in present
    }
    later = {text: number for number, text in enumerate(data.draw(st.permutations(texts)), start=1)}
    gone = data.draw(st.sets(st.sampled_from(texts))) if texts else set()
    still = sorted(set(texts) - gone, key=later.__getitem__)
    numbered = {text: number for number, text in enumerate(still, start=1)}
    found = tonight(numbered).persons_of(listed.pseudonyms)
    assert found.tolist() == [NOBODY, *(numbered.get(text, NOBODY) for text in kept)]


def test_what_is_no_pseudonym_is_refused():
    with pytest.raises(ValueError, match=r"[Nn]on-hexadecimal"):
        tonight({"0" * 32: 1}).persons_of(np.array([b"g" * 32], PSEUDONYM))
