"""Cutting a person's history down to the rows and columns that a disagreement needs.

People of a town do not touch each other, so that all smaller versions of one person live side by side in one
small town: one run of the engine answers for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests import factories
from tests.oracle.histories import History, Row
from tests.oracle.towns import PRACTICES, PROVIDERS, Story, ordinary_practice

StillDiffer = Callable[[Sequence[Story]], list[bool]]

FIRST_NUMBER = 60_000
MOST_ROUNDS = 12
KEYLESS = ("gp_patients", "community_caseload", "national_opt_out")
# Columns that may be empty; the rest of a row is needed for it to be a row at all.
OPTIONAL_COLUMNS = {
    "recorded_date",
    "value",
    "unit",
    "spell_id",
    "source_of_admission",
    "discharge_date",
    "discharge_destination",
    "discharge_method",
    "registered_to",
    "date_of_death",
    "ethnic_category",
    "lsoa_code",
    "to_date",
    "case_manager",
    "last_reviewed_date",
    "end_date",
    "last_review_date",
    "arrived_by_ambulance",
    "deleted",
    *(f"diagnosis_{number:02d}" for number in range(1, 21)),
}


def row_count(history: Mapping[str, Sequence[Any]]) -> int:
    return sum(len(rows) for rows in history.values())


def shrink(story: Story, still_differ: StillDiffer) -> Story:
    """The smallest version found; the story itself when none of its parts differs alone."""
    if not any(still_differ([renumbered(story.history, 0)])):
        return story
    history = story.history
    for _ in range(MOST_ROUNDS):
        candidates = numbered(shorter_histories(history))
        kept = [one for one, differs in zip(candidates, still_differ(candidates), strict=True) if differs]
        if not kept:
            break
        history = min((one.history for one in kept), key=row_count)
    return emptied(history, still_differ)


def shorter_histories(history: History) -> list[History]:
    """Without the first half, the second half, each quarter and so on down to each row."""
    places = [(extract, index) for extract, rows in history.items() for index in range(len(rows))]
    shorter = []
    size = len(places) // 2
    while size >= 1:
        for start in range(0, len(places), size):
            dropped = set(places[start : start + size])
            shorter.append(
                {
                    extract: [row for index, row in enumerate(rows) if (extract, index) not in dropped]
                    for extract, rows in history.items()
                }
            )
        size //= 2
    return [candidate for candidate in shorter if candidate.get("gp_patients")]


def emptied(history: History, still_differ: StillDiffer) -> Story:
    """Without the values that do not matter: those harmless alone are emptied one after another."""
    cells = [
        (extract, index, column)
        for extract, rows in history.items()
        for index, row in enumerate(rows)
        for column, value in row.items()
        if column in OPTIONAL_COLUMNS and value is not None
    ]
    if not cells:
        return renumbered(history, 0)
    alone = numbered(without(history, [cell]) for cell in cells)
    harmless = [cell for cell, differs in zip(cells, still_differ(alone), strict=True) if differs]
    together = numbered(without(history, harmless[:count]) for count in range(len(harmless) + 1))
    lasting = [one for one, differs in zip(together, still_differ(together), strict=True) if differs]
    return lasting[-1] if lasting else renumbered(history, 0)


def without(history: History, cells: Iterable[tuple[str, int, str]]) -> History:
    copied = {extract: [dict(row) for row in rows] for extract, rows in history.items()}
    for extract, index, column in cells:
        copied[extract][index][column] = None
    return copied


# --- many versions of one person ---------------------------------------------------------------


def numbered(histories: Iterable[History]) -> list[Story]:
    return [renumbered(history, index) for index, history in enumerate(histories)]


def renumbered(history: History, index: int) -> Story:
    """The same rows under another NHS number, with keys, practices and providers that no other version has."""
    number = factories.nhs_number(FIRST_NUMBER + index)
    ordinary = {ordinary_practice(place) for place in range(PRACTICES)}
    own = sorted({row["practice_code"] for row in history["gp_patients"]} & ordinary)
    practices = {code: ordinary_practice(3 * index + place) for place, code in enumerate(own)}
    settled: History = {}
    for extract, rows in history.items():
        settled[extract] = [renamed(extract, row, number, index, practices) for row in rows]
    return Story(number, settled)


def renamed(extract: str, row: Row, number: str, index: int, practices: Mapping[str, str]) -> Row:
    changed = row | {"nhs_number": number}
    if extract not in KEYLESS:
        key = next(iter(row))
        changed[key] = f"{str(row[key]).partition('v')[0]}v{index}"
    if "provider_code" in row:
        changed["provider_code"] = f"{row['provider_code'][0]}{index % PROVIDERS:03d}"
    if "practice_code" in row:
        changed["practice_code"] = practices.get(row["practice_code"], row["practice_code"])
    return changed


# --- telling -----------------------------------------------------------------------------------


def describe(history: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The rows as text, without NHS numbers, row keys and empty columns."""
    lines = []
    for extract, rows in history.items():
        for row in rows:
            shown = [
                f"{column}={value}"
                for place, (column, value) in enumerate(row.items())
                if value is not None and column != "nhs_number" and (place > 0 or extract in KEYLESS)
            ]
            lines.append(f"    {extract}: {', '.join(shown)}")
    return "\n".join(lines)
