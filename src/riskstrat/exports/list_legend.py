"""What a list says about itself: what it is and is not, the run, how changes are told, and what each column means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskstrat.definitions.contracts import load_contract
from riskstrat.exports.list_cells import ListFile
from riskstrat.exports.list_rows import told_left
from riskstrat.exports.return_form import OUTCOME
from riskstrat.exports.subjects import Reader
from riskstrat.exports.wording import day_in_words, heading
from riskstrat.reading.published import PublishedCohort
from riskstrat.reading.published_lists import PublishedList
from riskstrat.site import Site

NOTE = "This list is a prompt for professional review. It does not decide."
ABSENT = "Being absent from it says nothing about anybody's need."
DESCRIBED_BY = ("features", "worklist_returns", "gp_patients", "lists")
OWN = {"pseudonym": "A name for the person that stands in this recipient's files only."}
BACK = (
    "To send back",
    "Fill in the shaded columns for whoever was looked at, keep the headings, and give the file to "
    "riskstrat worklist returns FILE.",
)
BACK_FROM_PAGE = ("To report back", "Fill in the workbook of the same list: this page cannot be sent back.")
SHARED = {
    "need": "shared between the areas in proportion to expected need",
    "city_wide": "for the whole place, by rank, wherever people live",
    "per_head": "shared between the areas in proportion to their people",
}
CHANGES = (
    ("NEW", "not on this list on {day}, and never on it before as far as is remembered"),
    ("BACK", "not on this list on {day}, but before that"),
    ("UP", "nearer to the top than on {day}"),
    ("DOWN", "further from the top than on {day}"),
    ("SAME", "in the same place as on {day}"),
)


@dataclass(frozen=True)
class ListLegend:
    """Everything but the people. Each part is what is named, then what it means."""

    title: str
    heading: str
    summary: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[tuple[str, str]]
    changes: Sequence[tuple[str, str]]
    choices: Mapping[str, Mapping[str, str]]
    columns: Sequence[tuple[str, str]]


def list_legend(
    site: Site,
    published: PublishedList,
    cohorts: Sequence[PublishedCohort],
    file: ListFile,
    reader: Reader,
    *,
    is_page: bool = False,
) -> ListLegend:
    """The legend of a list for one recipient; a page is read and written on, and does not come back."""
    choices = file.form.choices() if file.form is not None else {}
    return ListLegend(
        title=published.title,
        heading=f"{area_title(published, reader.area)}, as of {day_in_words(published.run.as_of)}",
        summary=_summary(published, file, reader),
        facts=[
            *_what(published, file, reader),
            *_numbers(published, file, reader),
            *([] if file.form is None else [BACK_FROM_PAGE if is_page else BACK]),
            *_sources(published, cohorts),
        ],
        sections=[
            (section.title, _counted(section.people, has_left=section.has_left))
            for section in file.table.sections
        ],
        changes=_changes(published),
        choices={OUTCOME: choices[OUTCOME]} if is_page and choices else choices,
        columns=_columns(site, file.table.columns if is_page else file.columns()),
    )


def compared_on(published: PublishedList) -> date | None:
    """The day of the list with which this one was compared."""
    run = published.about.get("compared_with")
    return None if run is None else date.fromisoformat(str(run)[:8])


def area_title(published: PublishedList, code: str | None) -> str:
    """The code of an area with its name, as far as the list knows it."""
    if code is None:
        return "all areas"
    return " ".join([code, str(published.areas[code]["name"])]) if code in published.areas else code


def _summary(published: PublishedList, file: ListFile, reader: Reader) -> str:
    """How many are listed and new, and how far the data reach, in a sentence."""
    area, listed = published.areas.get(reader.area or ""), file.table.listed
    new = sum(person["change"] == "NEW" for person in listed)
    eligible = "" if area is None else f" of {area['eligible']} eligible"
    day, complete = compared_on(published), _complete_to(file)
    since = "" if day is None else f" since the list of {day_in_words(day)}"
    reach = f" Data complete to {complete}." if complete else ""
    return f"{len(listed)} listed{eligible}, {new} of them new{since}.{reach}"


def _complete_to(file: ListFile) -> str:
    days = {one["data_complete_to"] for one in file.table.people if one.get("data_complete_to") is not None}
    return _from_to([day_in_words(day) for day in sorted(days)]) if days else ""


def _what(published: PublishedList, file: ListFile, reader: Reader) -> list[tuple[str, str]]:
    facts = [
        ("What this is", f"{NOTE} {ABSENT}"),
        ("Why", " ".join(str(published.definition["why"]).split())),
    ]
    facts += [
        ("For", reader.title),
        ("Area", area_title(published, reader.area)),
        ("As of", f"{day_in_words(published.run.as_of)}: nothing dated on or after this day is used"),
        ("Run", published.run.id),
    ]
    people = file.table.people
    if complete := _complete_to(file):
        facts.append(("Data complete to", complete))
    ages = sorted({one["score_age_days"] for one in people if one.get("score_age_days") is not None})
    if ages:
        unit = "day" if ages == [1] else "days"
        facts.append(("Age of the score", f"{_from_to([str(age) for age in ages])} {unit}"))
    facts.append(("Unknown", "The word unknown means that nobody could tell. It does not mean no or zero."))
    facts.append(
        ("May be opened until", f"the day before {day_in_words(date.fromisoformat(reader.expires))}")
    )
    return facts


def _numbers(published: PublishedList, file: ListFile, reader: Reader) -> list[tuple[str, str]]:
    about, area = published.about, published.areas.get(reader.area or "")
    facts = []
    if about["capacity"] is not None:
        shared = SHARED[str(about["allocation"])]
        if "shared_per_head_because" in about:
            shared = f"{SHARED['per_head']}, because {about['shared_per_head_because']}"
        facts.append(("Places", f"{about['capacity']} in an area on average, {shared}"))
    if area is not None:
        quota = "" if area["quota"] is None else f", for whom there are {area['quota']} places"
        facts.append(("This area", f"{area['listed']} listed of {area['eligible']} who could be{quota}"))
    facts.append(("People in this file", f"{len(file.table.listed)} listed"))
    if file.table.left:
        facts.append(("Left, and not shown", told_left(file.table.left)))
    if file.table.unknown:
        facts.append(("Left out", f"{file.table.unknown} who have opted out, left or moved since the run"))
    return facts


def _sources(published: PublishedList, cohorts: Sequence[PublishedCohort]) -> list[tuple[str, str]]:
    definition = published.definition
    days, signed = definition["rest_days"], definition["review"]["signed_off_by"]
    rests = f"people for whom something was done in the last {days} days, unless something new happened"
    return [
        *(
            ("Who can be listed", f"{one.about['name']}: {one.title} (SHA-256 {one.about['sha256']})")
            for one in cohorts
        ),
        ("In the order of", ", ".join(definition["order_by"])),
        ("Who rests", rests if days else "nobody"),
        ("Source", str(definition["source"])),
        ("Signed off by", str(signed or "nobody yet")),
        ("Definition", f"{published.name}, SHA-256 {published.about['sha256']}"),
    ]


def _changes(published: PublishedList) -> list[tuple[str, str]]:
    day = compared_on(published)
    if day is None:
        return [("NEW", "there is no earlier list to compare with, so everybody is new")]
    told = day_in_words(day)
    return [(word, text.format(day=told)) for word, text in CHANGES]


def _columns(site: Site, columns: Iterable[str]) -> list[tuple[str, str]]:
    meanings = dict(OWN)
    for name in DESCRIBED_BY:
        contract = load_contract(site.data_contracts / f"{name}.yaml")
        meanings |= {column.name: column.description for column in contract.columns}
    return [(heading(column), meanings[column]) for column in columns]


def _counted(people: Sequence[Mapping[str, Any]], *, has_left: bool) -> str:
    count = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    return f"{count}, shown with the reason" if has_left and people else count


def _from_to(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}"
