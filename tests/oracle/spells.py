"""Episodes -> provider spells -> continuous inpatient spells (CIPS), and what is counted over them.

Source: the project's rules, Acute. Transfers after the NHS Digital spells methodology.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from tests.oracle.icd10 import diagnoses, matches, normalise_icd10
from tests.oracle.knowledge import Knowledge
from tests.oracle.windows import Row, in_last_calendar_year, in_previous_days, in_previous_months, is_known

UNPLANNED_METHODS = {"21", "22", "23", "24", "25", "28", "2A", "2D"}
TRANSFER_METHODS = {"2B", "81"}
TRANSFER_DESTINATIONS = {"49", "50", "51", "52", "53", "84"}
TRANSFER_SOURCES = {"49", "50", "51", "52", "53", "87"}
REGULAR_ATTENDERS = {"3", "4"}


@dataclass
class Spell:
    """One stay with one provider. ``discharged`` is None while the person is still in hospital."""

    provider: str
    spell_id: str
    episodes: list[Row]
    admitted: date
    method: str
    source: str | None
    classification: str
    discharged: date | None
    destination: str | None

    @cached_property
    def diagnoses(self) -> list[str]:
        """Every diagnosis of every episode, normalised."""
        return [code for episode in self.episodes for code in diagnoses(episode)]

    @property
    def is_regular_attender(self) -> bool:
        return self.classification in REGULAR_ATTENDERS


@dataclass
class Cips:
    """One stay in hospital, whoever provided it: one or more provider spells, in order."""

    spells: list[Spell]

    @property
    def admitted(self) -> date:
        return self.spells[0].admitted

    @property
    def ended(self) -> date | None:
        return self.spells[-1].discharged

    @property
    def is_unplanned(self) -> bool:
        return self.spells[0].method in UNPLANNED_METHODS


def known_episodes(rows: Iterable[Row], as_of: date, born: date) -> list[Row]:
    kept = []
    for row in rows:
        started, admitted = row["episode_start"], row["admission_date"]
        recorded = row.get("recorded_date") or started
        if admitted < as_of and started < as_of and recorded < as_of and admitted >= born and started >= born:
            kept.append(row)
    return kept


def provider_spells(episodes: Iterable[Row], as_of: date) -> list[Spell]:
    """Spells of one person in the order of the rules, regular attenders among them."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for episode in episodes:
        if episode.get("spell_id"):
            key: tuple[object, ...] = ("by id", episode["provider_code"], episode["spell_id"])
        else:
            key = ("by admission date", episode["provider_code"], episode["admission_date"])
        groups.setdefault(key, []).append(episode)
    return sorted((_spell(group, as_of) for group in groups.values()), key=_order)


def _spell(episodes: list[Row], as_of: date) -> Spell:
    in_order = sorted(
        episodes, key=lambda row: (row["episode_number"], row["episode_start"], row["episode_id"])
    )
    first, last = in_order[0], in_order[-1]
    discharged = last.get("discharge_date")
    if discharged is not None and discharged >= as_of:
        discharged = None
    return Spell(
        provider=first["provider_code"],
        spell_id=first.get("spell_id") or "",
        episodes=in_order,
        admitted=first["admission_date"],
        method=first["admission_method"],
        source=first.get("source_of_admission"),
        classification=first["patient_classification"],
        discharged=discharged,
        destination=last.get("discharge_destination"),
    )


def _order(spell: Spell) -> tuple[date, date, str, str]:
    return spell.admitted, spell.discharged or date.max, spell.spell_id, spell.provider


def continuous_spells(spells: Iterable[Spell]) -> list[Cips]:
    chains: list[Cips] = []
    for spell in spells:
        if spell.is_regular_attender:
            continue
        if chains and continues(chains[-1].spells[-1], spell):
            chains[-1].spells.append(spell)
        else:
            chains.append(Cips([spell]))
    return chains


def continues(previous: Spell, following: Spell) -> bool:
    """Whether ``following`` is the same stay in hospital as ``previous``."""
    if previous.discharged is None:
        return False
    gap = (following.admitted - previous.discharged).days
    if gap not in (0, 1, 2):
        return False
    if (previous.destination, following.source, following.method) == ("19", "51", "21"):
        return False
    return (
        previous.destination in TRANSFER_DESTINATIONS
        or following.source in TRANSFER_SOURCES
        or following.method in TRANSFER_METHODS
    )


def is_emergency_readmission(previous: Cips, stay: Cips) -> bool:
    if not stay.is_unplanned or previous.ended is None:
        return False
    return 0 <= (stay.admitted - previous.ended).days <= 29


def unplanned_bed_days(stays: Iterable[Cips], as_of: date) -> int:
    """Different days in the previous 12 months, so that a day in two spells is one day."""
    days: set[date] = set()
    for stay in stays:
        if not stay.is_unplanned:
            continue
        for spell in stay.spells:
            day = spell.admitted
            while day < (spell.discharged or as_of):
                if in_previous_months(day, as_of, 12):
                    days.add(day)
                day += timedelta(days=1)
    return len(days)


def admissions_known_by(stays: Iterable[Cips], day: date) -> int:
    """Unplanned stays that began in the 12 months before an earlier day, and whose first spell was known by then."""
    return sum(
        any(is_known(episode, episode["episode_start"], day) for episode in stay.spells[0].episodes)
        for stay in stays
        if stay.is_unplanned and in_previous_months(stay.admitted, day, 12)
    )


def is_acsc(stay: Cips, knowledge: Knowledge) -> bool:
    """Admitted for a condition that care outside hospital should manage, by its primary diagnosis.

    Source: NHS Outcomes Framework 2.3i: hepatitis B not with sickle-cell disease (D57), acute bronchitis
    (J20) only beside a chronic lung disease. Its exclusions by operation need OPCS codes, and no extract
    carries them.
    """
    admitting_episode = stay.spells[0].episodes[0]
    if not admitting_episode.get("diagnosis_01"):
        return False
    primary = normalise_icd10(admitting_episode["diagnosis_01"])
    every = diagnoses(admitting_episode)
    if not matches(primary, knowledge.prefixes("acsc")):
        return False
    if primary.startswith(("B180", "B181")):
        return not any(code.startswith("D57") for code in every)
    if primary.startswith("J20"):
        return any(code.startswith(("J41", "J42", "J43", "J44", "J47")) for code in every)
    return True


def acute_features(
    spells: Iterable[Spell], stays: Sequence[Cips], as_of: date, knowledge: Knowledge
) -> dict[str, object]:
    unplanned = [stay.admitted for stay in stays if stay.is_unplanned]
    acsc = [stay.admitted for stay in stays if stay.is_unplanned and is_acsc(stay, knowledge)]
    readmitted = [
        stay.admitted
        for previous, stay in itertools.pairwise(stays)
        if is_emergency_readmission(previous, stay)
    ]
    came_home = [
        stay.ended for stay in stays if stay.is_unplanned and stay.ended and stay.ended > stay.admitted
    ]
    in_hospital = [spell for spell in spells if not spell.is_regular_attender]
    discharges = [spell.discharged for spell in in_hospital if spell.discharged is not None]
    return {
        "unplanned_admissions_12m": sum(in_previous_months(day, as_of, 12) for day in unplanned),
        "unplanned_admissions_24m": sum(in_previous_months(day, as_of, 24) for day in unplanned),
        "unplanned_admissions_90d": sum(in_previous_days(day, as_of, 90) for day in unplanned),
        "unplanned_admissions_last_calendar_year": sum(
            in_last_calendar_year(day, as_of) for day in unplanned
        ),
        "acsc_admissions_12m": sum(in_previous_months(day, as_of, 12) for day in acsc),
        "emergency_readmissions_30d_12m": sum(in_previous_months(day, as_of, 12) for day in readmitted),
        "unplanned_bed_days_12m": unplanned_bed_days(stays, as_of),
        "unplanned_discharge_14d": any(in_previous_days(day, as_of, 14) for day in came_home),
        "is_inpatient": any(spell.discharged is None for spell in in_hospital),
        "last_discharge_date": max(discharges) if discharges else None,
    }
