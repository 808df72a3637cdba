"""Damage to columns: swapped, dropped, renamed, doubled, too many, and Parquet columns of another type."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.kinds import DoesNotFitError, Sheet, Target, arrow_table, kind, on_sheet, parquet_of, rare


def _two(rng: Random, sheet: Sheet) -> tuple[int, int]:
    if len(sheet.names) < 2:
        raise DoesNotFitError
    first, second = rng.sample(range(len(sheet.names)), 2)
    return first, second


def _swap(cells: list[str], first: int, second: int) -> None:
    cells[first], cells[second] = cells[second], cells[first]


@on_sheet
def swapped_names(rng: Random, sheet: Sheet) -> None:
    _swap(sheet.names, *_two(rng, sheet))


@on_sheet
def swapped_columns(rng: Random, sheet: Sheet) -> None:
    places = _two(rng, sheet)
    for cells in (sheet.names, *sheet.rows):
        _swap(cells, *places)


@on_sheet
def swapped_cells(rng: Random, sheet: Sheet) -> None:
    places = _two(rng, sheet)
    for cells in sheet.all_or_some(rng):
        _swap(cells, *places)


@on_sheet
def shifted_cells(rng: Random, sheet: Sheet) -> None:
    for row in sheet.some(rng):
        row[:] = [row[-1], *row[:-1]]


@on_sheet
def dropped_column(rng: Random, sheet: Sheet) -> None:
    place = sheet.column(rng)
    for cells in (sheet.names, *sheet.rows):
        del cells[place]


@on_sheet
def renamed_column(rng: Random, sheet: Sheet) -> None:
    place = sheet.column(rng)
    name = sheet.names[place]
    sheet.names[place] = rng.choice(
        (
            f"{name}_1",
            name.upper(),
            name.replace("_", " "),
            "",
            "column 1",
            f"{name};",
            "Ünïcode",
            '"',
            "a\nb",
        )
    )


@on_sheet
def doubled_column(rng: Random, sheet: Sheet) -> None:
    place = sheet.column(rng)
    for cells in (sheet.names, *sheet.rows):
        cells.insert(rng.choice((place, len(cells))), cells[place])


@on_sheet
def doubled_name(rng: Random, sheet: Sheet) -> None:
    first, second = _two(rng, sheet)
    sheet.names[first] = rng.choice(
        (sheet.names[second], sheet.names[second].upper(), f" {sheet.names[second]}")
    )


@on_sheet
def unknown_columns(rng: Random, sheet: Sheet) -> None:
    for number in range(rng.choice((1, 3, 60))):
        sheet.names.append(rng.choice((f"extra_{number}", f"x{number}", f"9{number}", f"SELECT {number}")))
        for row in sheet.rows:
            row.append(rng.choice(("", "1", "text, with comma")))


@rare
def two_thousand_columns(rng: Random, target: Target) -> None:
    sheet = target.sheet()
    more = 2000 - len(sheet.names)
    sheet.names.extend(f"extra_{number}" for number in range(more))
    for row in sheet.rows:
        row.extend([""] * more)
    target.write_sheet(sheet)


@kind
def shuffled_columns(rng: Random, target: Target) -> None:
    sheet = target.sheet()
    order = list(range(len(sheet.names)))
    rng.shuffle(order)
    rows = [[row[place] for place in order] for row in sheet.rows]
    target.write_sheet(Sheet([sheet.names[place] for place in order], rows))


def _on_table(change: Callable[[Random, Any], Any]) -> None:
    """Enter a change of an Arrow table; a file of another form is written as Parquet for it."""

    def apply(rng: Random, target: Target) -> None:
        table = change(rng, arrow_table(target.sheet()))
        groups, version = rng.choice((50, 1000, 100_000)), rng.choice(("1.0", "2.6"))
        data = parquet_of(table, row_group_size=groups, version=version)
        target.store_as(f"{target.extract}.parquet", data)

    kind(apply, change.__name__)


def _cast(table: Any, place: int, values: list[Any], kind_of: Any) -> Any:
    import pyarrow as pa

    return table.set_column(place, table.column_names[place], pa.array(values, kind_of))


@_on_table
def parquet_of_other_types(rng: Random, table: Any) -> Any:
    import datetime

    import pyarrow as pa

    kinds: tuple[tuple[Any, Callable[[str], Any]], ...] = (
        (pa.int64(), int),
        (pa.float64(), float),
        (pa.float32(), float),
        (pa.decimal128(20, 2), float),
        (pa.date32(), datetime.date.fromisoformat),
        (pa.timestamp("ns"), datetime.datetime.fromisoformat),
        (pa.timestamp("us", tz="Europe/London"), datetime.datetime.fromisoformat),
        (pa.bool_(), lambda text: text == "true"),
        (pa.binary(), str.encode),
        (pa.list_(pa.string()), lambda text: [text]),
        (pa.struct([("a", pa.string())]), lambda text: {"a": text}),
        (pa.dictionary(pa.int32(), pa.string()), str),
        (pa.large_string(), str),
        (pa.null(), lambda text: None),
        (pa.time32("s"), lambda text: datetime.time(1, 2, 3)),
    )
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(table.num_columns)
        target, convert = rng.choice(kinds)
        try:
            values = [
                None if value is None else convert(str(value)) for value in table.column(place).to_pylist()
            ]
            table = _cast(table, place, values, target)
        except (ValueError, TypeError, pa.ArrowException, OverflowError):
            continue
    return table


@_on_table
def parquet_of_other_columns(rng: Random, table: Any) -> Any:
    import pyarrow as pa

    names = list(table.column_names)
    choice = rng.randrange(6)
    if choice == 0:
        return table.select(rng.sample(names, rng.randrange(len(names))))
    if choice == 1:
        return table.rename_columns([name.upper() for name in names])
    if choice == 2:
        return table.append_column(rng.choice(names), pa.nulls(table.num_rows, pa.string()))
    if choice == 3:
        return table.append_column("file_row_number", pa.array(range(table.num_rows)))
    if choice == 4:
        return table.append_column(rng.choice(names).upper(), pa.nulls(table.num_rows, pa.string()))
    return table.append_column("filename", pa.array(["x"] * table.num_rows))


@_on_table
def parquet_without_rows(rng: Random, table: Any) -> Any:
    return table.slice(0, rng.choice((0, 0, 1)))
