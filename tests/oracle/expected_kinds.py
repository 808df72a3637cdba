"""The kinds of people that the everyday towns must hold, and how many of each at least.

About a third of what the generators make today, so that a kind that becomes rare is noticed.
"""

from __future__ import annotations

from tests.oracle.team_histories import AGENCIES, GP_CONTACT_TYPES, SERVICES

EVERYWHERE = (
    "as_of",
    "day before as_of",
    "start of 12 months",
    "day before start of 12 months",
    "start of last calendar year",
    "day before start of last calendar year",
    "start of this calendar year",
    "day before start of this calendar year",
    "leap day",
)
OF_LONG_WINDOWS = (
    "start of 90 days",
    "day before start of 90 days",
    "start of 24 months",
    "day before start of 24 months",
)
DATED = (
    "gp_events",
    "gp_contacts",
    "acute_episodes",
    "acute_attendances",
    "community_contacts",
    "agency_contacts",
    "assessments",
    "care_plans",
    "community_caseload",
    "social_care_services",
)
PEOPLE = {
    "born on a leap day": 1_000,
    "born on or after as_of": 300,
    "died before as_of": 150,
    "died on as_of": 100,
    "died after as_of": 100,
    "registration begins on as_of": 200,
    "registration begins after as_of": 200,
    "registration ends before as_of": 400,
    "registration ends on as_of": 250,
    "two open registrations": 600,
    "two open registrations of one day": 200,
    "left and came back to a practice": 400,
    "open in scope and out of scope": 400,
    "open out of scope only": 400,
    "registered nowhere on as_of": 400,
    "practice whose neighbourhood changes": 400,
    "practice with a silent feed": 300,
    "NHS number with spaces or hyphens": 1_000,
    "duplicate row": 1_000,
    **{f"turns {age} on as_of": 150 for age in (18, 50, 65, 75, 85)},
    **{f"turns {age} the day after": 150 for age in (18, 50, 65, 75, 85)},
}
GP = {
    "dissent": 400,
    "dissent and withdrawal on one day": 50,
    "dissent withdrawn later": 50,
    "happened before, recorded on as_of": 600,
    "happened before, recorded after as_of": 600,
    "value on its threshold": 800,
    "Read code in the wrong case": 500,
    "Read code of two cases": 15,
    "code of several deficits": 300,
    "state and its ending on one day": 180,
    "two coded frailties on one day": 350,
    "supplied eFI outside 0 to 1": 300,
    "cancer on the first day of 5 years": 120,
    "flu vaccine on 1 September": 60,
    "row that the supplier deleted": 400,
    "4 different medicines in 12 months": 800,
    "5 different medicines in 12 months": 700,
}
TEAM = {
    **{f"attendance category {code}": 1_000 for code in "1234X"},
    **{f"department type 0{code}": 1_000 for code in "12345"},
    **{f"attendance status {code}": 700 for code in "234567"},
    "arrival at 00:00": 2_000,
    "arrival at 23:59": 2_000,
    **{f"caseload place ends {side} as_of": 600 for side in ("before", "on", "after")},
    "several caseload places": 1_000,
    **{f"care plan reviewed {side} as_of": 500 for side in ("before", "on", "after")},
    **{f"service called {name}": 700 for name in SERVICES},
    **{f"service ends {side} as_of": 700 for side in ("before", "on", "after")},
    **{f"service reviewed {side} as_of": 900 for side in ("before", "on", "after")},
    **{f"gp contact by {name}": 1_000 for name in GP_CONTACT_TYPES},
    **{f"contact of {name}": 1_500 for name in AGENCIES},
    **{f"arrived by ambulance {answer}": 900 for answer in (True, False)},
    "national opt-out checked before as_of": 100,
    "national opt-out checked on as_of": 50,
}
TRANSFERS = {
    **{f"evidence of a transfer at a gap of {days}": 70 for days in (-1, 0, 1, 2, 3)},
    **{f"transfer by destination {code} alone": 12 for code in (49, 50, 51, 52, 53, 84)},
    **{f"transfer by source {code} alone": 10 for code in (49, 50, 51, 52, 53, 87)},
    "transfer by method 2B alone": 10,
    "transfer by method 81 alone": 10,
    "evidence of a transfer between providers": 250,
    "gap of a transfer without evidence": 120,
    "home and back through the emergency department": 25,
    "stay of three spells": 20,
}
HOSPITAL = {
    **{
        f"admission method {code}": 150
        for code in ("11", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D")
    },
    **{f"admission method {code}": 150 for code in (31, 32, 81, 82, 83, 84, 89)},
    **{f"unplanned {days} days after the last stay": 45 for days in (-1, 0, 28, 29, 30)},
    "regular attender 3": 600,
    "regular attender 4": 600,
    "open spell": 1_500,
    "discharge on as_of": 50,
    "discharge after as_of": 800,
    "nested spell": 180,
    "overlapping spell": 350,
    "spell after an open one": 500,
    "two spells of one day": 300,
    "spell without an identifier": 1_500,
    "several episodes": 2_000,
    "episodes without a number of their own": 900,
    "episodes that disagree on the admission": 900,
    "episodes that disagree on the discharge": 900,
    "episode that starts on or after as_of in a spell that began before": 300,
    "episode recorded on as_of": 700,
    "episode recorded after as_of": 700,
    "stay across the start of 12 months": 900,
}
DIAGNOSES = {
    **{f"ICD-10 with {what}": 2_500 for what in ("dot", "dash", "space", "lower case", "filler")},
    "ICD-10 with dagger or asterisk": 2_500,
    "diagnosis in the twentieth position": 900,
    "bronchitis beside lung disease": 40,
    "bronchitis beside asthma": 40,
    "bronchitis alone": 40,
    "hepatitis with sickle cells": 80,
    "malignancy with metastases": 40,
    "diabetes without and with complications": 40,
    "liver disease, mild and severe": 40,
}
KINDS = {
    **{f"{extract} on {day}": 60 for extract in DATED for day in (*EVERYWHERE, *OF_LONG_WINDOWS)},
    **{f"gp_medications on {day}": 300 for day in EVERYWHERE},
    **{f"{extract} before birth": 250 for extract in (*DATED, "gp_medications")},
    **PEOPLE,
    **GP,
    **TEAM,
    **TRANSFERS,
    **HOSPITAL,
    **DIAGNOSES,
}
