"""``config/reasons.yaml``: how a list says why somebody is on it, what is missing and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from riskstrat.definitions.cohort_values import choice_at, names_at, text_at
from riskstrat.definitions.cohorts import GAP_NAME, Review, review_at, sentence
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

REQUIRED_KEYS = ("title", "reasons", "gaps", "actions", "default_action", "source", "review")
KEYS = (*REQUIRED_KEYS, "situations")
REASON_KEYS = ("name", "when", "text", "m", "kind")
GAP_KEYS = ("name", "when", "text", "unknown", "action")
SITUATION_KEYS = ("name", "when", "text")
ACTION_KEYS = ("question", "text", "settled_by")
# The Geriatric 5Ms (Tinetti, Huang and Molnar 2017), as a list writes them.
GROUPS: Mapping[str, str] = {
    "mind": "Mind",
    "mobility": "Mobility",
    "medications": "Medications",
    "multicomplexity": "Multicomplexity",
    "matters_most": "Matters most",
}
FIXED, ACTIONABLE = "fixed", "actionable"
QUESTIONS = (1, 2, 3, 4, 5)
Entry = TypeVar("Entry", "ListReason", "ListGap", "Situation", "Action")


@dataclass(frozen=True)
class ListReason:
    """A sentence with ``{feature}`` placeholders, said where ``when`` is TRUE; ``group`` is one of GROUPS."""

    name: str
    when: str
    text: str
    group: str
    kind: str


@dataclass(frozen=True)
class ListGap:
    """What somebody still needs where ``when`` is TRUE; ``unknown`` is said where that is NULL."""

    name: str
    when: str
    text: str
    unknown: str
    action: str


@dataclass(frozen=True)
class Situation:
    """What is to be done now where ``when`` is TRUE; the first that is counts."""

    name: str
    when: str
    text: str


@dataclass(frozen=True)
class Action:
    """What an open concern in one of the five questions asks for, and the referrals that settle it."""

    question: int
    text: str
    settled_by: tuple[str, ...]


@dataclass(frozen=True)
class Wording:
    """Reasons, gaps and situations in the order in which they count, an action for each question, and the default."""

    title: str
    reasons: tuple[ListReason, ...]
    gaps: tuple[ListGap, ...]
    situations: tuple[Situation, ...]
    actions: tuple[Action, ...]
    default_action: str
    source: str
    review: Review


def load_wording(path: Path) -> Wording:
    """Parse the file strictly. Raises DefinitionError with the file, the key and the remedy."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=REQUIRED_KEYS, file=path)
    actions = _entries(document, "actions", _action, path)
    if sorted(action.question for action in actions) != list(QUESTIONS):
        raise DefinitionError(
            "each of the questions 1 to 5 needs one action.",
            file=path,
            column="actions",
            remedy="write one entry for each question.",
        )
    return Wording(
        title=text_at(document, "title", path),
        reasons=_named(_entries(document, "reasons", _reason, path), "reasons", path),
        gaps=_named(_entries(document, "gaps", _gap, path), "gaps", path),
        situations=_named(_entries(document, "situations", _situation, path), "situations", path)
        if document.get("situations")
        else (),
        actions=actions,
        default_action=_phrase(document, "default_action", path),
        source=text_at(document, "source", path),
        review=review_at(document, path),
    )


def _entries(
    document: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], Path], Entry], path: Path
) -> tuple[Entry, ...]:
    entries = document[key]
    if not isinstance(entries, list) or not entries:
        raise DefinitionError(
            f"{key} must be a list that is not empty.", file=path, column=key, remedy="fill it in."
        )
    return tuple(read(entry, path) for entry in entries)


def _named(entries: tuple[Entry, ...], key: str, path: Path) -> tuple[Entry, ...]:
    names = [getattr(entry, "name", "") for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(
                f"{key} names '{name}' twice.", file=path, column=key, remedy="keep one of them."
            )
    return entries


def _reason(entry: Mapping[str, Any], path: Path) -> ListReason:
    check_keys(entry, allowed=REASON_KEYS, required=REASON_KEYS, file=path, where="reasons")
    return ListReason(
        name=text_at(entry, "name", path, "reasons"),
        when=text_at(entry, "when", path, "reasons"),
        text=sentence(_phrase(entry, "text", path, "reasons"), path),
        group=choice_at(entry, "m", GROUPS, path, "reasons"),
        kind=choice_at(entry, "kind", (FIXED, ACTIONABLE), path, "reasons"),
    )


def _gap(entry: Mapping[str, Any], path: Path) -> ListGap:
    check_keys(entry, allowed=GAP_KEYS, required=GAP_KEYS, file=path, where="gaps")
    return ListGap(
        name=text_at(entry, "name", path, "gaps"),
        when=text_at(entry, "when", path, "gaps"),
        text=_phrase(entry, "text", path, "gaps"),
        unknown=_phrase(entry, "unknown", path, "gaps"),
        action=_phrase(entry, "action", path, "gaps"),
    )


def _situation(entry: Mapping[str, Any], path: Path) -> Situation:
    check_keys(entry, allowed=SITUATION_KEYS, required=SITUATION_KEYS, file=path, where="situations")
    return Situation(
        name=text_at(entry, "name", path, "situations"),
        when=text_at(entry, "when", path, "situations"),
        text=_phrase(entry, "text", path, "situations"),
    )


def _action(entry: Mapping[str, Any], path: Path) -> Action:
    check_keys(entry, allowed=ACTION_KEYS, required=("question", "text"), file=path, where="actions")
    question = entry["question"]
    if type(question) is not int or question not in QUESTIONS:
        raise DefinitionError(
            "question must be a whole number from 1 to 5.",
            file=path,
            column="actions",
            remedy="write the question's number.",
        )
    return Action(
        question,
        _phrase(entry, "text", path, "actions"),
        names_at(entry, "settled_by", path, where="actions"),
    )


def _phrase(entry: Mapping[str, Any], key: str, path: Path, where: str | None = None) -> str:
    """A text without ';', which separates phrases on a list."""
    text = text_at(entry, key, path, where)
    if not GAP_NAME.fullmatch(text):
        raise DefinitionError(
            f"'{text}' holds a ';', which separates phrases on a list.",
            file=path,
            column=where or key,
            remedy="write it with a comma.",
        )
    return text
