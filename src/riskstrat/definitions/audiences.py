"""``config/audiences.yaml``: who may be given what; whoever is not named there gets nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import count_at, flag_at, names_at, text_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.definitions.legal_basis import check_purpose
from riskstrat.errors import DefinitionError, NotPermittedError

FILE = "audiences.yaml"
REQUIRED_KEYS = (
    *("title", "identifiable", "scope", "purpose", "disclosure"),
    *("formats", "expires_after_days", "columns"),
)
IDENTIFIERS = ("nhs_number", "given_name", "family_name", "date_of_birth", "postcode")
PSEUDONYM = "pseudonym"
PERSON_KEY = "person_id"
MEMBER_COLUMNS = ("rank", "within_capacity", "score", "reasons", "gaps", "is_manual_addition", "cohort_rank")
AREA_KINDS = ("practice", "neighbourhood", "pcn")
EVERYWHERE = "all"
FORMATS = ("csv", "xlsx", "s1-list", "html")


@dataclass(frozen=True)
class Audience:
    """One kind of recipient. ``scope`` holds kinds of areas, none of them where it is everywhere.

    ``columns`` are all that its files of cohorts may hold, ``list_columns`` all that those of lists may; without any it
    is given counts only. ``passes_on`` are the audiences for whom it may write files that it cannot open.
    """

    name: str
    title: str
    identifiable: bool
    scope: tuple[str, ...]
    purpose: str
    disclosure: str
    formats: tuple[str, ...]
    expires_after_days: int
    columns: tuple[str, ...]
    list_columns: tuple[str, ...]
    passes_on: tuple[str, ...]

    def check_format(self, form: str, file: Path) -> None:
        """Raise NotPermittedError for a format that the audience may not be given."""
        if form not in self.formats:
            raise NotPermittedError(
                f"the audience {self.name} may not be given the format {form}.",
                file=file,
                column=self.name,
                remedy=f"use one of {', '.join(self.formats)}.",
            )


@dataclass(frozen=True)
class Audiences:
    """Every audience by name, and the file that names them."""

    file: Path
    by_name: Mapping[str, Audience]

    def named(self, name: str) -> Audience:
        """The audience of this name. Raises NotPermittedError: whoever is not named gets nothing."""
        if name not in self.by_name:
            raise NotPermittedError(
                f"there is no audience '{name}'.",
                file=self.file,
                remedy=f"use one of {', '.join(self.by_name)}.",
            )
        return self.by_name[name]


def load_audiences(path: Path) -> Audiences:
    """Parse the audiences strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=("audiences",), required=("audiences",), file=path)
    found = {
        str(name): _audience(str(name), entry, path)
        for name, entry in mapping_at(document, "audiences", path).items()
    }
    for audience in found.values():
        for other in audience.passes_on:
            if other not in found or not found[other].columns:
                raise DefinitionError(
                    f"{audience.name} passes on to '{other}', which is no audience that is given rows.",
                    file=path,
                    column=audience.name,
                    remedy="correct passes_on.",
                )
    return Audiences(path, found)


def check_audiences(
    audiences: Audiences,
    features: Iterable[str],
    purposes: Iterable[str],
    policies: Mapping[str, str],
    list_columns: Iterable[str] = (),
) -> None:
    """Compare with the feature catalogue, the columns of lists, the purposes, and the policy of disclosure.yaml.

    Raises DefinitionError for a name that stands for nothing or two files that disagree.
    """
    always = (*IDENTIFIERS, PSEUDONYM)
    known, known_of_lists = (*always, *MEMBER_COLUMNS, *features), (*always, *list_columns)
    for audience in audiences.by_name.values():
        check_purpose(audience.purpose, purposes, audiences.file, audience.name)
        _check_columns(audiences, audience, audience.columns, known, "feature or column of a cohort's list")
        _check_columns(audiences, audience, audience.list_columns, known_of_lists, "column of a list")
        policy = policies.get(audience.name, audience.disclosure)
        if policy != audience.disclosure:
            raise DefinitionError(
                f"{audience.name} has the policy {audience.disclosure} here and {policy} in config/disclosure.yaml.",
                file=audiences.file,
                column=audience.name,
                remedy="give it the same policy in both.",
            )


def _check_columns(
    audiences: Audiences, audience: Audience, columns: Iterable[str], known: Iterable[str], what: str
) -> None:
    allowed = set(known)
    for column in columns:
        if column not in allowed:
            raise DefinitionError(
                f"{audience.name}: '{column}' is no {what}.",
                file=audiences.file,
                column=audience.name,
                remedy="correct the name (riskstrat features list; data_contracts/lists.yaml).",
            )


def _audience(name: str, entry: Any, path: Path) -> Audience:
    check_keys(
        entry,
        allowed=(*REQUIRED_KEYS, "list_columns", "passes_on"),
        required=REQUIRED_KEYS,
        file=path,
        where=name,
    )
    audience = Audience(
        name=name,
        title=text_at(entry, "title", path, name),
        identifiable=flag_at(entry, "identifiable", path, default=False),
        scope=() if entry["scope"] == EVERYWHERE else names_at(entry, "scope", path, where=name),
        purpose=text_at(entry, "purpose", path, name),
        disclosure=text_at(entry, "disclosure", path, name),
        formats=names_at(entry, "formats", path, where=name),
        expires_after_days=count_at(entry, "expires_after_days", path, name) or 0,
        columns=names_at(entry, "columns", path, where=name),
        list_columns=names_at(entry, "list_columns", path, where=name),
        passes_on=names_at(entry, "passes_on", path, where=name),
    )
    for wrong, what, remedy in _mistakes(audience, is_everywhere=entry["scope"] == EVERYWHERE):
        if wrong:
            raise DefinitionError(f"{name}: {what}", file=path, column=name, remedy=remedy)
    return audience


def _mistakes(audience: Audience, *, is_everywhere: bool) -> Iterable[tuple[bool, str, str]]:
    """What is wrong with an audience, with the remedy."""
    named = dict.fromkeys((*audience.columns, *audience.list_columns))
    identifying = [column for column in named if column in IDENTIFIERS]
    yield (
        not is_everywhere and (not audience.scope or not set(audience.scope) <= set(AREA_KINDS)),
        "scope names no kind of area.",
        f"write {EVERYWHERE}, or a list of {', '.join(AREA_KINDS)}.",
    )
    yield (
        not audience.formats or not set(audience.formats) <= set(FORMATS),
        "formats names something that is none.",
        f"use some of {', '.join(FORMATS)}.",
    )
    yield audience.expires_after_days < 1, "expires_after_days is missing.", "write a number of days."
    yield (
        bool(identifying) and not audience.identifiable,
        f"it is not identifiable and may not be given {', '.join(identifying)}.",
        "take the column out of its list.",
    )
    yield (
        PERSON_KEY in named,
        f"{PERSON_KEY} is the same for everybody who is given it.",
        f"list {PSEUDONYM} instead: every recipient has its own.",
    )
    yield (
        bool(identifying) and is_everywhere,
        "it may be given names of everybody everywhere.",
        "identifiable rows go to the registered practice or a named team: name the kinds of area in scope.",
    )
