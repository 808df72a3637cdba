"""Answers that come back: what is kept of them, what is set aside and why, and what corrects what."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from riskstrat.errors import MisuseError, NothingPublishedError
from riskstrat.returns import store
from riskstrat.site import Site
from tests import factories
from tests.fake_returns import (
    AREA,
    COLUMNS,
    FIRST,
    LIST,
    OTHER_AREA,
    OTHER_LIST,
    SECOND,
    THIRD,
    pseudonym,
    publish,
    row,
    run_id,
    seen,
    write_site,
)
from tests.unit.returns.taking import reasons, stored_rows, taken


def test_answer_is_kept_by_pseudonym_and_code(site: Site) -> None:
    answers = {"q1_visits": "yes", "q2_falls": "No", "q3_medication": "-", "q5_daily_living": "Y"}
    filled = seen(
        0,
        referred_to="Falls service",
        case_manager="Zoë O'Neil-Ash",
        next_review_date="2026-05-01",
        **answers,
    )
    back = taken(site, [filled, row(1)])
    assert (back.read, back.applied, back.not_filled_in) == (2, 1, 1)
    (kept,) = stored_rows(site)
    assert kept == {
        "return_id": back.return_id,
        "row_number": 1,
        "list": LIST,
        "list_as_of": FIRST,
        "area_code": AREA,
        "person_id": pseudonym(site, 0),
        "outcome": "seen",
        "outcome_date": FIRST,
        "referred_to": "falls_service",
        "case_manager": "Zoë O'Neil-Ash",
        "next_review_date": date(2026, 5, 1),
        "q1_visits": True,
        "q2_falls": False,
        "q3_medication": None,
        "q4_memory": None,
        "q5_daily_living": True,
        "return_number": 1,
    }
    assert back.return_id.startswith(f"{SECOND:%Y%m%d}-")
    assert back.stored is not None
    assert stat.S_IMODE(back.stored.stat().st_mode) == 0o600


STRANGER = factories.nhs_number(500)
WRONG_NUMBER = factories.nhs_number(0)[:9] + str((int(factories.nhs_number(0)[9]) + 1) % 10)
FAULTS = {
    "a wrong number": (seen(0, nhs_number=WRONG_NUMBER), "nhs_number", "fails its modulus 11"),
    "no number": (seen(0, nhs_number=""), "nhs_number", "The NHS number is empty"),
    "a stranger": (seen(0, nhs_number=STRANGER), "nhs_number", "not on that list"),
    "another area's person": (seen(0, area_code=OTHER_AREA), "area_code", "on the list of another area"),
    "no area": (seen(0, area_code=""), "area_code", "area_code is empty"),
    "no list": (seen(0, list=""), "list", "list is empty"),
    "an unknown list": (seen(0, list="daily_hudle"), "list", "Did you mean 'daily_huddle'?"),
    "a path for a list": (seen(0, list="../memory"), "list", "no list of this name"),
    "an unknown run": (seen(0, list_run="20260401-aaaaaaaaaa"), "list_run", "not published"),
    "no run at all": (seen(0, list_run="yesterday"), "list_run", "is no run"),
    "an old list": (seen(0, list_run="20260225-aaaaaaaaaa"), "list_run", "more than 35 days older"),
    "an unknown outcome": (seen(0, outcome="sen"), "outcome", "Did you mean 'seen'?"),
    "an outcome nobody knows": (seen(0, outcome="xyzzy"), "outcome", "Write one of seen, declined,"),
    "an unknown referral": (
        seen(0, referred_to="fall service"),
        "referred_to",
        "Did you mean 'falls_service'?",
    ),
    "a referral to nowhere": (seen(0, outcome="referred"), "referred_to", "does not say where to"),
    "an answer without outcome": (row(0, q2_falls="yes"), "", "outcome is empty"),
    "an outcome without a day": (seen(0, outcome_date=""), "", "outcome_date is empty"),
    "no date": (
        seen(0, outcome_date="soon"),
        "outcome_date",
        "is not a date written YYYY-MM-DD or DD/MM/YYYY",
    ),
    "a day that is none": (seen(0, outcome_date="2026-02-30"), "outcome_date", "is not a date"),
    "a day before the list": (
        seen(0, outcome_date="2026-03-31"),
        "outcome_date",
        "before the day of the list",
    ),
    "a day of the future": (seen(0, outcome_date="2026-04-03"), "outcome_date", "in the future"),
    "a review that is over": (
        seen(0, next_review_date="2026-03-31"),
        "",
        "next_review_date lies before outcome_date",
    ),
    "no review date": (seen(0, next_review_date="soon"), "next_review_date", "is not a date"),
    "an answer that is none": (seen(0, q4_memory="maybe"), "q4_memory", "neither yes nor no nor empty"),
    "a number as case manager": (
        seen(0, case_manager=f"call {factories.nhs_number(3)}"),
        "case_manager",
        "could be an NHS number",
    ),
    "a story as case manager": (
        seen(0, case_manager="She told me: her son will come on Tuesday!"),
        "case_manager",
        "has not the form",
    ),
}


@pytest.mark.parametrize(("filled", "column", "reason"), FAULTS.values(), ids=FAULTS)
def test_row_is_set_aside_with_its_reason_and_the_others_are_taken(
    site: Site, filled: dict[str, object], column: str, reason: str
) -> None:
    back = taken(site, [seen(1), filled, row(2)])
    assert (back.read, back.applied, back.quarantined, back.not_filled_in) == (3, 1, 1, 1)
    (said,) = reasons(back)
    assert (said["sheet"], said["row"], said["column"]) == ("", "3", column)
    assert reason in said["reason"]
    assert [kept["person_id"] for kept in stored_rows(site)] == [pseudonym(site, 1)]


def test_reasons_repeat_nothing_that_stood_in_the_file(site: Site) -> None:
    secrets = ["Zebrawood", STRANGER, WRONG_NUMBER]
    rows = [
        {name: f"Zebrawood {place}" for name in COLUMNS} | {"list": LIST, "list_run": run_id(FIRST)}
        for place in range(3)
    ]
    back = taken(site, [*rows, seen(0, nhs_number=STRANGER), seen(0, nhs_number=WRONG_NUMBER)])
    assert back.quarantined == 5
    assert back.quarantine is not None
    assert stat.S_IMODE(back.quarantine.stat().st_mode) == 0o600
    text = back.quarantine.read_text(encoding="utf-8") + "".join(back.reasons)
    assert not [one for one in secrets if one in text]


def test_rows_of_another_area_than_the_one_named_are_set_aside(site: Site) -> None:
    back = taken(site, [seen(0), seen(11)], area=AREA)
    assert (back.applied, back.quarantined) == (1, 1)
    assert f"another area than {AREA}" in reasons(back)[0]["reason"]


def test_area_that_is_none_is_refused(site: Site) -> None:
    with pytest.raises(MisuseError, match="there is no area 'NB0'"):
        taken(site, [seen(0)], area="NB0")


def test_two_different_answers_about_one_person_are_both_set_aside(site: Site) -> None:
    back = taken(site, [seen(0), seen(0, outcome="declined"), seen(1)])
    assert (back.applied, back.quarantined) == (1, 2)
    assert {said["row"] for said in reasons(back)} == {"2", "3"}
    assert all("more than once" in said["reason"] for said in reasons(back))


def test_valid_answer_beside_a_faulty_one_about_the_same_person_is_not_guessed(site: Site) -> None:
    back = taken(site, [seen(0), seen(0, outcome="xyzzy")])
    assert (back.applied, back.quarantined) == (0, 2)


def test_same_answer_twice_counts_once_however_it_is_written(site: Site) -> None:
    back = taken(site, [seen(0), seen(0, outcome="SEEN", outcome_date="01/04/2026"), row(0)])
    assert (back.applied, back.duplicates, back.not_filled_in) == (1, 1, 1)


def test_one_person_may_be_answered_for_on_two_lists(site: Site) -> None:
    assert taken(site, [seen(0), seen(0, list=OTHER_LIST, outcome="declined")]).applied == 2


def test_what_the_list_itself_showed_is_no_answer(tmp_path: Path) -> None:
    shown = {"case_manager": "Sister Vane", "next_review_date": FIRST}
    site = write_site(tmp_path / "site", [])
    publish(site, FIRST, {0: shown, 1: shown, 2: shown})
    as_shown = {"case_manager": "Sister Vane", "next_review_date": FIRST.isoformat()}
    rows = [
        row(0, **as_shown),
        row(1, **{**as_shown, "case_manager": "Dr Ibex"}),
        row(3, case_manager="none"),
    ]
    back = taken(site, rows)
    assert (back.not_filled_in, back.quarantined) == (2, 1)
    assert "outcome is empty" in reasons(back)[0]["reason"]


def test_review_that_the_list_showed_is_over_when_somebody_was_seen_after_it(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", [])
    publish(site, FIRST, {0: {"next_review_date": FIRST}, 1: {"next_review_date": THIRD}})
    publish(site, SECOND)
    filled = {"outcome_date": SECOND.isoformat()}
    back = taken(
        site,
        [
            seen(0, next_review_date=FIRST.isoformat(), **filled),
            seen(1, next_review_date=THIRD.isoformat(), **filled),
        ],
    )
    assert back.applied == 2
    assert [kept["next_review_date"] for kept in stored_rows(site)] == [None, THIRD]


def test_same_file_again_changes_nothing(site: Site) -> None:
    rows = [seen(0), seen(1, outcome="xyzzy"), row(2)]
    first = taken(site, rows)
    before = {path: path.read_bytes() for path in (site.state / "returns").rglob("*") if path.is_file()}
    again = taken(site, rows)
    assert (first.is_known, again.is_known) == (False, True)
    assert (again.applied, again.duplicates, again.quarantined, again.not_filled_in) == (0, 1, 1, 1)
    after = {path: path.read_bytes() for path in (site.state / "returns").rglob("*") if path.is_file()}
    assert after == before


def test_row_of_another_file_that_says_the_same_is_not_counted_again(site: Site) -> None:
    taken(site, [seen(0)])
    again = taken(site, [seen(0), seen(1)])
    assert (again.applied, again.duplicates, again.is_known) == (1, 1, False)
    assert store.read_returns(site.state, THIRD).num_rows == 2


def test_corrected_answer_takes_the_place_of_the_earlier_one(site: Site) -> None:
    taken(site, [seen(0, outcome_date=SECOND.isoformat())])
    correction = taken(site, [seen(0, outcome="declined")])  # and on an earlier day
    assert (correction.applied, correction.replaced) == (1, 1)
    (holds,) = store.read_returns(site.state, THIRD).to_pylist()
    assert (holds["outcome"], holds["outcome_date"]) == ("declined", FIRST)


def test_file_sent_again_does_not_take_back_a_correction(site: Site) -> None:
    rows = [seen(0)]
    taken(site, rows)
    taken(site, [seen(0, outcome="declined")])
    again = taken(site, rows)
    assert (again.applied, again.duplicates) == (0, 1)
    assert store.read_returns(site.state, THIRD)["outcome"].to_pylist() == ["declined"]


def test_file_that_said_nothing_new_does_not_take_back_a_correction_either(site: Site) -> None:
    taken(site, [seen(0)])
    second = [seen(0), row(1)]
    assert taken(site, second).duplicates == 1
    taken(site, [seen(0, outcome="declined")])
    again = taken(site, second)
    assert (again.applied, again.duplicates, again.is_known) == (0, 1, True)
    assert store.read_returns(site.state, THIRD)["outcome"].to_pylist() == ["declined"]


def test_answer_may_be_corrected_back(site: Site) -> None:
    taken(site, [seen(0)])
    taken(site, [seen(0, outcome="declined")])
    back = taken(site, [seen(0), row(5)])  # another file that says what the first one said
    assert (back.applied, back.replaced) == (1, 1)
    assert store.read_returns(site.state, THIRD)["outcome"].to_pylist() == ["seen"]


def test_answer_that_was_too_early_is_taken_from_the_same_file_after_the_next_run(site: Site) -> None:
    rows = [seen(0), seen(1, outcome_date=THIRD.isoformat())]
    assert taken(site, rows).quarantined == 1
    publish(site, THIRD)
    later = taken(site, rows)
    assert (later.applied, later.duplicates, later.quarantined, later.is_known) == (1, 1, 0, True)


def test_answer_refused_for_an_unknown_word_is_taken_once_the_word_is_known(site: Site) -> None:
    rows = [seen(0), seen(1, referred_to="podiatry")]
    first = taken(site, rows)
    words = site.config / "returns.yaml"
    words.write_text(words.read_text().replace("referrals:\n", "referrals:\n  podiatry: Podiatry\n"))
    second = taken(site, rows)
    assert (first.applied, second.applied, second.duplicates) == (1, 1, 1)
    assert first.return_id == second.return_id
    assert sorted(kept["row_number"] for kept in stored_rows(site)) == [1, 2]


def test_dry_run_says_what_would_become_of_a_file_and_keeps_nothing(site: Site) -> None:
    rows = [seen(0), seen(1, outcome="xyzzy")]
    tried = taken(site, rows, dry_run=True)
    assert not (site.state / "returns").exists()
    done = taken(site, rows)
    assert replace(done, stored=None, quarantine=None) == tried


def test_run_knows_what_happened_and_came_back_before_its_day(site: Site) -> None:
    taken(
        site, [seen(0), seen(1, outcome_date=SECOND.isoformat())]
    )  # the newest run is that of the second day
    assert store.read_returns(site.state, SECOND).num_rows == 0
    assert store.hash_of(store.read_returns(site.state, SECOND)) is None
    assert store.read_returns(site.state, THIRD).num_rows == 2
    assert store.hash_of(store.read_returns(site.state, THIRD)) is not None


def test_hash_of_the_returns_is_that_of_the_answers_and_not_of_the_files(tmp_path: Path) -> None:
    hashes = []
    for order in ([0, 1], [1, 0]):
        site = write_site(tmp_path / f"site{order[0]}", [FIRST, SECOND], key=bytes(32))
        for person in order:
            taken(site, [seen(person, SECOND)])
        hashes.append(store.hash_of(store.read_returns(site.state, THIRD)))
    assert hashes[0] == hashes[1]


def test_list_of_a_run_that_was_replaced_is_taken_for_that_of_its_replacement(site: Site) -> None:
    runs = site.output / "runs"
    (runs / run_id(FIRST)).rename(runs / "20260401-bbbbbbbbbb")
    manifest = runs / "20260401-bbbbbbbbbb" / "manifest.json"
    replaced = f'{{"replaces": {{"run": "{run_id(FIRST)}"}}, '
    manifest.write_text(manifest.read_text().replace("{", replaced, 1))
    assert taken(site, [seen(0)]).applied == 1


def test_without_a_run_there_is_no_list_to_take_back(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", [])
    with pytest.raises(NothingPublishedError):
        taken(site, [seen(0)])


def test_damaged_return_is_named_and_not_passed_over(site: Site) -> None:
    back = taken(site, [seen(0)])
    assert back.stored is not None
    back.stored.write_bytes(b"PAR1")
    with pytest.raises(Exception, match="damaged"):
        store.read_returns(site.state, THIRD)
