"""Towns of generated people: who lives where, what each feed sends, and the site that the town is run on.

People share practices and providers by tens, so that nobody's few rows make a feed that could fall silent. Feeds
that speak often come from clerks: people with 24 rows in every month but the silent ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

import yaml

from riskstrat.site import write_default_site
from tests import factories
from tests.oracle.acute_histories import Diagnoses, acute_episodes
from tests.oracle.coverage import DATE_COLUMNS, OF_PRACTICES
from tests.oracle.gp_histories import Codes, gp_events, gp_medications
from tests.oracle.histories import SILENT_PRACTICES, SPECIAL_PRACTICES, History, Row, patients
from tests.oracle.team_histories import team_history
from tests.oracle.windows import as_date, months_before

PRACTICES = 300
PROVIDERS = 300
SPEAKS_OFTEN, SPEAKS_SELDOM = 24, 18
FEED_MONTHS = 40
OUT_OF_SCOPE = "Y99999"
SPECIAL_CODES = {
    **{name: f"T9{number:04d}" for number, name in enumerate(SPECIAL_PRACTICES)},
    **{name: f"T8{number:04d}" for number, name in enumerate(SILENT_PRACTICES)},
    "elsewhere": OUT_OF_SCOPE,
}
OPTIONAL = (
    "gp_contacts",
    "community_caseload",
    "care_plans",
    "assessments",
    "agency_contacts",
    "national_opt_out",
    "acute_adt",
    "community_referrals",
    "social_care_services",
)
MORE_MAKERS = {
    "acute_adt": ("message_id", "X"),
    "community_referrals": ("referral_id", "R"),
}


@dataclass(frozen=True)
class Silence:
    """A provider or practice that has no rows in some months; ``declared`` where the site says so."""

    extract: str
    provider: str
    months: tuple[date, ...]
    a_month: int = SPEAKS_OFTEN
    declared: bool = False


@dataclass(frozen=True)
class Story:
    """One person: a synthetic NHS number and their rows under the town's names."""

    number: str
    history: History


@dataclass
class Town:
    as_of: date
    stories: list[Story]
    clerks: list[Story] = field(default_factory=list)
    silences: Sequence[Silence] = ()
    absent: frozenset[str] = frozenset()

    @property
    def people(self) -> list[Story]:
        return self.clerks + self.stories

    @property
    def declared(self) -> list[dict[str, str]]:
        return [
            {
                "extract": silence.extract,
                "provider": silence.provider,
                "from": f"{month:%Y-%m}",
                "to": f"{month:%Y-%m}",
                "reason": "new system",
            }
            for silence in self.silences
            if silence.declared
            for month in silence.months
        ]


# --- people ------------------------------------------------------------------------------------


def generated(dice: Random, as_of: date, codes: Codes, pool: Diagnoses) -> History:
    """One person's whole history: register, GP record, hospital, team."""
    history: History = {"gp_patients": patients(dice, as_of)}
    part = dice.random()
    history["gp_events"] = gp_events(dice, as_of, codes) if part < 0.85 else []
    history["gp_medications"] = gp_medications(dice, as_of, codes) if part < 0.85 else []
    history["acute_episodes"] = acute_episodes(dice, as_of, pool) if part > 0.1 else []
    return history | team_history(dice, as_of)


def settle(history: Mapping[str, Sequence[Row]], index: int, dice: Random) -> Story:
    """The same history as rows of a town: number, keys, the town's practices and providers, twins of rows."""
    number = factories.nhs_number(index)
    practices = {letter: ordinary_practice(2 * index + place) for place, letter in enumerate("AB")}
    settled: History = {}
    for extract, rows in history.items():
        settled[extract] = []
        for row in rows:
            columns = dict(row)
            if "provider_code" in columns:
                columns["provider_code"] = f"{columns['provider_code']}{index % PROVIDERS:03d}"
            if "practice_code" in columns:
                place = columns["practice_code"]
                columns["practice_code"] = practices.get(place) or SPECIAL_CODES[place]
            made = make(extract, number, columns)
            if dice.random() < 0.01:
                made["nhs_number"] = (
                    f"{number[:3]}{dice.choice(' -')}{number[3:6]}{dice.choice(' -')}{number[6:]}"
                )
            settled[extract].append(made)
            if dice.random() < 0.01:
                settled[extract].append(dict(made))
    return Story(number, settled)


def make(extract: str, number: str, columns: Row) -> Row:
    if extract in MORE_MAKERS:
        key, prefix = MORE_MAKERS[extract]
        return {key: factories.next_key(prefix), "nhs_number": number} | columns
    return factories.MAKERS[extract](number, **columns)


def ordinary_practice(number: int) -> str:
    return f"T{number % PRACTICES:05d}"


def clerk(silence: Silence, index: int, as_of: date) -> Story:
    """Somebody whose rows alone are a feed: so many in every month before ``as_of`` but the silent ones."""
    number = factories.nhs_number(index)
    practice = silence.provider if silence.extract in OF_PRACTICES else ordinary_practice(index)
    column = DATE_COLUMNS[silence.extract]
    rows = []
    for back in range(1, FEED_MONTHS + 1):
        month = months_before(as_of.replace(day=1), back)
        for count in range(silence.a_month if month not in silence.months else 0):
            day = month + timedelta(days=count)
            columns: Row = {column: day}
            if silence.extract not in OF_PRACTICES:
                columns["provider_code"] = silence.provider
            if silence.extract == "acute_episodes":
                columns |= {"admission_method": "11", "discharge_date": day, "spell_id": f"{day}"}
            if column == "arrival_at":
                columns[column] = datetime.combine(day, time(8, 0))
            rows.append(make(silence.extract, number, columns))
    patient = make("gp_patients", number, {"practice_code": practice})
    return Story(number, {"gp_patients": [patient], silence.extract: rows})


def keep_silent(story: Story, silences: Sequence[Silence], as_of: date) -> None:
    """Nobody at a silent practice sends the row that would break its silence, nor one from decades ago.

    An old row would stretch the practice's active span, and a practice that averages little is not judged.
    """
    places = {row["practice_code"] for row in story.history["gp_patients"]}
    oldest = months_before(as_of.replace(day=1), FEED_MONTHS)
    for silence in silences:
        if silence.provider in places:
            column = DATE_COLUMNS[silence.extract]
            rows = story.history.get(silence.extract, [])
            rows[:] = [row for row in rows if is_heard_with(silence, as_date(row[column]), oldest)]


def keep_arrival_modes_back(story: Story) -> None:
    for row in story.history["acute_attendances"]:
        row["arrived_by_ambulance"] = None


def is_heard_with(silence: Silence, day: date, oldest: date) -> bool:
    return day >= oldest and day.replace(day=1) not in silence.months


def grow_town(
    seed: int,
    as_of: date,
    people: int,
    codes: Codes,
    pool: Diagnoses,
    *,
    silences: Sequence[Silence] = (),
    absent: frozenset[str] = frozenset(),
    ambulances_are_told: bool = True,
) -> Town:
    """The same seed, the same town."""
    clerks = [clerk(silence, number, as_of) for number, silence in enumerate(silences, start=1)]
    stories = []
    for index in range(len(clerks) + 1, len(clerks) + 1 + people):
        dice = Random(f"{seed} {index}")
        story = settle(generated(dice, as_of, codes, pool), index, dice)
        keep_silent(story, silences, as_of)
        if not ambulances_are_told:
            keep_arrival_modes_back(story)
        for extract in absent:
            story.history.pop(extract, None)
        stories.append(story)
    for person in clerks:  # an optional extract that is delivered is delivered for everybody
        for extract in (*factories.REQUIRED_EXTRACTS, *OPTIONAL):
            if extract not in absent:
                person.history.setdefault(extract, [])
    for story in stories:
        for extract in OPTIONAL:
            if extract not in absent:
                story.history.setdefault(extract, [])
    return Town(as_of, stories, clerks, silences, absent)


# --- the site ----------------------------------------------------------------------------------


def write_site(folder: Path, town: Town) -> Path:
    """The shipped definitions on a made-up place whose practices come, go and move around the town's day."""
    write_default_site(folder)
    geography = folder / "config" / "geography"
    geography.mkdir(exist_ok=True)
    factories.write_geography(geography)
    with (geography / "practices.csv").open("a", encoding="utf-8") as file:
        for line in special_practices(town.as_of):
            file.write(",".join(line) + "\n")
    sources = folder / "config" / "sources.yaml"
    settings = yaml.safe_load(sources.read_text(encoding="utf-8"))
    settings["declared_gaps"] = town.declared
    sources.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


def special_practices(as_of: date) -> list[tuple[str, ...]]:
    yesterday, tomorrow = as_of - timedelta(days=1), as_of + timedelta(days=1)
    always = "2000-01-01"
    rows = [
        ("retired", "TP1", "TN1", always, f"{yesterday}"),
        ("last day", "TP1", "TN1", always, f"{as_of}"),
        ("future", "TP1", "TN1", f"{tomorrow}", ""),
        ("moved", "TP1", "TN1", always, f"{yesterday}"),
        ("moved", "TP2", "TN2", f"{as_of}", ""),
        ("moving", "TP1", "TN1", always, f"{as_of}"),
        ("moving", "TP2", "TN2", f"{tomorrow}", ""),
        *((silent, "TP1", "TN1", always, "") for silent in SILENT_PRACTICES),
    ]
    return [
        (
            SPECIAL_CODES[name],
            f"Practice {name}",
            pcn,
            f"Network {pcn[2:]}",
            area,
            f"Neighbourhood {area[2:]}",
            since,
            until,
        )
        for name, pcn, area, since, until in rows
    ]
