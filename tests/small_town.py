"""A landing folder of a handful of people, for tests that run the whole way or break one thing in it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskstrat.keys import init_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site, write_default_site
from tests import factories

AS_OF = factories.AS_OF
DELIVERY = AS_OF - timedelta(days=1)
FRAIL_CODES = (
    "38341003",  # hypertension
    "44054006",  # type 2 diabetes
    "49436004",  # atrial fibrillation
    "84114007",  # heart failure
    "13645005",  # COPD
    "396275006",  # osteoarthritis
    "230690007",  # stroke
    "64859006",  # osteoporosis
    "40930008",  # hypothyroidism
    "267036007",  # dyspnoea
    "404640003",  # dizziness
    "62315008",  # diarrhoea: on no list
)


# A night makes and publishes every cohort; others would only take time, and towns of the whole site have them.
COHORTS = ("flu_vaccine_due", "frequent_presenters", "luton_core", "luton_frailty")


def write_site(folder: Path, *, has_every_cohort: bool = False, is_threaded: bool = False) -> Path:
    """A site with the shipped definitions but few cohorts, three practices in two neighbourhoods, and a key."""
    write_default_site(folder)
    if not has_every_cohort:
        keep_few_cohorts(folder)
    if not is_threaded:
        use_one_thread(folder)
    factories.write_geography(folder / "config" / "geography")
    init_site_key(folder / "keys")
    return folder


def use_one_thread(site: Path) -> None:
    """Threads that wait for each other make a run of a few rows a fifth longer."""
    settings = site / "config" / "site.yaml"
    default, text = "# threads: 2\n", settings.read_text(encoding="utf-8")
    assert default in text
    settings.write_text(text.replace(default, "threads: 1\n"), encoding="utf-8")


def keep_few_cohorts(site: Path) -> None:
    """Take the definitions of every cohort away but those of COHORTS."""
    for path in (site / "config" / "cohorts").glob("*.yaml"):
        if path.stem not in COHORTS:
            path.unlink()


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def frail_person(
    number: str, admissions: int, codes: int, practice: str, born: date
) -> dict[str, list[dict[str, Any]]]:
    """Somebody with ``codes`` different deficits and ``admissions`` emergency stays in the last year."""
    return {
        "gp_patients": [factories.patient(number, practice_code=practice, date_of_birth=born)],
        "gp_events": [
            factories.event(number, code=code, event_date=date(2020, 5, 4)) for code in FRAIL_CODES[:codes]
        ],
        "acute_episodes": [
            factories.episode(
                number,
                admission_date=date(2025, 5 + month, 3),
                discharge_date=date(2025, 5 + month, 8),
                diagnosis_01="J44.1",
            )
            for month in range(admissions)
        ],
    }


def town() -> dict[str, list[dict[str, Any]]]:
    """Six people of two practices; two of them belong on the list of the first cohort."""
    near, far = factories.PRACTICES[0], factories.PRACTICES[1]
    people = [
        frail_person(factories.nhs_number(1), 3, 9, near, date(1940, 1, 1)),
        frail_person(factories.nhs_number(2), 2, 10, far, date(1950, 1, 1)),
        frail_person(factories.nhs_number(3), 1, 10, near, date(1950, 1, 1)),
        frail_person(factories.nhs_number(4), 3, 2, near, date(1950, 1, 1)),
        frail_person(factories.nhs_number(5), 4, 10, near, date(1980, 1, 1)),
        frail_person(factories.nhs_number(6), 0, 0, far, date(2000, 1, 1)),
    ]
    extracts: dict[str, list[dict[str, Any]]] = {}
    for person in people:
        for name, rows in person.items():
            extracts.setdefault(name, []).extend(rows)
    extracts["gp_medications"] = [factories.medication(factories.nhs_number(1))]
    extracts["acute_attendances"] = [factories.attendance(factories.nhs_number(1))]
    extracts["community_contacts"] = [factories.community_contact(factories.nhs_number(2))]
    return extracts


def write_landing(site: Path, extracts: Mapping[str, Iterable[Mapping[str, Any]]] | None = None) -> Path:
    """Write the town (or ``extracts``) as tonight's delivery and return its folder."""
    delivery = site / "landing" / DELIVERY.isoformat()
    for name, rows in (extracts or town()).items():
        write_rows(delivery / f"{name}.csv", rows)
    return delivery


def write_site_of_last_night(folder: Path) -> Path:
    """A site with last night's run, and another delivery for tonight."""
    site = write_site(folder)
    write_landing(site)
    run(load_site(site), AS_OF, progress=Progress(quiet=True))
    extracts = town()
    extracts["acute_attendances"].append(factories.attendance(factories.nhs_number(2)))
    write_landing(site, extracts)
    return site
