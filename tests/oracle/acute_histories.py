"""Histories of hospital use on the edges of the rules: transfers, near misses, overlaps, open stays, late rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests.oracle.histories import Row, day_near_an_edge, recorded_date
from tests.oracle.icd10 import POSITIONS
from tests.oracle.knowledge import Knowledge

METHODS = ("21", "22", "2A", "2D", "28", "2B", "81", "11", "13", "2C", "31", "32", "82", "83", "84", "89")
MOSTLY_UNPLANNED = (*METHODS, "23", "24", "25", *("21",) * 9)
SOURCES = ("19", "19", "51", "49", "53", "87", "50", "54", "88", None)
DESTINATIONS = ("19", "19", "51", "49", "52", "84", "50", "54", "87", "79", None)
# Discharge destination, next source of admission and method: evidence, the exception, near misses.
TRANSFER_EVIDENCE = (
    *((destination, "19", "21") for destination in ("49", "50", "51", "52", "53", "84")),
    *(("19", source, "22") for source in ("49", "50", "51", "52", "53", "87")),
    ("19", "19", "2B"),
    ("19", "19", "81"),
    ("51", "51", "21"),
    ("19", "51", "21"),
    ("19", "51", "21"),
    ("19", "51", "2B"),
    ("87", "19", "21"),
    ("19", "84", "21"),
    ("19", "19", "21"),
    (None, None, "21"),
)
CLASSIFICATIONS = ("1", "1", "1", "1", "1", "1", "2", "5", "8", "3", "4")
GAPS = (0, 0, 0, 1, 2, 2, 3, 3, -1, -1, 4, 28, 29, 29, 30, 30, 31, 100)
LENGTHS = (0, 1, 2, 3, 7, 14, 31, 120, 400, None)
# Diagnoses of which one decides what the other counts for: primary, then another.
PAIRS = (
    ("J20.9", "J44.9"),
    ("J20.9", "J47"),
    ("J20.9", "J45.9"),
    ("B18.1", "D57.0"),
    ("B18.0", "D57.1"),
    ("C50.9", "C78.0"),
    ("E11.9", "E11.2"),
    ("K70.3", "K72.1"),
)
HFRS_TARGETS = (1, 49, 50, 51, 149, 150, 151)
NOT_ON_A_LIST = ("Z99.9", "W19", "R10X", "S72.0", "D57.0", "D57.1", "H26")


@dataclass(frozen=True, repr=False)
class Diagnoses:
    """ICD-10 prefixes of the lists, and sets of codes whose HFRS points lie around the bands."""

    listed: list[str]
    primary: list[str]
    scored: dict[int, list[list[str]]]


def diagnoses_of(knowledge: Knowledge) -> Diagnoses:
    listed = [row["code"] for name in ("charlson", "acsc") for row in knowledge.lists[name]]
    primary = [row["code"] for row in knowledge.lists["acsc"]]
    dice = Random("hospital frailty")
    scored = {
        target: [codes_worth(dice, target, knowledge.hfrs_tenths) for _ in range(12)]
        for target in HFRS_TARGETS
    }
    return Diagnoses([*listed, *knowledge.hfrs_tenths], primary, scored)


def codes_worth(dice: Random, tenths: int, weights: dict[str, int]) -> list[str]:
    """Different codes that add up to so many tenths of a point, found by trying sums in a shuffled order."""
    ways: dict[int, list[str]] = {0: []}
    for code in dice.sample(sorted(weights), len(weights)):
        for total in sorted(ways, reverse=True):
            if total + weights[code] <= tenths:
                ways.setdefault(total + weights[code], [*ways[total], code])
    return ways[tenths]


def decorated(dice: Random, code: str) -> str:
    """The code as some hospital sends it: dots, dashes, spaces, lower case, fillers, daggers, more digits."""
    text = code if len(code) > 2 else f"{code}{dice.randint(1, 9)}"
    if len(text) == 3:
        text += dice.choice(("", "", "X", "XD", "9", "0", "9A"))
    elif len(text) == 4:
        text += dice.choice(("", "", "", "D", "A", "1"))
    if len(text) > 3:
        text = text[:3] + dice.choice(("", "", ".", "-", " ", " .")) + text[3:]
    return text.lower() if dice.random() < 0.15 else text


def some_diagnoses(dice: Random, pool: Diagnoses) -> Row:
    """A primary diagnosis, now and then none, and others in any position up to the twentieth."""
    first = dice.choice(
        (None, dice.choice(pool.primary), dice.choice(pool.listed), dice.choice(NOT_ON_A_LIST))
    )
    row: Row = {"diagnosis_01": first and decorated(dice, first)}
    if dice.random() < 0.06:
        first, other = dice.choice(PAIRS)
        return {"diagnosis_01": first, dice.choice(POSITIONS[1:]): other}
    for position in dice.sample(POSITIONS[1:], dice.choice((0, 1, 1, 3))):
        source = NOT_ON_A_LIST if dice.random() < 0.25 else pool.listed
        row[position] = decorated(dice, dice.choice(source))
    return row


def spell(dice: Random, as_of: date, admitted: date, number: int, pool: Diagnoses) -> list[Row]:
    """One provider spell as one to three episodes, out of order, with fields that must not count."""
    length = dice.choice(LENGTHS)
    discharged = None if length is None else admitted + timedelta(days=length)
    provider = dice.choice("AAB")
    # The two providers use the same identifiers for different spells.
    identifier = f"S{number}" if provider == "A" else f"S{3 - number}"
    true: Row = {
        "provider_code": provider,
        "spell_id": dice.choice((identifier, identifier, identifier, None)),
        "admission_date": admitted,
        "admission_method": dice.choice(MOSTLY_UNPLANNED),
        "source_of_admission": dice.choice(SOURCES),
        "patient_classification": dice.choice(CLASSIFICATIONS),
        "discharge_date": discharged,
        "discharge_destination": dice.choice(DESTINATIONS) if discharged else None,
    }
    count = dice.choice((1, 1, 1, 2, 3))
    rows = []
    for position in range(count):
        row = dict(true)
        row["episode_number"] = position + 1
        row["episode_start"] = admitted + timedelta(days=position * ((length or 9) // count))
        row |= some_diagnoses(dice, pool)
        row["recorded_date"] = recorded_date(dice, as_of)
        if position > 0:
            contradict(dice, row)
        if position < count - 1 and dice.random() < 0.5:
            row["discharge_date"], row["discharge_destination"] = None, None
        rows.append(row)
    if dice.random() < 0.04:  # the last episode decides: without a discharge the spell is open
        rows[-1]["discharge_date"], rows[-1]["discharge_destination"] = None, None
    if count > 1 and dice.random() < 0.4:
        for row in rows:  # the number is missing: the order of starts decides
            row["episode_number"] = 1
    return rows[::-1] if dice.random() < 0.5 else rows


def contradict(dice: Random, row: Row) -> None:
    """A later episode says something else about the admission, or has lost the spell's identifier."""
    row["admission_method"] = dice.choice((row["admission_method"], "11", "21"))
    row["patient_classification"] = dice.choice((row["patient_classification"], "3", "1"))
    if dice.random() < 0.06:
        row["spell_id"] = None


def stays(dice: Random, as_of: date, pool: Diagnoses) -> list[Row]:
    """Spells one after another: transfers and near misses, nested and overlapping stays, readmissions."""
    rows: list[Row] = []
    previous: list[Row] = []
    admitted = day_near_an_edge(dice, as_of)
    for number in range(dice.randint(1, 4)):
        if number:
            admitted = next_admission(dice, as_of, rows, admitted)
        following = spell(dice, as_of, admitted, number, pool)
        if number and dice.random() < 0.5:
            give_evidence(dice, previous, following)
        rows += following
        previous = following
    return rows


def give_evidence(dice: Random, previous: list[Row], following: list[Row]) -> None:
    """Make two spells look like a transfer, or nearly."""
    destination, source, method = dice.choice(TRANSFER_EVIDENCE)
    for row in previous:
        if row["discharge_date"] is not None:
            row["discharge_destination"] = destination
    for row in following:
        row["source_of_admission"], row["admission_method"] = source, method


def next_admission(dice: Random, as_of: date, rows: Sequence[Row], previous: date) -> date:
    ends = [row["discharge_date"] for row in rows if row["discharge_date"] is not None]
    end = max(ends) if ends else previous + timedelta(days=5)
    where = dice.choice(("gap", "gap", "gap", "gap", "inside", "edge"))
    if where == "gap":
        return max(end + timedelta(days=dice.choice(GAPS)), previous)
    if where == "inside":
        return previous + timedelta(days=dice.choice((0, 1, 2, 5)))
    return day_near_an_edge(dice, as_of)


def frail_stay(dice: Random, as_of: date, pool: Diagnoses) -> list[Row]:
    """An emergency whose diagnoses are worth just under, exactly or just over a band of the HFRS."""
    codes = list(dice.choice(pool.scored[dice.choice(HFRS_TARGETS)]))
    codes += [f"{code}9" for code in codes[:2]]  # the same three characters again
    dice.shuffle(codes)
    admitted = day_near_an_edge(dice, as_of)
    rows = []
    for number, start in enumerate(range(0, len(codes), len(POSITIONS)), start=1):
        part = codes[start : start + len(POSITIONS)]
        row: Row = {
            "provider_code": "A",
            "spell_id": "F",
            "episode_number": number,
            "admission_date": admitted,
            "admission_method": dice.choice(("21", "21", "21", "11")),
            "patient_classification": "1",
            "episode_start": admitted + timedelta(days=number - 1),
            "discharge_date": admitted + timedelta(days=6),
        }
        rows.append(row | {name: decorated(dice, code) for name, code in zip(POSITIONS, part, strict=False)})
    return rows


def acute_episodes(dice: Random, as_of: date, pool: Diagnoses) -> list[Row]:
    kind = dice.random()
    if kind < 0.2:
        return []
    rows = frail_stay(dice, as_of, pool) if kind < 0.35 else stays(dice, as_of, pool)
    if 0.3 < kind < 0.4:
        rows += stays(dice, as_of, pool)
    return rows
