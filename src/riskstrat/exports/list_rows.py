"""The people of a published list for one recipient, section by section, with the columns that they may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskstrat.definitions.audiences import IDENTIFIERS, PSEUDONYM, Audience
from riskstrat.exports.people import PERSON, Identities, pseudonym
from riskstrat.reading.published_lists import DROPPED, PublishedList, section_of

NHS_NUMBER, LIST_RUN, WHY_LEFT = "nhs_number", "list_run", "dropped_because"
# What stands in every file whatever a list shows: without it a reader could not tell what a row is.
ALWAYS = ("section", "rank", "change", "area_code", "is_manual_addition", WHY_LEFT, *IDENTIFIERS, PSEUDONYM)


@dataclass(frozen=True)
class SectionRows:
    """The people of one section, in order; ``has_left`` for those who are on the list no more."""

    name: str
    title: str
    people: tuple[Mapping[str, Any], ...]

    @property
    def has_left(self) -> bool:
        """Whether these are the people who left the list."""
        return self.name == DROPPED


@dataclass(frozen=True)
class ListTable:
    """A list for one recipient.

    ``unknown`` counts people who were listed and have left since the run. ``left`` says why how many others left the
    list before it, who are not shown: nobody may name them any more.
    """

    columns: tuple[str, ...]
    sections: tuple[SectionRows, ...]
    unknown: int
    left: Mapping[str, int]

    @property
    def people(self) -> list[Mapping[str, Any]]:
        """Everybody who is shown, in the order of the sections."""
        return [person for section in self.sections for person in section.people]

    @property
    def listed(self) -> list[Mapping[str, Any]]:
        """Everybody who is on the list."""
        return [person for section in self.sections if not section.has_left for person in section.people]

    @property
    def count(self) -> int:
        """How many people it is about, those who left among them."""
        return len(self.people)

    @property
    def is_returned(self) -> bool:
        """Whether it can be filled in and sent back: only a list that says who the people are."""
        return NHS_NUMBER in self.columns


def list_columns_for(audience: Audience, published: PublishedList) -> tuple[str, ...]:
    """Of what the audience may have: identifiers, what says what a row is, and what the list shows."""
    shown = {*published.columns, *ALWAYS}
    return tuple(column for column in audience.list_columns if column in shown)


def list_table(
    published: PublishedList,
    people: Sequence[Mapping[str, Any]],
    columns: tuple[str, ...],
    *,
    identities: Identities | None,
    secret: bytes,
    practices: Container[str],
    areas: Iterable[str],
) -> ListTable:
    """The people by section; ``identities`` None where nobody may be named.

    Somebody who may be named is left out where the vault does not know them any more, or knows them to be registered
    outside ``practices`` by now. Where nobody is named, whoever left the list is counted only. ``areas`` are those
    whose whole lists these are: of them the manifest also counts who left and has no row.
    """
    sections: dict[str, list[Mapping[str, Any]]] = {name: [] for name in published.sections}
    unseen: Counter[str] = Counter()
    unknown = 0
    for person in people:
        section = section_of(person)
        named = {} if identities is None else identities.get(person[PERSON], {})
        is_known = named.get("practice_code") in practices if identities is not None else section != DROPPED
        if is_known:
            told = {**person, **{name: named.get(name) for name in IDENTIFIERS}, LIST_RUN: published.run.id}
            told[PSEUDONYM] = pseudonym(secret, str(person[PERSON])) if PSEUDONYM in columns else None
            sections[section].append(told)
        elif section == DROPPED:
            unseen[str(person[WHY_LEFT])] += 1
        else:
            unknown += 1
    found = tuple(
        SectionRows(name, title, tuple(sections[name])) for name, title in published.sections.items()
    )
    counted = Counter[str]()
    for area in areas:
        counted.update(published.areas[area]["dropped"])
    counted.subtract(str(person[WHY_LEFT]) for person in sections[DROPPED])
    left = +counted | unseen
    return ListTable(columns, found, unknown, dict(sorted(left.items())))


def told_left(left: Mapping[str, int]) -> str:
    """How many left a list and why, as a sentence.

    >>> told_left({"died": 1, "opted out": 1})
    '2 people left the list: died 1, opted out 1.'
    """
    count = sum(left.values())
    reasons = ", ".join(f"{why} {people}" for why, people in left.items())
    who = "1 person" if count == 1 else f"{count} people"
    return f"{who} left the list: {reasons}." if count else "nobody"
