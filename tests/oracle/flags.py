"""Coded facts of GP records: ever, in a window, latest date, and states that can end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.frailty import code_of
from tests.oracle.knowledge import Knowledge
from tests.oracle.windows import Row, flu_season_start, in_previous_months, latest

# Feature -> (concept of the state, concept of its ending); what has no ending holds for life.
STATES = {
    "has_dementia": ("dementia", None),
    "has_copd": ("copd", "copd_resolved"),
    "lives_alone": ("lives_alone", "not_living_alone"),
    "is_housebound": ("housebound", "housebound_ended"),
    "is_care_home_resident": ("care_home_resident", "care_home_left"),
    "is_end_of_life": ("end_of_life", None),
}


def days_by_concept(events: Iterable[Row], name: str, knowledge: Knowledge) -> dict[str, list[date]]:
    """Concept of one code list -> the days on which a code of it was entered."""
    days: dict[str, list[date]] = {}
    for event in events:
        for concept in knowledge.concepts(name, code_of(event)):
            days.setdefault(concept, []).append(event["event_date"])
    return days


def in_state(began: list[date], ended: list[date]) -> bool:
    """The latest of a state and its ending holds; on the same day the state wins."""
    return bool(began) and (not ended or max(began) >= max(ended))


def flag_features(days: dict[str, list[date]], as_of: date) -> dict[str, object]:
    """``days`` are those of the list of flags, from usable events alone."""
    falls = {day for day in days.get("fall", ()) if in_previous_months(day, as_of, 12)}
    season = flu_season_start(as_of)
    features: dict[str, object] = {
        "falls_12m": len(falls),
        "medication_review_last_date": latest(days.get("medication_review", ())),
        "medication_reviewed_12m": any(
            in_previous_months(day, as_of, 12) for day in days.get("medication_review", ())
        ),
        "flu_vaccine_this_season": any(season <= day < as_of for day in days.get("flu_vaccine", ())),
        "copd_rescue_medicine_12m": any(
            in_previous_months(day, as_of, 12) for day in days.get("copd_rescue_medicine", ())
        ),
    }
    for feature, (state, ending) in STATES.items():
        features[feature] = in_state(days.get(state, []), days.get(ending or "", []))
    return features
