"""Judging a returned file row by row: applied, set aside with its reasons, said before, or not filled in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.returns import ReturnRules
from riskstrat.definitions.value_checks import VALUE_CHECKS, is_nhs_number
from riskstrat.keys import person_id
from riskstrat.returns.listed import Lists, Published
from riskstrat.returns.rows import GIVEN, SHOWN, Row
from riskstrat.returns.store import CONTENT

Verdict = Literal["applied", "quarantined", "duplicate", "not_filled_in"]
Key = tuple[str, Any, str]  # list, list_as_of, person_id
ANSWERED_TWICE = "This person stands in the file more than once for this list, with different answers."
FILLABLE = tuple(name for name in CONTENT if name not in ("list", "list_as_of", "area_code", "person_id"))


@dataclass(frozen=True)
class Judge:
    """What rows are judged by. ``area`` is the one that the file is from, where that was said."""

    contract: Contract
    rules: ReturnRules
    lists: Lists
    key: bytes
    area: str | None = None

    def verdicts(
        self, rows: Sequence[Row], stored: Mapping[Key, Sequence[Mapping[str, Any]]]
    ) -> list[Verdict]:
        """What becomes of every row, in their order; the reasons stand with the rows.

        ``stored`` holds what was returned before and a new row must not repeat: by whom it is about.
        """
        for row in rows:
            if row.line.cells is not None:
                self._find(row)
        filled = [row for row in rows if self._is_filled(row)]
        self._check_contract(filled)
        for row in filled:
            self._check_words(row)
            self._check_days(row)
        _check_twice(filled)
        verdicts: dict[int, Verdict] = {row.number: "not_filled_in" for row in rows}
        said = {key: list(before) for key, before in stored.items()}
        for row in filled:
            verdicts[row.number] = _verdict(row, said)
        return [verdicts[row.number] for row in rows]

    def _find(self, row: Row) -> None:
        """The person on the list, by the number that the row gives."""
        given = {name: row.values[name] for name in GIVEN}
        if any(value is None for value in given.values()):
            return  # the contract says so
        found = self.lists.find(given["list"], given["list_run"])
        if not isinstance(found, Published):
            row.blame(found.column, found.reason)
            return
        row.list_as_of = found.as_of
        if not is_nhs_number(given["nhs_number"]):
            return  # the contract says so
        person = person_id(self.key, given["nhs_number"])
        areas = found.people.get(person)
        if areas is None:
            row.blame("nhs_number", "This person is not on that list.")
            return
        row.person_id = person
        if given["area_code"] not in areas:
            row.blame("area_code", "This person is on the list of another area.")
        elif self.area is not None and given["area_code"] != self.area:
            row.blame("area_code", f"This is a row of another area than {self.area}.")

    def _is_filled(self, row: Row) -> bool:
        """Whether somebody wrote something; what the list itself showed is no answer."""
        if row.line.cells is None:
            return True
        if any(row.texts[name] for name in FILLABLE if name not in SHOWN):
            return True
        shown = self._shown(row)
        return shown is not None and any(
            row.texts[name] and (row.has_fault_at(name) or row.values[name] != shown[name]) for name in SHOWN
        )

    def _shown(self, row: Row) -> Mapping[str, Any] | None:
        """What the list showed of the person in the columns that a team may change."""
        if row.person_id is None:
            return None
        found = self.lists.find(row.values["list"], row.values["list_run"])
        return (
            found.people[row.person_id].get(row.values["area_code"]) if isinstance(found, Published) else None
        )

    def _check_contract(self, rows: Sequence[Row]) -> None:
        """What the contract states, by its own conditions."""
        readable = [row for row in rows if row.line.cells is not None]
        for row in readable:
            self._forget_old_review(row)
        by_number = {row.number: row for row in readable}
        for number, column, message in broken_rules(self.contract, readable):
            row = by_number[number]
            if column is None and row.faults and row.has_fault_at(*FILLABLE):
                continue  # a value that cannot be read has been named; it is not missing as well
            row.blame(column, message)

    def _forget_old_review(self, row: Row) -> None:
        """A day of review that the list showed and nobody changed is over once something was done after it."""
        shown, review, done = self._shown(row), row.values["next_review_date"], row.values["outcome_date"]
        if (
            shown is not None
            and review is not None
            and review == shown["next_review_date"]
            and done is not None
        ):
            row.values["next_review_date"] = review if review >= done else None

    def _check_words(self, row: Row) -> None:
        outcome, referral = row.values["outcome"], row.values["referred_to"]
        if outcome is not None and outcome not in self.rules.outcomes:
            row.blame(
                "outcome",
                f"This is no outcome of {self.rules.file.name}. {_meant(outcome, self.rules.outcomes)}",
            )
        if referral is not None and referral not in self.rules.referrals:
            row.blame(
                "referred_to",
                f"This is no referral of {self.rules.file.name}. {_meant(referral, self.rules.referrals)}",
            )
        about = self.rules.outcomes.get(outcome) if outcome is not None else None
        if about is not None and about.needs_referral and referral is None:
            row.blame("referred_to", f"The outcome is {outcome}, and referred_to does not say where to.")

    def _check_days(self, row: Row) -> None:
        day, newest = row.values["outcome_date"], self.lists.newest
        if day is None:
            return
        if day > newest.as_of:
            row.blame(
                "outcome_date",
                f"outcome_date is in the future: the newest run is of {newest.as_of}. After the next run it is taken.",
            )
        elif row.list_as_of is not None and day < row.list_as_of:
            row.blame("outcome_date", f"outcome_date lies before the day of the list, {row.list_as_of}.")


def content_of(row: Row) -> dict[str, Any]:
    """What is kept of a row that is applied: nobody's number."""
    return {
        **{name: row.values[name] for name in CONTENT if name in row.values},
        "person_id": row.person_id,
        "list_as_of": row.list_as_of,
    }


def broken_rules(contract: Contract, rows: Iterable[Row]) -> list[tuple[int, str | None, str]]:
    """Row number, column and message of every rule of the contract that a row breaks, in the order of the rules."""
    import duckdb
    import pyarrow as pa

    given = list(rows)
    if not given:
        return []
    kinds = {"date": pa.date32(), "boolean": pa.bool_()}
    table = pa.table(
        {
            **{
                column.name: pa.array(
                    [row.values[column.name] for row in given], kinds.get(column.type, pa.string())
                )
                for column in contract.columns
            },
            "number": pa.array([row.number for row in given], pa.int32()),
            # the contract's rule on a number asks whether it belongs to somebody, or else whether it is one at all
            "person": pa.array(
                [1 if is_nhs_number(row.values["nhs_number"] or "") else None for row in given], pa.int32()
            ),
        }
    )
    found: list[tuple[int, str | None, str]] = []
    with duckdb.connect() as connection:
        connection.register("given", table)
        connection.execute("CREATE MACRO is_valid_nhs_number(number) AS FALSE")
        for rule in contract.rules:
            if rule.severity == "warn":
                continue
            if rule.judge is not None:
                fails = VALUE_CHECKS[rule.judge]
                broken = [row.number for row in given if fails(row.values[rule.column or ""] or "")]
            else:
                broken = [
                    int(number)
                    for (number,) in connection.execute(
                        f"SELECT number FROM given WHERE {rule.sql}"
                    ).fetchall()
                ]
            found += [(number, rule.column, rule.message) for number in broken]
    return found


def _check_twice(rows: Sequence[Row]) -> None:
    """Of several different answers about one person nobody can say which applies."""
    answers: dict[Key, list[Row]] = {}
    for row in rows:
        if row.person_id is not None:
            answers.setdefault((row.values["list"], row.list_as_of, row.person_id), []).append(row)
    for several in answers.values():
        if len({_answer(row) for row in several}) > 1:
            for row in several:
                row.blame("nhs_number", ANSWERED_TWICE)


def _answer(row: Row) -> tuple[Any, ...]:
    """What was filled in, however a day or a word was written."""
    return tuple(
        row.texts[name].casefold() if row.values[name] is None else row.values[name] for name in FILLABLE
    )


def _verdict(row: Row, said: dict[Key, list[Mapping[str, Any]]]) -> Verdict:
    if row.faults or row.person_id is None:
        return "quarantined"
    content = content_of(row)
    before = said.setdefault((content["list"], content["list_as_of"], row.person_id), [])
    if any(all(content[name] == one[name] for name in CONTENT) for one in before):
        return "duplicate"
    before.append(content)
    return "applied"


def _meant(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Write one of {', '.join(names)}."
