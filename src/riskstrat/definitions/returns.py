"""``config/returns.yaml``: what a team may write on a list that it sends back, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import check_known, count_at, names_at, text_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.definitions.legal_basis import LegalBases, check_purpose
from riskstrat.errors import DefinitionError

FILE = "returns.yaml"
KEYS = (
    *("accept_for_days", "purpose", "extracts", "outcomes", "referrals"),
    *("empty_words", "yes", "no", "dates", "legend_sheets"),
)
OUTCOME_REQUIRED = ("title", "reached")
OUTCOME_KEYS = (*OUTCOME_REQUIRED, "needs_referral")
WORD = re.compile(r"[a-z][a-z0-9_]*")
TRIED_DAY = date(2026, 2, 28)


@dataclass(frozen=True)
class ReturnOutcome:
    """What may have come of it. ``is_reached``: the person was seen or reviewed."""

    title: str
    is_reached: bool
    needs_referral: bool


@dataclass(frozen=True)
class ReturnRules:
    """The words of a list that comes back. ``extracts`` are the kinds of records that a return adds to.

    ``answers`` says which words mean that a question gave concern or gave none.
    """

    file: Path
    accept_for_days: int
    purpose: str
    extracts: tuple[str, ...]
    outcomes: Mapping[str, ReturnOutcome]
    referrals: Mapping[str, str]
    empty_words: tuple[str, ...]
    answers: Mapping[str, bool]
    dates: tuple[str, ...]
    legend_sheets: tuple[str, ...]


def load_return_rules(path: Path) -> ReturnRules:
    """Parse the words strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    days = count_at(document, "accept_for_days", path)
    if days is None:
        raise DefinitionError("is empty.", file=path, column="accept_for_days", remedy="write a number.")
    return ReturnRules(
        file=path,
        accept_for_days=days,
        purpose=text_at(document, "purpose", path),
        extracts=names_at(document, "extracts", path),
        outcomes={
            _word(name, "outcomes", path): _outcome(str(name), entry, path)
            for name, entry in mapping_at(document, "outcomes", path).items()
        },
        referrals={
            _word(name, "referrals", path): text_at(document["referrals"], name, path, "referrals")
            for name in mapping_at(document, "referrals", path)
        },
        empty_words=_lower(names_at(document, "empty_words", path)),
        answers=_answers(document, path),
        dates=_dates(names_at(document, "dates", path), path),
        legend_sheets=_lower(names_at(document, "legend_sheets", path)),
    )


def check_return_rules(rules: ReturnRules, extracts: Iterable[str], bases: LegalBases) -> None:
    """Raise DefinitionError for an extract without a contract, or a purpose that no legal basis can have."""
    check_purpose(rules.purpose, bases.purposes, rules.file, "purpose")
    check_known(rules.extracts, list(extracts), "not an extract", rules.file, "extracts")


def _word(name: Any, key: str, path: Path) -> str:
    if not isinstance(name, str) or not WORD.fullmatch(name):
        raise DefinitionError(
            f"{key} has the name '{name}'.",
            file=path,
            column=key,
            remedy="use lower-case letters, digits and underscores; quote a word that YAML takes for true or false.",
        )
    return name


def _outcome(name: str, entry: Any, path: Path) -> ReturnOutcome:
    check_keys(entry, allowed=OUTCOME_KEYS, required=OUTCOME_REQUIRED, file=path, where=name)
    flags = {key: entry.get(key, False) for key in OUTCOME_KEYS if key != "title"}
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise DefinitionError(
                f"{key} of {name} must be true or false.",
                file=path,
                column=name,
                remedy="write true or false.",
            )
    return ReturnOutcome(text_at(entry, "title", path, name), flags["reached"], flags["needs_referral"])


def _answers(document: Mapping[str, Any], path: Path) -> dict[str, bool]:
    said = {word: True for word in _lower(names_at(document, "yes", path))}
    denied = _lower(names_at(document, "no", path))
    if not said or not denied or said.keys() & set(denied):
        raise DefinitionError(
            "yes and no must each have words, and none in common.",
            file=path,
            column="yes",
            remedy='write "yes": ["yes"] and "no": ["no"], in quotes.',
        )
    return {**said, **dict.fromkeys(denied, False)}


def _dates(forms: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Forms that give a day back as it was written. Raises DefinitionError."""
    for form in forms:
        try:
            is_whole = datetime.strptime(TRIED_DAY.strftime(form), form).date() == TRIED_DAY
        except ValueError:
            is_whole = False
        if not is_whole:
            raise DefinitionError(
                f"'{form}' does not say a whole day.",
                file=path,
                column="dates",
                remedy="write e.g. '%Y-%m-%d' or '%d/%m/%Y'.",
            )
    if not forms:
        raise DefinitionError("dates is empty.", file=path, column="dates", remedy="write '%Y-%m-%d'.")
    return forms


def _lower(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)
