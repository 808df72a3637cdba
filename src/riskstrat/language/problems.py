"""Errors in an expression: the text, a caret line under the place, the reason and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from riskstrat.errors import DefinitionError

SHOWN_CHARACTERS = 96
INDENT = "  "


@dataclass(frozen=True)
class Place:
    """A part of an expression, in characters from its start; a length of 0 means one character."""

    start: int
    length: int


class ExpressionError(DefinitionError):
    """An expression over the feature table is wrong (exit 3); ``what`` is the reason without the picture."""

    def __init__(
        self,
        reason: str,
        text: str,
        place: Place | None,
        *,
        remedy: str | None,
        file: str | Path | None = None,
    ) -> None:
        super().__init__(reason, file=file, remedy=remedy)
        self.text = text
        self.place = place

    def __str__(self) -> str:
        where = f"{self.file}: " if self.file else ""
        lines = [f"{where}{self.what}", *picture(self.text, self.place)]
        return "\n".join([*lines, f"Remedy: {self.remedy}"] if self.remedy else lines)


@dataclass(frozen=True)
class Source:
    """The text of one expression and the file that it stands in, if any."""

    text: str
    file: str | Path | None = None

    def refuse(self, reason: str, place: Place | None = None, *, remedy: str | None = None) -> NoReturn:
        """Raise the ExpressionError for one place of this text."""
        raise ExpressionError(reason, self.text, place, remedy=remedy, file=self.file)


def picture(text: str, place: Place | None) -> list[str]:
    """The line of the text that holds the place, and carets under it; long lines are cut around the place.

    >>> picture("age > 'x'", Place(6, 3))
    ["  age > 'x'", '        ^^^']
    """
    start = min(place.start, len(text)) if place else 0
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)]
    column = start - first
    cut = max(0, column - SHOWN_CHARACTERS // 2)
    shown = "".join(
        character if character.isprintable() else " " for character in line[cut : cut + SHOWN_CHARACTERS]
    )
    lead = "..." if cut else ""
    tail = "..." if cut + SHOWN_CHARACTERS < len(line) else ""
    lines = [f"{INDENT}{lead}{shown}{tail}"]
    if place:
        width = max(1, min(place.length, len(shown) - (column - cut)))
        lines.append(f"{INDENT}{' ' * (len(lead) + column - cut)}{'^' * width}")
    return lines


def close_matches(word: str, candidates: Iterable[str], most: int = 3, cutoff: float = 0.6) -> list[str]:
    """The candidates that ``word`` may have been meant to be, best first; case is ignored.

    >>> close_matches("sever", ["fit", "mild", "moderate", "severe"])
    ['severe']
    """
    import difflib  # here, as only errors need it

    known = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower(), known, n=most, cutoff=cutoff)
    return [known[match] for match in found]


def listed(words: Iterable[str], quote: str = "") -> str:
    """Words as English text.

    >>> listed(["mild", "severe"], quote="'")
    "'mild' or 'severe'"
    """
    marked = [f"{quote}{word}{quote}" for word in words]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} or {marked[-1]}"
