"""Damage to lines: their ends, quotes, delimiters, headers, blank lines, fields too many or too few."""

from __future__ import annotations

from random import Random

from tests.fuzz.kinds import CANARY, Sheet, Target, change_a_cell, kind, lines_of, on_sheet, on_text, put_in


@on_text
def crlf_ends(rng: Random, text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@on_text
def cr_ends(rng: Random, text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r")


@on_text
def mixed_ends(rng: Random, text: bytes) -> bytes:
    ends = rng.choice(((b"\n", b"\r\n"), (b"\n", b"\r"), (b"\n", b"\r\n", b"\r"), (b"\r\n", b"\n\r")))
    odd = rng.choice((0.001, 0.5))
    lines = (line.rstrip(b"\r\n") for line in lines_of(text))
    return b"".join(line + (rng.choice(ends) if rng.random() < odd else ends[0]) for line in lines)


@on_text
def stray_returns(rng: Random, text: bytes) -> bytes:
    return put_in(text, rng, (b"\r", b"\n", b"\r\n", b"\n\r"))


@on_text
def no_last_line_end(rng: Random, text: bytes) -> bytes:
    return text.rstrip(b"\r\n")


@on_text
def stray_quotes(rng: Random, text: bytes) -> bytes:
    return put_in(text, rng, (b'"', b'""', b'"""', b"'"))


@on_text
def unclosed_quote(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    change_a_cell(lines, rng, lambda cell: b'"' + cell.lstrip(b'"'), first=0)
    return b"".join(lines)


@on_text
def two_unclosed_quotes(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    for _ in range(2):
        change_a_cell(lines, rng, lambda cell: b'"' + cell)
    return b"".join(lines)


@on_text
def spaces_around_quotes(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(1, len(lines))
        cells = lines[place].rstrip(b"\r\n").split(b",")
        column = rng.randrange(len(cells))
        cells[column] = rng.choice((b' "%s"', b'"%s" ')) % cells[column].strip(b'"')
        lines[place] = b",".join(cells) + b"\n"
    return b"".join(lines)


@on_text
def other_delimiter(rng: Random, text: bytes) -> bytes:
    return text.replace(b",", rng.choice((b";", b"|", b"\t", b":")))


@on_text
def other_delimiter_in_some_lines(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    first = rng.randrange(len(lines))
    other = rng.choice((b";", b"|", b"\t"))
    last = first + rng.randint(1, 20)
    return b"".join(
        line.replace(b",", other) if first <= place < last else line for place, line in enumerate(lines)
    )


@on_text
def header_alone(rng: Random, text: bytes) -> bytes:
    return lines_of(text)[0].rstrip(b"\r\n") + rng.choice((b"", b"\n", b"\r\n", b"\n\n"))


@on_text
def no_header(rng: Random, text: bytes) -> bytes:
    return b"".join(lines_of(text)[1:])


@on_text
def header_again(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    lines.insert(rng.randint(1, len(lines)), lines[0])
    return b"".join(lines)


@on_text
def header_upper_case(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    return rng.choice((lines[0].upper(), lines[0].title())) + b"".join(lines[1:])


@on_text
def header_with_spaces(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    header = (
        lines[0].replace(b'"', b"").rstrip(b"\r\n").replace(b",", rng.choice((b", ", b" ,", b",\xc2\xa0")))
    )
    return header + b"\n" + b"".join(lines[1:])


@on_text
def lines_before_the_header(rng: Random, text: bytes) -> bytes:
    return rng.choice((b"\n", b"sep=,\n", b"Report of 31/03/2026\n", b"# extract\n", b" \n", b",,,\n")) + text


@on_text
def blank_lines(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    for _ in range(rng.randint(1, 5)):
        lines.insert(rng.randint(1, len(lines)), rng.choice((b"\n", b"\n\n\n", b"\r\n")))
    return b"".join(lines)


@on_text
def lines_of_nothing(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    commas = b"," * lines[0].count(b",")
    for _ in range(rng.randint(1, 4)):
        lines.insert(
            rng.randint(1, len(lines)), rng.choice((b" ", b"\t", commas, b"   ,", b'""', b"#")) + b"\n"
        )
    return b"".join(lines)


@on_text
def extra_fields(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    every = rng.random() < 0.3
    places = range(len(lines)) if every else [rng.randrange(len(lines)) for _ in range(rng.randint(1, 9))]
    more = rng.choice((b",", b",x", b",,,,"))
    for place in places:
        lines[place] = lines[place].rstrip(b"\r\n") + more + b"\n"
    return b"".join(lines)


@on_text
def missing_fields(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    for _ in range(rng.choice((1, 5, 40))):
        place = rng.randrange(1, len(lines))
        cells = lines[place].rstrip(b"\r\n").split(b",")
        lines[place] = b",".join(cells[: rng.randint(1, len(cells))]) + b"\n"
    return b"".join(lines)


@on_text
def lines_swapped_out(rng: Random, text: bytes) -> bytes:
    lines = lines_of(text)
    body = lines[1:]
    rng.shuffle(body)
    return lines[0] + b"".join(body[: rng.randint(0, len(body))])


@on_sheet
def line_breaks_in_cells(rng: Random, sheet: Sheet) -> None:
    for row in sheet.some(rng):
        place = sheet.column(rng)
        end = rng.choice(("\n", "\r\n", "\r", "\n\n", '"\n"', "\n,"))
        row[place] = rng.choice((f"{row[place]}{end}", f"{end}{row[place]}", f"{CANARY}{end}{row[place]}"))


@kind
def many_lines(rng: Random, target: Target) -> None:
    lines = lines_of(target.text())
    target.write(lines[0] + b"".join(lines[1:] * rng.randint(2, 9)))
