"""What a cohort file is warned of: its review, its examples, its extracts and its rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskstrat.definitions.cohort_checks import Finding, check_cohort
from tests.cohort_files import AS_OF, EXTRACTS, FEATURES, FULL, SMALLEST, parsed


def findings(folder: Path, text: str, *, strict: bool = False, as_of: date = AS_OF) -> list[Finding]:
    cohort = parsed(folder, text)
    return check_cohort(cohort, FEATURES, EXTRACTS, as_of, file=folder / f"{cohort.name}.yaml", strict=strict)


def said(found: list[Finding]) -> set[tuple[str, str, str]]:
    return {(finding.level, finding.rule, finding.what) for finding in found}


UNSIGNED = ("warning", "review", "nobody has signed it off.")


def test_full_file_waits_for_its_signature_only(tmp_path: Path) -> None:
    assert said(findings(tmp_path, FULL)) == {UNSIGNED}


def test_signed_file_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path, FULL.replace("signed_off_by: null", "signed_off_by: Dr B. Reader")) == []


def test_review_expires_on_its_day(tmp_path: Path) -> None:
    signed = FULL.replace("signed_off_by: null", "signed_off_by: Dr B. Reader")
    assert findings(tmp_path, signed, as_of=date(2027, 3, 31)) == []
    assert said(findings(tmp_path, signed, as_of=date(2027, 4, 1))) == {
        ("warning", "review", "it was to be reviewed by 2027-04-01.")
    }


def test_strict_makes_an_unsigned_or_expired_review_an_error(tmp_path: Path) -> None:
    found = findings(tmp_path, FULL, strict=True, as_of=date(2027, 4, 1))
    assert [finding.level for finding in found] == ["error", "error"]


def test_example_that_comes_out_otherwise_is_an_error(tmp_path: Path) -> None:
    text = FULL.replace("person: {age: 65}, expect: member", "person: {age: 65}, expect: undecided")
    assert said(findings(tmp_path, text)) - {UNSIGNED} == {
        ("error", "example 'just 65'", "comes out as member, and undecided is expected.")
    }


def test_gaps_of_an_example_that_come_out_otherwise_are_an_error(tmp_path: Path) -> None:
    text = FULL.replace("gaps: [flu vaccine]", "gaps: []")
    assert said(findings(tmp_path, text)) - {UNSIGNED} == {
        ("error", "example 'no vaccine'", "has the gaps flu vaccine, and none are expected.")
    }


def test_file_without_examples_is_warned_of(tmp_path: Path) -> None:
    text = SMALLEST + "requires: {extracts: [gp_patients]}\n"
    assert said(findings(tmp_path, text)) - {UNSIGNED} == {("warning", "examples", "there are none.")}


def test_extract_behind_a_rule_is_to_be_required(tmp_path: Path) -> None:
    text = FULL.replace("extracts: [gp_patients, gp_events]", "extracts: [gp_patients]")
    text = text.replace("person: {age: 65}", "person: {age: 65, is_end_of_life: false}").replace(
        "{age: 70,", "{age: 70, is_end_of_life: false,"
    )
    found = [finding for finding in findings(tmp_path, text) if finding.rule == "requires"]
    assert [(finding.level, finding.what) for finding in found] == [
        ("warning", "is_end_of_life cannot be known without the extract gp_events.")
    ]
    assert "gp_events" in found[0].remedy


def test_extract_that_a_member_of_the_examples_does_without_need_not_be_required(tmp_path: Path) -> None:
    text = SMALLEST.replace("[age >= 65]", "[age >= 65 OR agencies_90d >= 2]") + (
        "requires: {extracts: [gp_patients]}\nexamples: [{name: old, person: {age: 65}, expect: member}]\n"
    )
    assert said(findings(tmp_path, text)) == {UNSIGNED}


def test_extract_whose_absence_would_look_like_never_is_to_be_required(tmp_path: Path) -> None:
    text = SMALLEST.replace("[age >= 65]", "[age >= 65, five_questions_last_asked_date IS NULL]") + (
        "requires: {extracts: [gp_patients]}\nexamples: [{name: old, person: {age: 65}, expect: member}]\n"
    )
    assert said(findings(tmp_path, text)) - {UNSIGNED} == {
        (
            "warning",
            "requires",
            "five_questions_last_asked_date cannot be known without the extract assessments.",
        )
    }


EXAMPLE = "examples: [{name: old, person: {age: 65}, expect: member}]\n"
REQUIRED = f"requires: {{extracts: [{', '.join(EXTRACTS)}]}}\n{EXAMPLE}"


def about_rules(folder: Path, include: str, more: str = "") -> set[tuple[str, str, str]]:
    """What is said of the rules of a file; its examples may come out as they like."""
    found = findings(folder, SMALLEST.replace("[age >= 65]", include) + REQUIRED + more)
    return {entry for entry in said(found) - {UNSIGNED} if not entry[1].startswith("example")}


@pytest.mark.parametrize(
    ("include", "more", "rule", "what"),
    [
        ("[age >= 65, age < 60]", "", "age >= 65 / age < 60", "nobody can pass these together."),
        ("[age > 70 AND age < 60]", "", "age > 70 AND age < 60", "can be true for nobody."),
        ("[age >= 65]", "exclude: [age > 60]\n", "age >= 65 / age > 60", "nobody can pass these together."),
        ("[age >= 65]", "exclude: [has_copd OR TRUE]\n", "has_copd OR TRUE", "leaves everybody out."),
        (
            "\n  - frailty_category = 'severe'\n  - frailty_category IN ('fit', 'mild')\n  - age > 1",
            "",
            "frailty_category = 'severe' / frailty_category IN ('fit', 'mild')",
            "nobody can pass these together.",
        ),
    ],
)
def test_rules_that_leave_nobody_are_an_error(
    tmp_path: Path, include: str, more: str, rule: str, what: str
) -> None:
    assert ("error", rule, what) in about_rules(tmp_path, include, more)


@pytest.mark.parametrize(
    ("include", "more", "rule", "what"),
    [
        ("[age >= 65, age IS NULL OR TRUE]", "", "age IS NULL OR TRUE", "is true for everybody."),
        (
            "[age >= 65, has_copd OR NOT has_copd]",
            "",
            "has_copd OR NOT has_copd",
            "is true for everybody whose features are known.",
        ),
        (
            "[age >= 65]",
            "exclude: [has_copd AND NOT has_copd]\n",
            "has_copd AND NOT has_copd",
            "leaves nobody out.",
        ),
        ("[age >= 65, age >= 60]", "", "age >= 60", "changes nothing beside age >= 65."),
        ("[age >= 65]", "exclude: [age < 40]\n", "age < 40", "changes nothing beside age >= 65."),
        (
            "[medication_review_last_date IS NULL]",
            "",
            "include",
            "somebody of whom nothing is known would be a member.",
        ),
        ("[age >= 65]", "gaps: {young: age < 40}\n", "age < 40", "no member can have the gap 'young'."),
        ("[age >= 65]", "gaps: {old: age > 40}\n", "age > 40", "every member has the gap 'old'."),
    ],
)
def test_rules_that_are_odd_are_warned_of(
    tmp_path: Path, include: str, more: str, rule: str, what: str
) -> None:
    assert ("warning", rule, what) in about_rules(tmp_path, include, more)


@pytest.mark.parametrize(
    ("include", "more"),
    [
        ("[age >= 65]", ""),
        ("[age >= 65, last_discharge_date IS NOT NULL]", ""),
        ("[age >= 65, medication_review_last_date IS NULL]", ""),
        ("[age >= 65, unplanned_admissions_12m >= 2]", "exclude: [is_end_of_life]\n"),
        ("[age >= 65]", "gaps: {very old: age >= 90}\n"),
        ("[unscheduled_contacts_90d >= 2 * unscheduled_contacts_usual_90d]", ""),
    ],
)
def test_nothing_is_said_of_sound_rules(tmp_path: Path, include: str, more: str) -> None:
    assert about_rules(tmp_path, include, more) == set()


def test_wrong_names_are_all_found_and_nothing_else_is_judged(tmp_path: Path) -> None:
    text = FULL.replace("[age DESC]", "[agee DESC]").replace("[imd_decile]", "[imd_decil]")
    found = findings(tmp_path, text)
    assert [(finding.level, finding.rule) for finding in found] == [
        ("error", "rank_by"),
        ("error", "columns"),
    ]


def test_rule_that_does_not_compile_is_the_only_finding(tmp_path: Path) -> None:
    found = findings(tmp_path, FULL.replace("age >= 65", "frailty_category = 'sever'"))
    assert [(finding.level, finding.rule) for finding in found] == [("error", "frailty_category = 'sever'")]
    assert "'severe'" in found[0].remedy
