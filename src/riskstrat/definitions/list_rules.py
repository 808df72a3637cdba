"""The conditions of lists and of their wording, checked against the columns that they may read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.cohorts import DECIMALS, PLACEHOLDER
from riskstrat.definitions.list_columns import CONTRACT, condition_columns
from riskstrat.definitions.lists import ListDefinition
from riskstrat.definitions.reasons import ListGap, ListReason, Situation, Wording
from riskstrat.definitions.rules import Column
from riskstrat.errors import DefinitionError
from riskstrat.language import Expression, compile_expression
from riskstrat.language.problems import close_matches

IDENTIFIER = "person_id"
NEED_TYPES = ("integer", "number")


@dataclass(frozen=True)
class ListRules:
    """A list's checked conditions; each may be NULL for a person. ``sections`` go with the definition's, in order."""

    include: tuple[Expression, ...]
    sections: tuple[Expression | None, ...]

    @property
    def matches(self) -> str:
        """SQL, never NULL: every inclusion is TRUE."""
        return " AND ".join([f"COALESCE(({rule.sql}), FALSE)" for rule in self.include] or ["TRUE"])


@dataclass(frozen=True)
class WordingRules:
    """When each reason and each gap is said, and each situation asks for something."""

    reasons: tuple[tuple[ListReason, Expression], ...]
    gaps: tuple[tuple[ListGap, Expression], ...]
    situations: tuple[tuple[Situation, Expression], ...] = ()


def compile_list(definition: ListDefinition, columns: Columns, as_of: date, file: Path) -> ListRules:
    """Check every condition of a list. Raises DefinitionError with the place."""
    before, after = columns.checker(file, as_of), columns.checker(file, as_of, ranked=True)
    return ListRules(
        include=tuple(before(text) for text in definition.include),
        sections=tuple(after(section.when) if section.when else None for section in definition.sections),
    )


def compile_wording(wording: Wording, columns: Columns, as_of: date, file: Path) -> WordingRules:
    """Check when each reason, gap and situation holds. Raises DefinitionError with the place."""
    checked = columns.checker(file, as_of)
    return WordingRules(
        reasons=tuple((reason, checked(reason.when)) for reason in wording.reasons),
        gaps=tuple((gap, checked(gap.when)) for gap in wording.gaps),
        situations=tuple((one, checked(one.when)) for one in wording.situations),
    )


@dataclass(frozen=True)
class Columns:
    """The columns that conditions read before and after people are ranked, and those that a list can show."""

    before: Mapping[str, Column]
    after: Mapping[str, Column]
    shown: tuple[str, ...]

    @classmethod
    def of(cls, features: Iterable[Column], contract: Collection[Column]) -> Columns:
        """From the columns of the feature table and of the published lists."""
        named = list(features)
        return cls(
            before=condition_columns(named, contract),
            after=condition_columns(named, contract, ranked=True),
            shown=tuple(column.name for column in contract),
        )

    def checker(self, file: Path, as_of: date, *, ranked: bool = False) -> Callable[[str], Expression]:
        """A function that compiles one condition of a file."""
        columns = self.after if ranked else self.before
        types = {name: column.sql_type for name, column in columns.items()}
        allowed = {name: column.allowed for name, column in columns.items() if column.allowed}
        limits = {name: column.limits for name, column in columns.items() if column.limits != (None, None)}
        return lambda text: compile_expression(text, types, allowed, file=file, as_of=as_of, limits=limits)


def check_list(definition: ListDefinition, columns: Columns, cohorts: Iterable[str], file: Path) -> None:
    """Raise DefinitionError for the first name in a list's file that stands for nothing."""
    for problem in _wrong_names(definition, columns, tuple(cohorts), file):
        raise problem
    need = definition.need_feature
    if need is not None and columns.before[need].type not in NEED_TYPES:
        raise DefinitionError(
            f"{need} is no number, so it cannot be added up.",
            file=file,
            column="need_feature",
            remedy="name a feature that counts something.",
        )


def _wrong_names(
    definition: ListDefinition, columns: Columns, cohorts: Collection[str], file: Path
) -> Iterator[DefinitionError]:
    named = [("cohorts", name, cohorts, "a cohort") for name in definition.cohorts]
    ordered = (*columns.before, IDENTIFIER)
    named += [("order_by", item.column, ordered, "a feature") for item in definition.order_by]
    named += [("columns", name, columns.shown, f"a column of {CONTRACT}") for name in definition.columns]
    if definition.need_feature is not None:
        named.append(("need_feature", definition.need_feature, tuple(columns.before), "a feature"))
    for key, name, known, what in named:
        if name not in known:
            yield _unknown(name, known, what, key, file)


def check_wording(wording: Wording, columns: Columns, file: Path) -> None:
    """Raise DefinitionError for a placeholder that names no feature, or asks for decimals that it has not."""
    for reason in wording.reasons:
        for name in PLACEHOLDER.findall(reason.text):
            if name not in columns.before:
                raise _unknown(name, tuple(columns.before), "a feature", "reasons", file)
        for name in DECIMALS.findall(reason.text):
            if columns.before[name].type not in NEED_TYPES:
                raise DefinitionError(
                    f"{name} has no decimals.", file=file, column="reasons", remedy=f"write {{{name}}}."
                )


def _unknown(name: str, known: Collection[str], what: str, key: str, file: Path) -> DefinitionError:
    near = close_matches(name, known, most=1)
    return DefinitionError(
        f"'{name}' is not {what}.",
        file=file,
        column=key,
        remedy=f"did you mean '{near[0]}'?" if near else "correct the name.",
    )
