"""Expressions that are malformed, malicious or merely wrong, at random."""

from __future__ import annotations

import random
import re

from tests.language.mischief_words import CLASHES, ENDINGS, FORBIDDEN, MISUSES, PLACES, STATEMENTS
from tests.language.people import ALLOWED, COLUMNS
from tests.language.sentences import Sentences

OF_KIND = {
    "number": ("age", "efi", "65", "0.5", "abs(age)", "(age + 1)", "date_diff('day', seen_date, as_of)"),
    "text": ("manager", "'x'", "'65'", "lower(code)", "(code || 'x')", "substring(code, 1, 2)"),
    "date": (
        "seen_date",
        "as_of",
        "months_before(12)",
        "DATE '2026-01-01'",
        "(seen_date + 1)",
        "days_before(3)",
    ),
    "truth": ("has_copd", "TRUE", "(age > 1)", "(NOT has_copd)", "starts_with(code, 'x')"),
}
WORDS = (
    *(
        "AND",
        "OR",
        "NOT",
        "IN",
        "IS",
        "NULL",
        "TRUE",
        "BETWEEN",
        "LIKE",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "CAST",
        "AS",
    ),
    *(
        "(",
        ")",
        ",",
        "=",
        "<",
        ">",
        "<>",
        "+",
        "-",
        "*",
        "/",
        "%",
        "||",
        "::",
        "'",
        '"',
        ".",
        ";",
        "--",
        "/*",
        "*/",
        "$$",
        "\\",
        "?",
    ),
    *(
        "age",
        "band",
        "efi",
        "has_copd",
        "seen_date",
        "as_of",
        "months_before(12)",
        "'severe'",
        "65",
        "0.5",
        "1e5",
        "SELECT",
        "FROM",
    ),
    *(
        "\x00",
        "\u00a0",
        "\u200b",
        "\u2019",
        "\u202e",
        "\U0001f600",
        "\u0430ge",
        "\ufeff",
        "\ud800",
        "[",
        "]",
        "{",
        "}",
        "@",
        "#",
        "&&",
        "^",
    ),
)
TOKEN = re.compile(r"'[^']*'|\w+|\s+|.", re.DOTALL)


class Mischief:
    """Random texts that are wrong in a known way, or in none that is known."""

    def __init__(self, chance: random.Random, file: str) -> None:
        self.chance = chance
        self.file = file
        self.sentences = Sentences(chance)

    def forbidden(self) -> str:
        """Something forbidden in the place of a value."""
        return self.chance.choice(PLACES).format(self._filled(self.chance.choice(FORBIDDEN)))

    def ending(self) -> str:
        """A sound condition with something behind it that cannot follow."""
        ending = self._filled(self.chance.choice(ENDINGS), self._filled(self.chance.choice(STATEMENTS)))
        return f"({self.sentences.condition(1).text}){ending}"

    def statement(self) -> str:
        """Another statement than a condition."""
        return self._filled(self.chance.choice(STATEMENTS))

    def clash(self) -> str:
        """Values of two kinds side by side."""
        first, last = self.chance.sample(list(OF_KIND), 2)
        a, b = self.chance.choice(OF_KIND[first]), self.chance.choice(OF_KIND[last])
        if {first, last} == {"date", "text"} and (b == "'x'" or a == "'x'"):
            a, b = "seen_date", "'x'"
        return self._around(self.chance.choice(CLASHES).format(a=a, b=b))

    def misuse(self) -> str:
        """A value of a kind that its user does not take, or that its column never holds."""
        kinds = {"n": "number", "t": "text", "d": "date", "b": "truth"}
        picked = {letter: self.chance.choice(OF_KIND[kind]) for letter, kind in kinds.items()}
        return self.chance.choice(MISUSES).format(**picked)

    def misspelt(self) -> tuple[str, str]:
        """A condition with a feature or value spelt wrongly, and the right spelling."""
        known = {*COLUMNS, *ALLOWED["band"]}
        right = self.chance.choice([name for name in known if len(name) > 6])
        wrong = right
        while wrong in known:
            place = self.chance.randrange(1, len(right) - 1)
            wrong = self.chance.choice(
                [right[:place] + right[place + 1 :], right[:place] + right[place] + right[place:]]
            )
        return (f"band = '{wrong}'" if right in ALLOWED["band"] else self._around(f"{wrong} IS NULL")), right

    def mutated(self) -> str:
        """A sound condition after a few accidents; it may still be sound."""
        tokens = TOKEN.findall(self.sentences.condition(self.chance.choice([0, 1, 2])).text)
        for _ in range(self.chance.choice([1, 1, 2, 4])):
            place = self.chance.randrange(len(tokens))
            accident = self.chance.randrange(5)
            if accident == 0:
                tokens[place] = ""
            elif accident == 1:
                tokens.insert(place, tokens[self.chance.randrange(len(tokens))])
            elif accident == 2:
                tokens[place] = self.chance.choice(WORDS)
            elif accident == 3:
                tokens.insert(place, f" {self.chance.choice(WORDS)} ")
            else:
                other = self.chance.randrange(len(tokens))
                tokens[place], tokens[other] = tokens[other], tokens[place]
        return "".join(tokens)

    def garbage(self) -> str:
        """Words, signs and characters in no order."""
        shape = self.chance.randrange(6)
        if shape == 0:
            return "".join(
                chr(self.chance.choice([self.chance.randrange(128), self.chance.randrange(0xD7FF)]))
                for _ in range(self.chance.randrange(40))
            )
        if shape == 1:
            return self.chance.choice(
                ["(", "[", "-", "NOT ", "abs(", "CASE WHEN ", "1+", "'", "/*", "a.", "+ ", "x\u0301"]
            ) * self.chance.choice([3, 51, 900])
        if shape == 2:
            return " ".join(self._filled(self.chance.choice([*FORBIDDEN, *STATEMENTS])) for _ in range(2))
        if shape == 3:
            return self.chance.choice(["has_copd OR ", "age = 1 AND "]) * self.chance.choice(
                [100, 5000]
            ) + self.chance.choice(["", "canary"])
        return " ".join(self.chance.choice(WORDS) for _ in range(self.chance.randrange(1, 12)))

    def _around(self, condition: str) -> str:
        return self.chance.choice(
            ["{}", "has_copd AND ({})", "NOT ({})", "age > 1 OR {}", "({}) IS NOT TRUE"]
        ).format(condition)

    def _filled(self, text: str, statement: str = "") -> str:
        return text.format(file=self.file, statement=statement)
