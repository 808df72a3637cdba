"""Histories of GP records on the edges of the rules: thresholds, windows, states and endings, opt-outs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests import factories
from tests.oracle.frailty import CODED, SUPPLIED_EFI
from tests.oracle.histories import Row, day_near_an_edge, recorded_date
from tests.oracle.knowledge import Code, Knowledge
from tests.oracle.windows import flu_season_start, months_before

DISSENT = (("snomed", "827241000000103"), ("readv2", "9Nu0."), ("ctv3", "XaZ89"))
WITHDRAWAL = (("readv2", "9Nu1."), ("ctv3", "XaZ8A"))
SUPPLIED_VALUES = (
    *(round(deficits / 36, 2) for deficits in (0, 4, 5, 8, 9, 12, 13, 36)),
    *(0.12, 0.24, 0.1199, 0.2399, 0.355, 0.359, 1.0, 1.01, -0.01, 14.0, None),
)
# What ends a state, and the events whose days are counted or dated.
FLAG_SCENES = (
    ("copd", "copd_resolved"),
    ("lives_alone", "not_living_alone"),
    ("housebound", "housebound_ended"),
    ("care_home_resident", "care_home_left"),
    ("fall",),
    ("fall",),
    ("flu_vaccine",),
    ("copd_rescue_medicine",),
    ("medication_review",),
    ("dementia",),
    ("end_of_life",),
    ("care_plan",),
)
CAMBRIDGE_MEDICINES = (
    "anxiety_or_depression",
    "asthma",
    "constipation",
    "epilepsy",
    "irritable_bowel_syndrome",
    "painful_condition",
    "painful_condition_antiepileptic",
    "schizophrenia_or_bipolar",
)


@dataclass(frozen=True, repr=False)
class Codes:
    """List -> concept -> its codes, and every numeric code with the values around its thresholds."""

    lists: dict[str, dict[str, list[Code]]]
    values: list[tuple[Code, tuple[float | None, ...]]]


def codes_of(knowledge: Knowledge) -> Codes:
    lists: dict[str, dict[str, list[Code]]] = {}
    for name in ("efi", "flags", "cambridge"):
        lists[name] = {}
        for row in knowledge.lists[name]:
            lists[name].setdefault(row["concept"], []).append((row["code_system"], row["code"]))
    values = []
    for rule in knowledge.efi_values:
        limits = [float(rule[column]) for column in ("value", "max_value") if rule[column]]
        near = [round(limit + shift, 3) for limit in limits for shift in (0, 0, -0.01, 0.01, -1, 1)]
        values.append(((rule["code_system"], rule["code"]), (*near, 0.0, None)))
    return Codes(lists, values)


def entry(code: Code, day: date, value: float | None = None, recorded: date | None = None) -> Row:
    system, text = code
    return {"code_system": system, "code": text, "event_date": day, "value": value, "recorded_date": recorded}


def misspelt(dice: Random, code: Code) -> Code:
    """Now and then a Read code in the wrong case, which is another code."""
    system, text = code
    return (system, text.swapcase()) if system != "snomed" and dice.random() < 0.08 else code


# --- scenes: a few rows about one thing --------------------------------------------------------


def deficits(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    """Around the bands: so many different deficits, each by any code of its list."""
    wanted = dice.choice((1, 4, 5, 8, 9, 12, 13, 20))
    concepts = dice.sample(list(codes.lists["efi"]), wanted)
    day = day_near_an_edge(dice, as_of)
    return [entry(misspelt(dice, dice.choice(codes.lists["efi"][concept])), day) for concept in concepts]


def values(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    rows = []
    for _ in range(dice.randint(1, 4)):
        code, around = dice.choice(codes.values)
        day = day_near_an_edge(dice, as_of)
        rows.append(entry(misspelt(dice, code), day, dice.choice(around), recorded_date(dice, as_of)))
    return rows


def flags(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    """A state and its ending in either order and on one day; events twice on a day."""
    rows: list[Row] = []
    scene = dice.choice(FLAG_SCENES)
    for _ in range(dice.randint(1, 4)):
        code = misspelt(dice, dice.choice(codes.lists["flags"][dice.choice(scene)]))
        day = day_near_an_edge(dice, as_of)
        if scene == ("flu_vaccine",):
            day = flu_season_start(as_of) + timedelta(days=dice.choice((-1, 0, 1, 40, -300)))
        if rows and dice.random() < 0.35:
            day = rows[-1]["event_date"]
        rows.append(entry(code, day, None, recorded_date(dice, as_of)))
    return rows


def coded_frailty(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    days = [day_near_an_edge(dice, as_of) for _ in range(2)]
    return [entry(dice.choice(list(CODED)), dice.choice(days)) for _ in range(dice.randint(1, 3))]


def supplied_frailty(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    days = [day_near_an_edge(dice, as_of) for _ in range(2)]
    return [
        entry(SUPPLIED_EFI, dice.choice(days), dice.choice(SUPPLIED_VALUES))
        for _ in range(dice.randint(1, 3))
    ]


def conditions(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    """Items of the multimorbidity score, among them cancers around five years ago."""
    rows = []
    for _ in range(dice.randint(1, 3)):
        concept = dice.choice(list(codes.lists["cambridge"]))
        if not concept.endswith("_medicine"):
            code = dice.choice(codes.lists["cambridge"][concept])
            rows.append(entry(misspelt(dice, code), day_near_an_edge(dice, as_of)))
    if dice.random() < 0.4:
        edge = months_before(as_of, 60)
        for _ in range(dice.randint(1, 2)):
            day = edge + timedelta(days=dice.choice((-400, -1, 0, 1, 400)))
            rows.append(entry(dice.choice(codes.lists["cambridge"]["cancer"]), day))
    return rows


def filtration_rates(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    """Readings on different days, so that the latest two are never in doubt, or two on one day."""
    days = dice.sample(range(1, 900), dice.randint(1, 4))
    if len(days) == 2 and dice.random() < 0.5:
        days[1] = days[0]
    return [
        entry(
            dice.choice(codes.lists["cambridge"]["egfr"]),
            as_of - timedelta(days=day),
            dice.choice((59.0, 59.9, 60.0, 60.1, 45.0, 90.0, -1.0, None)),
            recorded_date(dice, as_of),
        )
        for day in days
    ]


def opt_outs(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    days = (as_of - timedelta(days=2), as_of - timedelta(days=1), as_of, date(1930, 1, 1), date(2021, 6, 1))
    rows = [entry(dice.choice(DISSENT), dice.choice(days), None, recorded_date(dice, as_of))]
    for _ in range(dice.randint(0, 2)):
        code = dice.choice((*WITHDRAWAL, *DISSENT))
        rows.append(entry(code, dice.choice(days), None, recorded_date(dice, as_of)))
    return rows


def noise(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    """A code on no list, a row that the supplier deleted, and one dated long before birth."""
    deleted = entry(("snomed", "1912002"), day_near_an_edge(dice, as_of)) | {"deleted": True}
    concept = dice.choice(list(codes.lists["efi"]))
    old = entry(dice.choice(codes.lists["efi"][concept]), date(1925, 2, 28))
    return [entry(("snomed", "62315008"), day_near_an_edge(dice, as_of)), deleted, old]


SCENES = (deficits, values, flags, flags, coded_frailty, supplied_frailty, conditions, filtration_rates)


def gp_events(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    rows: list[Row] = []
    for scene in dice.sample(SCENES, dice.choice((0, 1, 2, 3))):
        rows += scene(dice, as_of, codes)
    if dice.random() < 0.08:
        rows += opt_outs(dice, as_of, codes)
    if dice.random() < 0.08:
        rows += noise(dice, as_of, codes)
    return rows


def gp_medications(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    kind = dice.randint(0, 2)
    if kind == 0:
        return []
    return polypharmacy(dice, as_of) if kind == 1 else treatment(dice, as_of, codes)


def issue(product: str, day: date) -> Row:
    return {"dmd_code": product, "issue_date": day}


def polypharmacy(dice: Random, as_of: date) -> list[Row]:
    """Four, five or six different medicines in the window, on its edges, and others just outside it."""
    start = months_before(as_of, 12)
    inside = (start, start, start + timedelta(days=1), as_of - timedelta(days=1), as_of - timedelta(days=90))
    outside = (start - timedelta(days=1), as_of, as_of + timedelta(days=1), start - timedelta(days=400))
    products = dice.sample(PRODUCTS, 8)
    wanted = dice.choice((1, 4, 4, 5, 5, 6))
    rows = [issue(product, dice.choice(inside)) for product in products[:wanted]]
    rows += [issue(product, dice.choice(outside)) for product in products[: dice.randint(0, 8)]]
    rows += [issue(products[0], dice.choice(inside)) for _ in range(dice.randint(0, 2))]
    if dice.random() < 0.1:
        rows.append(issue(products[-1], start) | {"deleted": True})
    return rows


def treatment(dice: Random, as_of: date, codes: Codes) -> list[Row]:
    """Three or four issues of the medicines that an item of the multimorbidity score asks for."""
    products = codes.lists["cambridge"][f"{dice.choice(CAMBRIDGE_MEDICINES)}_medicine"]
    start = months_before(as_of, 12)
    days = (start, start - timedelta(days=1), as_of - timedelta(days=1), as_of, as_of - timedelta(days=120))
    return [
        issue(dice.choice(products)[1], dice.choice(days)) for _ in range(dice.choice((1, 3, 4, 4, 5, 6)))
    ]


PRODUCTS: Sequence[str] = tuple(factories.snomed_id(3972031100000100 + number) for number in range(12))
