"""Damage to the delivery folder: names, packings, links, folders in the place of files, deliveries in odd folders."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from random import Random

from tests.fuzz.kinds import DoesNotFitError, Target, kind, lines_of, packed


def _suffix(path: Path) -> str:
    return next(suffix for suffix in (".csv.gz", ".parquet", ".csv", "") if path.name.endswith(suffix))


def _beside(target: Target, name: str) -> Path:
    path = target.folder / name
    if path.exists() or path.is_symlink():
        raise DoesNotFitError
    return path


@kind
def same_file_twice(rng: Random, target: Target) -> None:
    copy = rng.choice(("_copy", "_2", "__", "_", " (1)", "-2", "2", ".1"))
    _beside(target, f"{target.extract}{copy}{_suffix(target.path)}").write_bytes(target.stored())


@kind
def split_file(rng: Random, target: Target) -> None:
    lines = lines_of(target.text())
    place = rng.randint(1, len(lines))
    beside = _beside(target, f"{target.extract}_B{_suffix(target.path)}")
    rest = lines[0] + b"".join(lines[place:])
    beside.write_bytes(packed(rest) if beside.name.endswith(".gz") else rest)
    target.write(b"".join(lines[:place]))


@kind
def odd_file_name(rng: Random, target: Target) -> None:
    path, extract = target.path, target.extract
    suffix = _suffix(path)
    odd = (
        " ",
        "_a b'c",
        "_\n",
        "_*",
        "_[x]?",
        "_é",
        "_\udcff",
        "_{a}",
        "_%s$(id)",
        "_'; DROP",
        f"_{'x' * 200}",
        "_<b>",
        "_\\",
        '_"',
    )
    others = (
        f"{extract.upper()}{suffix}",
        f"{extract}{suffix.upper()}",
        f"{extract}{suffix}.tmp",
        f".{extract}{suffix}",
        f"{extract}{suffix}~",
        f"my_{extract}{suffix}",
        extract,
    )
    name = rng.choice((*others, *(f"{extract}{part}{suffix}" for part in odd)))
    path.rename(_beside(target, name))


@kind
def another_suffix(rng: Random, target: Target) -> None:
    path = target.path
    others = [
        suffix
        for suffix in (".csv", ".csv.gz", ".parquet", ".txt", ".zip", ".xlsx")
        if not path.name.endswith(suffix)
    ]
    path.rename(_beside(target, f"{target.extract}{rng.choice(others)}"))


@kind
def unknown_file(rng: Random, target: Target) -> None:
    name = rng.choice(
        ("gp_appointments.csv", "README.txt", "Thumbs.db", "gp_patient.csv", f"x{target.extract}.csv")
    )
    _beside(target, name).write_bytes(rng.choice((b"", b"a,b\n1,2\n", target.stored())))


@kind
def empty_file_of_another_form(rng: Random, target: Target) -> None:
    suffix = rng.choice((".csv", ".csv.gz", ".parquet"))
    _beside(target, f"{target.extract}_more{suffix}").write_bytes(b"")


@kind
def missing_file(rng: Random, target: Target) -> None:
    target.path.unlink()


@kind
def folder_for_a_file(rng: Random, target: Target) -> None:
    path, data = target.path, target.stored()
    path.unlink()
    path.mkdir()
    if rng.random() < 0.5:
        (path / path.name).write_bytes(data)


@kind
def link_for_a_file(rng: Random, target: Target) -> None:
    path, data = target.path, target.stored()
    path.unlink()
    choice = rng.randrange(4)
    if choice == 0:
        elsewhere = target.folder.parent / f"elsewhere-{path.name}"
        elsewhere.write_bytes(data)
        path.symlink_to(elsewhere)
    elif choice == 1:
        path.symlink_to(target.folder / "nowhere")
    elif choice == 2:
        path.symlink_to(path.name)
    else:
        path.symlink_to(target.folder)


@kind
def pipe_for_a_file(rng: Random, target: Target) -> None:
    path = target.path
    path.unlink()
    if rng.random() < 0.5:
        os.mkfifo(path)
        return
    try:
        with socket.socket(socket.AF_UNIX) as plug:
            plug.bind(str(path))
    except OSError:
        raise DoesNotFitError from None


@kind
def unreadable_file(rng: Random, target: Target) -> None:
    if os.geteuid() == 0:
        raise DoesNotFitError  # root reads everything
    target.path.chmod(0)


def _store_packed(target: Target, data: bytes) -> None:
    target.store_as(f"{target.extract}.csv.gz", data)


@kind
def gzip_of_nothing(rng: Random, target: Target) -> None:
    nothing = (b"", packed(b""), b"\x1f\x8b", b"\x1f\x8b\x08\0" + b"\0" * 6)
    _store_packed(target, rng.choice(nothing))


@kind
def gzip_members(rng: Random, target: Target) -> None:
    text = target.text()
    place = rng.randrange(len(text) + 1)
    members = packed(text[:place]) + packed(text[place:]) + rng.choice((b"", packed(b"")))
    end = rng.choice((b"", b"", b"\0" * 100, b"garbage", members[: len(members) // 3]))
    _store_packed(target, members + end)


@kind
def gzip_damaged(rng: Random, target: Target) -> None:
    text = target.text()
    data = bytearray(packed(text, rng.choice((0, 1, 9))))
    choice = rng.randrange(4)
    if choice == 0:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif choice == 1:
        data[-8] ^= 0xFF  # the check sum
    elif choice == 2:
        data[-1] ^= 0x01  # the length
    else:
        del data[rng.randrange(1, len(data)) :]
    _store_packed(target, bytes(data))


@kind
def gzip_twice(rng: Random, target: Target) -> None:
    _store_packed(target, packed(packed(target.text())))


@kind
def odd_delivery_folder(rng: Random, target: Target) -> None:
    landing = target.folder.parent
    name = rng.choice(
        (
            "2026-13-01",
            "2026-03-31.tmp",
            "20260331",
            "2026-02-31",
            "latest",
            "2026-04-01",
            "0001-01-01",
            "9999-12-31",
        )
    )
    folder = landing / name
    if folder.exists():
        raise DoesNotFitError
    folder.mkdir()
    if rng.random() < 0.7:
        (folder / target.path.name).write_bytes(target.stored())


@kind
def delivery_that_is_a_file(rng: Random, target: Target) -> None:
    path = target.folder.parent / rng.choice(("2026-03-30", "2026-04-01", "gp_events.csv"))
    if path.exists():
        raise DoesNotFitError
    path.write_bytes(target.stored())
