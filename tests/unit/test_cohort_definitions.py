"""Cohort files: what parses, and which mistake is refused with which words."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
import yaml

from riskstrat.definitions.cohort_examples import Example, day_of
from riskstrat.definitions.cohort_rules import check_names, compile_cohort, rank_sql, wrong_names
from riskstrat.definitions.cohort_trials import try_examples
from riskstrat.definitions.cohorts import (
    Gap,
    RankItem,
    Reason,
    Requires,
    Review,
    TopN,
    load_cohort,
    load_cohorts,
)
from riskstrat.errors import DefinitionError
from tests.cohort_files import AS_OF, EXTRACTS, FEATURES, FULL, ROOT, SMALLEST, parsed


def test_smallest_file_takes_manual_additions_and_requires_nothing(tmp_path: Path) -> None:
    cohort = parsed(tmp_path, SMALLEST)
    assert cohort.manual_additions is True
    assert (cohort.exclude, cohort.reasons, cohort.gaps, cohort.columns, cohort.examples) == (
        (),
        (),
        (),
        (),
        (),
    )
    assert (cohort.capacity, cohort.cadence, cohort.top_n, cohort.requires) == (None, None, None, Requires())
    assert cohort.review == Review("A. Writer", None, date(2027, 4, 1))


def test_a_reason_may_say_when_it_is_said_and_with_how_many_decimals(tmp_path: Path) -> None:
    said_when = '[{text: "eFI {efi:2}", when: age >= 80}, "aged {age}"]'
    cohort = parsed(tmp_path, FULL.replace('["aged {age}"]', said_when))
    assert cohort.reasons == (Reason("eFI {efi:2}", "age >= 80"), Reason("aged {age}"))
    check_names(cohort, FEATURES, EXTRACTS, tmp_path)
    for wrong, message in (("{sex:1}", "no decimals"), ("{lives_alone:1}", "no decimals")):
        changed = parsed(tmp_path, FULL.replace("aged {age}", wrong))
        with pytest.raises(DefinitionError, match=message):
            check_names(changed, FEATURES, EXTRACTS, tmp_path)


def test_condition_of_a_reason_is_checked_as_rules_are(tmp_path: Path) -> None:
    cohort = parsed(tmp_path, FULL.replace('["aged {age}"]', "[{text: old, when: agee >= 80}]"))
    with pytest.raises(DefinitionError, match="agee"):
        compile_cohort(cohort, FEATURES.values(), AS_OF, tmp_path)


def test_a_column_may_be_ranked_with_the_unknown_first(tmp_path: Path) -> None:
    text = SMALLEST.replace("[age DESC]", "[age DESC NULLS LAST, imd_decile NULLS FIRST]")
    assert parsed(tmp_path, text).rank_by == (
        RankItem("age", descending=True),
        RankItem("imd_decile", descending=False, unknown_first=True),
    )


def test_every_key_of_a_full_file_is_read(tmp_path: Path) -> None:
    cohort = parsed(tmp_path, FULL)
    assert cohort.name == "old_people"
    assert cohort.include == ("age >= 65",)
    assert cohort.exclude == ("is_end_of_life",)
    assert cohort.rank_by == (RankItem("age", descending=True),)
    assert cohort.gaps == (Gap("flu vaccine", "NOT flu_vaccine_this_season"),)
    assert (cohort.capacity, cohort.cadence, cohort.manual_additions) == (25, "weekly", False)
    assert cohort.top_n == TopN(30, "neighbourhood_code")
    assert cohort.requires == Requires(("gp_patients", "gp_events"), ("risk_stratification",))
    assert cohort.columns == ("imd_decile",)
    assert cohort.examples == (
        Example("just 65", {"age": 65}, "member"),
        Example("no vaccine", {"age": 70, "flu_vaccine_this_season": False}, "member", ("flu vaccine",)),
    )
    assert cohort.sha256 == hashlib.sha256((tmp_path / "old_people.yaml").read_bytes()).hexdigest()


def test_cohorts_are_loaded_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        parsed(tmp_path, SMALLEST, name)
    assert list(load_cohorts(tmp_path)) == ["a", "b", "c"]


def test_long_text_is_one_line(tmp_path: Path) -> None:
    cohort = parsed(tmp_path, SMALLEST.replace("why: They are old.", "why: >\n  They\n  are old.\n"))
    assert cohort.why == "They are old."


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("as_of", date(2026, 4, 1)),
        ("as_of - 1", date(2026, 3, 31)),
        ("months_before(12)", date(2025, 4, 1)),
        ("months_before(12) - 1", date(2025, 3, 31)),
        ("days_before(90)+2", date(2026, 1, 3)),
        ("days_before(9999)", date(1998, 11, 15)),
        ("calendar_year_start(1)", date(2025, 1, 1)),
        (date(2020, 2, 29), date(2020, 2, 29)),
    ],
)
def test_days_of_examples_are_counted_from_as_of(text: str | date, day: date) -> None:
    assert day_of(text, AS_OF) == day


def test_ranking_is_total_and_puts_unknown_last() -> None:
    items = [RankItem("risk_score", descending=True), RankItem("is_known_to_team", descending=False)]
    assert rank_sql(items) == (
        '"risk_score" DESC NULLS LAST, "is_known_to_team" ASC NULLS LAST, "person_id" ASC NULLS LAST'
    )
    assert rank_sql([RankItem("person_id", descending=True)]) == '"person_id" DESC NULLS LAST'
    first = RankItem("care_plan_last_reviewed_date", descending=False, unknown_first=True)
    assert rank_sql([first]).startswith('"care_plan_last_reviewed_date" ASC NULLS FIRST, ')


# --- which mistakes are refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("title: Old people", "titel: Old people", "titel", "did you mean 'title'?"),
        ("title: Old people\n", "", "title", "the key 'title' is missing"),
        ("title: Old people", "title: 65", "title", "must be text"),
        ("title: Old people", "title: ''", "title", "must be text that is not empty"),
        ("why: They are old.", "why: true", "why", "must be text"),
        ("why: They are old.", "why: [They, are]", "why", "must be text"),
        (
            "source: A paper, 2020",
            "source: 2020-01-01",
            "source",
            "in quotes if it looks like a number, a date",
        ),
        ("include: [age >= 65]", "include: age >= 65", "include", "must be a list of texts"),
        ("include: [age >= 65]", "include: []", "include", "names no rule"),
        ("include: [age >= 65]", "include: [true]", "include", "must be a list of texts"),
        ("include: [age >= 65]", "include: ['  ']", "include", "must be a list of texts"),
        ("exclude: [is_end_of_life]", "exclude: [{a: b}]", "exclude", "must be a list of texts"),
        ("rank_by: [age DESC]", "rank_by: []", "rank_by", "names no column"),
        ("rank_by: [age DESC]", "rank_by: [age desc]", "rank_by", "is not a column with ASC or DESC"),
        (
            "rank_by: [age DESC]",
            "rank_by: ['age; DROP TABLE x']",
            "rank_by",
            "is not a column with ASC or DESC",
        ),
        ("rank_by: [age DESC]", "rank_by: [age DESC, age ASC]", "rank_by", "names age twice"),
        ("rank_by: [age DESC]", "rank_by: [age NULLS MIDDLE]", "rank_by", "is not a column with ASC or DESC"),
        ("aged {age}", "aged {Age}", "reasons", "is no placeholder"),
        ("aged {age}", "aged {age:12}", "reasons", "is no placeholder"),
        ('["aged {age}"]', "[{text: old}]", "when", "is missing in reasons"),
        ('["aged {age}"]', "[{text: old, when: ''}]", "reasons", "must be text"),
        ('["aged {age}"]', "[{text: '{', when: age > 1}]", "reasons", "is no placeholder"),
        ('["aged {age}"]', "{text: old, when: age > 1}", "reasons", "must be a list"),
        ("aged {age}", "aged {age", "reasons", "is no placeholder"),
        (
            "gaps: {flu vaccine: NOT flu_vaccine_this_season}",
            "gaps: [flu]",
            "gaps",
            "a name and a condition each",
        ),
        (
            "flu vaccine: NOT flu_vaccine_this_season",
            "flu vaccine: true",
            "gaps",
            "a name and a condition each",
        ),
        ("flu vaccine: NOT", "flu; vaccine: NOT", "gaps", "without ';'"),
        ("capacity: 25", "capacity: true", "capacity", "whole number of 1 or more"),
        ("capacity: 25", "capacity: 0", "capacity", "whole number of 1 or more"),
        ("capacity: 25", "capacity: 2.5", "capacity", "whole number of 1 or more"),
        ("capacity: 25", "capacity: '25'", "capacity", "whole number of 1 or more"),
        ("cadence: weekly", "cadence: wekly", "cadence", "write one of daily, weekly"),
        ("cadence: weekly", "cadence: 7", "cadence", "write one of daily, weekly"),
        ("people: 30,", "peopl: 30,", "peopl", "did you mean 'people'?"),
        ("people: 30,", "people: true,", "top_n", "whole number of 1 or more"),
        ("people: 30,", "people: null,", "top_n", "is empty"),
        ("per: neighbourhood_code", "per: lsoa_code", "top_n", "practice_code, pcn_code, neighbourhood_code"),
        ("top_n: {people: 30, per: neighbourhood_code}", "top_n: 30", "top_n", "must hold keys and values"),
        ("requires: {extracts: [", "requires: {extract: [", "extract", "did you mean 'extracts'?"),
        ("extracts: [gp_patients, gp_events]", "extracts: gp_events", "requires", "must be a list of texts"),
        ("extracts: [gp_patients, gp_events]", "extracts: [gp_events, gp_events]", "requires", "twice"),
        ("legal_basis: [risk_stratification]", "legal_basis: [1]", "requires", "must be a list of texts"),
        ("manual_additions: false", "manual_additions: 0", "manual_additions", "must be true or false"),
        ("manual_additions: false", "manual_additions: 'no'", "manual_additions", "must be true or false"),
        ("columns: [imd_decile]", "columns: imd_decile", "columns", "must be a list of texts"),
        ("columns: [imd_decile]", "columns: [age, age]", "columns", "names 'age' twice"),
        ("author: A. Writer", "author: null", "review", "must be text"),
        ("signed_off_by: null", "signed_off_by: false", "review", "must be text"),
        ("signed_off_by: null, ", "", "signed_off_by", "is missing in review"),
        (
            "next_review: 2027-04-01",
            "next_review: '2027-04-01'",
            "review",
            "write it as YYYY-MM-DD, unquoted",
        ),
        ("next_review: 2027-04-01", "next_review: 2027-04-01 10:00:00", "review", "is no date"),
        ("next_review: 2027-04-01", "next_review: 2027", "review", "is no date"),
        (
            "- {name: just 65, person: {age: 65}, expect: member}",
            "- just 65",
            "examples",
            "hold keys and values",
        ),
        ("expect: member}", "expect: out}", "examples", "member, left_out, undecided"),
        ("expect: member}", "expects: member}", "expects", "did you mean 'expect'?"),
        ("person: {age: 65}", "person: 65", "examples", "must hold features and values"),
        ("name: just 65", "name: no vaccine", "examples", "two examples are called 'no vaccine'"),
        ("gaps: [flu vaccine]", "gaps: flu vaccine", "examples", "must be a list of texts"),
    ],
)
def test_mistake_is_refused_with_its_key_and_a_remedy(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    assert old in FULL
    with pytest.raises(DefinitionError) as caught:
        parsed(tmp_path, FULL.replace(old, new, 1))
    assert caught.value.exit_code == 3
    assert caught.value.column == key
    assert caught.value.file == str(tmp_path / "old_people.yaml")
    assert words in str(caught.value)
    assert caught.value.remedy


def test_name_of_the_file_is_the_name_of_the_cohort(tmp_path: Path) -> None:
    for name in ("Old", "old people", "old-people", "x" * 61):
        with pytest.raises(DefinitionError, match="lower case letters"):
            parsed(tmp_path, SMALLEST, name)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "rank_by: [age DESC]",
            "rank_by: [agee DESC]",
            "'agee' is not a feature. Remedy: did you mean 'age'?",
        ),
        ("columns: [imd_decile]", "columns: [imd_decil]", "did you mean 'imd_decile'?"),
        ("columns: [imd_decile]", "columns: [risk_score]", "is not a feature"),
        ("aged {age}", "aged {agee}", "did you mean 'age'?"),
        ("extracts: [gp_patients, gp_events]", "extracts: [gp_event]", "did you mean 'gp_events'?"),
        ("person: {age: 65}", "person: {agee: 65}", "did you mean 'age'?"),
        ("gaps: [flu vaccine]", "gaps: [flu]", "'flu' is not a gap of this cohort"),
        ("person: {age: 65}", "person: {age: '65'}", "is not a whole number"),
        ("person: {age: 65}", "person: {age: true}", "is not a whole number"),
        ("person: {age: 65}", "person: {age: 65.5}", "is not a whole number"),
        ("person: {age: 65}", "person: {age: 3000000000}", "is not a whole number"),
        ("person: {age: 65}", "person: {last_discharge_date: calendar_year_start(2026)}", "is not a date"),
        ("person: {age: 65}", "person: {efi: true}", "is not a number"),
        ("person: {age: 65}", "person: {has_copd: 1}", "is not true or false"),
        (
            "person: {age: 65}",
            "person: {frailty_category: sever}",
            "is not one of fit, mild, moderate, severe",
        ),
        ("person: {age: 65}", "person: {sex: 1}", "in quotes"),
        ("person: {age: 65}", "person: {case_manager: 7}", "is not text"),
        ("person: {age: 65}", "person: {last_discharge_date: yesterday}", "months_before(12) - 1"),
        ("person: {age: 65}", "person: {last_discharge_date: 2026}", "is not a date"),
    ],
)
def test_name_or_value_that_fits_no_feature_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in FULL
    cohort = parsed(tmp_path, FULL.replace(old, new, 1))
    with pytest.raises(DefinitionError) as caught:
        check_names(cohort, FEATURES, EXTRACTS, tmp_path / "old_people.yaml")
    assert words in str(caught.value)


def test_every_wrong_name_is_found_and_not_only_the_first(tmp_path: Path) -> None:
    text = (
        FULL.replace("[age DESC]", "[agee DESC]")
        .replace("{age}", "{agee}")
        .replace("gp_events]", "gp_event]")
    )
    problems = list(wrong_names(parsed(tmp_path, text), FEATURES, EXTRACTS, tmp_path / "old_people.yaml"))
    assert [problem.column for problem in problems] == ["rank_by", "reasons", "requires"]


# --- rules and examples ----------------------------------------------------------------------------------------------


def test_exclusion_that_does_not_know_leaves_nobody_undecided(tmp_path: Path) -> None:
    cohort = parsed(tmp_path, SMALLEST + "exclude: [is_end_of_life, is_inpatient]\n")
    rules = compile_cohort(cohort, FEATURES.values(), AS_OF, tmp_path / "old_people.yaml")
    people = {
        "known": ({"age": 65, "is_end_of_life": False, "is_inpatient": False}, "member"),
        "exclusion unknown": ({"age": 65}, "member"),
        "excluded": ({"age": 65, "is_inpatient": True}, "left_out"),
        "age unknown": ({"is_end_of_life": False}, "undecided"),
        "age unknown and excluded": ({"is_end_of_life": True}, "left_out"),
        "too young": ({"age": 64}, "left_out"),
    }
    examples = [Example(name, person, expect) for name, (person, expect) in people.items()]
    trials = try_examples(examples, rules, FEATURES, AS_OF)
    assert {trial.example.name: trial.outcome for trial in trials} == {
        name: expect for name, (_, expect) in people.items()
    }


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config" / "cohorts").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_file_says_no_key_that_the_schema_has_not(path: Path) -> None:
    cohort = load_cohort(path)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert len(cohort.include) == len(document["include"])
    assert len(cohort.examples) == len(document["examples"])
