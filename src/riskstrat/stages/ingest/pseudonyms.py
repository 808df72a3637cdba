"""People in what is remembered: a row has a place in a sorted list of pseudonyms, which a later night looks up.

Tonight's dense numbers are given in the order of NHS numbers, mean nothing tomorrow and would tell that order; the
places are in the order of pseudonyms. Somebody on no register has one too: who registers later has the older rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.stages.ingest.identity import IDENTITY

if TYPE_CHECKING:
    import pyarrow as pa

NOBODY = 0  # as a place and as a person: both begin at 1
PERSON_AT, PLACE_OF_PERSON, PLACE_OF_STRANGER = "person_at_place", "place_of_person", "place_of_stranger"
PSEUDONYM_CHARACTERS = 32
PSEUDONYM = f"S{PSEUDONYM_CHARACTERS}"


@dataclass(frozen=True)
class Pseudonyms:
    """Tonight's people: their pseudonyms, sorted, and the dense number of each; and the pseudonym of each number."""

    sorted: Any
    persons: Any
    by_person: Any

    def persons_of(self, pseudonyms: Any) -> Any:
        """The dense numbers of these pseudonyms, NOBODY for those on no register, and for the place NOBODY."""
        import numpy as np

        persons = np.full(len(pseudonyms) + 1, NOBODY, np.int64)
        if len(self.sorted):
            found = np.searchsorted(self.sorted, pseudonyms)
            found[found == len(self.sorted)] = 0
            persons[1:] = np.where(self.sorted[found] == pseudonyms, self.persons[found], NOBODY)
        return persons


def known_tonight(engine: DuckDBEngine) -> Pseudonyms:
    """Everybody whom the register numbers tonight."""
    import numpy as np

    known = engine.connection.sql(
        f"SELECT person, person_id FROM {IDENTITY}.numbers ORDER BY person_id"
    ).to_arrow_table()
    pseudonyms, persons = as_pseudonyms(known["person_id"]), known["person"].to_numpy()
    by_person = np.zeros(len(persons) + 1, PSEUDONYM)
    by_person[persons] = pseudonyms
    return Pseudonyms(pseudonyms, persons, by_person)


def as_pseudonyms(texts: pa.ChunkedArray) -> Any:
    """Texts of 32 characters, none of them missing, as a NumPy array that can be sorted and searched.

    Raises ValueError for others.
    """
    import numpy as np
    import pyarrow as pa

    array = texts.cast(pa.string()).combine_chunks()
    if not len(array):
        return np.empty(0, PSEUDONYM)
    _, offsets, characters = array.buffers()
    begins = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    if array.null_count or (np.diff(begins) != PSEUDONYM_CHARACTERS).any():
        raise ValueError("not every pseudonym has the length of one")
    return np.frombuffer(characters, PSEUDONYM, count=len(array), offset=int(begins[0]))


@contextmanager
def persons_at(engine: DuckDBEngine, persons: Any) -> Iterator[None]:
    """Let SQL call PERSON_AT(place): the person at a place of an entry's list, NULL for nobody."""
    import pyarrow as pa

    def person_at(places: Any) -> Any:
        found = persons[places.fill_null(NOBODY).to_numpy()]
        return pa.array(found, mask=found == NOBODY)

    with _function(engine, PERSON_AT, "INTEGER", "BIGINT", person_at):
        yield


@contextmanager
def places_in(engine: DuckDBEngine, pseudonyms: Any, people: Pseudonyms) -> Iterator[None]:
    """Let SQL call PLACE_OF_PERSON(person) and PLACE_OF_STRANGER(pseudonym): places in an entry's sorted list.

    Both are for values that have one.
    """
    import numpy as np
    import pyarrow as pa

    place_of = (np.searchsorted(pseudonyms, people.by_person) + 1).astype(np.int32)

    def place_of_person(persons: Any) -> Any:
        return pa.array(place_of[persons.to_numpy()])

    def place_of_stranger(strangers: Any) -> Any:
        wanted = as_pseudonyms(pa.chunked_array([strangers]))
        return pa.array((np.searchsorted(pseudonyms, wanted) + 1).astype(np.int32))

    with (
        _function(engine, PLACE_OF_PERSON, "BIGINT", "INTEGER", place_of_person),
        _function(engine, PLACE_OF_STRANGER, "VARCHAR", "INTEGER", place_of_stranger),
    ):
        yield


@contextmanager
def _function(
    engine: DuckDBEngine, name: str, given: str, gives: str, function: Callable[[Any], Any]
) -> Iterator[None]:
    engine.add_function(name, given, gives, function)
    try:
        yield
    finally:
        engine.remove_function(name)
