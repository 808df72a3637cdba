"""The examples inside the shipped files notice every change of a rule: dropped, moved by one, widened, turned round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from riskstrat.definitions.cohort_checks import check_cohorts
from riskstrat.definitions.cohort_rules import Rules, compile_cohort
from riskstrat.definitions.cohort_trials import try_examples
from riskstrat.definitions.cohorts import Cohort, Gap
from riskstrat.errors import DefinitionError
from tests.factories import AS_OF
from tests.spec.cohorts.computing import shipped

COHORTS = sorted(shipped().cohorts)
FEATURES = {column.name: column for column in shipped().contracts["features"].columns}
OUTCOMES = {"member", "left_out", "undecided"}
WHOLE_NUMBER = re.compile(r"(?<![\w.'])\d+(?![\w.'])")
QUOTED = re.compile(r"'([a-z]+)'")
JOINED = re.compile(r"\b(AND|OR)\b")
COMPARED = re.compile(r">=|<=|>|<")
LOOSER = {">=": ">", "<=": "<", ">": ">=", "<": "<="}


def compiled(cohort: Cohort) -> Rules:
    return compile_cohort(cohort, FEATURES.values(), AS_OF, Path(f"{cohort.name}.yaml"))


def notices(cohort: Cohort, changed: Cohort) -> bool:
    trials = try_examples(cohort.examples, compiled(changed), FEATURES, AS_OF)
    return not all(trial.is_as_expected for trial in trials)


def changed_texts(text: str) -> Iterator[str]:
    """The condition with one thing in it changed: a number by one, a word, an AND, the edge of a comparison."""
    for match in WHOLE_NUMBER.finditer(text):
        for number in {int(match[0]) - 1, int(match[0]) + 1} - {-1}:
            yield f"{text[: match.start()]}{number}{text[match.end() :]}"
    for match in QUOTED.finditer(text):
        yield f"{text[: match.start()]}'fit'{text[match.end() :]}"
    for match in JOINED.finditer(text):
        yield f"{text[: match.start()]}{'OR' if match[0] == 'AND' else 'AND'}{text[match.end() :]}"
    for match in COMPARED.finditer(text):
        yield f"{text[: match.start()]}{LOOSER[match[0]]}{text[match.end() :]}"
    yield text.removeprefix("NOT ") if text.startswith("NOT ") else f"NOT ({text})"


def without_each_rule(cohort: Cohort) -> Iterator[tuple[str, Cohort]]:
    for place, rule in enumerate(cohort.include):
        left = (*cohort.include[:place], *cohort.include[place + 1 :])
        yield rule, replace(cohort, include=left or ("TRUE",))
    for place, rule in enumerate(cohort.exclude):
        yield rule, replace(cohort, exclude=(*cohort.exclude[:place], *cohort.exclude[place + 1 :]))


def with_each_change(cohort: Cohort) -> Iterator[tuple[str, Cohort]]:
    for key in ("include", "exclude"):
        rules: tuple[str, ...] = getattr(cohort, key)
        for place, rule in enumerate(rules):
            for text in changed_texts(rule):
                yield text, replace(cohort, **{key: (*rules[:place], text, *rules[place + 1 :])})
    for place, gap in enumerate(cohort.gaps):
        for text in changed_texts(gap.condition):
            changed = (*cohort.gaps[:place], Gap(gap.name, text), *cohort.gaps[place + 1 :])
            yield f"{gap.name}: {text}", replace(cohort, gaps=changed)


@pytest.mark.parametrize("name", COHORTS)
def test_dropping_any_rule_changes_what_some_example_says(name: str) -> None:
    cohort = shipped().cohorts[name]
    assert [rule for rule, changed in without_each_rule(cohort) if not notices(cohort, changed)] == []


@pytest.mark.parametrize("name", COHORTS)
def test_changing_anything_in_a_rule_or_gap_changes_what_some_example_says(name: str) -> None:
    cohort = shipped().cohorts[name]
    tried = list(with_each_change(cohort))
    assert len(tried) >= len(cohort.include) + len(cohort.exclude) + len(cohort.gaps)
    assert [text for text, changed in tried if not notices(cohort, changed)] == []


@pytest.mark.parametrize("name", COHORTS)
def test_examples_show_a_member_somebody_left_out_and_somebody_undecided(name: str) -> None:
    cohort = shipped().cohorts[name]
    assert not notices(cohort, cohort)
    assert {example.expect for example in cohort.examples} == OUTCOMES


@pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2025, 3, 31), date(2028, 1, 1)], ids=str)
def test_examples_come_out_the_same_on_whichever_day_they_are_tried(as_of: date) -> None:
    found = check_cohorts(shipped(), as_of=as_of)
    assert [finding for finding in found if finding.rule != "review"] == []


def test_every_shipped_cohort_validates_and_waits_for_nothing_but_a_signature() -> None:
    findings = check_cohorts(shipped(), as_of=AS_OF)
    assert {finding.what for finding in findings} == {"nobody has signed it off."}
    assert [finding.cohort for finding in findings] == COHORTS
    assert {finding.level for finding in findings} == {"warning"}


def test_every_shipped_cohort_cites_its_row_and_says_why_in_english() -> None:
    for cohort in shipped().cohorts.values():
        assert re.search(r"\(seed rows? \d+", cohort.source), cohort.name
        assert len(cohort.why) > 80, cohort.name
        assert cohort.reasons, cohort.name
        assert cohort.cadence, cohort.name


def test_over_an_age_means_at_that_age_and_the_file_says_so() -> None:
    said = set()
    for cohort in shipped().cohorts.values():
        for age in re.findall(r'"Over (\d+)" means', cohort.why):
            said.add(age)
            assert any(f"age >= {age}" in rule for rule in cohort.include), cohort.name
        assert not any(re.search(r"\bage > ", rule) for rule in (*cohort.include, *cohort.exclude)), (
            cohort.name
        )
    assert said == {"65", "75", "80"}


def test_library_holds_the_cohorts_that_the_founding_documents_name() -> None:
    named = {
        *("luton_core", "luton_frailty", "five_or_more_unplanned", "dementia_severe_frail_alone_80"),
        *("copd_frailty_winter", "care_home_residents", "care_home_no_plan", "medication_review_due"),
        *("needs_five_questions", "high_flow_top_30", "frequent_presenters", "homecare_review_overdue"),
        *("escalating_need", "newly_referred_homecare", "two_or_more_agencies_escalating", "rising_frailty"),
        *("housebound", "demonstrator_profile", "complex_adults_working_age", "nnhip_2026"),
    }
    assert named <= set(COHORTS)


def test_a_wrong_change_is_a_definition_error_and_no_silent_cohort() -> None:
    cohort = shipped().cohorts["luton_core"]
    with pytest.raises(DefinitionError, match="sever"):
        compiled(replace(cohort, include=("frailty_category = 'sever'",)))
