"""What a file's bytes tell before anything is read from it: that it is damaged, or no text at all."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path

from riskstrat.errors import ContractBrokenError

# DuckDB takes minutes over a longer line of many fields, and loses one that is longer than its buffer.
LONGEST_LINE_BYTES = 131_072
# And minutes over a quoted field of tens of megabytes, in which an unclosed quote may end.
LONGEST_FIELD_BYTES = 1_000_000
NUL, QUOTE = b"\0", b'"'


def refuse_odd_bytes(paths: Iterable[Path]) -> None:
    """Raise ContractBrokenError for a text file with NUL bytes, or with a line too long to be read."""
    for path in paths:
        if path.suffix == ".parquet" or not path.stat().st_size:
            continue
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            place = content.find(NUL)
            if place >= 0:
                raise nul_bytes(path, 1 + content[:place].count(b"\n"))
            _refuse_long_lines(content, path)
            if content.find(QUOTE) >= 0:
                quotes = QuoteWatch(path)
                for begin in range(0, len(content), LONGEST_FIELD_BYTES):
                    quotes.look(content[begin : begin + LONGEST_FIELD_BYTES])


class QuoteWatch:
    """Follows a file's double quotes block by block, to tell when a quoted field grows beyond all reason."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_open = False
        self._since_quote = 0
        self._lines, self._opened_at = 0, 1

    def look(self, block: bytes) -> None:
        """Take the next block. Raises ContractBrokenError inside a field longer than LONGEST_FIELD_BYTES."""
        last = block.rfind(QUOTE)
        if last < 0:
            self._since_quote += len(block)
            if self._is_open and self._since_quote > LONGEST_FIELD_BYTES:
                raise ContractBrokenError(
                    "a double quote opens here, and what follows is longer than any field: it may not be closed.",
                    file=self._path,
                    row=self._opened_at,
                    remedy="ask the supplier to close the quote, or to send the file without that field.",
                )
        else:
            self._is_open ^= bool(block.count(QUOTE) % 2)
            self._since_quote = len(block) - last
            self._opened_at = 1 + self._lines + block[:last].count(b"\n")
        self._lines += block.count(b"\n")


def _refuse_long_lines(content: mmap.mmap, path: Path) -> None:
    """A line that is too long fills a window of half that length: only windows without a line break are looked at."""
    window = LONGEST_LINE_BYTES // 2
    for begin in range(0, len(content), window):
        if content.find(b"\n", begin, begin + window) >= 0:
            continue
        first = content.rfind(b"\n", 0, begin) + 1
        last = content.find(b"\n", begin)
        if (last if last >= 0 else len(content)) - first > LONGEST_LINE_BYTES:
            raise too_long_a_line(path, 1 + content[:first].count(b"\n"))


def nul_bytes(path: Path, row: int) -> ContractBrokenError:
    """The refusal of a file that holds NUL bytes."""
    return ContractBrokenError(
        "the file holds NUL bytes: it is damaged, or UTF-16.",
        file=path,
        row=row,
        remedy="ask for the file again as UTF-8 text.",
    )


def too_long_a_line(path: Path, row: int) -> ContractBrokenError:
    """The refusal of a file whose lines nobody can have meant."""
    return ContractBrokenError(
        f"a line is longer than {LONGEST_LINE_BYTES // 1024} KB.",
        file=path,
        row=row,
        remedy="ask the supplier to send the file again; line ends may be missing.",
    )
