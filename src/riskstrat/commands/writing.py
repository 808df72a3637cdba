"""Rows to stdout or to a file, in the formats of ``cohort query``."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from riskstrat.commands.printing import people_table
from riskstrat.errors import MisuseError
from riskstrat.site import Site
from riskstrat.sqltext import harmless

OWNER_ONLY = 0o600


def check_target(out: Path, site: Site) -> None:
    """Raise MisuseError for a place that must not be written to: no folder, or one that riskstrat keeps."""
    if out.is_dir():
        raise MisuseError("is a folder.", file=out, remedy="name a file.")
    if not out.parent.is_dir():
        raise MisuseError("its folder is not there.", file=out, remedy=f"make it with: mkdir -p {out.parent}")
    kept = ((site.output, site.landing, site.state, site.keys), "which riskstrat keeps for itself")
    defined = ((site.config, site.data_contracts, site.pipelines), "where the definitions are")
    for folders, why in (kept, defined):
        for folder in folders:
            if out.resolve().is_relative_to(folder.resolve()):
                raise MisuseError(f"lies in {folder.name}/, {why}.", file=out, remedy="name another folder.")


def write_page(text: str, out: Path | None, site: Site) -> None:
    """Write a generated page to ``out``, for its owner alone, else to stdout: it may tell of people."""
    if out is None:
        sys.stdout.write(text)
        return
    check_target(out, site)
    with replaced(out) as partial:
        partial.write_text(text, encoding="utf-8")
    sys.stderr.write(f"written to {out}\n")


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A path to write to, readable by its owner only; it takes the place of ``out`` when all went well."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        yield partial
        partial.replace(out)
    except OSError as problem:
        raise MisuseError(
            f"cannot be written ({problem.strerror}).",
            file=out,
            remedy="name another file, or free some space.",
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def write_text(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str, out: Path | None) -> None:
    """Write a table, CSV or JSON to ``out``, else to stdout."""
    if out is None:
        _write(columns, rows, form, sys.stdout)
        return
    with replaced(out) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        _write(columns, rows, form, stream)


def write_parquet(columns: Sequence[str], rows: Iterable[Sequence[Any]], out: Path) -> None:
    """Write rows to a Parquet file; the types are those of the values."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = list(rows)
    table = pa.table({name: [row[place] for row in values] for place, name in enumerate(columns)})
    with replaced(out) as partial:
        pq.write_table(table, partial)


def _write(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str, stream: TextIO) -> None:
    if form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)
    elif form == "json":
        stream.write("[")
        for place, row in enumerate(rows):
            values = {name: _plain(value, truth=False) for name, value in zip(columns, row, strict=True)}
            stream.write(f"{',' if place else ''}\n{json.dumps(values, ensure_ascii=False)}")
        stream.write("\n]\n")
    else:
        stream.writelines(f"{line}\n" for line in people_table(columns, rows))


def _cell(value: Any) -> Any:
    """A value for a CSV file, which somebody will open in a spreadsheet."""
    return harmless(value) if isinstance(value, str) else _plain(value)


def _plain(value: Any, *, truth: bool = True) -> Any:
    """A value for a program: dates as YYYY-MM-DD, in CSV also true and false; unknown is empty or null."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if truth and isinstance(value, bool):
        return str(value).lower()
    return value
