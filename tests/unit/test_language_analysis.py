"""What is said of rules before data: held against everybody of a small world, tried one by one."""

from __future__ import annotations

import itertools
import os
import random
from datetime import date
from typing import Any

import pytest

from riskstrat.language import Expression, compile_expression
from riskstrat.language.analysis import (
    OnlyOutcome,
    contradiction,
    holds_without_data,
    only_outcome,
    redundant,
)
from tests.language.sentences import Part
from tests.language.simple_rules import ALLOWED, TYPES, WORLD, SimpleRules, everybody

SEED = int(os.environ.get("LANGUAGE_SEED", "5"))
WORLDS = (
    ["age", "has_copd", "band"],
    ["age", "visits", "has_copd"],
    ["age", "usual"],
    ["seen_date", "age"],
    ["visits", "usual", "age"],
)


def compiled(*texts: str) -> list[Expression]:
    return [compile_expression(text, TYPES, ALLOWED, as_of=date(2026, 1, 5)) for text in texts]


def texts(rules: tuple[Expression, ...] | None) -> list[str] | None:
    return None if rules is None else [rule.text for rule in rules]


@pytest.mark.parametrize(
    ("text", "known", "anybody"),
    [
        ("TRUE", "true", "true"),
        ("age >= 5 OR age < 5", "true", "differs"),
        ("age > 5 AND age < 5", "false", "differs"),
        ("age > 64 AND age < 65", "false", "differs"),
        ("usual > 64 AND usual < 65", "differs", "differs"),
        ("age IS NULL OR age = age", "true", "true"),
        ("age IN (NULL, NULLIF(age, age))", "unknown", "unknown"),
        ("coalesce(age, 0) >= 0 OR coalesce(age, 0) < 0", "true", "true"),
        ("visits > usual OR visits <= usual", "true", "differs"),
        ("visits > usual AND usual > visits", "false", "differs"),
        ("age > 3000000000", "false", "differs"),
        ("date_diff('day', seen_date, as_of) > 30 AND seen_date >= as_of", "false", "differs"),
        ("CAST(has_copd AS INTEGER) >= 2", "false", "differs"),
        ("age * 2 > 5 OR age * 2 <= 5", "not known", "differs"),
        ("band LIKE 'f%' AND band = 'mild'", "not known", "differs"),
        ("age >= 65", "differs", "differs"),
    ],
)
def test_a_rule_with_one_answer_is_told_from_one_with_several(text: str, known: str, anybody: str) -> None:
    (rule,) = compiled(text)
    assert only_outcome(rule, TYPES, ALLOWED) == OnlyOutcome(known, anybody)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("include", "exclude", "named"),
    [
        (["age >= 65", "age < 60"], [], ["age >= 65", "age < 60"]),
        (["has_copd", "age >= 65", "band = 'fit'", "age < 60"], [], ["age >= 65", "age < 60"]),
        (["band = 'fit'", "band IN ('severe')"], [], ["band = 'fit'", "band IN ('severe')"]),
        (["age >= 65", "has_copd"], ["age > 60"], ["age >= 65", "age > 60"]),
        (
            ["age >= 65 OR has_copd", "age < 60", "NOT has_copd"],
            [],
            ["age >= 65 OR has_copd", "age < 60", "NOT has_copd"],
        ),
        (
            ["visits > usual", "usual > age", "age > visits"],
            [],
            ["visits > usual", "usual > age", "age > visits"],
        ),
        (
            ["seen_date < days_before(3)", "seen_date >= as_of"],
            [],
            ["seen_date < days_before(3)", "seen_date >= as_of"],
        ),
        (["age > 5 AND age < 5"], [], ["age > 5 AND age < 5"]),
        (["age >= 65"], ["TRUE"], ["TRUE"]),
        (
            ["age = 5 OR age IS NULL"],
            ["age = 5", "age IS NULL"],
            ["age = 5 OR age IS NULL", "age = 5", "age IS NULL"],
        ),
        (["age >= 65", "age >= 60"], ["age > 100"], None),
        (["age + visits > 5", "age + visits < 5"], [], None),
        ([], [], None),
    ],
)
def test_the_fewest_rules_that_nobody_can_pass_are_named(
    include: list[str], exclude: list[str], named: list[str] | None
) -> None:
    assert texts(contradiction(compiled(*include), compiled(*exclude), TYPES, ALLOWED)) == named


def test_a_contradiction_is_found_among_too_many_columns_to_try_them_all() -> None:
    wide = " OR ".join(
        f"{name} IN ({', '.join(map(str, range(0, 400, 9)))})" for name in ("age", "visits", "usual")
    )
    rules = compiled(wide, "age < 5", "age >= 65")
    assert texts(contradiction(rules, [], TYPES, ALLOWED)) == ["age < 5", "age >= 65"]
    assert only_outcome(rules[0], TYPES, ALLOWED) == OnlyOutcome("not known", "not known")


def test_rules_that_never_matter_are_named_with_those_that_imply_them() -> None:
    include = compiled("age >= 60", "age >= 65", "has_copd", "band <> 'fit'", "band IN ('mild', 'severe')")
    found = redundant(include, compiled("age < 40"), TYPES, ALLOWED)
    assert {(one.rule.text, *(rule.text for rule in one.because)) for one in found} == {
        ("age >= 60", "age >= 65"),
        ("age < 40", "age >= 65"),
        ("band <> 'fit'", "band IN ('mild', 'severe')"),
    }


def test_of_two_equal_rules_the_later_is_named() -> None:
    found = redundant(compiled("age > 5", "age >= 6"), [], TYPES, ALLOWED)
    assert [(one.rule.text, one.because[0].text) for one in found] == [("age >= 6", "age > 5")]


@pytest.mark.parametrize(
    ("include", "exclude", "holds"),
    [
        (["age IS NULL"], ["has_copd"], True),
        (["age IS NULL", "age > 5"], [], False),
        (["age >= 65"], [], False),
        (["coalesce(age, 70) >= 65"], [], True),
        (["coalesce(age, 70) >= 65"], ["has_copd IS NULL"], False),
        (["TRUE"], [], True),
    ],
)
def test_whether_somebody_without_data_would_match(
    include: list[str], exclude: list[str], holds: bool
) -> None:
    assert holds_without_data(compiled(*include), compiled(*exclude), TYPES) is holds


def random_rules(chance: random.Random) -> tuple[list[str], list[Part]]:
    columns = chance.choice(WORLDS)
    makes = SimpleRules(chance, columns)
    return columns, [makes.rule() for _ in range(chance.choice([1, 2, 3]))]


def is_exact(parts: list[Part]) -> bool:
    return not any(" + " in part.text for part in parts)


def outcome(answers: set[Any]) -> str:
    return "differs" if len(answers) > 1 else {True: "true", False: "false", None: "unknown"}[answers.pop()]


def test_answers_agree_with_everybody_tried_one_by_one() -> None:
    chance = random.Random(SEED)
    contradictions = constant = 0
    for _ in range(150):
        columns, parts = random_rules(chance)
        excluding = [part for part in parts[1:] if chance.random() < 0.4]
        including = [part for part in parts if part not in excluding]
        people = list(everybody(columns))
        include, exclude = (compiled(*(part.text for part in group)) for group in (including, excluding))
        wanted = [(part, part in including) for part in [*including, *excluding]]
        patterns = {tuple((part.of(one) is True) is want for part, want in wanted) for one in people}
        named = contradiction(include, exclude, TYPES, ALLOWED)
        by_rule = dict(zip(map(id, [*include, *exclude]), itertools.count(), strict=False))
        if named is not None:
            contradictions += 1
            places = [by_rule[id(rule)] for rule in named]
            assert not any(all(pattern[place] for place in places) for pattern in patterns)
        elif is_exact(parts):
            assert any(map(all, patterns)), [part.text for part in parts]
        for one in redundant(include, exclude, TYPES, ALLOWED):
            places = [by_rule[id(rule)] for rule in one.because]
            assert all(
                pattern[by_rule[id(one.rule)]]
                for pattern in patterns
                if all(pattern[place] for place in places)
            )
        constant += check_outcome(include[0], including[0], people)
        nobody = dict.fromkeys(WORLD)
        assert holds_without_data(include, exclude, TYPES) is all(
            (part.of(nobody) is True) is want for part, want in wanted
        )
    assert contradictions > 10
    assert constant > 1


def check_outcome(rule: Expression, part: Part, people: list[dict[str, Any]]) -> bool:
    found = only_outcome(rule, TYPES, ALLOWED)
    known = {part.of(one) for one in people if all(one[name] is not None for name in rule.columns)}
    anybody = {part.of(one) for one in people}
    for said, answers in ((found.known, known), (found.anybody, anybody)):
        assert said == outcome(set(answers)) or (said == "not known" and not is_exact([part])), part.text
    return found.known not in ("differs", "not known")
