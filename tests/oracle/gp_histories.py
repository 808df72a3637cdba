"""Histories of GP records on the edges of the rules: thresholds, windows, states and endings, opt-outs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from tests import factories
from tests.oracle.histories import History, Row, day_near_an_edge, patients, recorded_date
from tests.oracle.knowledge import Knowledge

Code = tuple[str, str, tuple[float | None, ...]]  # code system, code, values to try

OPT_OUT_CODES = (
    ("snomed", "827241000000103"),
    ("readv2", "9Nu0."),
    ("ctv3", "XaZ89"),
    ("readv2", "9Nu1."),
    ("ctv3", "XaZ8A"),
)


def interesting_codes(knowledge: Knowledge) -> list[Code]:
    """Some codes of every list, and every number around its threshold."""
    found: list[Code] = []
    for name in ("efi", "flags"):
        per_concept: dict[str, int] = {}
        for row in knowledge.lists[name]:
            seen = per_concept.get(row["concept"] + row["code_system"], 0)
            if seen < 2 and not row["concept"].startswith("type1"):
                per_concept[row["concept"] + row["code_system"]] = seen + 1
                found.append((row["code_system"], row["code"], (None,)))
    for rule in knowledge.efi_values:
        limits = [float(rule[column]) for column in ("value", "max_value") if rule[column]]
        values = [limit + shift for limit in limits for shift in (0, -0.01, 0.01, -1, 1)]
        found.append((rule["code_system"], rule["code"], (*values, 0.0, None)))
    for code in ("925791000000100", "925831000000107", "925861000000102"):
        found += [("snomed", code, (None,))] * 2
    supplied = tuple(round(deficits / 36, 2) for deficits in (0, 4, 5, 8, 9, 12, 13, 36))
    found += [("snomed", "1084961000000105", (*supplied, None))] * 10
    return found


def gp_events(dice: Random, as_of: date, codes: Sequence[Code]) -> list[Row]:
    rows = []
    for _ in range(dice.choice((0, 4, 12, 25))):
        system, code, values = dice.choice(codes)
        rows.append(
            {
                "code_system": system,
                "code": code,
                "value": dice.choice(values),
                "event_date": day_near_an_edge(dice, as_of),
                "recorded_date": recorded_date(dice, as_of),
            }
        )
    if dice.randint(0, 9) == 9:
        for _ in range(dice.randint(1, 3)):
            system, code = dice.choice(OPT_OUT_CODES)
            day = dice.choice((as_of - timedelta(days=2), as_of - timedelta(days=1), as_of, date(1930, 1, 1)))
            rows.append({"code_system": system, "code": code, "event_date": day, "recorded_date": None})
    return rows


def gp_medications(dice: Random, as_of: date) -> list[Row]:
    """Around the five medicines of polypharmacy: the same ones again, and some outside the window."""
    return [
        {
            "dmd_code": factories.snomed_id(3972031100000100 + dice.randint(0, 7)),
            "issue_date": day_near_an_edge(dice, as_of),
        }
        for _ in range(dice.choice((0, 5, 9, 14)))
    ]


def gp_history(dice: Random, as_of: date, codes: Sequence[Code]) -> History:
    history: History = {
        "gp_patients": patients(dice, as_of),
        "gp_events": gp_events(dice, as_of, codes),
        "gp_medications": gp_medications(dice, as_of),
        "gp_contacts": [{"contact_date": day_near_an_edge(dice, as_of)} for _ in range(dice.randint(0, 2))],
        "agency_contacts": [
            {"contact_date": day_near_an_edge(dice, as_of), "agency": dice.choice(("housing", "police"))}
            for _ in range(dice.randint(0, 3))
        ],
        "assessments": [{"assessed_on": day_near_an_edge(dice, as_of)} for _ in range(dice.randint(0, 1))],
        "community_caseload": [],
        "national_opt_out": [],
    }
    if dice.randint(0, 3) == 3:
        joined = day_near_an_edge(dice, as_of)
        left = dice.choice((None, as_of - timedelta(days=1), as_of, as_of + timedelta(days=1)))
        if left is not None and left < joined:
            left = None
        history["community_caseload"].append({"from_date": joined, "to_date": left})
    if dice.randint(0, 15) == 15:
        checked = dice.choice((as_of - timedelta(days=1), as_of))
        history["national_opt_out"].append({"checked_on": checked})
    return history
