"""How much room a text takes in Arial: spreadsheets do not say, and a row that is too low cuts a reason off."""

from __future__ import annotations

POINTS, LINE_POINTS, PADDING_POINTS = 9, 11.5, 3.0
HIGHEST_ROW = 409.0
# Thousandths of an em from space to tilde: Arial, and Liberation Sans, which was drawn to the same widths.
WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
OTHER_WIDTH, DIGIT_WIDTH, BOLD = 722, 556, 1.08
FIRST_CHARACTER = 32


def characters(text: str, *, is_bold: bool = False) -> float:
    """The width of a text on one line, in widths of a digit, which is how a spreadsheet measures columns.

    >>> characters("9990000018"), round(characters("Wm"), 1)
    (10.0, 3.2)
    """
    widths = (_width(character) for character in text)
    return sum(widths) * (BOLD if is_bold else 1) / DIGIT_WIDTH


def lines_needed(text: str, room: float, *, is_bold: bool = False) -> int:
    """On how many lines a text stands in a column of ``room`` digits.

    >>> lines_needed("Mobility: 2 falls in 12 months", 20), lines_needed("one" + chr(10) + "two", 20)
    (2, 2)
    """
    return sum(_lines_of(paragraph, room, is_bold) for paragraph in text.split("\n"))


def height_of(lines: int) -> float:
    """The height in points of a row of so many lines."""
    return min(lines * LINE_POINTS + PADDING_POINTS, HIGHEST_ROW)


def _lines_of(paragraph: str, room: float, is_bold: bool) -> int:
    lines, used = 1, 0.0
    for word in paragraph.split():
        size = characters(word, is_bold=is_bold)
        space = characters(" ") if used else 0.0
        if used and used + space + size > room:
            lines, used, space = lines + 1, 0.0, 0.0
        whole, rest = divmod(size, room) if size > room else (0.0, size)
        lines, used = lines + int(whole), used + space + rest
    return lines


def _width(character: str) -> int:
    place = ord(character) - FIRST_CHARACTER
    return WIDTHS[place] if 0 <= place < len(WIDTHS) else OTHER_WIDTH
