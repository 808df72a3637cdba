"""Files in other encodings, or wrapped in them, read through a named pipe: the text never lies on a disk again.

DuckDB reads UTF-8. A thread decodes the file and writes it as UTF-8 into a pipe that DuckDB reads as if it were one.
"""

from __future__ import annotations

import errno
import gzip
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO

BLOCK_CHARACTERS = 1 << 20
PAUSE_SECONDS = 0.002
_serial = itertools.count(1)


@dataclass(frozen=True)
class Pipe:
    """A file, its encoding, and the path under which DuckDB reads it as UTF-8, once."""

    path: Path
    file: Path
    encoding: str


def pipe_for(file: Path, encoding: str) -> Pipe:
    """A pipe with a path of its own; nothing is there before ``flowing``."""
    name = f"riskstrat-{os.getpid()}-{next(_serial)}.pipe"
    return Pipe(Path(tempfile.gettempdir()) / name, file, encoding)


@contextmanager
def flowing(pipes: Sequence[Pipe]) -> Iterator[None]:
    """Make the pipes and fill them while the caller reads; raises what went wrong in reading a file."""
    writers = [_Writer(pipe) for pipe in pipes]
    try:
        for writer in writers:
            os.mkfifo(writer.pipe.path, 0o600)
            writer.start()
        yield
    finally:
        for writer in writers:
            writer.end()
    for writer in writers:
        if writer.problem is not None:
            raise writer.problem


class _Writer(threading.Thread):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__(daemon=True)
        self.pipe = pipe
        self.problem: Exception | None = None
        self._is_over = threading.Event()

    def run(self) -> None:
        end = self._opened()
        if end is None:
            return
        try:
            with os.fdopen(end, "wb") as out:
                self._copy(out)
        except BrokenPipeError:
            pass  # the reader has stopped; what stopped it is its to tell
        except Exception as problem:
            self.problem = problem

    def end(self) -> None:
        """Stop waiting for a reader, let a writing thread finish, and take the pipe away."""
        self._is_over.set()
        if self.ident is not None:
            self.join()
        self.pipe.path.unlink(missing_ok=True)

    def _opened(self) -> int | None:
        """The writing end, once somebody reads; None when nobody does before the end."""
        while not self._is_over.is_set():
            try:
                end = os.open(self.pipe.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as problem:
                if problem.errno != errno.ENXIO:
                    raise
                time.sleep(PAUSE_SECONDS)
                continue
            os.set_blocking(end, True)
            return end
        return None

    def _copy(self, out: IO[bytes]) -> None:
        file = self.pipe.file
        with file.open("rb") as raw, gzip.open(raw) if file.suffix == ".gz" else raw as stream:
            text = TextIOWrapper(stream, encoding=self.pipe.encoding, errors="replace", newline="")
            while block := text.read(BLOCK_CHARACTERS):
                out.write(block.encode())
