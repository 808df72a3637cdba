"""Damage to bytes: flips, cuts, wrong encodings, byte order marks, NULs."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.kinds import (
    CANARY,
    DoesNotFitError,
    Target,
    change_a_cell,
    kind,
    lines_of,
    on_text,
    parted,
    put_in,
)

BOM = b"\xef\xbb\xbf"


def _flip(rng: Random, data: bytes, most: int, until: int | None = None) -> bytes:
    if not data:
        raise DoesNotFitError
    flipped = bytearray(data)
    for _ in range(rng.randint(1, most)):
        flipped[rng.randrange(min(len(data), until or len(data)))] ^= rng.randrange(1, 256)
    return bytes(flipped)


@kind
def flipped_bytes(rng: Random, target: Target) -> None:
    target.store(_flip(rng, target.stored(), rng.choice((1, 3, 20))))


@kind
def flipped_bytes_of_the_header(rng: Random, target: Target) -> None:
    target.store(_flip(rng, target.stored(), 3, until=200))


@on_text
def flipped_bytes_inside_gzip(rng: Random, text: bytes) -> bytes:
    return _flip(rng, text, 5)


@kind
def cut_file(rng: Random, target: Target) -> None:
    data = target.stored()
    target.store(data[: rng.randrange(len(data) + 1)])


@kind
def cut_at_the_front(rng: Random, target: Target) -> None:
    data = target.stored()
    target.store(data[rng.randrange(1, min(len(data), 400) + 1) :] if data else data)


@on_text
def cut_in_a_line(rng: Random, text: bytes) -> bytes:
    before, (line, *_) = parted(text, rng)
    return before + line[: rng.randrange(len(line))]


@on_text
def cut_in_a_quote(rng: Random, text: bytes) -> bytes:
    before, (line, *_) = parted(text, rng)
    *cells, last = line.rstrip(b"\r\n").split(b",")
    return before + b",".join([*cells, b'"' + last])


@kind
def hole_in_the_file(rng: Random, target: Target) -> None:
    data = target.stored()
    place = rng.randrange(len(data) + 1)
    target.store(data[:place] + data[place + rng.choice((1, 10, 500, 5000)) :])


@kind
def block_repeated(rng: Random, target: Target) -> None:
    data = target.stored()
    place = rng.randrange(len(data) + 1)
    block = data[place : place + rng.choice((10, 512, 4096))]
    target.store(data[:place] + block + block + data[place + len(block) :])


@kind
def trailing_garbage(rng: Random, target: Target) -> None:
    parts = (b"\x1a", b"EOF", b"\0" * 512, b"</html>", b"-- 12 rows\n", rng.randbytes(40), b",,,")
    target.store(target.stored() + rng.choice(parts))


@kind
def empty_file(rng: Random, target: Target) -> None:
    target.store(b"")


@on_text
def utf_16(rng: Random, text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32")))


@on_text
def utf_16_from_some_line_on(rng: Random, text: bytes) -> bytes:
    before, lines = parted(text, rng)
    return before + b"".join(lines).decode("utf-8", "replace").encode("utf-16-le")


def _with_letters(rng: Random, text: bytes, letters: bytes) -> bytes:
    lines = lines_of(text)
    for _ in range(rng.randint(1, 15)):
        change_a_cell(lines, rng, lambda cell: cell[:1] + letters + cell[1:])
    return b"".join(lines)


@on_text
def windows_1252(rng: Random, text: bytes) -> bytes:
    return _with_letters(rng, text, "O\u2019Brïen \u2013 €5 Šárka".encode("cp1252"))


@on_text
def latin_1(rng: Random, text: bytes) -> bytes:
    return _with_letters(rng, text, "Zoë Müller ½".encode("latin-1"))


@on_text
def no_utf_8(rng: Random, text: bytes) -> bytes:
    parts = (
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\x80",
        b"\xf8\x88\x80\x80\x80",
    )
    return put_in(text, rng, parts, most=8)


@on_text
def utf_8_twice(rng: Random, text: bytes) -> bytes:
    return _with_letters(rng, text, "Zoë\u2019s café".encode().decode("latin-1").encode())


@on_text
def odd_letters(rng: Random, text: bytes) -> bytes:
    odd = (
        "😀",
        "\u202e",
        "e\u0301",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\x85",
        "\x0b",
        "\x1b[31m",
        "\ufffd",
        "\x7f",
    )
    return _with_letters(rng, text, rng.choice(odd).encode())


@on_text
def bom(rng: Random, text: bytes) -> bytes:
    return BOM * rng.choice((1, 1, 1, 2)) + text


@on_text
def bom_in_the_middle(rng: Random, text: bytes) -> bytes:
    before, lines = parted(text, rng)
    return before + BOM + b"".join(lines)


@on_text
def nuls(rng: Random, text: bytes) -> bytes:
    return put_in(text, rng, (b"\0", b"\0\0\0\0"), most=5)


@on_text
def nuls_in_the_header(rng: Random, text: bytes) -> bytes:
    header, _, rest = text.partition(b"\n")
    return put_in(header, rng, (b"\0",), most=2) + b"\n" + rest


@on_text
def nuls_for_a_line(rng: Random, text: bytes) -> bytes:
    before, (line, *after) = parted(text, rng)
    return before + b"\0" * len(line) + b"".join(after)


@on_text
def nuls_to_the_end(rng: Random, text: bytes) -> bytes:
    place = rng.randrange(len(text) + 1)
    return text[:place] + b"\0" * (len(text) - place)


@on_text
def backslashes(rng: Random, text: bytes) -> bytes:
    return put_in(text, rng, (b"\\", b'\\"', b"\\N", b"\\,", b"\\n"), most=4)


@on_text
def scripts(rng: Random, text: bytes) -> bytes:
    parts = (
        "<script>alert(1)</script>",
        "'); DROP TABLE gp_events; --",
        "{{7*7}}",
        "%s%n",
        "${HOME}",
        "$(id)",
    )
    word = f"{CANARY} {rng.choice(parts)}".encode()
    before, (line, *after) = parted(text, rng)
    line = re.sub(rb",([^,]*)", lambda found: b"," + word, line, count=rng.randint(1, 3))
    return before + line + b"".join(after)
