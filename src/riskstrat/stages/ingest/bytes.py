"""What a file's bytes tell before anything is read from it: that it is damaged, or no text at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        if path.suffix != ".parquet" and _has_quotes(path):
            quotes = QuoteWatch(path)
            for _, block in _blocks(path):
                quotes.look(bytes(block))


def _has_quotes(path: Path) -> bool:
    """Whether a text file holds a double quote. Raises ContractBrokenError for NUL bytes and too long a line.

    Block by block: a file that is mapped into memory as a whole counts as the run's own memory while it is there.
    """
    has_quotes, line_begins, size = False, 0, 0
    for begin, block in _blocks(path):
        place = block.find(NUL)
        if place >= 0:
            raise nul_bytes(path, _row_at(path, begin + place))
        has_quotes = has_quotes or block.find(QUOTE) >= 0
        # A line that is too long leaves a window of half that length without a line break.
        for window in range(0, len(block), LONGEST_LINE_BYTES // 2):
            after = window + LONGEST_LINE_BYTES // 2
            first = block.find(b"\n", window, after)
            if first >= 0:
                _refuse_long_line(path, line_begins, begin + first)
                line_begins = begin + block.rfind(b"\n", window, after) + 1
        size = begin + len(block)
    _refuse_long_line(path, line_begins, size)
    return has_quotes


def _blocks(path: Path) -> Iterator[tuple[int, bytearray]]:
    """The bytes of a file with where they begin, in a buffer that the next block overwrites."""
    buffer = bytearray(LONGEST_FIELD_BYTES)
    begin = 0
    with path.open("rb", buffering=0) as stream:
        while read := stream.readinto(buffer):
            del buffer[read:]
            yield begin, buffer
            begin += read
            buffer.extend(bytes(LONGEST_FIELD_BYTES - read))


def _row_at(path: Path, place: int) -> int:
    """The row of a file that holds the byte at a place."""
    lines = 0
    for begin, block in _blocks(path):
        if begin + len(block) > place:
            return 1 + lines + block.count(b"\n", 0, place - begin)
        lines += block.count(b"\n")
    return 1 + lines


def _refuse_long_line(path: Path, begin: int, end: int) -> None:
    if end - begin > LONGEST_LINE_BYTES:
        raise too_long_a_line(path, _row_at(path, begin))


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
