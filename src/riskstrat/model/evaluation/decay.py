"""How long a score holds: a score of some months ago, applied to what happens from now on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.dates import months_before
from riskstrat.model.evaluation.people import INDEX_DATE, PERSON, People
from riskstrat.model.evaluation.ranking import Floats


@dataclass(frozen=True)
class AgedScore:
    """The people of the test who already had a score ``months`` earlier, with it and with the fresh one, (n,) each."""

    months: int
    people: People
    aged: Floats
    fresh: Floats


def aged_scores(
    frame: pa.Table, test: People, fresh: Floats, months: int, risk_of: Callable[[pa.Table], Floats]
) -> AgedScore | None:
    """Score the people of ``test`` with what was known ``months`` earlier; None where no frame of then is there.

    The same people carry both scores, so that only the age of the score differs. ``fresh`` is (n,) over ``test``.
    """
    now, then = [], []
    for day in pc.unique(test.table[INDEX_DATE]).to_pylist():
        own = _rows_of(test.table, day)
        earlier = _rows_of(frame, months_before(day, months))
        places = pc.index_in(
            test.table[PERSON].take(own), value_set=frame[PERSON].take(earlier).combine_chunks()
        )
        now.append(own.filter(places.is_valid()))
        then.append(earlier.take(places.drop_null()))
    rows = pa.chunked_array(now, pa.int64())
    if not len(rows):
        return None
    aged = risk_of(frame.take(pa.chunked_array(then, pa.int64())))
    return AgedScore(months, People(test.table.take(rows)), aged, fresh[rows.to_numpy()])


def _rows_of(table: pa.Table, day: date) -> pa.Array:
    """Places of the rows of an index date."""
    chosen = pc.equal(table[INDEX_DATE], day)
    return pc.indices_nonzero(chosen).cast(pa.int64())
