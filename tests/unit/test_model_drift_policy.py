"""Observed over expected against other ways of working it out, and the bands that a site writes down."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from scipy.stats import chi2, poisson

from riskstrat.definitions.model_drift import FILE, ObservedBands, check_offers, load_drift_policy
from riskstrat.definitions.returns import load_return_rules
from riskstrat.errors import DefinitionError
from riskstrat.scoring.observed import observed_over_expected
from tests.fake_models import ROOT, edited_copy

BANDS = ObservedBands((0.9, 1.1), (0.8, 1.25), 0.95, fewest_admitted=20, settle_days=28)


@pytest.mark.parametrize("observed", [1, 7, 20, 113, 4_000])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_interval_is_exact_for_a_poisson_count(observed, confidence):
    """Its ends are the means under which so few, or so many, are just as rare as they may be."""
    ratio = observed_over_expected(observed, 40.0, confidence)
    tail = (1 - confidence) / 2
    assert ratio.value == observed / 40.0
    assert poisson.sf(observed - 1, ratio.low * 40.0) == pytest.approx(tail, rel=1e-6)
    assert poisson.cdf(observed, ratio.high * 40.0) == pytest.approx(tail, rel=1e-6)
    assert ratio.low * 40.0 == pytest.approx(chi2.ppf(tail, 2 * observed) / 2, rel=1e-9)


def test_nobody_admitted_has_an_upper_end_and_nothing_expected_has_no_ratio():
    none = observed_over_expected(0, 5.0, 0.95)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high * 5.0 == pytest.approx(-math.log(0.025))
    assert math.isnan(observed_over_expected(3, 0.0, 0.95).value)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "admitted", "band"),
    [
        (1.02, 0.98, 1.06, 500, "steady"),
        (1.12, 0.97, 1.28, 90, "steady"),  # chance explains it
        (1.08, 1.05, 1.11, 9_000, "steady"),  # sure, and small
        (1.12, 1.05, 1.20, 900, "watch"),
        (0.88, 0.84, 0.92, 900, "watch"),
        (1.30, 1.20, 1.41, 900, "act"),
        (0.70, 0.60, 0.80, 200, "act"),
        (4.00, 2.40, 6.20, 19, "not_judged"),
    ],
)
def test_a_ratio_is_said_where_it_is_large_and_chance_does_not_explain_it(ratio, low, high, admitted, band):
    assert BANDS.band(ratio, low, high, admitted) == band


def test_the_shipped_policy_reads_and_its_offers_are_words_of_the_lists():
    policy = load_drift_policy(ROOT / "config" / FILE)
    assert (policy.spread.watch, policy.spread.act) == (0.1, 0.25)
    check_offers(policy, load_return_rules(ROOT / "config" / "returns.yaml").outcomes)
    with pytest.raises(DefinitionError, match="'seen' is no outcome"):
        check_offers(policy, ["visited"])


WRONG = {
    "a band below the other": (
        "  act: 0.25\n  least_share",
        "  act: 0.05\n  least_share",
        "act must not be below",
    ),
    "no band around 1": ("watch: [0.9, 1.1]", "watch: [1.05, 1.1]", "with 1 between"),
    "one number": ("watch: [0.9, 1.1]", "watch: 0.9", "two numbers"),
    "a narrower outer band": ("act: [0.8, 1.25]", "act: [0.95, 1.25]", "narrower"),
    "a share of 2": ("confidence: 0.95", "confidence: 2", "below 1"),
    "text for a number": ("chance: 0.001", "chance: rarely", "above 0"),
    "half a person": ("fewest_people: 100", "fewest_people: 0.5", "whole number"),
    "nothing": ("fewest_admitted: 100", "fewest_admitted:", "empty"),
    "a key too many": ("  chance: 0.001", "  chance: 0.001\n  luck: 1", "luck"),
    "no source": ("  source: Local choice; watch", "  sauce: Local choice; watch", "sauce"),
}


@pytest.mark.parametrize(("old", "new", "what"), WRONG.values(), ids=WRONG)
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = edited_copy(tmp_path, ROOT / "config" / FILE, old, new)
    with pytest.raises(DefinitionError, match=what) as problem:
        load_drift_policy(path)
    assert problem.value.remedy
