"""A cohort's rules, checked against the feature table, and what they say of a person together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.cohort_examples import check_example
from riskstrat.definitions.cohorts import DECIMALS, PLACEHOLDER, Cohort, RankItem
from riskstrat.definitions.rules import Column
from riskstrat.errors import DefinitionError
from riskstrat.language import Expression, compile_expression
from riskstrat.language.problems import close_matches
from riskstrat.sqltext import quoted

RANK_COLUMNS = ("risk_score", "score")
TIE_BREAKER = "person_id"


@dataclass(frozen=True)
class Rules:
    """Checked conditions over the feature table; each may be NULL, that is unknown, for a person.

    ``gaps`` are pairs of a gap's name and its condition; ``reasons`` are pairs of a sentence and when it is said,
    None for always.
    """

    include: tuple[Expression, ...]
    exclude: tuple[Expression, ...]
    gaps: tuple[tuple[str, Expression], ...] = ()
    reasons: tuple[tuple[str, Expression | None], ...] = ()

    @property
    def matches(self) -> str:
        """SQL: includes hold only when true, excludes remove only when true. Never NULL."""
        included = [f"COALESCE(({rule.sql}), FALSE)" for rule in self.include]
        return " AND ".join([*included, *self._kept])

    @property
    def undecided(self) -> str:
        """SQL: no rule says no, no exclusion says yes, and at least one inclusion does not know. Never NULL.

        An exclusion that does not know removes nobody, so it leaves nobody undecided either.
        """
        possible = [f"COALESCE(({rule.sql}), TRUE)" for rule in self.include]
        unknown = " OR ".join(f"({rule.sql}) IS NULL" for rule in self.include)
        return " AND ".join([*possible, *self._kept, f"({unknown})"])

    @property
    def _kept(self) -> list[str]:
        return [f"NOT COALESCE(({rule.sql}), FALSE)" for rule in self.exclude]


def compile_cohort(cohort: Cohort, columns: Iterable[Column], as_of: date, file: Path) -> Rules:
    """Check every condition of a cohort, its gaps and reasons included. Raises DefinitionError with the place."""
    named = list(columns)
    types = {column.name: column.sql_type for column in named}
    allowed = {column.name: column.allowed for column in named if column.allowed}
    limits = {column.name: column.limits for column in named if column.limits != (None, None)}

    def checked(text: str) -> Expression:
        return compile_expression(text, types, allowed, file=file, as_of=as_of, limits=limits)

    return Rules(
        include=tuple(checked(rule) for rule in cohort.include),
        exclude=tuple(checked(rule) for rule in cohort.exclude),
        gaps=tuple((gap.name, checked(gap.condition)) for gap in cohort.gaps),
        reasons=tuple((one.text, checked(one.when) if one.when else None) for one in cohort.reasons),
    )


def wrong_names(
    cohort: Cohort, columns: Mapping[str, Column], extracts: Iterable[str], file: Path
) -> Iterator[DefinitionError]:
    """Every name outside the rules that stands for nothing: in rank_by, columns, reasons, examples and requires."""
    ranked = (*columns, *RANK_COLUMNS)
    named = [("rank_by", item.column, ranked) for item in cohort.rank_by]
    named += [("columns", name, tuple(columns)) for name in cohort.columns]
    named += [
        ("reasons", name, tuple(columns))
        for reason in cohort.reasons
        for name in PLACEHOLDER.findall(reason.text)
    ]
    named += [("examples", name, tuple(columns)) for one in cohort.examples for name in one.person]
    for key, name, known in named:
        if name not in known:
            yield _unknown(name, known, "a feature", key, file)
    for name in (name for reason in cohort.reasons for name in DECIMALS.findall(reason.text)):
        if name in columns and columns[name].type not in ("number", "integer"):
            yield DefinitionError(
                f"{name} has no decimals.", file=file, column="reasons", remedy=f"write {{{name}}}."
            )
    known_extracts = tuple(extracts)
    for name in cohort.requires.extracts:
        if name not in known_extracts:
            yield _unknown(name, known_extracts, "an extract", "requires", file)
    gaps = tuple(gap.name for gap in cohort.gaps)
    for name in (name for one in cohort.examples for name in one.gaps or ()):
        if name not in gaps:
            yield _unknown(name, gaps, "a gap of this cohort", "examples", file)


def check_names(cohort: Cohort, columns: Mapping[str, Column], extracts: Iterable[str], file: Path) -> None:
    """Raise the first of ``wrong_names``, or for a value that no feature of an example can have."""
    for problem in wrong_names(cohort, columns, extracts, file):
        raise problem
    for example in cohort.examples:
        check_example(example, columns, file)


def _unknown(name: str, known: Iterable[str], what: str, key: str, file: Path) -> DefinitionError:
    near = close_matches(name, known, most=1)
    return DefinitionError(
        f"'{name}' is not {what}.",
        file=file,
        column=key,
        remedy=f"did you mean '{near[0]}'?" if near else "correct the name.",
    )


def rank_sql(rank_by: Iterable[RankItem]) -> str:
    """The items of ORDER BY over the ranked features (features, score, risk_score); total.

    Unknown comes last, but where an item puts it first.
    """
    items = list(rank_by)
    if TIE_BREAKER not in [item.column for item in items]:
        items.append(RankItem(TIE_BREAKER, descending=False))
    return ", ".join(
        f"{quoted(item.column)} {'DESC' if item.descending else 'ASC'} "
        f"NULLS {'FIRST' if item.unknown_first else 'LAST'}"
        for item in items
    )
