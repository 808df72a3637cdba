"""ICD-10 as hospitals send it, made comparable once.

Source: the project's rules, Acute; HES and SUS send no dot, a filler X, and dagger and asterisk letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from tests.oracle.windows import Row

POSITIONS = tuple(f"diagnosis_{number:02d}" for number in range(1, 21))


@lru_cache(maxsize=100_000)
def normalise_icd10(code: str) -> str:
    """Upper case; no dot, dash or space; no dagger or asterisk letter in position 5; no filler X in 4."""
    text = code.upper()
    for decoration in (".", "-", " "):
        text = text.replace(decoration, "")
    if text[4:5] in ("D", "A"):
        text = text[:4] + text[5:]
    if text[3:4] == "X":
        text = text[:3] + text[4:]
    return text


def diagnoses(episode: Row) -> list[str]:
    """Every position, normalised."""
    return [normalise_icd10(episode[position]) for position in POSITIONS if episode.get(position)]


def concepts_by_prefix(rows: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    prefixes: dict[str, set[str]] = {}
    for row in rows:
        prefixes.setdefault(normalise_icd10(row["code"]), set()).add(row["concept"])
    return prefixes


def matches(code: str, prefixes: Mapping[str, set[str]]) -> set[str]:
    """The concepts of every prefix that the normalised ``code`` begins with."""
    found: set[str] = set()
    for length in range(1, len(code) + 1):
        found |= prefixes.get(code[:length], set())
    return found
