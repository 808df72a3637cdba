"""What a measure may read: the features, which extracts were delivered, and what came back on lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.measures import Kind, Measure, Measures
from riskstrat.definitions.returns import ReturnRules
from riskstrat.definitions.rules import Column
from riskstrat.errors import DefinitionError
from riskstrat.language import Expression, compile_expression

QUESTIONS = ("q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living")
COME_BACK = "lists_come_back"
OF_LISTS = {"first_listed": "DATE", "last_listed": "DATE", "days_to_first_outcome": "INTEGER"}
DELIVERED = "_delivered"


@dataclass(frozen=True)
class Vocabulary:
    """Name to DuckDB type: features, one column an extract, what came back, and what only lists know.

    ``outcomes`` and ``referrals`` are the words of a return that have a column each; ``reached`` are the outcomes that
    mean that somebody was seen or reviewed.
    """

    features: Mapping[str, Column]
    extracts: tuple[str, ...]
    outcomes: tuple[str, ...]
    referrals: tuple[str, ...]
    reached: tuple[str, ...]

    @property
    def returned(self) -> dict[str, str]:
        """What came back about a person in the window of a measure; NULL where lists do not come back."""
        flags = (
            *(f"outcome_{name}" for name in self.outcomes),
            *(f"referred_{name}" for name in self.referrals),
            *("is_reached", "is_referred", "is_asked", "is_given_case_manager"),
        )
        return {COME_BACK: "BOOLEAN", "outcomes": "BIGINT", **dict.fromkeys(flags, "BOOLEAN")}

    @property
    def delivered(self) -> dict[str, str]:
        """Whether each extract came at all."""
        return {f"{name}{DELIVERED}": "BOOLEAN" for name in self.extracts}

    def types(self, kind: Kind) -> dict[str, str]:
        """Everything that a measure of a cohort, or of a list, may read."""
        of_lists = OF_LISTS if kind == "list" else {}
        features = {name: column.sql_type for name, column in self.features.items()}
        return {**features, **self.delivered, **self.returned, **of_lists}


@dataclass(frozen=True)
class Compiled:
    """A measure with its checked conditions. ``reads_features`` and ``reads_returns``: what it needs to be decided."""

    measure: Measure
    when: Expression | None
    known: Expression | None
    reads_features: bool
    reads_returns: bool


def vocabulary_of(contract: Contract, extracts: Iterable[str], rules: ReturnRules) -> Vocabulary:
    """The columns for these features, extracts and words. Raises DefinitionError where two would have one name."""
    found = Vocabulary(
        features={column.name: column for column in contract.columns if column.name != "person_id"},
        extracts=tuple(extracts),
        outcomes=tuple(rules.outcomes),
        referrals=tuple(rules.referrals),
        reached=tuple(name for name, outcome in rules.outcomes.items() if outcome.is_reached),
    )
    others = [*found.delivered, *found.returned, *OF_LISTS]
    for name in others:
        if name in found.features or others.count(name) > 1:
            raise DefinitionError(
                f"the word makes a column {name}, and there is one already.",
                file=rules.file,
                column=name,
                remedy="give the outcome or the referral another name.",
            )
    return found


def compile_measures(measures: Measures, vocabulary: Vocabulary, as_of: date) -> dict[Kind, list[Compiled]]:
    """Every measure's conditions, checked. Raises DefinitionError with the measure and the place."""
    kinds: tuple[Kind, ...] = ("cohort", "list")
    return {
        kind: [
            _compiled(measure, vocabulary, kind, measures, as_of)
            for measure in measures.by_name.values()
            if kind in measure.kinds
        ]
        for kind in kinds
    }


def _compiled(
    measure: Measure, vocabulary: Vocabulary, kind: Kind, measures: Measures, as_of: date
) -> Compiled:
    types = vocabulary.types(kind)
    columns = vocabulary.features.values()
    allowed = {column.name: column.allowed for column in columns if column.allowed}
    limits = {column.name: column.limits for column in columns if column.limits != (None, None)}

    def checked(text: str | None) -> Expression | None:
        if text is None:
            return None
        return compile_expression(text, types, allowed, file=measures.file, as_of=as_of, limits=limits)

    when, known = checked(measure.when), checked(measure.known)
    named = [column for one in (when, known) if one is not None for column in one.columns]
    if measure.median_of is not None:
        if types.get(measure.median_of) not in ("INTEGER", "BIGINT"):
            raise _wrong(measures, measure, f"'{measure.median_of}' is no whole number of a {kind}")
        named.append(measure.median_of)
    of_window = {*vocabulary.returned, *OF_LISTS}
    if measure.window_months is None and of_window & set(named):
        raise _wrong(
            measures, measure, f"{min(of_window & set(named))} is of a window, and window_months is null"
        )
    return Compiled(
        measure,
        when,
        known,
        reads_features=bool(vocabulary.features.keys() & set(named)),
        reads_returns=bool(vocabulary.returned.keys() & set(named)),
    )


def _wrong(measures: Measures, measure: Measure, what: str) -> DefinitionError:
    return DefinitionError(
        f"{measure.name}: {what}.", file=measures.file, column=measure.name, remedy="correct the measure."
    )
