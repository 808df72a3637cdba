"""Frailty from GP records (eFI, coded, supplied) and from hospital records (HFRS, Charlson).

Sources: Clegg 2016 (eFI), Gilbert 2018 (HFRS), Charlson 1987 weights on the map of Quan 2005.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tests.oracle.icd10 import matches
from tests.oracle.knowledge import Knowledge
from tests.oracle.spells import Cips, Spell
from tests.oracle.windows import Row, in_previous_months, usable

DEFICITS = 36
POLYPHARMACY_MEDICINES = 5
SEX_CODES = {"male": "1", "female": "2"}
CATEGORIES = ("fit", "mild", "moderate", "severe")
CODED = {
    ("snomed", "925791000000100"): "mild",
    ("snomed", "925831000000107"): "moderate",
    ("snomed", "925861000000102"): "severe",
}
SUPPLIED_EFI = ("snomed", "1084961000000105")
# The milder of each pair is not counted when the other is there.
CHARLSON_HIERARCHY = (
    ("any_malignancy", "metastatic_solid_tumour"),
    ("diabetes_without_chronic_complication", "diabetes_with_chronic_complication"),
    ("mild_liver_disease", "moderate_or_severe_liver_disease"),
)


def code_of(row: Row) -> tuple[str, str]:
    return row["code_system"], row["code"]


# --- eFI ---------------------------------------------------------------------------------------


def satisfies(operator: str, measured: float, limit: float) -> bool:
    if operator == ">":
        return measured > limit
    if operator == ">=":
        return measured >= limit
    if operator == "<":
        return measured < limit
    if operator == "<=":
        return measured <= limit
    raise ValueError(f"unknown operator {operator}")


def is_abnormal(rule: dict[str, str], measured: float, sex: str) -> bool:
    """Both ends of a numeric rule; a rule for one sex is silent about everybody else."""
    if rule["sex"] != "any" and SEX_CODES[rule["sex"]] != sex:
        return False
    above = not rule["operator"] or satisfies(rule["operator"], measured, float(rule["value"]))
    below = not rule["max_operator"] or satisfies(rule["max_operator"], measured, float(rule["max_value"]))
    return above and below


def deficits(events: Iterable[Row], medicines: int, sex: str, knowledge: Knowledge) -> set[str]:
    found: set[str] = set()
    for event in events:
        found |= knowledge.concepts("efi", code_of(event))
        if event.get("value") is not None:
            for rule in knowledge.value_rules(code_of(event)):
                if is_abnormal(rule, event["value"], sex):
                    found.add(rule["concept"])
    if medicines >= POLYPHARMACY_MEDICINES:
        found.add("polypharmacy")
    return found


def category_of_count(count: int) -> str:
    if count <= 4:
        return "fit"
    if count <= 8:
        return "mild"
    return "moderate" if count <= 12 else "severe"


def category_of_supplied(score: float) -> str:
    if score >= 0.36:
        return "severe"
    if score >= 0.24:
        return "moderate"
    return "mild" if score >= 0.12 else "fit"


def coded_frailty(events: Iterable[Row]) -> str | None:
    """The latest diagnosis; on the same day the more severe."""
    best: tuple[date, int] | None = None
    for event in events:
        if code_of(event) in CODED:
            candidate = (event["event_date"], CATEGORIES.index(CODED[code_of(event)]))
            if best is None or candidate > best:
                best = candidate
    return None if best is None else CATEGORIES[best[1]]


def supplied_frailty(events: Iterable[Row]) -> str | None:
    """The latest number of the GP system, banded; on the same day the higher.

    A number outside 0 to 1 is no eFI and is passed over (the rules are silent on an older one beside it).
    """
    best: tuple[date, float] | None = None
    for event in events:
        value = event.get("value")
        if code_of(event) == SUPPLIED_EFI and value is not None and 0 <= value <= 1:
            candidate = (event["event_date"], event["value"])
            if best is None or candidate > best:
                best = candidate
    return None if best is None else category_of_supplied(best[1])


def first_known(**sources: str | None) -> tuple[str | None, str | None]:
    """Category and the name of the source that spoke first."""
    for source, category in sources.items():
        if category is not None:
            return category, source
    return None, None


def medicines_in_previous_12_months(medications: Iterable[Row], as_of: date, born: date) -> int:
    return len(
        {
            row["dmd_code"]
            for row in usable(medications, "issue_date", as_of, born)
            if in_previous_months(row["issue_date"], as_of, 12)
        }
    )


def gp_frailty_features(
    events: Iterable[Row], medicines: int | None, sex: str, knowledge: Knowledge
) -> dict[str, object]:
    """``events`` are the usable ones; ``medicines`` is None where nobody knows what was issued.

    The 35 coded deficits do not make an eFI alone: without the medicines the index is unknown, and the next
    source speaks.
    """
    events = list(events)
    count = None if medicines is None else len(deficits(events, medicines, sex, knowledge))
    computed = None if count is None else category_of_count(count)
    coded, supplied = coded_frailty(events), supplied_frailty(events)
    category, source = first_known(computed=computed, coded=coded, supplied=supplied)
    return {
        "efi_deficits": count,
        "efi": None if count is None else count / DEFICITS,
        "efi_category": computed,
        "frailty_coded": coded,
        "frailty_supplied": supplied,
        "frailty_category": category,
        "frailty_source": source,
        "medicines_12m": medicines,
    }


# --- hospital diagnoses ------------------------------------------------------------------------


def hfrs_tenths(codes: Iterable[str], weights: dict[str, int]) -> int:
    """Whole tenths, so that 5.0 and 15.0 are exact; each three-character code once."""
    return sum(weights.get(three, 0) for three in {code[:3] for code in codes})


def hfrs_category(tenths: int) -> str:
    if tenths < 50:
        return "low"
    return "intermediate" if tenths <= 150 else "high"


def charlson_points(codes: Iterable[str], prefixes: dict[str, set[str]], points: dict[str, float]) -> int:
    present: set[str] = set()
    for code in codes:
        present |= matches(code, prefixes)
    for milder, worse in CHARLSON_HIERARCHY:
        if worse in present:
            present.discard(milder)
    return round(sum(points[concept] for concept in present))


def hospital_frailty_features(
    spells: Iterable[Spell], stays: Iterable[Cips], age: int | None, as_of: date, knowledge: Knowledge
) -> dict[str, object]:
    """HFRS over the unplanned stays, Charlson over every provider spell, admitted in 24 months."""
    frail_codes = [
        code
        for stay in stays
        if stay.is_unplanned and in_previous_months(stay.admitted, as_of, 24)
        for spell in stay.spells
        for code in spell.diagnoses
    ]
    all_codes = [
        code for spell in spells if in_previous_months(spell.admitted, as_of, 24) for code in spell.diagnoses
    ]
    tenths = hfrs_tenths(frail_codes, knowledge.hfrs_tenths)
    return {
        "hfrs": tenths / 10,
        "hfrs_category": hfrs_category(tenths),
        "hfrs_validated_age": None if age is None else age >= 75,
        "charlson": charlson_points(all_codes, knowledge.prefixes("charlson"), knowledge.points["charlson"]),
    }
