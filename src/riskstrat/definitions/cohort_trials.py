"""Trying a cohort on the made-up people of its examples, by the SQL that a run uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from riskstrat.definitions.cohort_examples import LEFT_OUT, MEMBER, UNDECIDED, Example, Value, day_of
from riskstrat.definitions.cohort_rules import Rules
from riskstrat.definitions.rules import Column
from riskstrat.language import Expression
from riskstrat.language.parsing import parser_connection
from riskstrat.sqltext import literal, quoted


@dataclass(frozen=True)
class Trial:
    """What the rules say of an example: MEMBER, LEFT_OUT or UNDECIDED, and the names of the person's gaps."""

    example: Example
    outcome: str
    gaps: tuple[str, ...]

    @property
    def is_as_expected(self) -> bool:
        """Whether the outcome, and the gaps where the example names them, are the expected ones."""
        expected_gaps = self.example.gaps
        return self.outcome == self.example.expect and expected_gaps in (None, self.gaps)


def try_examples(
    examples: Sequence[Example], rules: Rules, columns: Mapping[str, Column], as_of: date
) -> list[Trial]:
    """Judge every example as of a day. A cohort's top_n is no rule about one person and plays no part."""
    if not examples:
        return []
    people = " UNION ALL ".join(
        _person(place, example, columns, as_of) for place, example in enumerate(examples)
    )
    gaps = "".join(f", COALESCE(({gap.sql}), FALSE)" for _, gap in rules.gaps)
    found = parser_connection().execute(
        f"SELECT {rules.matches}, {rules.undecided}{gaps} FROM ({people}) AS features ORDER BY example_place"
    )
    return [
        Trial(
            example,
            MEMBER if is_member else UNDECIDED if is_undecided else LEFT_OUT,
            tuple(name for (name, _), applies in zip(rules.gaps, has_gaps, strict=True) if applies),
        )
        for example, (is_member, is_undecided, *has_gaps) in zip(examples, found.fetchall(), strict=True)
    ]


def answer_for_nobody_known(condition: Expression, columns: Mapping[str, Column]) -> bool | None:
    """What a condition says of somebody of whom nothing is known."""
    row = ", ".join(f"CAST(NULL AS {columns[name].sql_type}) AS {quoted(name)}" for name in condition.columns)
    found = parser_connection().execute(f"SELECT {condition.sql} FROM (SELECT {row or 'NULL'}) AS features")
    answer: bool | None = found.fetchall()[0][0]
    return answer


def _person(place: int, example: Example, columns: Mapping[str, Column], as_of: date) -> str:
    """One typed row of the feature table; what the example does not name is NULL."""
    values = ", ".join(
        f"CAST({_written(example.person.get(name), column, as_of)} AS {column.sql_type}) AS {quoted(name)}"
        for name, column in columns.items()
    )
    return f"SELECT {place} AS example_place, {values}"


def _written(value: Value, column: Column, as_of: date) -> str:
    if value is None:
        return "NULL"
    if column.type == "date":
        return literal(str(day_of(value, as_of) if isinstance(value, date | str) else value))
    return literal(str(value))
