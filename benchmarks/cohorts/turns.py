"""Whole processes measured in turns: wall, CPU, memory, and whether the answer was right."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.running import Turn, measure_command, say

SLOW_SECONDS, SLOW_TURNS = 5.0, 3
# How the program timeout ends when it has stopped another.
TIMED_OUT = 124
# What Rust, DuckDB and Python say when they get no more memory.
NO_MEMORY = re.compile(
    "memory allocation of [0-9]+ bytes failed|Out of Memory|MemoryError|bad_alloc", re.IGNORECASE
)


@dataclass(frozen=True)
class Asked:
    """A command line and how to read its answer from what it prints; ``right`` is the answer, None for no check.

    ``differs`` says why a peer's answer is another one, and ``right`` is then the answer in the peer's own terms.
    """

    name: str
    label: str
    command: tuple[str, ...]
    read: Callable[[str], int]
    right: int | None
    folder: Path
    peer: str | None = None
    edition: str | None = None
    differs: str | None = None
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class Measured:
    """What the turns of one command found. ``problem`` says why there are none, or that an answer was wrong."""

    asked: Asked
    turns: list[Turn] = field(default_factory=list)
    answer: int | None = None
    problem: str | None = None


def ask_in_turns(commands: list[Asked], turns: int) -> list[Measured]:
    """Every command once unmeasured, so that files and compiled modules are in memory, then by turns.

    A command of more than five seconds takes part in the first three turns only.
    """
    found = [Measured(asked) for asked in commands]
    for turn in range(turns + 1):
        for one in found:
            is_done = len(one.turns) >= SLOW_TURNS and one.turns[0]["seconds"] > SLOW_SECONDS
            if one.problem is None and not is_done:
                _take(one, is_kept=turn > 0)
        say(f"turn {turn} of {turns}: load {os.getloadavg()[0]:.2f}")
    return found


def _take(one: Measured, *, is_kept: bool) -> None:
    ended = measure_command(one.asked.command, folder=one.asked.folder, variables=one.asked.variables)
    if ended.exit_code == TIMED_OUT:
        one.problem = "stopped, because it took longer than the limit"
        return
    if ended.exit_code and NO_MEMORY.search(ended.errors):
        one.problem = "ended, because it needed more memory than the limit"
        return
    if ended.exit_code:
        # the last line in which something is said: a frame of lines may stand around it
        said = [line for line in (ended.printed + ended.errors).splitlines() if any(map(str.isalpha, line))]
        one.problem = f"ended with exit code {ended.exit_code}: {said[-1].strip() if said else 'no message'}"
        return
    try:
        one.answer = one.asked.read(ended.printed)
    except (ValueError, KeyError, IndexError):
        one.problem = "its answer could not be read"
        return
    if one.asked.right is not None and one.answer != one.asked.right:
        one.problem = f"answered {one.answer:,}, not {one.asked.right:,}"
    if is_kept:
        one.turns.append(ended.measures | _said_seconds(ended.printed))


def _said_seconds(printed: str) -> dict[str, float]:
    """The seconds of its own parts that a peer's program printed."""
    if not printed.startswith("{"):
        return {}
    said: dict[str, Any] = json.loads(printed)
    return {name: round(value, 4) for name, value in said.items() if name.endswith("_seconds")}


def only_number(printed: str) -> int:
    """The one number that a command prints."""
    return int(printed.strip().replace(",", ""))


def people_in_document(printed: str) -> int:
    """The people of a peer's JSON document."""
    return int(json.loads(printed)["people"])


def rows_after_heading(printed: str) -> int:
    """The lines below a CSV's heading."""
    return len(printed.splitlines()) - 1


def nothing(_printed: str) -> int:
    """For what is only timed."""
    return 0
