"""What the files of all suppliers share: how a table is written, and what other suppliers send beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests import factories

Row = dict[str, str]
Tables = Mapping[str, Iterable[Row]]

PRACTICE, OTHER_PRACTICE = factories.PRACTICES[0], factories.PRACTICES[1]
DMD_CODES = ("318700003", "318701004", "318702006", "318703001", "318704007")


def write_table(
    path: Path,
    columns: Iterable[str],
    rows: Iterable[Row] = (),
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write rows under ``columns``; a cell that a row does not have is empty, one too many is an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(columns), restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_tables(
    delivery: Path,
    columns: Mapping[str, Iterable[str]],
    tables: Tables,
    *,
    file_name: str = "{}.csv",
    encoding: str = "utf-8",
) -> None:
    """Write every table of ``columns``, with a header alone where ``tables`` has no rows for it."""
    for table, names in columns.items():
        path = delivery / file_name.format(table)
        write_table(path, names, tables.get(table, ()), encoding=encoding)


def write_empty_extracts(delivery: Path, *covered: str) -> None:
    """Write the required extracts that no supplier's file covers, in canonical form and without a row."""
    for extract in factories.REQUIRED_EXTRACTS:
        if extract not in covered:
            write_table(delivery / f"{extract}.csv", factories.MAKERS[extract]("9990000018"))


def write_people(delivery: Path, *indices: int) -> None:
    """Write a canonical register of the people with these indices, for suppliers who send none."""
    people = [factories.patient(factories.nhs_number(index)) for index in indices]
    rows = [{name: str(value or "") for name, value in person.items()} for person in people]
    write_table(delivery / "gp_patients.csv", rows[0], rows)
