"""Who is in the population, under which practice, and how old they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.knowledge import Knowledge
from tests.oracle.windows import Row, is_known

AGE_BANDS = ((18, "0-17"), (50, "18-49"), (65, "50-64"), (75, "65-74"), (85, "75-84"))
OLDEST_BAND = "85+"
OLDEST_AGE = (
    122  # the rules are silent; config/reference/parameters.csv: older is a supplier's filler, unknown
)
# NHS Data Dictionary, ETHNIC CATEGORY: letters without I, O and Q, not stated and not known.
ETHNIC_CATEGORIES = {*"ABCDEFGHJKLMNPRSZ", "99"}
TYPE_1_DISSENT = {("snomed", "827241000000103"), ("readv2", "9Nu0."), ("ctv3", "XaZ89")}
TYPE_1_WITHDRAWN = {("readv2", "9Nu1."), ("ctv3", "XaZ8A")}


def age_on(born: date, day: date) -> int:
    """Completed years; somebody born on 29 February has a birthday on 1 March in a common year."""
    had_birthday = (day.month, day.day) >= (born.month, born.day)
    return day.year - born.year - (0 if had_birthday else 1)


def age_band(age: int) -> str:
    for below, band in AGE_BANDS:
        if age < below:
            return band
    return OLDEST_BAND


def practice_on(code: str, day: date, knowledge: Knowledge) -> dict[str, str] | None:
    """The practice's row that is valid on ``day``, both ends included; None when it is out of scope."""
    for row in knowledge.memberships(code):
        begins = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
        ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
        if begins <= day <= ends:
            return row
    return None


def registration_on(rows: Iterable[Row], as_of: date, knowledge: Knowledge) -> Row | None:
    """The open in-scope registration that counts: the latest, then the lowest practice code."""
    in_scope = []
    for row in rows:
        ended = row.get("registered_to")
        is_open = row["registered_from"] <= as_of and (ended is None or ended >= as_of)
        if is_open and practice_on(row["practice_code"], as_of, knowledge) is not None:
            in_scope.append(row)
    if not in_scope:
        return None
    newest = max(row["registered_from"] for row in in_scope)
    return min(
        (row for row in in_scope if row["registered_from"] == newest), key=lambda row: row["practice_code"]
    )


def has_type_1_opt_out(gp_events: Iterable[Row], as_of: date) -> bool:
    """The latest of dissent and withdrawal; on the same day dissent wins. Dates before birth count."""
    dissent, withdrawn = date.min, date.min
    for row in gp_events:
        if not is_known(row, row["event_date"], as_of):
            continue
        code = (row["code_system"], row["code"])
        if code in TYPE_1_DISSENT:
            dissent = max(dissent, row["event_date"])
        if code in TYPE_1_WITHDRAWN:
            withdrawn = max(withdrawn, row["event_date"])
    return dissent > date.min and dissent >= withdrawn


def has_national_opt_out(rows: Iterable[Row], as_of: date) -> bool:
    return any(row["checked_on"] < as_of for row in rows)


def has_died(rows: Iterable[Row], as_of: date) -> bool:
    return any(row.get("date_of_death") is not None and row["date_of_death"] < as_of for row in rows)


def is_born(registration: Row, as_of: date) -> bool:
    """Somebody born on or after ``as_of`` is not alive before it (the rules are silent on that very day)."""
    return bool(registration["date_of_birth"] < as_of)


def in_population(
    registration: Row | None,
    patients: Iterable[Row],
    events: Iterable[Row],
    national: Iterable[Row],
    as_of: date,
) -> bool:
    return (
        registration is not None
        and is_born(registration, as_of)
        and not has_died(patients, as_of)
        and not has_type_1_opt_out(events, as_of)
        and not has_national_opt_out(national, as_of)
    )


def known_age(born: date, as_of: date) -> int | None:
    age = age_on(born, as_of)
    return age if age <= OLDEST_AGE else None


def person_features(
    registration: Row, age: int | None, as_of: date, knowledge: Knowledge
) -> dict[str, object]:
    practice = practice_on(registration["practice_code"], as_of, knowledge)
    if practice is None:
        raise ValueError("a registration that counts is in scope by definition")
    ethnic = registration.get("ethnic_category")
    deciles = {row["lsoa_code"]: int(row["imd_decile"]) for row in knowledge.areas}
    return {
        "age": age,
        "age_band": None if age is None else age_band(age),
        "sex": registration["sex"],
        "ethnic_category": ethnic if ethnic in ETHNIC_CATEGORIES else None,
        "practice_code": practice["practice_code"],
        "pcn_code": practice["pcn_code"] or None,
        "neighbourhood_code": practice["neighbourhood_code"],
        "imd_decile": deciles.get(registration.get("lsoa_code") or ""),
    }
