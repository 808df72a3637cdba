"""The Cambridge Multimorbidity Score: 20 items, weights of the general outcome.

Source: Payne 2020, 10.1503/cmaj.190757, usage definitions: most items count once ever recorded; some ask for
treatment, a recent entry, a number of prescriptions or a laboratory value.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.flags import days_by_concept
from tests.oracle.frailty import code_of
from tests.oracle.knowledge import Knowledge
from tests.oracle.windows import Row, in_previous_months

EVER = (
    "alcohol_problems",
    "atrial_fibrillation",
    "copd",
    "coronary_heart_disease",
    "dementia",
    "diabetes",
    "hearing_loss",
    "heart_failure",
    "hypertension",
    "irritable_bowel_syndrome",
    "rheumatoid_arthritis_and_connective_tissue",
    "schizophrenia_or_bipolar",
    "stroke_or_tia",
)
TREATED = ("asthma", "epilepsy")
# The item -> its medicines: four issues in 12 months are the condition.
FOUR_ISSUES = {
    "anxiety_or_depression": "anxiety_or_depression_medicine",
    "constipation": "constipation_medicine",
    "painful_condition": "painful_condition_medicine",
    "irritable_bowel_syndrome": "irritable_bowel_syndrome_medicine",
}
LITHIUM = "schizophrenia_or_bipolar_medicine"
PAIN_ANTIEPILEPTICS = "painful_condition_antiepileptic_medicine"


def issues_by_concept(medications: Iterable[Row], knowledge: Knowledge) -> dict[str, list[date]]:
    """Concept of medicines -> the days of issue, one for every issue; dm+d codes stand as SNOMED CT."""
    days: dict[str, list[date]] = {}
    for row in medications:
        for concept in knowledge.concepts("cambridge", ("snomed", row["dmd_code"])):
            days.setdefault(concept, []).append(row["issue_date"])
    return days


def has_kidney_disease(events: Iterable[Row], knowledge: Knowledge) -> bool:
    """The better of the latest two filtration rates is below 60.

    Where the rules are silent: of three readings of one day the higher event identifier is the later; a number
    below zero is no reading.
    """
    readings = [
        (event["event_date"], event["event_id"], event["value"])
        for event in events
        if (event.get("value") or 0) >= 0
        and event.get("value") is not None
        and "egfr" in knowledge.concepts("cambridge", code_of(event))
    ]
    newest = [value for *_, value in sorted(readings)[-2:]]
    return bool(newest) and max(newest) < 60


def cambridge_items(
    events: Iterable[Row], medications: Iterable[Row], as_of: date, knowledge: Knowledge
) -> set[str]:
    """The items that count; ``events`` and ``medications`` are the usable ones."""
    events = list(events)
    coded = days_by_concept(events, "cambridge", knowledge)
    issued = issues_by_concept(medications, knowledge)

    def issues_12m(concept: str) -> int:
        return sum(in_previous_months(day, as_of, 12) for day in issued.get(concept, ()))

    items = {item for item in EVER if item in coded}
    items |= {item for item in TREATED if item in coded and issues_12m(f"{item}_medicine") >= 1}
    items |= {item for item, medicine in FOUR_ISSUES.items() if issues_12m(medicine) >= 4}
    if issues_12m(PAIN_ANTIEPILEPTICS) >= 4 and "epilepsy" not in coded:
        items.add("painful_condition")
    if issued.get(LITHIUM):
        items.add("schizophrenia_or_bipolar")
    if any(in_previous_months(day, as_of, 12) for day in coded.get("anxiety_or_depression", ())):
        items.add("anxiety_or_depression")
    if "cancer" in coded and in_previous_months(min(coded["cancer"]), as_of, 60):
        items.add("cancer")
    if has_kidney_disease(events, knowledge):
        items.add("chronic_kidney_disease")
    return items


def cambridge_score(items: Iterable[str], points: dict[str, float]) -> float:
    return sum(points[item] for item in items)
