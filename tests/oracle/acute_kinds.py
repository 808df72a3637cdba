"""Which interesting cases of hospital use a generated person is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from tests.oracle.histories import Row
from tests.oracle.icd10 import POSITIONS, diagnoses, normalise_icd10
from tests.oracle.kinds import side
from tests.oracle.spells import (
    Cips,
    Spell,
    continues,
    continuous_spells,
    known_episodes,
    provider_spells,
)
from tests.oracle.windows import months_before

History = Mapping[str, Sequence[Row]]

LONG_AGO = date.min


def acute_kinds(history: History, as_of: date) -> Iterator[str]:
    episodes = history.get("acute_episodes", ())
    yield from episode_kinds(episodes, as_of)
    known = known_episodes(episodes, as_of, LONG_AGO)
    spells = provider_spells(known, as_of)
    stays = continuous_spells(spells)
    for spell in spells:
        yield from spell_kinds(spell, as_of)
    in_hospital = [spell for spell in spells if not spell.is_regular_attender]
    for previous, following in itertools.pairwise(in_hospital):
        yield from pair_kinds(previous, following)
    for earlier, later in itertools.pairwise(stays):
        yield from readmission_kinds(earlier, later)
    if any(len(stay.spells) > 2 for stay in stays):
        yield "stay of three spells"


def episode_kinds(episodes: Sequence[Row], as_of: date) -> Iterator[str]:
    for row in episodes:
        if row["discharge_date"] is not None and row["discharge_date"] >= as_of > row["admission_date"]:
            yield f"discharge {side(row['discharge_date'], as_of)}"
        if row["admission_date"] < as_of <= row["episode_start"]:
            yield "episode that starts on or after as_of in a spell that began before"
        if row.get("recorded_date") is not None and row["recorded_date"] >= as_of > row["episode_start"]:
            yield f"episode recorded {side(row['recorded_date'], as_of)}"
        if row.get("diagnosis_20"):
            yield "diagnosis in the twentieth position"
        for position in POSITIONS:
            if row.get(position):
                yield from code_kinds(row[position])
        yield from diagnosis_kinds(diagnoses(row))


def diagnosis_kinds(codes: Sequence[str]) -> Iterator[str]:
    """Diagnoses of which one decides what another counts for."""
    primary, others = codes[:1], codes[1:]
    for name, first, other in (
        ("bronchitis beside lung disease", "J20", "J44"),
        ("bronchitis beside asthma", "J20", "J45"),
        ("hepatitis with sickle cells", "B18", "D57"),
        ("malignancy with metastases", "C50", "C78"),
        ("diabetes without and with complications", "E119", "E112"),
        ("liver disease, mild and severe", "K703", "K721"),
    ):
        if any(code.startswith(first) for code in primary) and any(code.startswith(other) for code in others):
            yield name
    if primary and primary[0].startswith("J20") and not others:
        yield "bronchitis alone"


def code_kinds(sent: str) -> Iterator[str]:
    if normalise_icd10(sent) == sent:
        return
    for what, there in (
        ("dot", "." in sent),
        ("dash", "-" in sent),
        ("space", " " in sent),
        ("lower case", sent != sent.upper()),
        ("filler", sent[3:].lstrip(".- ").upper().startswith("X")),
        ("dagger or asterisk", sent.upper().endswith(("D", "A"))),
    ):
        if there:
            yield f"ICD-10 with {what}"


def spell_kinds(spell: Spell, as_of: date) -> Iterator[str]:
    yield f"admission method {spell.method}"
    if spell.is_regular_attender:
        yield f"regular attender {spell.classification}"
    if spell.discharged is None:
        yield "open spell"
    if not spell.spell_id:
        yield "spell without an identifier"
    numbers = [episode["episode_number"] for episode in spell.episodes]
    if len(numbers) > 1:
        yield "several episodes"
        if len(set(numbers)) == 1:
            yield "episodes without a number of their own"
        if len({episode["admission_method"] for episode in spell.episodes}) > 1:
            yield "episodes that disagree on the admission"
        if spell.episodes[0]["discharge_date"] != spell.episodes[-1]["discharge_date"]:
            yield "episodes that disagree on the discharge"
    if spell.admitted < months_before(as_of, 12) < (spell.discharged or as_of):
        yield "stay across the start of 12 months"


def pair_kinds(previous: Spell, following: Spell) -> Iterator[str]:
    if previous.admitted == following.admitted:
        yield "two spells of one day"
    if previous.discharged is None:
        yield "spell after an open one"
        return
    gap = (following.admitted - previous.discharged).days
    if gap < 0:
        nested = following.discharged is not None and following.discharged <= previous.discharged
        yield "nested spell" if nested else "overlapping spell"
    evidence = [
        *(f"destination {previous.destination}" for _ in [1] if previous.destination in DESTINATIONS),
        *(f"source {following.source}" for _ in [1] if following.source in SOURCES),
        *(f"method {following.method}" for _ in [1] if following.method in ("2B", "81")),
    ]
    exception = (previous.destination, following.source, following.method) == ("19", "51", "21")
    if gap in (-1, 0, 1, 2, 3) and evidence and not exception:
        yield f"evidence of a transfer at a gap of {gap}"
        if previous.provider != following.provider:
            yield "evidence of a transfer between providers"
    if 0 <= gap <= 2 and not evidence:
        yield "gap of a transfer without evidence"
    if 0 <= gap <= 2 and exception:
        yield "home and back through the emergency department"
    if continues(previous, following) and len(evidence) == 1:
        yield f"transfer by {evidence[0]} alone"


DESTINATIONS = ("49", "50", "51", "52", "53", "84")
SOURCES = ("49", "50", "51", "52", "53", "87")


def readmission_kinds(earlier: Cips, later: Cips) -> Iterator[str]:
    if earlier.ended is not None and later.is_unplanned:
        gap = (later.admitted - earlier.ended).days
        if gap in (-1, 0, 28, 29, 30):
            yield f"unplanned {gap} days after the last stay"
