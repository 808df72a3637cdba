"""Whether two feature files say the same of the same people, column by column."""

from __future__ import annotations

from pathlib import Path

import duckdb

from riskstrat.sqltext import literal, quoted


def differences(ours: Path, theirs: Path) -> dict[str, int]:
    """How many people each column of ours is another for, or is not there for, in theirs.

    ``person_id`` counts people whom only one of the files has. A column that theirs lacks is not named. Numbers with
    decimals may differ by one part in 10^12: polars multiplies by the inverse of what a column is divided by.
    """
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        for name, path in (("ours", ours), ("theirs", theirs)):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({literal(str(path))})")
        described = {
            name: {row[0]: row[1] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
            for name in ("ours", "theirs")
        }
        compared = [
            column for column in described["ours"] if column in described["theirs"] and column != "person_id"
        ]
        counts = ", ".join(
            f"count(*) FILTER (WHERE {_differ(column, described['ours'][column])})" for column in compared
        )
        (found,) = connection.execute(
            "SELECT count(*) FILTER (WHERE ours.person_id IS NULL OR theirs.person_id IS NULL), "
            f"{counts} FROM ours FULL JOIN theirs ON theirs.person_id = ours.person_id"
        ).fetchall()
    return dict(zip(["person_id", *compared], found, strict=True))


def _differ(column: str, kind: str) -> str:
    ours, theirs = f"ours.{quoted(column)}", f"theirs.{quoted(column)}"
    if kind == "DOUBLE":
        return (
            f"COALESCE(abs({ours} - {theirs}) > 1e-12 * abs({ours}), ({ours} IS NULL) <> ({theirs} IS NULL))"
        )
    return f"{ours} IS DISTINCT FROM {theirs}"


def not_compared(ours: Path, theirs: Path) -> list[str]:
    """The columns of ours that theirs lacks."""
    with duckdb.connect() as connection:
        names = [
            [row[0] for row in connection.execute(f"DESCRIBE FROM {literal(str(path))}").fetchall()]
            for path in (ours, theirs)
        ]
    return [name for name in names[0] if name not in names[1]]
