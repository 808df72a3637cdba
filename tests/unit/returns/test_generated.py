"""Random files of random rows: the books balance, nothing is applied twice, and order matters only for corrections."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from riskstrat.returns import store
from riskstrat.returns.applying import TakenBack, take_back
from riskstrat.site import Site
from tests import factories
from tests.fake_returns import (
    FIRST,
    LIST,
    OTHER_LIST,
    PEOPLE,
    SECOND,
    THIRD,
    as_csv,
    as_xlsx,
    pseudonym,
    put,
    row,
    run_id,
    write_site,
)

Key = tuple[str, Any, int]
Answer = tuple[str, str]
BREAKING: Sequence[dict[str, object]] = (
    {"outcome": "xyzzy"},
    {"outcome_date": "2030-01-01"},
    {"outcome_date": "2026-03-01"},
    {"area_code": "NB06"},
    {"list_run": "20260101-aaaaaaaaaa"},
    {"q1_visits": "perhaps"},
)


@dataclass(frozen=True)
class Made:
    """A row, whom it is about, what it answers (None: nothing) and whether it can be taken."""

    cells: dict[str, object]
    key: Key
    answer: Answer | None
    is_sound: bool

    @property
    def can_be_found(self) -> bool:
        return "list_run" not in self._changed

    @property
    def _changed(self) -> set[str]:
        return {name for name, value in self.cells.items() if name == "list_run" and value not in RUNS}


RUNS = (run_id(FIRST), run_id(SECOND))


@dataclass
class Expected:
    """What must be in force, kept by hand."""

    in_force: dict[Key, Answer] = field(default_factory=dict)
    of_file: dict[int, set[tuple[Key, Answer]]] = field(default_factory=dict)

    def take(self, number: int, rows: Iterable[Made]) -> Counter[str]:
        """The books of one file; what it applies is in force from now on."""
        books: Counter[str] = Counter(read=0)
        several: dict[Key, set[tuple[object, ...]]] = {}
        for made in rows:
            if made.answer is not None and made.can_be_found:
                filled = tuple(
                    made.cells[name] for name in ("outcome", "outcome_date", "q1_visits", "referred_to")
                )
                several.setdefault(made.key, set()).add(filled)
        own = self.of_file.setdefault(number, set())
        for made in rows:
            books["read"] += 1
            if made.answer is None:
                books["not_filled_in"] += 1
            elif not made.is_sound or len(several[made.key]) > 1:
                books["quarantined"] += 1
            elif self.in_force.get(made.key) == made.answer or (made.key, made.answer) in own:
                books["duplicates"] += 1
                own.add((made.key, made.answer))
            else:
                books["applied"] += 1
                books["replaced"] += made.key in self.in_force
                self.in_force[made.key] = made.answer
                own.add((made.key, made.answer))
        return books


def made_row(rng: random.Random) -> Made:
    person, name = rng.randrange(PEOPLE), rng.choice((LIST, OTHER_LIST))
    day = rng.choice((FIRST, SECOND))
    key = (name, day, person)
    if rng.random() < 0.3:
        return Made(row(person, day, list=name), key, None, True)
    outcome, referral = rng.choice(
        (
            ("seen", ""),
            ("declined", ""),
            ("referred", "falls_service"),
            ("referred", "therapy"),
            ("no_action", ""),
        )
    )
    filled = {"outcome": outcome, "outcome_date": SECOND.isoformat(), "referred_to": referral, "list": name}
    is_sound = rng.random() < 0.8
    broken = {} if is_sound else rng.choice(BREAKING)
    return Made(row(person, day, **{**filled, **broken}), key, (outcome, referral), is_sound)


def made_files(rng: random.Random, number: int) -> list[list[Made]]:
    return [[made_row(rng) for _ in range(rng.randint(0, 25))] for _ in range(number)]


def content(rows: Sequence[Made], number: int) -> bytes:
    """Every other file is a workbook; the number makes files of the same rows different ones."""
    cells: list[dict[str, object]] = [{**made.cells, "family_name": f"Quill{number}"} for made in rows]
    if number % 2 and cells:
        return as_xlsx({"A": cells[::2], "B": cells[1::2]})
    return as_csv([*cells, {**row(0), "family_name": f"Quill{number}"}])


def in_reading_order(rows: Sequence[Made], number: int) -> list[Made]:
    if number % 2 and rows:
        return [*rows[::2], *rows[1::2]]
    return [*rows, Made(row(0), (LIST, FIRST, 0), None, True)]


def books_of(back: TakenBack) -> Counter[str]:
    names = ("read", "applied", "quarantined", "duplicates", "not_filled_in", "replaced")
    books = Counter({name: getattr(back, name) for name in names})
    assert books["read"] == sum(books[name] for name in names[1:5])
    assert sum(back.outcomes.values()) == back.applied
    return books


def in_force(site: Site) -> dict[Key, Answer]:
    people = {pseudonym(site, person): person for person in range(PEOPLE)}
    return {
        (one["list"], one["list_as_of"], people[one["person_id"]]): (one["outcome"], one["referred_to"] or "")
        for one in store.read_returns(site.state, THIRD).to_pylist()
    }


def kept(site: Site) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in store.folder_of(site.state).glob("*") if path.is_file()}


@pytest.mark.parametrize("seed", range(6))
def test_books_balance_and_a_file_sent_again_changes_nothing(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    site, expected = write_site(tmp_path / "site", [FIRST, SECOND]), Expected()
    files = made_files(rng, 3)
    contents = [
        content(rows, number) for number, rows in enumerate(files)
    ]  # a workbook knows when it was made
    for number in [0, 1, 0, 2, 1, rng.randrange(3)]:  # a file may come again long after
        rows = in_reading_order(files[number], number)
        is_new = number not in expected.of_file
        before = kept(site)
        books = books_of(take_back(site, put(tmp_path, contents[number])))
        assert books == expected.take(number, rows)
        assert in_force(site) == expected.in_force
        if not is_new:
            assert books["applied"] == 0
            assert kept(site) == before


@pytest.mark.parametrize("seed", range(3))
def test_order_of_files_matters_only_where_they_disagree(tmp_path: Path, seed: int) -> None:
    rng = random.Random(100 + seed)
    files = made_files(rng, 3)
    said: dict[Key, set[Answer]] = {}
    for rows in files:
        for made in rows:
            if made.answer is not None:
                said.setdefault(made.key, set()).add(made.answer)
    results = []
    for place, order in enumerate(([0, 1, 2], [2, 1, 0])):
        site = write_site(tmp_path / f"site{place}", [FIRST, SECOND])
        for number in order:
            take_back(site, put(tmp_path, content(files[number], number)))
        results.append(in_force(site))
    one, other = results
    agreed = {key for key, answers in said.items() if len(answers) == 1}
    assert one.keys() == other.keys()
    assert {key: one[key] for key in one.keys() & agreed} == {
        key: other[key] for key in other.keys() & agreed
    }
    assert factories.nhs_number(0) not in str(results)
