"""Concepts that one code cannot both mean: ``config/reference/contradictory_concepts.csv``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from riskstrat.definitions.codelists import CodeEntry, CodeList, is_concept_name
from riskstrat.definitions.documents import read_table
from riskstrat.errors import DefinitionError

FILE = "contradictory_concepts.csv"
COLUMNS = ("concept", "contradicts")
ICD10 = "icd10"


@dataclass(frozen=True)
class Contradiction:
    """Two concepts of which a record can only mean one; their order says nothing. ``row`` is its line."""

    concept: str
    contradicts: str
    row: int = field(default=0, compare=False)

    @property
    def pair(self) -> frozenset[str]:
        """Both concepts."""
        return frozenset((self.concept, self.contradicts))


def load_contradictions(path: Path) -> tuple[Contradiction, ...]:
    """The pairs of one file, in its order. Raises DefinitionError for a pair that says nothing or stands twice."""
    pairs: dict[frozenset[str], Contradiction] = {}
    for row, cells in read_table(path, COLUMNS):
        for column in COLUMNS:
            if not is_concept_name(cells[column]):
                raise DefinitionError(
                    f"'{cells[column]}' is no concept name.",
                    file=path,
                    row=row,
                    column=column,
                    remedy="use lower-case letters and digits, joined by _ or -.",
                )
        found = Contradiction(cells["concept"], cells["contradicts"], row)
        if len(found.pair) == 1 or found.pair in pairs:
            what = (
                "no concept contradicts itself."
                if len(found.pair) == 1
                else "this pair stands above already."
            )
            raise DefinitionError(
                what, file=path, row=row, column="contradicts", remedy="correct or delete the row."
            )
        pairs[found.pair] = found
    return tuple(pairs.values())


def check_contradictions(
    codelists: Mapping[str, CodeList], contradictions: Iterable[Contradiction], folder: Path
) -> None:
    """Raise DefinitionError for a code that stands under two contradictory concepts of one list of ``folder``."""
    known = tuple(contradictions)
    for name, codelist in codelists.items():
        for earlier, later in contradictory_entries(codelist.entries, known):
            raise contradiction_error(folder / f"{name}.csv", earlier, later)


def contradictory_entries(
    entries: Iterable[CodeEntry], contradictions: Iterable[Contradiction]
) -> Iterator[tuple[CodeEntry, CodeEntry]]:
    """Pairs of rows that say contradictory things of the same record, the earlier row first.

    ICD-10 codes are prefixes, so that one which begins with another speaks of the same records.
    """
    by_concept: dict[str, dict[tuple[str, str], CodeEntry]] = {}
    for entry in entries:
        by_concept.setdefault(entry.concept, {})[entry.code_system, entry.code] = entry
    for pair in contradictions:
        one, other = by_concept.get(pair.concept, {}), by_concept.get(pair.contradicts, {})
        seen = set()
        for entries_of, known in ((one, other), (other, one)):
            for entry in entries_of.values():
                for key in _covering(entry):
                    if key in known:
                        first, second = sorted(
                            (known[key], entry), key=lambda found: (found.row, found.concept)
                        )
                        if (first, second) not in seen:
                            seen.add((first, second))
                            yield first, second


def contradiction_error(path: Path, earlier: CodeEntry, later: CodeEntry) -> DefinitionError:
    """What is wrong with ``later``, and what to do."""
    what = f"{later.code} ({later.code_system}) stands under {later.concept}, but row {earlier.row} has "
    what += "it" if later.code == earlier.code else earlier.code
    return DefinitionError(
        f"{what} under {earlier.concept}, which contradicts {later.concept}.",
        file=path,
        row=later.row,
        column="code",
        remedy=f"delete the row of the concept that the code does not mean ({FILE} says what contradicts what).",
    )


def _covering(entry: CodeEntry) -> Iterator[tuple[str, str]]:
    """The codes of another concept that would match every record that this one matches."""
    if entry.code_system != ICD10:
        yield entry.code_system, entry.code
        return
    for length in range(1, len(entry.code) + 1):
        yield ICD10, entry.code[:length]
