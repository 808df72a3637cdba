"""Histories of hospital use on the edges of the rules: transfers, near misses, overlaps, open stays, late rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from tests.oracle.histories import History, Row, day_near_an_edge, patients, recorded_date

METHODS = ("21", "22", "2A", "2D", "28", "2B", "81", "11", "13", "2C", "31", "82", "84", "89", "21", "21")
SOURCES = ("19", "19", "51", "49", "53", "87", "50", "54", "88", None)
DESTINATIONS = ("19", "19", "51", "49", "52", "84", "50", "54", "87", "79", None)
# Discharge destination, next source of admission and method: evidence, the exception, near misses.
TRANSFER_EVIDENCE = (
    ("51", "19", "21"),
    ("84", "19", "21"),
    ("19", "87", "21"),
    ("19", "49", "22"),
    ("19", "19", "2B"),
    ("19", "19", "81"),
    ("51", "51", "21"),
    ("19", "51", "22"),
    ("19", "51", "21"),
    ("19", "52", "21"),
    ("87", "19", "21"),
    ("19", "84", "21"),
    ("19", "19", "21"),
)
CLASSIFICATIONS = ("1", "1", "1", "1", "1", "2", "5", "3", "4")
GAPS = (0, 0, 0, 1, 1, 2, 2, 3, -1, 4, 28, 29, 30, 31, 100)
LENGTHS = (0, 1, 2, 3, 7, 14, 31, 120, None)
DIAGNOSES = (
    None,
    "J44.9",
    "j20.9",
    "I10X",
    "I10.X",
    "F00.1A",
    "G30.9D",
    "N39.0",
    "R29.6",
    "E11.9",
    "E11.2",
    "B18.1",
    "D57.0",
    "C50.9",
    "C78.0",
    "K70.3",
    "K72.1",
    "I50 .0",
    "J45-9",
    "B20",
    "N18.5",
    "Z51.5",
    "F05.9",
    "W19",
    "R54X",
    "I21.9",
    "G81.9",
)


def spell(dice: Random, as_of: date, admitted: date, number: int) -> list[Row]:
    """One provider spell as one to three episodes, out of order, with fields that must not count."""
    length = dice.choice(LENGTHS)
    discharged = None if length is None else admitted + timedelta(days=length)
    provider = dice.choice("AAB")
    # The two providers use the same identifiers for different spells.
    identifier = f"S{number}" if provider == "A" else f"S{3 - number}"
    spell_id = dice.choice((identifier, identifier, identifier, None))
    true: Row = {
        "provider_code": provider,
        "spell_id": spell_id,
        "admission_date": admitted,
        "admission_method": dice.choice(METHODS),
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
        row["diagnosis_01"] = dice.choice(DIAGNOSES)
        row["diagnosis_02"] = dice.choice(DIAGNOSES)
        if position > 0:
            row["admission_method"] = dice.choice((true["admission_method"], "11", "21"))
            row["patient_classification"] = dice.choice((true["patient_classification"], "3", "1"))
        if position < count - 1 and dice.random() < 0.5:
            row["discharge_date"], row["discharge_destination"] = None, None
        row["recorded_date"] = recorded_date(dice, as_of)
        rows.append(row)
    if count > 1 and dice.random() < 0.5:
        for row in rows:  # the number is missing: the order of starts decides
            row["episode_number"] = 1
    return rows[::-1] if dice.random() < 0.5 else rows


def stays(dice: Random, as_of: date) -> list[Row]:
    """Spells one after another: transfers and near misses, nested and overlapping stays, readmissions."""
    rows: list[Row] = []
    previous: list[Row] = []
    admitted = day_near_an_edge(dice, as_of)
    for number in range(dice.randint(1, 4)):
        if number:
            admitted = next_admission(dice, as_of, rows, admitted)
        following = spell(dice, as_of, admitted, number)
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


def attendances(dice: Random, as_of: date) -> list[Row]:
    rows = []
    for _ in range(dice.randint(0, 3)):
        clock = dice.choice((time(0, 0), time(23, 59, 59), time(12, 0)))
        rows.append(
            {
                "provider_code": dice.choice("AB"),
                "arrival_at": datetime.combine(day_near_an_edge(dice, as_of), clock),
                "attendance_category": dice.choice(("1", "1", "1", "2", "3", "4", "X")),
                "department_type": dice.choice(("01", "02", "03", "04", "05", "05")),
            }
        )
    return rows


def community_contacts(dice: Random, as_of: date) -> list[Row]:
    return [
        {
            "provider_code": dice.choice("AB"),
            "contact_date": day_near_an_edge(dice, as_of),
            "attendance_status": dice.choice(("5", "6", "5", "7", "3", "2", "4")),
        }
        for _ in range(dice.randint(0, 2))
    ]


def acute_history(dice: Random, as_of: date) -> History:
    return {
        "gp_patients": patients(dice, as_of),
        "acute_episodes": stays(dice, as_of),
        "acute_attendances": attendances(dice, as_of),
        "community_contacts": community_contacts(dice, as_of),
    }
