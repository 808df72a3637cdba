"""Streams the town's rows to a delivery folder, one file an extract."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from riskstrat.demo.columns import Header, check_fits

Format = Literal["csv", "parquet"]


class Delivery:
    """An open delivery folder. Every extract gets a file with all its columns, also when it has no rows.

    All columns are text in both formats, as in a supplier's CSV, so that a broken date can be delivered.
    """

    def __init__(self, folder: Path, header: Header, file_format: Format) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._header = header
        self._schemas = {
            extract: pa.schema([(name, pa.string()) for name in columns])
            for extract, columns in header.items()
        }
        self._writers = {
            extract: _open(folder / f"{extract}.{file_format}", schema, file_format)
            for extract, schema in self._schemas.items()
        }
        self.rows = dict.fromkeys(header, 0)

    def write(self, extract: str, columns: dict[str, pa.Array]) -> None:
        """Append rows; columns of the extract that are not given stay empty. Raises DefinitionError for others."""
        check_fits(extract, columns, self._header)
        count = len(next(iter(columns.values())))
        if not count:
            return
        empty = pa.nulls(count, pa.string())
        schema = self._schemas[extract]
        table = pa.table([columns.get(name, empty) for name in schema.names], schema=schema)
        self._writers[extract].write_table(table)
        self.rows[extract] += count

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()


def _open(path: Path, schema: pa.Schema, file_format: Format) -> Any:
    if file_format == "parquet":
        return pyarrow.parquet.ParquetWriter(path, schema, compression="zstd")
    options = pyarrow.csv.WriteOptions(include_header=True, quoting_style="none")
    return pyarrow.csv.CSVWriter(path, schema, write_options=options)
