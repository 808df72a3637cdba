"""Great Expectations holds what was seen against the limits, and really runs; every limit has its boundary."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any, cast

import pytest

from riskstrat.engines import Engine
from riskstrat.errors import RiskstratError
from riskstrat.quality.coverage import read_calendars
from riskstrat.quality.expectations import judge, judge_all
from riskstrat.quality.measures import Measurement, measure, unobserved, usual_rows
from riskstrat.quality.observations import Observations, ProviderMonth, SilentMonth, from_json
from riskstrat.quality.wording import notices, sentence
from tests.quality import AS_OF, LIMITS, contract_of, delivered, failures, judged, outcomes, seen

RULE = "gp_events.code.required"
MONTH = date(2026, 3, 1)


def said(observations: Observations, **limits: Any) -> list[str]:
    return notices(judged(observations, replace(LIMITS, **limits))["results"])


# --- Great Expectations ----------------------------------------------------------------------------------------------


def test_importing_great_expectations_does_not_end_the_process() -> None:
    """pyspark 4.3 beside Great Expectations 1.24 ends the process with exit code 0, and every test looks green."""
    code = "import great_expectations; print('still running', great_expectations.__version__)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["still", "running", version("great_expectations")]


def test_every_rule_of_the_contract_is_judged_under_its_identifier() -> None:
    verdict = judged(seen())
    contract = contract_of()
    rules = {rule.id: rule.severity for rule in contract.rules}
    assert rules[RULE] == "quarantine"
    assert {
        result["check"]: result["severity"] for result in verdict["results"] if result["check"] in rules
    } == rules
    assert verdict["great_expectations"] == version("great_expectations")
    assert verdict["success"] is True
    assert not failures(verdict)


def test_checks_of_an_extract_keep_their_identifiers() -> None:
    """Trends and agreements with suppliers refer to them: add to this list, never rename."""
    observations = seen(
        deliveries=delivered(500, 100, 100, 100, 100),
        calendar_providers=1,
        providers=(ProviderMonth("RT9", MONTH, 90, 100.0),),
    )
    found = [check for check in outcomes(judged(observations)) if check[0].count(".") == 1]
    rules = {(rule.id.removeprefix("gp_events."), rule.severity) for rule in contract_of().rules}
    assert [check for check in found if check not in rules] == [
        ("delivery.freshness", "warn"),
        ("delivery.freshness", "stop"),
        ("delivery.volume", "warn"),
        ("delivery.volume", "stop"),
        ("delivery.missing", "warn"),
        ("rows.read", "warn"),
        ("rows.accepted", "stop"),
        ("rows.quarantined_share", "stop"),
        ("provider.silence", "warn"),
        ("provider.volume", "warn"),
    ]


def test_great_expectations_finds_exactly_the_numbers_beyond_their_limits() -> None:
    """The sentinel: a suite that never ran, or ran over nothing, could not tell these apart."""
    measurements = [
        Measurement("extract.low", "warn", 1, minimum=2),
        Measurement("extract.low.enough", "warn", 2, minimum=2),
        Measurement("extract.high", "stop", 3, maximum=2),
        Measurement("extract.high.enough", "stop", 2, maximum=2),
        Measurement("extract.twice", "warn", 7, maximum=5),
        Measurement("extract.twice", "stop", 7, maximum=9),
        Measurement("extract.unlimited", "warn", 1e9),
    ]
    judgement = judge(measurements)
    assert judgement.failed == {
        ("extract.low", "warn"),
        ("extract.high", "stop"),
        ("extract.twice", "warn"),
    }
    assert {result["expectation"] for result in judgement.raw} == {
        "expect_compound_columns_to_be_unique",
        "expect_column_values_to_not_be_null",
        "expect_column_pair_values_a_to_be_greater_than_b",
    }
    assert [result["element_count"] for result in judgement.raw] == [7] * 4


def test_check_that_is_measured_twice_is_no_pass() -> None:
    twice = [Measurement("extract.rows", "stop", 1, minimum=1)] * 2
    assert judge(twice).failed == {("extract.rows", "stop")}


def test_what_is_no_number_is_no_pass() -> None:
    with pytest.raises(RiskstratError, match="did not judge all"):
        judge([Measurement("extract.rows", "stop", float("nan"), maximum=1)])


def forgotten_expectation(monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations as gx

    added = gx.ExpectationSuite.add_expectation
    monkeypatch.setattr(
        gx.ExpectationSuite,
        "add_expectation",
        lambda suite, one: one if getattr(one, "column_A", "") == "maximum" else added(suite, one),
    )


def overlooked_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    import great_expectations as gx

    run = gx.ValidationDefinition.run

    def on_half(definition: Any, batch_parameters: dict[str, Any], **others: Any) -> Any:
        half = {"dataframe": batch_parameters["dataframe"].head(3)}
        return run(definition, batch_parameters=half, **others)

    monkeypatch.setattr(gx.ValidationDefinition, "run", on_half)


@pytest.mark.parametrize("damage", [forgotten_expectation, overlooked_rows])
def test_checks_that_did_not_run_are_no_pass(damage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(monkeypatch)
    with pytest.raises(RiskstratError, match="did not judge all"):
        judged(seen())


def test_same_numbers_give_the_same_bytes() -> None:
    asked = {name: measure(seen(name), contract_of(name), LIMITS) for name in ("gp_events", "gp_contacts")}
    first, second = (json.dumps(judge_all(asked)[0], sort_keys=True) for _ in range(2))
    assert first == second
    assert not re.search(r"run_id|uuid|/", first)


def test_judging_says_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    judged(seen(failed={RULE: 3}))
    assert capfd.readouterr() == ("", "")


# --- rules -----------------------------------------------------------------------------------------------------------


def test_broken_rule_fails_its_check_and_stops_nothing() -> None:
    verdict = judged(seen(accepted=97, quarantined=3, failed={RULE: 3}))
    assert failures(verdict) == {("code.required", "quarantine")}
    assert verdict["success"] is True, "three rows are within the limit"


def test_rule_of_severity_stop_stops_a_run_at_one_row() -> None:
    contract = contract_of()
    rules = tuple(replace(rule, severity="stop") if rule.id == RULE else rule for rule in contract.rules)
    for failed, success in ((0, True), (1, False)):
        measured = measure(seen(failed={RULE: failed}), replace(contract, rules=rules), LIMITS)
        verdict = judge_all({"gp_events": measured})[0]["gp_events"]
        assert verdict["success"] is success
    broken = next(result for result in verdict["results"] if result["check"] == RULE)
    assert "1 row broke code.required" in sentence(broken)
    assert "One is enough to stop a run." in sentence(broken)


def test_rule_that_was_not_applied_is_not_judged() -> None:
    observations = seen()
    failed = {rule: count for rule, count in observations.failed.items() if rule != RULE}
    observations = replace(observations, failed=failed)
    assert unobserved(observations, contract_of()) == [RULE]
    assert ("code.required", "quarantine") not in outcomes(judged(observations))


# --- limits, each at its boundary ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "quarantined", "passes"),
    [
        (0, 0, True),
        (10, 9, True),  # few rows never stop a run
        (10, 10, False),  # unless nothing is left
        (1000, 20, True),
        (1000, 50, True),
        (1000, 51, False),
        (100, 21, False),
        (100, 20, True),
    ],
)
def test_run_stops_beyond_the_share_and_the_number_of_rows(read: int, quarantined: int, passes: bool) -> None:
    observations = seen(read=read, accepted=read - quarantined, quarantined=quarantined)
    assert judged(observations)["success"] is passes


@pytest.mark.parametrize(("corrected", "passes"), [(0, False), (1, True), (51, True)])
def test_rows_that_were_corrected_do_not_count_as_quarantined(corrected: int, passes: bool) -> None:
    observations = seen(read=1000, accepted=949, quarantined=51, corrected=corrected)
    assert judged(observations)["success"] is passes


@pytest.mark.parametrize(("accepted", "passes"), [(0, False), (1, True)])
def test_run_stops_below_the_least_number_of_rows(accepted: int, passes: bool) -> None:
    observations = seen(read=accepted, accepted=accepted)
    assert judged(observations, replace(LIMITS, min_rows=1))["success"] is passes


@pytest.mark.parametrize(("extract", "fails"), [("gp_events", True), ("gp_contacts", False)])
def test_only_a_required_extract_must_have_rows(extract: str, fails: bool) -> None:
    verdict = judged(seen(extract, read=0, accepted=0))
    assert (("rows.read", "warn") in failures(verdict)) is fails
    assert verdict["success"] is True


@pytest.mark.parametrize(
    ("days", "failed"),
    [
        (1, set()),
        (35, set()),
        (36, {"warn"}),
        (92, {"warn"}),
        (93, {"warn", "stop"}),
    ],
)
def test_old_extract_is_stale_and_then_stops_a_run(days: int, failed: set[str]) -> None:
    verdict = judged(seen(newest_delivery=AS_OF - timedelta(days=days)))
    assert {severity for check, severity in failures(verdict) if check == "delivery.freshness"} == failed
    assert verdict["success"] is ("stop" not in failed)


def test_stale_and_old_extracts_are_named_with_their_age_and_what_is_allowed() -> None:
    assert said(seen(newest_delivery=date(2026, 2, 20))) == [
        "gp_events is stale: the newest is of 2026-02-20, 40 days before 2026-04-01; 35 days are allowed."
    ]
    assert said(seen(newest_delivery=date(2025, 12, 1))) == [
        "gp_events is too old: the newest is of 2025-12-01, 121 days before 2026-04-01; "
        "a run stops beyond 92 days."
    ]
    assert said(seen(newest_delivery=date(2020, 1, 1)), stale_after_days=None, stop_after_days=None) == []


@pytest.mark.parametrize(
    ("newest", "failed"),
    [(100, set()), (50, set()), (49, {"warn"}), (10, {"warn"}), (9, {"warn", "stop"}), (0, {"warn", "stop"})],
)
def test_small_delivery_is_suspicious_and_then_stops_a_run(newest: int, failed: set[str]) -> None:
    verdict = judged(seen(deliveries=delivered(9000, 100, 120, 80, newest)))
    assert {severity for check, severity in failures(verdict) if check == "delivery.volume"} == failed
    assert verdict["success"] is ("stop" not in failed)


def test_small_delivery_is_named_with_its_rows_and_the_usual() -> None:
    rows = (900_000, 24_310, 24_000, 25_000, 24_310, 26_000)
    assert said(seen(deliveries=delivered(*rows, 9_004))) == [
        "gp_events of 2026-03-31 has 9,004 rows, against a usual 24,310 (median of 5 earlier deliveries): 37%; "
        "below 50% is suspicious."
    ]
    assert said(seen(deliveries=delivered(*rows, 1_204))) == [
        "gp_events of 2026-03-31 has 1,204 rows, against a usual 24,310 (median of 5 earlier deliveries): 5.0%; "
        "a run stops below 10%."
    ]


@pytest.mark.parametrize(
    ("mode", "rows", "usual"),
    [
        ("delta", (1,), None),
        ("delta", (9000, 100, 100, 5), None),  # two deliveries after the first: one too few
        ("delta", (9000, 100, 200, 300, 5), (200.0, 3)),
        ("delta", (9000, 19, 19, 19, 5), None),  # too few rows to be a usual
        ("delta", (9000, 20, 20, 20, 5), (20.0, 3)),
        ("full", (100, 5), None),  # three are asked for here
        ("full", (100, 100, 100, 5), (100.0, 3)),
        ("delta", (9000, *(10**6,) * 5, *(50,) * 30, 5), (50.0, 30)),  # the newest 30 count
    ],
)
def test_usual_is_the_median_of_earlier_deliveries(
    mode: str, rows: tuple[int, ...], usual: tuple[float, int] | None
) -> None:
    assert usual_rows(seen(mode=mode, deliveries=delivered(*rows)), LIMITS) == usual


def test_full_delivery_is_compared_with_the_one_before() -> None:
    observations = seen(mode="full", deliveries=delivered(1000, 80))
    assert judged(observations, replace(LIMITS, usual_after=1))["success"] is False


def test_nothing_is_small_without_earlier_deliveries() -> None:
    for deliveries in ((), delivered(0)):
        checks = {check for check, _ in outcomes(judged(seen(deliveries=deliveries)))}
        assert "rows.read" in checks
        assert not {check for check in checks if "volume" in check}


def test_missing_delivery_is_named_with_those_that_were_there() -> None:
    missed = (AS_OF - timedelta(days=1),)
    assert said(seen(missed=missed, held=5)) == [
        "gp_events is missing from the delivery of 2026-03-31; each of the 5 deliveries before had it."
    ]
    assert judged(seen(missed=missed, held=5))["success"] is True


@pytest.mark.parametrize(
    ("extract", "missed", "named"),
    [("gp_contacts", 2, True), ("gp_contacts", 3, False), ("gp_events", 3, True)],
)
def test_optional_extract_that_is_mostly_missing_is_no_longer_expected(
    extract: str, missed: int, named: bool
) -> None:
    days = tuple(AS_OF - timedelta(days=back) for back in range(missed, 0, -1))
    assert bool(said(seen(extract, missed=days, held=2))) is named


def test_stale_extract_is_not_called_missing_as_well() -> None:
    observations = seen(missed=(AS_OF,), held=5, newest_delivery=date(2026, 1, 1))
    (notice,) = said(observations)
    assert "stale" in notice


# --- providers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "fails"), [(100, False), (50, False), (49, True), (0, True)])
def test_small_month_of_a_provider_is_warned_about_and_never_stops(rows: int, fails: bool) -> None:
    months = (ProviderMonth("RT1", MONTH, 100, 100.0), ProviderMonth("RT9", MONTH, rows, 100.0))
    verdict = judged(seen(calendar_providers=2, providers=months))
    assert (("provider.volume", "warn") in failures(verdict)) is fails
    assert verdict["success"] is True


def test_small_months_are_named_with_provider_rows_and_mean() -> None:
    months = tuple(ProviderMonth(f"RT{place}", MONTH, place, 340.0) for place in range(5))
    assert said(seen(calendar_providers=5, providers=months)) == [
        "gp_events of March 2026 is suspiciously small: RT0 sent no row against its mean of 340; RT1 sent 1 row "
        "against its mean of 340; RT2 sent 2 rows against its mean of 340; 2 more of 5 providers sent less than "
        "50% of theirs (over the 12 months before)."
    ]


def test_silent_months_are_named_and_called_unknown() -> None:
    silent = tuple(SilentMonth(f"RT{place}", date(2025, 8, 1)) for place in range(4))
    observations = seen(calendar_providers=9, silent=(*silent, SilentMonth("RT8", date(2026, 3, 1))))
    assert said(observations) == [
        "gp_events: nothing came for March 2026 from RT8, for August 2025 from 4 of 9 providers; "
        "what looks back over that is unknown, not zero."
    ]


def test_extract_without_a_calendar_has_no_check_of_its_providers() -> None:
    checks = {check for check, _ in outcomes(judged(seen()))}
    assert "rows.read" in checks
    assert not {check for check in checks if check.startswith("provider")}


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_observations_survive_being_stored() -> None:
    observations = seen(
        deliveries=delivered(5, 6),
        missed=(AS_OF,),
        calendar_providers=2,
        providers=(ProviderMonth("RT9", MONTH, 90, 100.0),),
        silent=(SilentMonth("RT8", MONTH),),
    )
    assert from_json(json.loads(json.dumps(observations.as_json()))) == observations


@pytest.mark.parametrize(
    ("provider", "shown"),
    [
        ("RGN", "RGN"),
        ("ZZA01", "ZZA01"),
        ("3f2a-9", "3f2a-9"),
        ("", ""),
        ("Mavis Ashdown", "no organisation code"),
        ("ASHDOWN", "no organisation code"),
        ("ward 7", "no organisation code"),
    ],
)
def test_calendar_names_providers_by_codes_alone(provider: str, shown: str) -> None:
    class OneMonth:
        def rows(self, _select: str) -> list[tuple[Any, ...]]:
            return [("acute_episodes", provider, date(2026, 3, 1), 40, 40.0, False, False)]

    calendar = read_calendars(cast(Engine, OneMonth()))["acute_episodes"]

    assert [one.provider for one in calendar.providers] == [shown]
    assert (f'"{provider}"' in calendar.as_json()) is (shown == provider)
