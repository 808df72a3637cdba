"""Histories outside the ward and the surgery's record: contacts, caseloads, plans, agencies, opt-out lists."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

from tests.oracle.histories import History, Row, day_near_an_edge

CLOCKS = (time(0, 0), time(23, 59, 59), time(12, 0))
AGENCIES = ("housing", "police", "fire", "adult social care", "Ambulance")
GP_CONTACT_TYPES = ("surgery", "telephone", "Telephone Consultation", "out of hours", "home visit")
SERVICES = (
    "home care",
    "Home Care",
    "homecare",
    "Domiciliary care",
    "HOME SUPPORT",
    "day care",
    "home visits",
)
TEAMS = ("north", "south", "falls service")


def attendances(dice: Random, as_of: date) -> list[Row]:
    return [
        {
            "provider_code": dice.choice("AB"),
            "arrival_at": datetime.combine(day_near_an_edge(dice, as_of), dice.choice(CLOCKS)),
            "attendance_category": dice.choice(("1", "1", "1", "2", "3", "4", "X")),
            "department_type": dice.choice(("01", "02", "03", "04", "05", "05")),
            "arrived_by_ambulance": dice.choice((True, True, False, None)),
        }
        for _ in range(dice.randint(0, 3))
    ]


def community_contacts(dice: Random, as_of: date) -> list[Row]:
    return [
        {
            "provider_code": dice.choice("AB"),
            "contact_date": day_near_an_edge(dice, as_of),
            "attendance_status": dice.choice(("5", "6", "5", "7", "3", "2", "4")),
        }
        for _ in range(dice.randint(0, 2))
    ]


def gp_contacts(dice: Random, as_of: date) -> list[Row]:
    return [
        {"contact_date": day_near_an_edge(dice, as_of), "contact_type": dice.choice(GP_CONTACT_TYPES)}
        for _ in range(dice.choice((0, 1, 2, 4)))
    ]


def agency_contacts(dice: Random, as_of: date) -> list[Row]:
    return [
        {"contact_date": day_near_an_edge(dice, as_of), "agency": dice.choice(AGENCIES)}
        for _ in range(dice.choice((0, 0, 1, 3, 5)))
    ]


def assessments(dice: Random, as_of: date) -> list[Row]:
    asked = [day_near_an_edge(dice, as_of) for _ in range(dice.choice((0, 0, 1, 2)))]
    return [
        {"assessed_on": day, "question": question, "concern": dice.random() < 0.5}
        for day in asked
        for question in dice.sample(range(1, 6), dice.choice((1, 5)))
    ]


def caseload(dice: Random, as_of: date) -> list[Row]:
    """Places with teams, open and closed around ``as_of``; never two of one team that began on one day."""
    rows = []
    for team in dice.sample(TEAMS, dice.choice((0, 0, 0, 1, 1, 2, 3))):
        joined = day_near_an_edge(dice, as_of)
        left = dice.choice((None, None, as_of - timedelta(days=1), as_of, as_of + timedelta(days=1)))
        if left is not None and left < joined:
            left = None
        manager = dice.choice(("Matron Able", "Matron Brook", None))
        rows.append({"team": team, "from_date": joined, "to_date": left, "case_manager": manager})
    return rows


def social_care_services(dice: Random, as_of: date) -> list[Row]:
    """Home care and other services, open and closed around ``as_of``, reviewed on either side of it or never."""
    rows = []
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        began = day_near_an_edge(dice, as_of)
        ended = dice.choice((None, None, as_of - timedelta(days=1), as_of, as_of + timedelta(days=1)))
        around = (as_of - timedelta(days=1), as_of, as_of + timedelta(days=1))
        reviewed = dice.choice((None, day_near_an_edge(dice, as_of), *around))
        rows.append(
            {
                "service_type": dice.choice(SERVICES),
                "start_date": began,
                "end_date": None if ended is None or ended < began else ended,
                "last_review_date": reviewed,
            }
        )
    return rows


def care_plans(dice: Random, as_of: date) -> list[Row]:
    rows = []
    for _ in range(dice.choice((0, 0, 0, 1, 2))):
        created = day_near_an_edge(dice, as_of)
        later = created + timedelta(days=dice.choice((0, 1, 40)))
        reviewed = dice.choice((None, later, as_of - timedelta(days=1), as_of, as_of + timedelta(days=1)))
        if reviewed is not None and reviewed < created:
            reviewed = None
        rows.append({"created_date": created, "last_reviewed_date": reviewed})
    return rows


def national_opt_out(dice: Random, as_of: date) -> list[Row]:
    if dice.random() >= 0.03:
        return []
    return [{"checked_on": dice.choice((as_of - timedelta(days=1), as_of - timedelta(days=40), as_of))}]


def bystanding(dice: Random, as_of: date) -> History:
    """Rows that no feature may follow: messages of the day, referrals, names put on a list by hand."""
    moment = datetime.combine(as_of - timedelta(days=1), time(9, 30))
    return {
        "acute_adt": [{"provider_code": "A", "event_type": "admitted", "event_at": moment, "ward": "Ward 7"}],
        "community_referrals": [
            {"provider_code": "A", "service_type": "district_nursing", "received_date": date(2023, 5, 1)}
        ],
    }


def team_history(dice: Random, as_of: date) -> History:
    history: History = {
        "acute_attendances": attendances(dice, as_of),
        "community_contacts": community_contacts(dice, as_of),
        "gp_contacts": gp_contacts(dice, as_of),
        "agency_contacts": agency_contacts(dice, as_of),
        "assessments": assessments(dice, as_of),
        "community_caseload": caseload(dice, as_of),
        "care_plans": care_plans(dice, as_of),
        "social_care_services": social_care_services(dice, as_of),
        "national_opt_out": national_opt_out(dice, as_of),
    }
    return history | bystanding(dice, as_of) if dice.random() < 0.05 else history
