"""What holds for every cohort: additions by hand, the first N of an area, absent extracts, and what is published."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date

import pytest

from riskstrat.definitions.cohorts import Gap, RankItem, Reason, Requires, TopN
from riskstrat.definitions.everything import Definitions
from tests.spec.cohorts.computing import rule, select, shipped, shown
from tests.spec.tables import Cells, parse_table

test_additions_are_members_whatever_the_rules_and_their_ignorance_say = rule(
    "luton_core",
    """
    person      | age | frailty_category | unplanned_admissions_12m | added      | expect    | reasons
    found_too   | 65  | moderate         | 2                        | 2026-01-01 | member    | added by a professional; unplanned admissions in 12 months: 2; aged 65
    refused     | 30  | fit              | 0                        | 2026-01-01 | member    | added by a professional; unplanned admissions in 12 months: 0; aged 30
    unsaid      | 80  | unknown          | unknown                  | 2026-01-01 | member    | added by a professional; aged 80
    found       | 65  | moderate         | 2                        | -          | member    | unplanned admissions in 12 months: 2; aged 65
    """,  # noqa: E501 - a table is read a row a line
)

test_addition_counts_from_the_day_before_as_of = rule(
    "luton_core",
    """
    person    | age | added      | expect
    yesterday | 30  | 2026-03-31 | member
    today     | 30  | 2026-04-01 | left_out
    """,
)

test_sentences_that_repeat_the_rules_are_said_of_nobody_whom_no_rule_found = rule(
    "care_home_no_plan",
    """
    person | is_care_home_resident | has_care_plan | added      | expect | reasons
    found  | true                  | false         | -          | member | lives in a care home, no care or escalation plan
    added  | false                 | true          | 2026-01-01 | member | added by a professional
    """,  # noqa: E501 - a table is read a row a line
)


def with_top(people: int, per: str = "neighbourhood_code") -> Definitions:
    cohort = replace(
        shipped().cohorts["demonstrator_profile"], top_n=TopN(people, per), manual_additions=True
    )
    return replace(shipped(), cohorts={"demonstrator_profile": cohort})


def assert_selected(definitions: Definitions, table: str) -> None:
    people: list[Cells] = parse_table(table)
    selected = select(definitions, "demonstrator_profile", people)
    for cells in people:
        found = shown(selected, cells)
        assert found == cells, f"{found} is not {cells}"


def test_first_n_of_each_area_are_taken_and_ties_go_by_person_id() -> None:
    assert_selected(
        with_top(2),
        """
        person | age | neighbourhood_code | expect   | rank
        dan    | 70  | NB01               | left_out | -
        cat    | 70  | NB01               | left_out | -
        bob    | 70  | NB01               | member   | 3
        ann    | 90  | NB01               | member   | 1
        eve    | 65  | NB02               | member   | 4
        fay    | 80  | NB03               | member   | 2
        """,
    )


def test_area_of_the_first_n_is_the_one_that_the_cohort_names() -> None:
    assert_selected(
        with_top(1, "pcn_code"),
        """
        person | age | neighbourhood_code | pcn_code | expect
        ann    | 90  | NB01               | U1       | member
        bob    | 80  | NB02               | U1       | left_out
        cat    | 70  | NB02               | U2       | member
        """,
    )


def test_additions_are_never_dropped_by_the_first_n_and_take_nobodys_place() -> None:
    assert_selected(
        with_top(1),
        """
        person  | age     | added      | expect   | rank
        first   | 80      | -          | member   | 1
        second  | 79      | -          | left_out | -
        added   | 66      | 2026-01-01 | member   | 2
        refused | 20      | 2026-01-01 | member   | 3
        unsaid  | unknown | 2026-01-01 | member   | 4
        """,
    )


def test_addition_that_the_rules_rank_first_has_its_place_by_the_rules() -> None:
    assert_selected(
        with_top(1),
        """
        person | age | added      | expect   | rank
        oldest | 95  | 2026-01-01 | member   | 1
        second | 80  | -          | left_out | -
        """,
    )


PEOPLE = parse_table(
    """
    person | age | frailty_category | unplanned_admissions_12m | added
    inside | 65  | moderate         | 2                        | -
    added  | 20  | fit              | 0                        | 2026-01-01
    child  | 3   | fit              | 0                        | -
    """
)


def test_without_an_extract_that_it_requires_nobody_is_decided() -> None:
    selected = select(shipped(), "luton_core", PEOPLE, absent=("gp_medications",))
    assert list(selected.members) == ["added"]
    assert selected.manifest["cohorts"] == {"luton_core": 1}
    assert selected.manifest["cohorts_undecided"] == {"luton_core": 3}
    why = "the extract gp_medications was not delivered"
    assert selected.document["undecidable"] == why
    assert selected.manifest["cohorts_undecidable"] == {"luton_core": why}
    assert any("luton_core" in warning and why in warning for warning in selected.manifest["warnings"])


def test_extract_that_is_not_required_may_be_absent() -> None:
    selected = select(shipped(), "luton_core", PEOPLE, absent=("care_plans",))
    assert set(selected.members) == {"inside", "added"}
    assert selected.document["undecidable"] is None
    assert selected.manifest["cohorts_undecidable"] == {}


def test_members_carry_score_and_mark_of_the_addition() -> None:
    members = select(shipped(), "luton_core", PEOPLE).members
    assert {name: row["is_manual_addition"] for name, row in members.items()} == {
        "inside": False,
        "added": True,
    }
    assert list(members["inside"]) == ["person_id", "rank", "score", "reasons", "gaps", "is_manual_addition"]


def test_definition_is_published_with_the_sql_of_its_day() -> None:
    document = select(shipped(), "newly_referred_homecare", PEOPLE).document
    cohort = shipped().cohorts["newly_referred_homecare"]
    path = shipped().root / "config" / "cohorts" / "newly_referred_homecare.yaml"
    assert document["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [rule["text"] for rule in document["include"]] == list(cohort.include)
    assert document["include"][1]["columns"] == ["homecare_started_date"]
    assert "2026-01-01" in document["include"][1]["sql"]
    assert "days_before" not in json.dumps(document["include"][1]["sql"])
    assert document["rank_by"] == ["homecare_started_date DESC", "risk_score DESC"]
    assert document["rank_sql"] == (
        '"homecare_started_date" DESC NULLS LAST, "risk_score" DESC NULLS LAST, "person_id" ASC NULLS LAST'
    )
    assert document["requires"] == {
        "extracts": ["social_care_services"],
        "legal_basis": ["risk_stratification", "multi_agency_sharing"],
    }
    assert document["review"]["next_review"] == cohort.review.next_review.isoformat()
    assert document["top_n"] is None
    assert document["manual_additions"] is True


def test_published_definition_names_gaps_and_the_first_n() -> None:
    document = select(shipped(), "complex_cases_top_25", PEOPLE, absent=("community_caseload",)).document
    assert document["top_n"] == {"people": 25, "per": "neighbourhood_code"}
    assert [(gap["name"], gap["text"], gap["undecidable"]) for gap in document["gaps"]] == [
        ("no care plan", "NOT has_care_plan", None),
        (
            "no case manager",
            "case_manager IS NULL",
            "the extract community_caseload was not delivered",
        ),
    ]


def test_day_words_move_with_the_run() -> None:
    people = parse_table(
        """
        person | is_known_to_team | has_care_plan | care_plan_created_date
        ann    | true             | true          | 2025-04-01
        """
    )
    outcomes = {
        as_of: select(shipped(), "care_plan_review_overdue", people, as_of=as_of).outcome("ann")
        for as_of in (date(2026, 4, 1), date(2026, 4, 2))
    }
    assert outcomes == {date(2026, 4, 1): "left_out", date(2026, 4, 2): "member"}


def test_conditions_of_reasons_are_published_in_the_order_of_the_reasons() -> None:
    document = select(shipped(), "care_plan_review_overdue", PEOPLE).document
    assert document["rank_by"][0] == "care_plan_last_reviewed_date ASC NULLS FIRST"
    assert document["rank_sql"].startswith('"care_plan_last_reviewed_date" ASC NULLS FIRST, ')
    assert document["reasons"][0] == "care plan of {care_plan_created_date}, never reviewed"
    assert [when and (when["text"], when["columns"]) for when in document["reasons_when"]] == [
        ("care_plan_last_reviewed_date IS NULL", ["care_plan_last_reviewed_date"]),
        None,
        None,
        ("frailty_category <> 'fit'", ["frailty_category"]),
    ]


def test_unknown_comes_last_whichever_way_a_column_is_ranked_unless_it_is_to_come_first() -> None:
    cohort = shipped().cohorts["demonstrator_profile"]
    people = parse_table(
        """
        person | age | imd_decile
        ann    | 70  | unknown
        bob    | 70  | 3
        cat    | 70  | 8
        """
    )
    for descending, order in ((False, ["bob", "cat", "ann"]), (True, ["cat", "bob", "ann"])):
        for unknown_first in (False, True):
            ranked = replace(cohort, rank_by=(RankItem("imd_decile", descending, unknown_first),))
            definitions = replace(shipped(), cohorts={cohort.name: ranked})
            members = select(definitions, cohort.name, people).members
            expected = [order[-1], *order[:-1]] if unknown_first else order
            assert sorted(members, key=lambda name: members[name]["rank"]) == expected


@pytest.mark.parametrize("quote", ["'", '"', "=cmd", "100%"])
def test_texts_of_a_definition_are_never_taken_for_sql(quote: str) -> None:
    cohort = replace(
        shipped().cohorts["demonstrator_profile"],
        reasons=(
            Reason(f"it's {quote} {{age}}"),
            Reason(f"sure {quote}"),
            Reason(f"yes {quote}", "age = 66"),
        ),
        gaps=(Gap(f"gap {quote}", "age < 70"),),
        requires=Requires(),
    )
    definitions = replace(shipped(), cohorts={cohort.name: cohort})
    member = select(definitions, cohort.name, parse_table("person | age\nann | 66")).members["ann"]
    assert member["reasons"] == f"it's {quote} 66; sure {quote}; yes {quote}"
    assert member["gaps"] == f"gap {quote}"
