"""Coded facts of GP records: ever, in a window, latest date, and states that can end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.frailty import code_of
from tests.oracle.knowledge import Knowledge
from tests.oracle.windows import Row, in_previous_months, latest, usable

# Feature -> (concept of the state, concept of its ending); what has no ending holds for life.
STATES = {
    "has_dementia": ("dementia", None),
    "has_copd": ("copd", "copd_resolved"),
    "lives_alone": ("lives_alone", "not_living_alone"),
    "is_housebound": ("housebound", "housebound_ended"),
    "is_care_home_resident": ("care_home_resident", "care_home_left"),
    "is_end_of_life": ("end_of_life", None),
}


def days_of(events: Iterable[Row], codes: set[tuple[str, str]]) -> list[date]:
    return [event["event_date"] for event in events if code_of(event) in codes]


def in_state(began: list[date], ended: list[date]) -> bool:
    """The latest of a state and its ending holds; on the same day the state wins."""
    return bool(began) and (not ended or max(began) >= max(ended))


def flag_features(events: Iterable[Row], as_of: date, born: date, knowledge: Knowledge) -> dict[str, object]:
    known = usable(events, "event_date", as_of, born)
    falls = {
        day for day in days_of(known, knowledge.codes("flags", "fall")) if in_previous_months(day, as_of, 12)
    }
    features: dict[str, object] = {
        "falls_12m": len(falls),
        "medication_review_last_date": latest(days_of(known, knowledge.codes("flags", "medication_review"))),
    }
    for feature, (state, ending) in STATES.items():
        began = days_of(known, knowledge.codes("flags", state))
        ended = days_of(known, knowledge.codes("flags", ending)) if ending else []
        features[feature] = in_state(began, ended)
    return features
