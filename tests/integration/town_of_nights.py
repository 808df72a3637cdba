"""A synthetic town of several nights: written, read back, and the events of a night by a plain reading of its rows."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from riskstrat.demo.town import write_town
from riskstrat.site import default_site

AS_OF = date(2026, 4, 1)
CONFIG, CONTRACTS = default_site() / "config", default_site() / "data_contracts"
PEOPLE, SEED, NIGHTS = 12_000, 5, 10
UNPLANNED = {"21", "22", "23", "24", "25", "28", "2A", "2D"}
DAY = timedelta(days=1)

Row = dict[str, str]
Deliveries = dict[date, dict[str, list[Row]]]


def town(
    folder: Path, *, people: int = 1_500, seed: int = SEED, nights: int = NIGHTS, **options: Any
) -> Path:
    write_town(
        folder,
        CONFIG / "codelists",
        CONFIG / "geography",
        CONTRACTS,
        people=people,
        seed=seed,
        as_of=AS_OF,
        nights=nights,
        **options,
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def read(landing: Path) -> Deliveries:
    found: Deliveries = {}
    for folder in sorted(landing.glob("2026-*")):
        extracts = {}
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as lines:
                extracts[path.stem] = list(csv.DictReader(lines))
        found[date.fromisoformat(folder.name)] = extracts
    return found


def day_of(text: str) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def known_by(deliveries: Deliveries, extract: str, night: date) -> list[Row]:
    """Every row of an extract that a run of a night reads, oldest delivery first."""
    return [row for day, extracts in deliveries.items() if day < night for row in extracts.get(extract, ())]


def latest_versions(deliveries: Deliveries, extract: str, key: str, night: date) -> list[Row]:
    return list({row[key]: row for row in known_by(deliveries, extract, night)}.values())


def stays_by_messages(rows: list[Row], episodes: list[Row]) -> dict[str, list[tuple[date, date | None]]]:
    """Each person's latest stay at each trust by messages: the day it began and the day it ended, if it did.

    A cancellation takes back the last message of the stay that stands; episodes end a stay of a night that messages
    leave open, and tell of one that began before a trust's first message as long as nothing is said of it.
    """
    ordered: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        ordered[row["nhs_number"], row["provider_code"]].add((row["event_at"], row["event_type"]))
    spells = {
        (row["nhs_number"], row["provider_code"], row["admission_date"], row["discharge_date"])
        for row in episodes
        if row["discharge_date"] > row["admission_date"] and row["patient_classification"] in ("1", "2")
    }
    found: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    for (number, provider), messages in ordered.items():
        stays: list[list[tuple[str, str]]] = [[]]
        for moment, kind in sorted(messages):
            if kind == "admitted":
                stays.append([])
            if kind != "cancelled":
                stays[-1].append((moment, kind))
            elif stays[-1]:
                stays[-1].pop()
        kept = [stays[0], *(stay for stay in stays[1:] if stay and stay[0][1] == "admitted")]
        kept = [stay for stay in kept if stay]
        if not kept:
            continue
        began, (last, kind) = kept[-1][0][0][:10], kept[-1][-1]
        ended = last[:10] if kind == "discharged" else None
        for whose, where, admission, discharge in spells:
            if (
                ended is None
                and (whose, where) == (number, provider)
                and admission >= began
                and discharge >= last[:10]
            ):
                ended = discharge
        found[number].append((date.fromisoformat(began), date.fromisoformat(ended) if ended else None))
    return found


def stays_before_messages(rows: list[Row], episodes: list[Row]) -> Iterator[tuple[str, date, date | None]]:
    """Spells that began before their trust's first message and of which it has said nothing that stands since."""
    first: dict[str, str] = {}
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    order = ("admitted", "transferred", "discharged", "cancelled")
    columns = ("event_at", "nhs_number", "provider_code")
    once = {(order.index(row["event_type"]), *(row[name] for name in columns)) for row in rows}
    for kind, moment, number, provider in sorted(once, key=lambda message: (message[1], message[0])):
        first.setdefault(provider, moment[:10])
        standing = said[number, provider]
        if order[kind] != "cancelled":
            standing.append(moment[:10])
        elif standing:
            standing.pop()
    spells = {
        (row["nhs_number"], row["provider_code"], row["spell_id"]): row
        for row in sorted(episodes, key=lambda row: int(row["episode_number"]))
        if row["patient_classification"] in ("1", "2")
    }
    for (number, provider, _), row in spells.items():
        began, ended = row["admission_date"], row["discharge_date"]
        if began < first.get(provider, "9999") and max(said[number, provider], default="") < began:
            yield number, date.fromisoformat(began), date.fromisoformat(ended) if ended else None


def events_by_reading(deliveries: Deliveries, night: date) -> dict[str, tuple[str, date]]:
    """What has just happened to each person, read from all rows delivered before a night."""
    attendances = latest_versions(deliveries, "acute_attendances", "attendance_id", night)
    episodes = latest_versions(deliveries, "acute_episodes", "episode_id", night)
    found: dict[str, list[tuple[int, int, str, date]]] = defaultdict(list)
    for row in attendances:
        arrived = datetime.fromisoformat(row["arrival_at"]).date()
        first = row["attendance_category"] == "1" and row["department_type"] != "05"
        if first and not row["departure_at"] and (night - arrived).days == 1:
            found[row["nhs_number"]].append((1, -arrived.toordinal(), "in_ae", arrived))
    messages = known_by(deliveries, "acute_adt", night)
    every_stay = stays_by_messages(messages, episodes)
    for number, began, ended in stays_before_messages(messages, episodes):
        every_stay[number].append((began, ended))
    for number, stays in every_stay.items():
        for began, ended in stays:
            if ended is None:
                kind, order = ("admitted", 2) if (night - began).days <= 2 else ("in_hospital", 3)
                found[number].append((order, -began.toordinal(), kind, began))
            elif (night - ended).days <= 2:
                found[number].append((4, -ended.toordinal(), "discharged", ended))
    return {number: min(events)[2:] for number, events in found.items()}
