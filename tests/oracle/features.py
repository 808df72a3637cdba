"""One person's features from one person's rows: the whole oracle behind one function."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tests.oracle.activity import (
    agency_features,
    assessment_features,
    attendance_features,
    care_plan_features,
    caseload_features,
    community_features,
    gp_contact_features,
    homecare_features,
    says_ambulance,
    unscheduled_features,
)
from tests.oracle.cambridge import cambridge_items, cambridge_score
from tests.oracle.coverage import Covers, everything, is_decided, is_heard, windows
from tests.oracle.flags import days_by_concept, flag_features
from tests.oracle.frailty import (
    CATEGORIES,
    gp_frailty_features,
    hospital_frailty_features,
    medicines_in_previous_12_months,
)
from tests.oracle.knowledge import Knowledge
from tests.oracle.people import in_population, known_age, person_features, registration_on
from tests.oracle.spells import (
    acute_features,
    admissions_known_by,
    continuous_spells,
    known_episodes,
    provider_spells,
)
from tests.oracle.windows import months_before, rows_that_count, usable

History = Mapping[str, Sequence[Mapping[str, Any]]]
Features = dict[str, object]


def features_for(
    history: History,
    as_of: date,
    knowledge: Knowledge,
    covers: Covers = everything,
    ambulances_are_told: bool | None = None,
) -> Features | None:
    """Feature -> value, or None for somebody who is not in the population.

    ``history`` maps an extract to this person's rows; an optional extract that is not a key was not
    delivered at all. ``covers`` says which windows the feeds of this person were heard in,
    ``ambulances_are_told`` whether anybody's attendance says if an ambulance came; None asks this person's alone.
    """
    history = {extract: rows_that_count(rows) for extract, rows in history.items()}
    patients, events = history["gp_patients"], history.get("gp_events", ())
    registration = registration_on(patients, as_of, knowledge)
    if registration is None or not in_population(
        registration, patients, events, history.get("national_opt_out", ()), as_of
    ):
        return None
    born = registration["date_of_birth"]
    age = known_age(born, as_of)
    features = merged(
        person_features(registration, age, as_of, knowledge),
        hospital_features(history, age, as_of, born, knowledge),
        gp_features(history, registration, as_of, knowledge, covers),
        activity_features(history, registration, as_of, knowledge),
        attendance_features(
            history.get("acute_attendances", ()),
            as_of,
            born,
            says_ambulance(history.get("acute_attendances", ()), as_of)
            if ambulances_are_told is None
            else ambulances_are_told,
        ),
    )
    heard = {
        feature: value if is_decided(feature, value, as_of, covers) else None
        for feature, value in features.items()
    }
    year_ago = features_year_ago(history, registration, as_of, knowledge, covers)
    return merged(heard, year_ago, bands_risen(heard, year_ago))


def features_year_ago(
    history: History, registration: Mapping[str, Any], as_of: date, knowledge: Knowledge, covers: Covers
) -> Features:
    """Frailty as a run 12 months earlier would have said it, and the admissions that were known by then.

    Today's people by today's register, and today's stays (the rules are silent on both).
    """
    then, born = months_before(as_of, 12), registration["date_of_birth"]
    gp = gp_features(history, registration, then, knowledge, covers)
    spells = provider_spells(known_episodes(history.get("acute_episodes", ()), as_of, born), as_of)
    admissions = admissions_known_by(continuous_spells(spells), then)
    heard = is_heard("unplanned_admissions_12m", then, covers)
    return {
        "efi_deficits_12m_ago": gp["efi_deficits"],
        "frailty_category_12m_ago": gp["frailty_category"],
        "unplanned_admissions_12m_a_year_ago": admissions if heard else None,
    }


def bands_risen(now: Features, then: Features) -> Features:
    today, before = now["frailty_category"], then["frailty_category_12m_ago"]
    if today is None or before is None:
        return {"frailty_bands_risen_12m": None}
    return {"frailty_bands_risen_12m": CATEGORIES.index(str(today)) - CATEGORIES.index(str(before))}


def hospital_features(
    history: History, age: int | None, as_of: date, born: date, knowledge: Knowledge
) -> Features:
    spells = provider_spells(known_episodes(history.get("acute_episodes", ()), as_of, born), as_of)
    stays = continuous_spells(spells)
    return merged(
        acute_features(spells, stays, as_of, knowledge),
        hospital_frailty_features(spells, stays, age, as_of, knowledge),
    )


def gp_features(
    history: History, registration: Mapping[str, Any], as_of: date, knowledge: Knowledge, covers: Covers
) -> Features:
    born = registration["date_of_birth"]
    events = usable(history.get("gp_events", ()), "event_date", as_of, born)
    issues = usable(history.get("gp_medications", ()), "issue_date", as_of, born)
    flags = days_by_concept(events, "flags", knowledge)
    medicines = medicines_in_previous_12_months(issues, as_of, born)
    known_medicines = medicines if covers("gp_medications", *windows(as_of)["12 months"]) else None
    items = cambridge_items(events, issues, as_of, knowledge)
    return merged(
        gp_frailty_features(events, known_medicines, registration["sex"], knowledge),
        flag_features(flags, as_of),
        care_plan_features(history.get("care_plans"), "care_plan" in flags, as_of, born),
        {"cambridge_multimorbidity": cambridge_score(items, knowledge.points["cambridge"])},
    )


def activity_features(
    history: History, registration: Mapping[str, Any], as_of: date, knowledge: Knowledge
) -> Features:
    born, registered = registration["date_of_birth"], registration["registered_from"]
    return merged(
        community_features(history.get("community_contacts", ()), as_of, born),
        gp_contact_features(history.get("gp_contacts"), as_of, born),
        agency_features(history.get("agency_contacts"), as_of, born),
        assessment_features(history.get("assessments"), as_of, born),
        caseload_features(history.get("community_caseload"), as_of, born),
        homecare_features(history.get("social_care_services"), as_of, born, knowledge),
        unscheduled_features(history, as_of, born, registered, knowledge),
    )


def merged(*parts: Features) -> Features:
    features: Features = {}
    for part in parts:
        features.update(part)
    return features


def person_key(site_key: bytes, nhs_number: str) -> str:
    """The first 32 hex digits of HMAC-SHA-256 of the NHS number with the site's key."""
    return hmac.new(site_key, nhs_number.encode("ascii"), hashlib.sha256).hexdigest()[:32]
