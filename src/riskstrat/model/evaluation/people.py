"""The rows of landmark frames that a score is judged on, and their columns as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.definitions.model_evaluation import Comparator, Group
from riskstrat.errors import DefinitionError
from riskstrat.model.evaluation.ranking import Flags, Floats, Integers

UNKNOWN = "unknown"
PERSON, INDEX_DATE = "person_id", "index_date"


@dataclass(frozen=True)
class People:
    """Rows of a frame in the order of date and person, so that the order of a file decides nothing."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def person(self) -> Integers:
        """A whole number a person, from 0, in the order of ``person_id``, (n,)."""
        codes = pc.rank(self.table[PERSON].combine_chunks(), tiebreaker="dense")
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64) - 1

    def outcome(self, label: str) -> Flags:
        """Whether the outcome happened, (n,). Every row's label must be known."""
        return np.asarray(self.table[label].combine_chunks().to_numpy(zero_copy_only=False), dtype=bool)

    def number(self, column: str) -> Floats:
        """A column as numbers, NaN where unknown, (n,). Raises DefinitionError where the frame has no such column."""
        values = self._column(column).cast(pa.float64())
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)

    def score(self, comparator: Comparator) -> Floats:
        """What the comparator ranks by, NaN where unknown, (n,)."""
        values = self.number(comparator.feature)
        if comparator.at_least is None:
            return values
        return np.where(np.isnan(values), np.nan, values >= comparator.at_least)

    def labels(self, group: Group) -> list[str]:
        """The label of each person in a group; a code that the group does not list stands for itself."""
        values = self._column(group.feature).cast(pa.string()).dictionary_encode()
        words = [str(group.values.get(word, word)) for word in values.dictionary.to_pylist()]
        return [UNKNOWN if place is None else words[place] for place in values.indices.to_pylist()]

    def rows(self, chosen: Flags) -> People:
        """Some of the people."""
        return People(self.table.filter(pa.array(chosen)))

    def _column(self, name: str) -> pa.Array:
        if name not in self.table.column_names:
            raise DefinitionError(
                f"the frames have no column '{name}', which the evaluation reads.",
                column=name,
                remedy="correct config/model/evaluation.yaml, or build the frames again.",
            )
        return self.table[name].combine_chunks()


def people_of(frame: pa.Table, dates: Sequence[date], label: str) -> People:
    """The rows of these index dates whose label is known, in the order of date and person."""
    is_wanted = pc.is_in(
        frame[INDEX_DATE], value_set=pa.array(list(dates), frame.schema.field(INDEX_DATE).type)
    )
    chosen = frame.filter(pc.and_(is_wanted, pc.is_valid(frame[label])))
    return People(chosen.sort_by([(INDEX_DATE, "ascending"), (PERSON, "ascending")]))


def level_order(labels: Sequence[str], group: Group) -> list[str]:
    """The labels that occur: in the order of the group's definition, then by name, unknown last."""
    listed = list(dict.fromkeys(group.values.values()))
    places = {label: place for place, label in enumerate(listed)}
    return sorted(set(labels), key=lambda label: (label == UNKNOWN, places.get(label, len(listed)), label))
