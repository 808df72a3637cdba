"""One person's features from one person's rows: the whole oracle behind one function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from tests.oracle.activity import (
    agency_features,
    assessment_features,
    attendance_features,
    caseload_features,
    community_features,
    gp_contact_features,
)
from tests.oracle.flags import flag_features
from tests.oracle.frailty import gp_frailty_features, hospital_frailty_features
from tests.oracle.knowledge import Knowledge
from tests.oracle.people import (
    has_died,
    has_national_opt_out,
    has_type_1_opt_out,
    person_features,
    registration_on,
)
from tests.oracle.spells import acute_features

History = Mapping[str, Sequence[Mapping[str, Any]]]


def features_for(history: History, as_of: date, knowledge: Knowledge) -> dict[str, object] | None:
    """Feature -> value, or None for somebody who is not in the population.

    ``history`` maps an extract to this person's rows; an optional extract that is not a key was not
    delivered at all. Feeds are taken as complete: silent months are for the specifications to hold.
    """
    patients = history["gp_patients"]
    events = history.get("gp_events", ())
    registration = registration_on(patients, as_of, knowledge)
    if registration is None or has_died(patients, as_of) or has_type_1_opt_out(events, as_of):
        return None
    if has_national_opt_out(history.get("national_opt_out", ()), as_of):
        return None

    born = registration["date_of_birth"]
    person = person_features(registration, as_of, knowledge)
    age = person["age"]
    if not isinstance(age, int):
        raise TypeError("an age is a whole number")
    episodes = history.get("acute_episodes", ())
    medications = history.get("gp_medications", ())
    return merged(
        person,
        acute_features(episodes, as_of, born, knowledge),
        hospital_frailty_features(episodes, age, as_of, born, knowledge),
        gp_frailty_features(events, medications, registration, as_of, knowledge),
        flag_features(events, as_of, born, knowledge),
        attendance_features(history.get("acute_attendances", ()), as_of, born),
        community_features(history.get("community_contacts", ()), as_of, born),
        gp_contact_features(history.get("gp_contacts"), as_of, born),
        agency_features(history.get("agency_contacts"), as_of, born),
        assessment_features(history.get("assessments"), as_of, born),
        caseload_features(history.get("community_caseload"), as_of, born),
    )


def merged(*parts: dict[str, object]) -> dict[str, object]:
    features: dict[str, object] = {}
    for part in parts:
        features.update(part)
    return features


def rows_by_extract(histories: Iterable[History]) -> dict[str, list[Mapping[str, Any]]]:
    """Many people's histories as one town's extracts."""
    town: dict[str, list[Mapping[str, Any]]] = {}
    for history in histories:
        for extract, rows in history.items():
            town.setdefault(extract, []).extend(rows)
    return town
