"""People in what is remembered: a row has a place in a sorted list of pseudonyms, which a later night looks up.

Tonight's dense numbers are given in the order of NHS numbers, mean nothing tomorrow and would tell that order; the
places are in the order of pseudonyms. Somebody on no register has one too: who registers later has the older rows.
"""

from __future__ import annotations

from binascii import unhexlify
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
    """Tonight's people: their pseudonyms, sorted, the dense number of each, and where its pseudonym is."""

    sorted: Any
    persons: Any
    index_of: Any

    def persons_of(self, pseudonyms: Any) -> Any:
        """The dense numbers of these pseudonyms, NOBODY for those on no register, and for the place NOBODY."""
        import numpy as np

        persons = np.full(len(pseudonyms) + 1, NOBODY, np.int64)
        if len(self.sorted):
            found = self._indices_of(pseudonyms)
            found[found == len(self.sorted)] = 0
            persons[1:] = np.where(self.sorted[found] == pseudonyms, self.persons[found], NOBODY)
        return persons

    def _indices_of(self, pseudonyms: Any) -> Any:
        """Where each would stand among the sorted ones.

        Numbers are compared ten times as fast as texts; half a pseudonym is one, and no two people are likely to
        have the same half.
        """
        import numpy as np

        known = _first_halves(self.sorted)
        if (known[1:] == known[:-1]).any():
            return np.searchsorted(self.sorted, pseudonyms)
        return np.searchsorted(known, _first_halves(pseudonyms))

    def listed(self, persons: Any, strangers: Any) -> Listed:
        """The list of an entry: the pseudonyms of these people, in any order, and of these strangers, each once."""
        import numpy as np

        indices = np.sort(self.index_of[persons])
        own, others = self.sorted[indices], np.sort(strangers)
        before = np.searchsorted(own, others)
        first = np.arange(1, len(own) + 1) + np.searchsorted(before, np.arange(len(own)), side="right")
        place_of = np.full(len(self.index_of), NOBODY, np.int32)
        place_of[self.persons[indices]] = first
        return Listed(np.insert(own, before, others), place_of)


@dataclass(frozen=True)
class Listed:
    """The sorted pseudonyms of everybody in an entry, and the place among them, from 1, of each dense number."""

    pseudonyms: Any
    place_of: Any


def _first_halves(pseudonyms: Any) -> Any:
    """The first 16 hexadecimal digits of each as one number. Raises ValueError for anything else."""
    import numpy as np

    return np.frombuffer(unhexlify(pseudonyms.tobytes()), ">u8")[::2].astype(np.uint64)


def known_tonight(engine: DuckDBEngine) -> Pseudonyms:
    """Everybody whom the register numbers tonight."""
    import numpy as np

    known = engine.connection.sql(
        f"SELECT person, person_id FROM {IDENTITY}.numbers ORDER BY person_id"
    ).to_arrow_table()
    pseudonyms, persons = as_pseudonyms(known["person_id"]), known["person"].to_numpy()
    index_of = np.zeros(len(persons) + 1, np.int64)
    index_of[persons] = np.arange(len(persons))
    return Pseudonyms(pseudonyms, persons, index_of)


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
def places_in(engine: DuckDBEngine, listed: Listed) -> Iterator[None]:
    """Let SQL call PLACE_OF_PERSON(person) and PLACE_OF_STRANGER(pseudonym): places in an entry's sorted list.

    Both are for values that have one.
    """
    import numpy as np
    import pyarrow as pa

    def place_of_person(persons: Any) -> Any:
        return pa.array(listed.place_of[persons.to_numpy()])

    def place_of_stranger(strangers: Any) -> Any:
        wanted = as_pseudonyms(pa.chunked_array([strangers]))
        return pa.array((np.searchsorted(listed.pseudonyms, wanted) + 1).astype(np.int32))

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
