"""Over ten thousand expressions: sound ones mean what plain Python says, the others are refused and touch nothing.

LANGUAGE_SEED chooses other ones; a failure prints the expression.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from riskstrat.language import Expression, ExpressionError, compile_expression
from riskstrat.language.problems import INDENT
from tests.language.mischief import Mischief
from tests.language.people import ALLOWED, AS_OF, COLUMNS, Person, people_table, random_people
from tests.language.sentences import Part, Sentences

SEED = int(os.environ.get("LANGUAGE_SEED", "20260401"))
SOUND = 3_000
WRONG = {  # how many of each kind
    **dict.fromkeys(("forbidden", "ending", "clash", "misuse", "misspelt"), 900),
    **dict.fromkeys(("mutated", "garbage"), 1_250),
    "statement": 100,
}
MAY_BE_SOUND = ("mutated", "garbage")
AT_ONCE = 50
SLOWEST = 1.0  # seconds of one core


class Guarded:
    """A database with a table, a function and a file that no expression may touch, open to all of them."""

    def __init__(self, folder: Path, people: list[Person]) -> None:
        self.folder = folder
        self.file = folder / "canary.csv"
        self.file.write_text("secret\n1\n")
        called: list[int] = []
        self.called = called
        self.connection = duckdb.connect()
        people_table(self.connection, people)
        self.connection.execute("CREATE TABLE canary AS SELECT 'x' AS secret")

        def canary_function() -> int:
            called.append(1)
            return 1

        self.connection.create_function("canary_function", canary_function, [], "INTEGER", side_effects=True)
        self.before = self.state()

    def state(self) -> list[Any]:
        """All that a statement could have changed."""
        questions = (
            "SELECT database_name, path FROM duckdb_databases() ORDER BY ALL",
            "SELECT name, value FROM duckdb_settings() ORDER BY ALL",
            "SELECT table_name, estimated_size FROM duckdb_tables() ORDER BY ALL",
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal ORDER BY ALL",
            "SELECT extension_name FROM duckdb_extensions() WHERE loaded ORDER BY ALL",
            "SELECT * FROM canary",
        )
        files = sorted((path.name, path.read_bytes()) for path in self.folder.iterdir())
        return [files, *(self.connection.execute(question).fetchall() for question in questions)]

    def answers(self, expressions: list[Expression]) -> list[tuple[Any, ...]]:
        """Each expression's answer for every person. Raises duckdb.Error."""
        conditions = ", ".join(f"({one.sql})" for one in expressions)
        rows = self.connection.execute(f"SELECT {conditions} FROM features ORDER BY number").fetchall()
        return list(zip(*rows, strict=True))


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return random_people(random.Random(SEED), 30)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, people: list[Person]) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("canary"), people)
    yield made
    made.connection.close()


def compiled(text: str, guarded: Guarded) -> Expression:
    return compile_expression(text, COLUMNS, ALLOWED, as_of=AS_OF, connection=guarded.connection)


def batches(parts: Iterator[Part]) -> Iterator[list[Part]]:
    batch: list[Part] = []
    for part in parts:
        batch.append(part)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


def test_sound_expressions_mean_what_plain_python_says(guarded: Guarded, people: list[Person]) -> None:
    sentences = Sentences(random.Random(SEED))
    seen = {True: 0, False: 0, None: 0}
    for batch in batches(sentences.condition() for _ in range(SOUND)):
        if not batch:
            continue
        found = guarded.answers([compiled(part.text, guarded) for part in batch])
        for part, answers in zip(batch, found, strict=True):
            expected = tuple(part.of(person) for person in people)
            assert answers == expected, part.text
            for answer in answers:
                seen[answer] += 1
    assert min(seen.values()) > SOUND


def wrong_texts(kind: str, file: str) -> Iterator[tuple[str, str]]:
    """Texts of one kind of mischief, each with a word that its remedy must propose, if any."""
    mischief = Mischief(random.Random(f"{SEED} {kind}"), file)
    for _ in range(WRONG[kind]):
        made = getattr(mischief, kind)()
        yield made if isinstance(made, tuple) else (made, "")


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_expressions_are_refused_with_place_reason_and_proposal(kind: str, guarded: Guarded) -> None:
    refused = placed = 0
    for text, proposal in wrong_texts(kind, str(guarded.file)):
        started = time.process_time()
        try:
            sound = compiled(text, guarded)
        except ExpressionError as problem:
            assert time.process_time() - started < SLOWEST, text[:200]
            check_refusal(problem, proposal)
            refused += 1
            placed += problem.place is not None or not text.strip()
        else:
            assert kind in MAY_BE_SOUND, text
            guarded.answers([sound])
    assert refused > 0.8 * WRONG[kind]
    assert placed == refused
    assert guarded.state() == guarded.before
    assert guarded.called == []


def check_refusal(problem: ExpressionError, proposal: str) -> None:
    assert problem.exit_code == 3
    assert problem.what.strip()
    assert problem.remedy
    assert proposal in problem.remedy
    lines = str(problem).splitlines()
    assert len(lines) < 12
    if problem.place:
        carets = lines[2]
        assert carets.strip(" ^") == ""
        assert INDENT in carets
        assert "^" in carets


def test_there_are_ten_thousand_cases() -> None:
    assert SOUND + sum(WRONG.values()) >= 10_000


def test_a_changed_meaning_would_be_noticed(guarded: Guarded, people: list[Person]) -> None:
    sentences = Sentences(random.Random(SEED))
    parts = [sentences.condition() for _ in range(300)]
    noticed = 0
    for part in parts:
        sql = compiled(part.text, guarded).sql
        for change in ((">=", ">"), (" OR ", " AND "), ("IS NOT DISTINCT FROM", "=")):
            if change[0] in sql:
                changed = guarded.connection.execute(
                    f"SELECT ({sql.replace(*change)}) FROM features ORDER BY number"
                )
                noticed += [row[0] for row in changed.fetchall()] != [part.of(person) for person in people]
    assert noticed > 30
