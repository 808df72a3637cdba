"""Reading the values of a cohort's file strictly: each is of its type, or an error names the key and the remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.errors import DefinitionError


def text_at(document: Mapping[str, Any], key: str, file: Path, where: str | None = None) -> str:
    """Text that is not empty, on one line. Raises DefinitionError."""
    value = document[key]
    if not isinstance(value, str) or not value.strip():
        raise DefinitionError(
            f"{key} must be text that is not empty.",
            file=file,
            column=where or key,
            remedy="fill it in, in quotes if it looks like a number, a date or true.",
        )
    return " ".join(value.split())


def texts_at(
    document: Mapping[str, Any], key: str, file: Path, *, each: str = "rule", where: str | None = None
) -> tuple[str, ...]:
    """A list of texts, none of them empty; none where the key is absent or empty. Raises DefinitionError."""
    values = document.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise DefinitionError(
            f"{key} must be a list of texts.",
            file=file,
            column=where or key,
            remedy=f"one {each} a line, each after '- ', in quotes if YAML takes it for something else.",
        )
    return tuple(value.strip() for value in values)


def names_at(
    document: Mapping[str, Any], key: str, file: Path, *, where: str | None = None
) -> tuple[str, ...]:
    """A list of texts of which none stands twice. Raises DefinitionError."""
    values = texts_at(document, key, file, each="name", where=where)
    for value in values:
        if values.count(value) > 1:
            raise DefinitionError(
                f"{key} names '{value}' twice.", file=file, column=where or key, remedy="keep one of them."
            )
    return values


def check_known(names: Iterable[str], known: Collection[str], what: str, file: Path, column: str) -> None:
    """Raise DefinitionError for a name that is not among the known ones; ``what`` says so, as in "no measure"."""
    for name in names:
        if name not in known:
            raise DefinitionError(
                f"'{name}' is {what}.", file=file, column=column, remedy=f"use some of {', '.join(known)}."
            )


def count_at(document: Mapping[str, Any], key: str, file: Path, where: str | None = None) -> int | None:
    """A whole number of 1 or more; None where the key is absent or null. Raises DefinitionError."""
    value = document.get(key)
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise DefinitionError(
            f"{key} must be a whole number of 1 or more.",
            file=file,
            column=where or key,
            remedy="write it in digits, or leave it out.",
        )
    return value


def flag_at(document: Mapping[str, Any], key: str, file: Path, *, default: bool) -> bool:
    """True or false. Raises DefinitionError."""
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise DefinitionError(
            f"{key} must be true or false.", file=file, column=key, remedy="write true or false, unquoted."
        )
    return value


def day_at(document: Mapping[str, Any], key: str, file: Path, where: str | None = None) -> date:
    """A date, as YAML reads one. Raises DefinitionError."""
    value = document[key]
    if type(value) is not date:
        raise DefinitionError(
            f"{key} is no date.", file=file, column=where or key, remedy="write it as YYYY-MM-DD, unquoted."
        )
    return value


def choice_at(
    document: Mapping[str, Any], key: str, choices: Collection[str], file: Path, where: str | None = None
) -> str:
    """One of the listed words. Raises DefinitionError."""
    value = document[key]
    if not isinstance(value, str) or value not in choices:
        raise DefinitionError(
            f"{key} is none of the words for it.",
            file=file,
            column=where or key,
            remedy=f"write one of {', '.join(choices)}.",
        )
    return value
