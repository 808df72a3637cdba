"""ICD-10 as hospitals send it, made comparable once.

Source: the project's rules, Acute; HES and SUS send no dot, a filler X, and dagger and asterisk letters.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.oracle.windows import Row


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
    positions = [f"diagnosis_{number:02d}" for number in range(1, 21)]
    return [normalise_icd10(episode[position]) for position in positions if episode.get(position)]


def matches(code: str, rows: Iterable[dict[str, str]]) -> set[str]:
    """The concepts whose ICD-10 prefixes the normalised ``code`` begins with."""
    return {row["concept"] for row in rows if code.startswith(normalise_icd10(row["code"]))}
