"""Files that are packed or in another encoding, read through a named pipe: their text never lies on a disk again.

A thread unpacks and decodes the file and writes it as UTF-8 into a pipe that DuckDB reads as if it were a file.
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

from riskstrat.stages.ingest.bytes import LONGEST_LINE_BYTES, NUL, QuoteWatch, nul_bytes, too_long_a_line

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
        self._lines, self._since_line = 0, 0
        self._quotes = QuoteWatch(pipe.file)

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
                if problem.errno == errno.ENXIO:  # nobody reads yet
                    time.sleep(PAUSE_SECONDS)
                    continue
                self.problem = problem
                os.close(os.open(self.pipe.path, os.O_RDWR | os.O_NONBLOCK))  # let a waiting reader go
                return None
            os.set_blocking(end, True)
            return end
        return None

    def _copy(self, out: IO[bytes]) -> None:
        for block in self._blocks():
            self._watch(block)
            out.write(block)

    def _blocks(self) -> Iterator[bytes]:
        """The file's text as UTF-8; a file that is UTF-8 already passes as it is, damage and all."""
        file = self.pipe.file
        with file.open("rb") as raw, gzip.open(raw) if file.suffix == ".gz" else raw as stream:
            if self.pipe.encoding == "utf-8":
                while block := stream.read(BLOCK_CHARACTERS):
                    yield block
                return
            text = TextIOWrapper(stream, encoding=self.pipe.encoding, errors="replace", newline="")
            while characters := text.read(BLOCK_CHARACTERS):
                yield characters.encode()

    def _watch(self, block: bytes) -> None:
        """Raise where the bytes show what ``bytes.refuse_odd_bytes`` would refuse in a plain file."""
        if NUL in block:
            raise nul_bytes(self.pipe.file, self._lines + 1 + block[: block.index(NUL)].count(b"\n"))
        self._quotes.look(block)
        last = block.rfind(b"\n")
        self._since_line = self._since_line + len(block) if last < 0 else len(block) - last
        self._lines += block.count(b"\n")
        if self._since_line > LONGEST_LINE_BYTES:
            raise too_long_a_line(self.pipe.file, self._lines + 1)
