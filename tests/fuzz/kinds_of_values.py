"""Damage to values: keys, dates, numbers, NHS numbers, codes, spaces, formulas, and fields too long to be true."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.fuzz.kinds import CANARY, DoesNotFitError, Sheet, Target, on_sheet, on_text, rare
from tests.fuzz.odd_values import CODES, DATES, EMPTIES, FLAGS, NUMBERS, SPACES


def _fill(rng: Random, sheet: Sheet, place: int, values: Sequence[str]) -> None:
    for row in sheet.some(rng):
        row[place] = rng.choice(values)


@on_sheet
def odd_dates(rng: Random, sheet: Sheet) -> None:
    _fill(rng, sheet, sheet.column(rng, "date", "_at", "_on", "_from", "_to", "_start", "_end"), DATES)


@on_sheet
def dates_of_another_country(rng: Random, sheet: Sheet) -> None:
    place = sheet.column(rng, "date", "_from", "_to", "_on")
    for row in sheet.all_or_some(rng, 40):
        row[place] = "/".join(reversed(row[place][:10].split("-")))


@on_sheet
def odd_numbers(rng: Random, sheet: Sheet) -> None:
    _fill(
        rng,
        sheet,
        sheet.column(rng, "value", "number", "question", "dmd", "method", "classification"),
        NUMBERS,
    )


@on_sheet
def odd_numbers_anywhere(rng: Random, sheet: Sheet) -> None:
    _fill(rng, sheet, sheet.column(rng), NUMBERS)


@on_sheet
def odd_codes(rng: Random, sheet: Sheet) -> None:
    _fill(rng, sheet, sheet.column(rng, "code", "diagnosis", "status", "type", "category"), CODES)


@on_sheet
def odd_flags(rng: Random, sheet: Sheet) -> None:
    _fill(rng, sheet, sheet.column(rng, "deleted", "concern", "ambulance"), FLAGS)


@on_sheet
def words_for_nothing(rng: Random, sheet: Sheet) -> None:
    _fill(rng, sheet, sheet.column(rng), EMPTIES)


@on_sheet
def formula_cells(rng: Random, sheet: Sheet) -> None:
    formulas = (
        f"=cmd|' /C {CANARY}'!A0",
        f"+{CANARY}",
        f"-{CANARY}+1",
        f"@SUM({CANARY})",
        f"\t={CANARY}",
        f"=1+1 {CANARY}",
    )
    places = range(len(sheet.names)) if rng.random() < 0.3 else (sheet.column(rng), sheet.column(rng))
    for row in sheet.some(rng):
        for place in places:
            row[place] = rng.choice(formulas)


@on_sheet
def formula_cells_in_text(rng: Random, sheet: Sheet) -> None:
    fitting = (
        "reason",
        "note",
        "ward",
        "manager",
        "team",
        "name",
        "service",
        "unit",
        "agency",
        "cohort",
        "type",
        "gp",
    )
    place = sheet.column(rng, *fitting)
    for row in sheet.some(rng):
        row[place] = rng.choice("=+-@\t") + f'HYPERLINK("{CANARY}")'


@on_sheet
def spaces_around_values(rng: Random, sheet: Sheet) -> None:
    place, space = sheet.column(rng), rng.choice(SPACES)
    for row in sheet.some(rng, 200):
        row[place] = rng.choice(
            (f"{space}{row[place]}", f"{row[place]}{space}", f"{row[place][:2]}{space}{row[place][2:]}")
        )


def _numbers(sheet: Sheet) -> int:
    if "nhs_number" not in sheet.names:
        raise DoesNotFitError
    return sheet.names.index("nhs_number")


@on_sheet
def odd_nhs_numbers(rng: Random, sheet: Sheet) -> None:
    place = _numbers(sheet)
    for row in sheet.some(rng):
        number = row[place] or "9990000018"
        row[place] = rng.choice(
            (
                number[:-1],
                f"{number}0",
                f"0{number}",
                f"{number[:3]} {number[3:6]} {number[6:]}",
                number.translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
                number.translate({48 + digit: 0x0660 + digit for digit in range(10)}),
                f"{number[:3]}\u00a0{number[3:]}",
                f"{number[:3]}\u2013{number[3:]}",
                f"-{number}",
                f"{number}.0",
                f"{number[0]}.{number[1:]}E+09",
                "0000000000",
                "9999999999",
                "1234567890",
                f"={number}",
                "",
                "NULL",
                f"{number}/{number}",
                number[::-1],
                f"{number[:3]}\n{number[3:]}",
                "9" * 40,
                "999 000 0018",
                f"{number[:9]}X",
                f"'{number}",
                f"{number[:5]}\t{number[5:]}",
            )
        )


@on_sheet
def nhs_number_in_another_column(rng: Random, sheet: Sheet) -> None:
    place, other = _numbers(sheet), sheet.column(rng)
    is_spaced = rng.choice((False, True, True))
    for row in sheet.some(rng):
        number = row[place]
        row[other] = f"see {number[:3]} {number[3:6]} {number[6:]}" if is_spaced else number


@on_sheet
def keys_twice_alike(rng: Random, sheet: Sheet) -> None:
    for row in sheet.some(rng, 30):
        sheet.rows.insert(rng.randint(0, len(sheet.rows)), list(row))


@on_sheet
def keys_twice_unlike(rng: Random, sheet: Sheet) -> None:
    donors = sheet.some(rng, 30)
    for row in sheet.some(rng, 30):
        other = rng.choice(donors)
        copy = [
            own if place == 0 or rng.random() < 0.5 else new
            for place, (own, new) in enumerate(zip(row, other, strict=True))
        ]
        sheet.rows.insert(rng.randint(0, len(sheet.rows)), copy)


@on_sheet
def one_key_for_all(rng: Random, sheet: Sheet) -> None:
    key = rng.choice(sheet.rows)[0] if sheet.rows else ""
    for row in sheet.rows:
        row[0] = key


@on_sheet
def deletions_in_conflict(rng: Random, sheet: Sheet) -> None:
    if "deleted" not in sheet.names:
        sheet.names.append("deleted")
        for row in sheet.rows:
            row.append("")
    place = sheet.names.index("deleted")
    for row in sheet.some(rng, 30):
        if rng.random() < 0.3:
            row[place] = "true"
            continue
        bare = [row[0], *([""] * (len(row) - 1))] if rng.random() < 0.4 else list(row)
        bare[place] = rng.choice(("true", "TRUE", "1", "false"))
        for _ in range(rng.randint(1, 3)):
            sheet.rows.insert(rng.randint(0, len(sheet.rows)), list(bare))


@on_sheet
def deleted_for_all(rng: Random, sheet: Sheet) -> None:
    place = sheet.column(rng, "deleted")
    for row in sheet.rows:
        row[place] = "true"


@on_sheet
def huge_field(rng: Random, sheet: Sheet) -> None:
    size = rng.choice((70_000, 1_000_000, 1_990_000, 2_100_000, 3_000_000))
    letters = rng.choice(("x", "9", "é", "a,", '"', "line\n", " ", "9990000018"))
    for row in sheet.some(rng, 2)[:2]:
        row[sheet.column(rng)] = (CANARY + letters * size)[:size]


@rare
def field_of_20_mb(rng: Random, target: Target) -> None:
    sheet = target.sheet()
    row = sheet.some(rng, 1)[0]
    letters, size = rng.choice(("x", "é", "a,", "line\n")), rng.choice((20_000_000, 34_000_000))
    row[sheet.column(rng)] = (letters * size)[:size]
    target.write_sheet(sheet)


@rare
def many_huge_fields(rng: Random, target: Target) -> None:
    sheet = target.sheet()
    for row in sheet.some(rng, 10):
        row[sheet.column(rng)] = rng.choice("x9 ") * 1_500_000
    target.write_sheet(sheet)


@on_text
def very_long_line(rng: Random, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    place = rng.randint(0, len(lines))
    lines.insert(
        place, rng.choice((b",", b"x", b" ", b"1,")) * rng.choice((100_000, 1_100_000, 2_500_000)) + b"\n"
    )
    return b"".join(lines)


@rare
def file_larger_than_a_buffer(rng: Random, target: Target) -> None:
    """Tens of megabytes, so that the engine reads it in blocks and the odd line lies at the end of one or in none."""
    lines = target.text().splitlines(keepends=True)
    if len(lines) < 50 or lines[0].count(b",") > 100:
        raise DoesNotFitError
    header, body = lines[0], b"".join(lines[1:])
    if not body.endswith(b"\n") or len(body) > 2_000_000:
        raise DoesNotFitError
    odd = rng.choice(
        (b"", b"too,few\n", b'a "stray" quote,1\n', b"\xff\n", b"\n", b'"broken\nover\nlines",x\n', b"\0\n")
    )
    size = rng.randint(33_000_000, 36_000_000)
    times = size // len(body)
    target.write(header + body * times + odd + body * rng.randint(0, 2) + odd)
