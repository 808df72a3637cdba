"""Well-formed expressions at random: each part is its text and, beside it, what it means for a person."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from riskstrat.dates import months_before
from tests.language import meaning
from tests.language.people import ALLOWED, AS_OF, CODES, NAMES, Person

Meaning = Callable[[Person], Any]


@dataclass(frozen=True)
class Part:
    """A piece of an expression and its value for a person."""

    text: str
    of: Meaning


class Sentences:
    """Random expressions; the same seed gives the same ones."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def condition(self, depth: int = 3) -> Part:
        """True, false or unknown."""
        simple = [
            self._comparison,
            self._member,
            self._between,
            self._unknown,
            self._flag,
            self._like,
            self._distinct,
        ]
        if depth <= 0:
            return self.chance.choice(simple)(0)
        return self.chance.choice(
            [*simple, *[self._joined] * 4, self._not, self._truth, self._case_condition]
        )(depth - 1)

    def _column(self, *names: str) -> Part:
        name = self.chance.choice(names)
        return Part(self._cased(name), lambda person: person[name])

    def _cased(self, word: str) -> str:
        return self.chance.choice([word, word, word, word.upper(), f'"{word}"'])

    def _word(self, words: str) -> str:
        return self.chance.choice([words, words, words.lower(), words.replace(" ", "\n  ")])

    def _flag(self, _depth: int) -> Part:
        if self.chance.random() < 0.1:
            value = self.chance.choice([True, False])
            return Part(str(value).upper(), lambda _: value)
        return self._column("has_copd", "is_housebound")

    def _joined(self, depth: int) -> Part:
        parts = [self.condition(depth) for _ in range(self.chance.choice([2, 2, 3]))]
        word, rule = self.chance.choice([("AND", meaning.both), ("OR", meaning.either)])
        text = f" {self._word(word)} ".join(f"({part.text})" for part in parts)
        return Part(text, lambda person: rule([part.of(person) for part in parts]))

    def _not(self, depth: int) -> Part:
        part = self.condition(depth)
        return Part(f"{self._word('NOT')} ({part.text})", lambda person: meaning.opposite(part.of(person)))

    def _truth(self, depth: int) -> Part:
        part, wanted = self.condition(depth), self.chance.choice([True, False])
        if self.chance.random() < 0.5:
            return Part(f"({part.text}) IS {wanted}", lambda person: part.of(person) is wanted)
        return Part(f"({part.text}) IS NOT {wanted}", lambda person: part.of(person) is not wanted)

    def _case_condition(self, depth: int) -> Part:
        when, then, other = (self.condition(depth) for _ in range(3))
        return Part(
            f"CASE WHEN {when.text} THEN {then.text} ELSE {other.text} END",
            lambda person: then.of(person) if when.of(person) else other.of(person),
        )

    def _pair(self, depth: int) -> tuple[Part, Part]:
        make = self.chance.choice([self.number, self.number, self.text, self.day, self._boolean])
        return make(depth), make(depth)

    def _boolean(self, depth: int) -> Part:
        part = self.condition(depth - 1) if depth > 0 else self._flag(0)
        return Part(f"({part.text})", part.of)

    def _comparison(self, depth: int) -> Part:
        left, right = self._pair(depth)
        sign = self.chance.choice([*meaning.COMPARED, "!="])
        plain = "<>" if sign == "!=" else sign
        return Part(
            f"{left.text} {sign} {right.text}",
            lambda person: meaning.compare(plain, left.of(person), right.of(person)),
        )

    def _distinct(self, depth: int) -> Part:
        left, right = self._pair(depth)
        if self.chance.random() < 0.5:
            return Part(
                f"{left.text} IS DISTINCT FROM {right.text}",
                lambda person: meaning.distinct(left.of(person), right.of(person)),
            )
        return Part(
            f"{left.text} IS NOT DISTINCT FROM {right.text}",
            lambda person: not meaning.distinct(left.of(person), right.of(person)),
        )

    def _member(self, depth: int) -> Part:
        make = self.chance.choice([self.number, self.text, self.day])
        value, listed = make(depth), [make(0) for _ in range(self.chance.choice([1, 2, 3]))]
        if self.chance.random() < 0.1:
            listed.append(Part("NULL", lambda _: None))
        inside = ", ".join(part.text for part in listed)
        if self.chance.random() < 0.5:
            return Part(
                f"{value.text} IN ({inside})",
                lambda person: meaning.member(value.of(person), [part.of(person) for part in listed]),
            )
        return Part(
            f"{value.text} NOT IN ({inside})",
            lambda person: meaning.opposite(
                meaning.member(value.of(person), [part.of(person) for part in listed])
            ),
        )

    def _between(self, depth: int) -> Part:
        make = self.chance.choice([self.number, self.day])
        value, lower, upper = make(depth), make(0), make(0)
        return Part(
            f"{value.text} BETWEEN {lower.text} AND {upper.text}",
            lambda person: meaning.between(value.of(person), lower.of(person), upper.of(person)),
        )

    def _unknown(self, depth: int) -> Part:
        part = self._pair(depth)[0]
        if self.chance.random() < 0.5:
            return Part(f"{part.text} IS NULL", lambda person: part.of(person) is None)
        return Part(f"{part.text} IS NOT NULL", lambda person: part.of(person) is not None)

    def _like(self, depth: int) -> Part:
        value = self.text(depth)
        pattern = self.chance.choice(["%", "N%", "_g", "%'%", "o%", "%S", "\u00e9%", "", "a_b\u0025", "i%"])
        quoted = pattern.replace("'", "''")
        word, any_case = self.chance.choice([("LIKE", False), ("ILIKE", True)])
        if self.chance.random() < 0.3:
            return Part(
                f"{value.text} NOT {word} '{quoted}'",
                lambda person: meaning.opposite(meaning.like(value.of(person), pattern, any_case=any_case)),
            )
        return Part(
            f"{value.text} {self._word(word)} '{quoted}'",
            lambda person: meaning.like(value.of(person), pattern, any_case=any_case),
        )

    def number(self, depth: int) -> Part:
        """A number."""
        if depth <= 0:
            return self.chance.choice([self._whole, self._whole, self._decimal, self._efi])()
        return self.chance.choice(
            [
                self._sum,
                self._sum,
                self._quotient,
                self._whole_quotient,
                self._stepped,
                self._function,
                self._count,
            ]
        )(depth - 1)

    def _whole(self) -> Part:
        if self.chance.random() < 0.6:
            return self._column("age", "visits", "change", "score")
        value = self.chance.choice([0, 1, 2, 3, 10, 64, 65, 66, 2147483648, -5])
        return Part(str(value), lambda _: value)

    def _decimal(self) -> Part:
        text = self.chance.choice(["0.12", "1.5", ".5", "64.5", "0.24", "2.", "1e3"])
        value = float(text) if "e" in text else Decimal(text)
        return Part(text, lambda _: value)

    def _efi(self) -> Part:
        return self._column("efi")

    def _sum(self, _depth: int) -> Part:
        left, right = self._small(), self._small()
        sign = self.chance.choice("+-*")
        return Part(
            f"({left.text} {sign} {right.text})",
            lambda person: meaning.calculate(sign, left.of(person), right.of(person)),
        )

    def _small(self) -> Part:
        """A number whose sums and products are exact in every type that they may be computed in."""
        value = self.chance.choice([0, 2, 3, 64])
        literal = Part(str(value), lambda _: value)
        return self.chance.choice([self._column("age", "visits", "change", "efi"), self._decimal(), literal])

    def _quotient(self, depth: int) -> Part:
        left, right = self.number(depth), self._divisor(lambda: self.number(depth))
        return Part(
            f"({left.text} / {right.text})",
            lambda person: meaning.calculate("/", left.of(person), right.of(person)),
        )

    def _divisor(self, make: Callable[[], Part]) -> Part:
        """Not a written zero: what is divided by it is unknown for everybody, and no comparison takes it."""
        part = make()
        while part.text in ("0", "(- 0)"):
            part = make()
        return part

    def _whole_quotient(self, _depth: int) -> Part:
        left, right = self._whole(), self._divisor(self._whole)
        sign = self.chance.choice(["//", "%"])
        return Part(
            f"({left.text} {sign} {right.text})",
            lambda person: meaning.calculate(sign, left.of(person), right.of(person)),
        )

    def _stepped(self, depth: int) -> Part:
        part = self.number(depth)

        def stepped(step: Callable[[Any], Any]) -> Meaning:
            return lambda person: None if part.of(person) is None else step(part.of(person))

        digits = self.chance.choice([1, 2])
        return self.chance.choice(
            [
                Part(f"ceil({part.text})", stepped(lambda value: float(math.ceil(value)))),
                Part(f"floor({part.text})", stepped(lambda value: float(math.floor(value)))),
                Part(f"round({part.text})", lambda person: meaning.rounded(part.of(person), 0)),
                Part(
                    f"round({part.text}, {digits})", lambda person: meaning.rounded(part.of(person), digits)
                ),
                Part(f"abs({part.text})", stepped(abs)),
                Part(f"(- {part.text})", stepped(lambda value: -value)),
            ]
        )

    def _function(self, depth: int) -> Part:
        return self._choice(self.number, depth)

    def _choice(self, make: Callable[[int], Part], depth: int) -> Part:
        first, last = make(depth), make(depth)
        when = self.condition(0)
        return self.chance.choice(
            [
                Part(
                    f"greatest({first.text}, {last.text})",
                    lambda person: meaning.extreme([first.of(person), last.of(person)], greatest=True),
                ),
                Part(
                    f"least({first.text}, {last.text})",
                    lambda person: meaning.extreme([first.of(person), last.of(person)], greatest=False),
                ),
                Part(
                    f"coalesce({first.text}, {last.text})",
                    lambda person: meaning.first_known([first.of(person), last.of(person)]),
                ),
                Part(
                    f"nullif({first.text}, {last.text})",
                    lambda person: meaning.null_if(first.of(person), last.of(person)),
                ),
                Part(
                    f"CASE WHEN {when.text} THEN {first.text} ELSE {last.text} END",
                    lambda person: first.of(person) if when.of(person) else last.of(person),
                ),
                Part(
                    f"CASE WHEN {when.text} THEN {first.text} END",
                    lambda person: first.of(person) if when.of(person) else None,
                ),
            ]
        )

    def _count(self, depth: int) -> Part:
        first, last, text, flag = self.day(depth), self.day(depth), self.text(depth), self._flag(0)

        def of(part: Part, step: Callable[[Any], Any]) -> Meaning:
            return lambda person: None if part.of(person) is None else step(part.of(person))

        return self.chance.choice(
            [
                Part(
                    f"date_diff('day', {first.text}, {last.text})",
                    lambda person: meaning.days_between(first.of(person), last.of(person)),
                ),
                Part(
                    f"({last.text} - {first.text})"
                    if not last.text.startswith("'")
                    else "date_diff('day', as_of, as_of)",
                    (lambda person: meaning.days_between(first.of(person), last.of(person)))
                    if not last.text.startswith("'")
                    else lambda _: 0,
                ),
                Part(f"year({first.text})", of(first, lambda day: day.year)),
                Part(f"month({first.text})", of(first, lambda day: day.month)),
                Part(f"length({text.text})", of(text, len)),
                Part(f"CAST({flag.text} AS INTEGER)", of(flag, int)),
                Part("TRY_CAST(code AS INTEGER)", lambda person: meaning.number_in(person["code"])),
            ]
        )

    def text(self, depth: int) -> Part:
        """Text."""
        if depth <= 0:
            value = self.chance.choice([*NAMES, *CODES])
            if self.chance.random() < 0.6 or not value.isprintable():
                return self._column("manager", "code")
            return Part("'" + value.replace("'", "''") + "'", lambda _: value)
        part, other = self.text(depth - 1), self.text(depth - 1)

        def of(step: Callable[[str], Any]) -> Meaning:
            return lambda person: None if part.of(person) is None else step(part.of(person))

        start, length = self.chance.choice([1, 2, 3]), self.chance.choice([0, 1, 2])
        category = self.chance.choice(ALLOWED["band"])
        return self.chance.choice(
            [
                Part(f"lower({part.text})", of(meaning.lower)),
                Part(f"trim({part.text})", of(lambda text: text.strip(" "))),
                Part(
                    f"substring({part.text}, {start}, {length})",
                    of(lambda text: text[start - 1 : start - 1 + length]),
                ),
                Part(f"substring({part.text}, {start})", of(lambda text: text[start - 1 :])),
                Part(
                    f"({part.text} || {other.text})",
                    lambda person: meaning.calculate("+", part.of(person), other.of(person)),
                ),
                Part("CAST(change AS VARCHAR)", lambda person: meaning.written(person["change"])),
                Part("seen_date::VARCHAR", lambda person: meaning.written(person["seen_date"])),
                Part(  # joined to something, so that any text may be compared with it
                    f"(nullif(band, '{category}') || '')",
                    lambda person: meaning.null_if(person["band"], category),
                ),
                self._choice(self.text, 0),
            ]
        )

    def day(self, depth: int) -> Part:
        """A date."""
        months, days, years = (
            self.chance.choice(numbers) for numbers in ([0, 1, 13, 1200], [0, 90, 40000], [0, 1, 100])
        )
        fixed = self.chance.choice([date(2024, 2, 29), date(2026, 3, 31), date(2025, 12, 31)])
        constants = [
            Part(f"DATE '{fixed}'", lambda _: fixed),
            Part(self._cased("as_of"), lambda _: AS_OF),
            Part(f"months_before({months})", lambda _: months_before(AS_OF, months)),
            Part(f"days_before({days})", lambda _: AS_OF - timedelta(days=days)),
            Part(f"calendar_year_start({years})", lambda _: date(AS_OF.year - years, 1, 1)),
        ]
        if depth <= 0:
            return self.chance.choice([self._column("seen_date", "discharge_date")] * 4 + constants)
        part = self.day(depth - 1)
        count = self.chance.choice([0, 1, 30, 365])
        return self.chance.choice(
            [
                Part(f"({part.text} + {count})", lambda person: meaning.moved(part.of(person), count)),
                Part(f"({count} + {part.text})", lambda person: meaning.moved(part.of(person), count)),
                Part(f"({part.text} - {count})", lambda person: meaning.moved(part.of(person), -count)),
                Part("TRY_CAST(code AS DATE)", lambda person: meaning.day_in(person["code"])),
                Part(
                    "coalesce(seen_date, '2025-12-31')",
                    lambda person: person["seen_date"] or date(2025, 12, 31),
                ),
                self._choice(self.day, 0),
            ]
        )
