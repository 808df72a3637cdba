"""The returns that a site keeps: a Parquet file each in ``state/returns/``, and what of them a run may know.

A file is ``RETURN_ID.parquet`` with mode 0600; RETURN_ID is the ``as_of`` of the newest published run when it was
taken back, and the beginning of the returned file's SHA-256. It holds pseudonyms, codes and dates: no NHS number and no
free text. ``return_number`` counts the returns in the order in which they were taken back, so that a corrected outcome
takes the earlier one's place without asking a clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.errors import RiskstratError
from riskstrat.keys import write_private_file

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, QUARANTINE = "returns", "quarantine"
ENDING, NEXT = ".parquet", ".parquet.next"
QUESTIONS = ("q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living")
ABOUT = ("list", "list_as_of", "person_id")  # an outcome is about a person on a list of a day
CONTENT = (
    *("list", "list_as_of", "area_code", "person_id", "outcome", "outcome_date", "referred_to"),
    *("case_manager", "next_review_date", *QUESTIONS),
)
COLUMNS = ("return_id", "row_number", *CONTENT, "return_number")
WHOLE_NUMBERS, DATES = (
    ("row_number", "return_number"),
    ("list_as_of", "outcome_date", "next_review_date"),
)
HASH_DIGITS = 10
UNIT_SEPARATOR, UNKNOWN = "\x1f", "\x00"


def schema() -> pa.Schema:
    """The columns of a return, in order."""
    import pyarrow as pa

    kinds = {
        **dict.fromkeys(WHOLE_NUMBERS, pa.int32()),
        **dict.fromkeys(DATES, pa.date32()),
        **dict.fromkeys(QUESTIONS, pa.bool_()),
    }
    return pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])


def folder_of(state: Path) -> Path:
    """Where the returns lie."""
    return state / FOLDER


def return_id(newest_as_of: date, file_sha256: str) -> str:
    """The name of a return.

    >>> return_id(date(2026, 4, 1), "0123456789abcdef")
    '20260401-0123456789'
    """
    return f"{newest_as_of:%Y%m%d}-{file_sha256[:HASH_DIGITS]}"


def returned_on(name: str) -> date:
    """The ``as_of`` of the newest run when a return was taken back: the first day on which it was known.

    >>> returned_on("20260401-0123456789")
    datetime.date(2026, 4, 1)
    """
    return date.fromisoformat(name[:8])


def stored(state: Path) -> dict[str, Path]:
    """RETURN_ID to file of every return, in the order of the ids."""
    return {path.name.removesuffix(ENDING): path for path in sorted(folder_of(state).glob(f"*{ENDING}"))}


def read_all(state: Path, known_before: date | None = None) -> pa.Table:
    """Every stored row, superseded ones too, oldest return first; only of returns that were known before a date.

    Raises RiskstratError for a file that cannot be read.
    """
    import pyarrow as pa

    tables = [schema().empty_table()]
    for name, path in stored(state).items():
        if known_before is None or returned_on(name) < known_before:
            tables.append(_read(path))
    return pa.concat_tables(tables).sort_by([("return_number", "ascending"), ("row_number", "ascending")])


def read_returns(state: Path, as_of: date) -> pa.Table:
    """The outcomes that a run of ``as_of`` may know, one row a person, list and day of the list.

    Two clocks, as for every record: the outcome happened before ``as_of``, and it was taken back before it. Of several
    outcomes of one person on one list of one day the one that was taken back last holds. In the order of list_as_of,
    outcome_date, return_number, row_number. Raises RiskstratError for a file that cannot be read.
    """
    import pyarrow.compute as pc

    known = in_force(read_all(state, known_before=as_of))
    happened = known.filter(pc.less(known["outcome_date"], as_of))
    order = ("list_as_of", "outcome_date", "return_number", "row_number")
    return happened.sort_by([(name, "ascending") for name in order])


def in_force(rows: pa.Table) -> pa.Table:
    """Of the rows that are about the same person on the same list of the same day the one returned last.

    ``rows`` are in the order of return_number and row_number, as ``read_all`` gives them.
    """
    import pyarrow as pa

    placed = rows.select(ABOUT).append_column("place", pa.array(range(rows.num_rows), pa.int64()))
    last = placed.group_by(list(ABOUT)).aggregate([("place", "max")])
    return rows.take(last.sort_by("place_max")["place_max"])


def hash_of(rows: pa.Table) -> str | None:
    """A hash of the outcomes that ``read_returns`` gives, whichever files they came in; None of none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if rows.num_rows == 0:
        return None
    texts = [rows[name].cast(pa.string()) for name in CONTENT]
    joined = pc.binary_join_element_wise(
        *texts, UNIT_SEPARATOR, null_handling="replace", null_replacement=UNKNOWN
    )
    return hashlib.sha256("\n".join(sorted(joined.to_pylist())).encode()).hexdigest()


def write_return(state: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Store a return, whole or not at all, for its owner alone; ``rows`` hold row_number and the content.

    Rows that were stored under this name before stay: of the same file more can be taken once a word is known.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = read_all(state)
    number = 1 + int(known["return_number"][-1].as_py()) if known.num_rows else 1
    before = known.filter(pc.equal(known["return_id"], name)).to_pylist()
    full = [*before, *({**row, "return_id": name, "return_number": number} for row in rows)]
    path = folder_of(state) / f"{name}{ENDING}"
    write_private_file(path, as_bytes(pa.Table.from_pylist(full, schema())))
    return path


def as_bytes(rows: pa.Table) -> bytes:
    """A return as a Parquet file in memory; the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = pa.BufferOutputStream()
    pq.write_table(rows.cast(schema()), stream, compression="zstd")
    content: bytes = stream.getvalue().to_pybytes()
    return content


def people(state: Path) -> set[str]:
    """The pseudonyms in the stored returns."""
    return set(read_all(state)["person_id"].to_pylist())


def write_next(state: Path, new_ids: Mapping[str, str | None]) -> int:
    """Beside every return that names one of these people, write the one that is to take its place.

    ``new_ids`` are old pseudonym -> new one, None for somebody who is erased. How many rows the next returns lack. A
    return that loses all its rows stays as an empty one: the file that it came from is not taken back again that day.
    """
    import pyarrow as pa

    gone = 0
    for path in stored(state).values():
        rows = _read(path)
        ids = rows["person_id"].to_pylist()
        if not any(one in new_ids for one in ids):
            continue
        kept = [place for place, one in enumerate(ids) if new_ids.get(one, one) is not None]
        renamed = pa.array([new_ids.get(ids[place], ids[place]) for place in kept], pa.string())
        left = rows.take(pa.array(kept, pa.int64()))
        new = left.set_column(rows.schema.get_field_index("person_id"), "person_id", renamed)
        write_private_file(path.with_name(path.name.removesuffix(ENDING) + NEXT), as_bytes(new))
        gone += len(ids) - len(kept)
    return gone


def take_next(state: Path) -> None:
    """Let every next return take its place; may be done again from any point."""
    from riskstrat.keys import flush_folder

    found = list(_next_files(state))
    for path in found:
        path.replace(path.with_name(path.name.removesuffix(NEXT) + ENDING))
    if found:
        flush_folder(folder_of(state))


def forget_next(state: Path) -> None:
    """Remove next returns that were never decided."""
    for path in _next_files(state):
        with suppress(FileNotFoundError):
            path.unlink()


def files_before(state: Path, day: date) -> list[Path]:
    """The files of returns that were taken back before a date, with what was quarantined of them."""
    places = [*folder_of(state).glob(f"*{ENDING}"), *(folder_of(state) / QUARANTINE).glob("*.csv")]
    return sorted(path for path in places if returned_on(path.name) < day)


def _next_files(state: Path) -> Iterator[Path]:
    yield from sorted(folder_of(state).glob(f"*{NEXT}"))


def _read(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return (
            pq.ParquetFile(path).read().cast(schema())
        )  # a third of the time of read_table, for small files
    except (OSError, ValueError, pa.ArrowException):
        raise RiskstratError(
            "this return cannot be read; it is damaged.",
            file=path,
            remedy="restore it from its backup, or remove it and take the team's file back again.",
        ) from None
