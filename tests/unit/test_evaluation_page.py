"""Judgement, gates, charts and page of people with known risks: right figures, no numbers that are hidden, no web."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

from riskstrat.charts import standalone
from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model_evaluation import load_evaluation_plan
from riskstrat.definitions.model_outcome import Horizon
from riskstrat.disclosure.gate import publish_release
from riskstrat.errors import DefinitionError, MisuseError, NotPermittedError
from riskstrat.model.evaluation.assembling import horizon_figures
from riskstrat.model.evaluation.discrimination import auroc
from riskstrat.model.evaluation.figures import all_figures
from riskstrat.model.evaluation.gates import APPROVAL, PROMOTION, failed_gates, judged_gates
from riskstrat.model.evaluation.judging import CHALLENGER, MODEL, Judgement, judge
from riskstrat.model.evaluation.page import (
    count,
    number,
    numbers,
    percent,
    percents,
    render_page,
    share,
    span,
)
from riskstrat.model.evaluation.people import people_of
from tests.fake_evaluation import frame_of

PEOPLE = 6000
PLAN = replace(
    load_evaluation_plan(Path(__file__).parents[2] / "config" / "model" / "evaluation.yaml"), resamples=60
)
YEAR = Horizon("12m", 12, None)
SMALL = Policy("small", "1 to 5 hidden", smallest_shown=6)
KEY = b"k" * 32


class Known:
    """Risks that are right, made too extreme by ``stretch``."""

    def __init__(self, stretch: float) -> None:
        self.stretch = stretch

    def __call__(self, _: pa.Table) -> Known:
        return self

    def predict(self, table: pa.Table) -> np.ndarray:
        odds = np.log(table["risk"].to_numpy() / (1 - table["risk"].to_numpy()))
        return 1 / (1 + np.exp(-self.stretch * odds))


def frame() -> pa.Table:
    """People of two dates with a risk each, and outcomes drawn by that risk."""
    table = frame_of(PEOPLE, seed=3)
    rng = np.random.default_rng(8)
    deficits = table["efi_deficits"].fill_null(0).to_numpy().astype(float)
    admissions = table["unplanned_admissions_12m"].to_numpy().astype(float)
    risk = 1 / (1 + np.exp(3.2 - 0.16 * deficits - 0.7 * np.minimum(admissions, 4)))
    happened = pa.array(rng.random(len(risk)) < risk)
    return table.append_column("risk", pa.array(risk)).set_column(
        table.schema.get_field_index("label_12m"), "label_12m", happened
    )


def judged(stretch: float = 1.0, other: float = 1.0) -> Judgement:
    fits = {MODEL: ("Model", Known(stretch)), CHALLENGER: ("Challenger", Known(other))}
    return judge(frame(), PLAN, YEAR, fits)


def publish(release: Any) -> Any:
    return publish_release(release, SMALL, key=KEY)


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    return judged()


@pytest.fixture(scope="module")
def figures(judgement: Judgement) -> dict[str, Any]:
    return horizon_figures(judgement, PLAN, SMALL, publish)


def content_of(figures: dict[str, Any]) -> dict[str, Any]:
    plan = {name: getattr(PLAN, name) for name in ("team_share", "team_source", "rule", "confidence")}
    plan |= {name: getattr(PLAN, name) for name in ("resamples", "seed", "person_folds", "prior_admissions")}
    plan |= {
        "file": "config/model/evaluation.yaml",
        "sha256": "a" * 64,
        "comparators": [
            {
                "title": one.title,
                "feature": one.feature,
                "at_least": one.at_least,
                "meaning": "What it means.",
            }
            for one in PLAN.comparators
        ],
        "gates": asdict(PLAN.gates),
        "anchors": [asdict(one) for one in PLAN.anchors],
    }
    return {
        "model": "20260401-0123456789",
        "model_sha256": "b" * 64,
        "outcome": {"title": "An unplanned admission"},
        "frames": {"id": "20260401-aaaaaaaaaa", "sha256": "c" * 64, "complete_to": "2026-04-01"},
        "policy": {"name": "small", "title": "1 to 5 hidden", "audience": "public"},
        "plan": plan,
        "code_version": "0.1.0",
        "horizons": [figures, {"horizon": "90d", "left_out": "no date was early enough", "gates": []}],
    }


def page_of(figures: dict[str, Any]) -> str:
    return render_page(content_of(figures), all_figures(figures, PLAN.team_share), PLAN.causal_words)


def test_figures_at_the_teams_capacity_equal_counting_by_hand(
    figures: dict[str, Any], judgement: Judgement
) -> None:
    test = people_of(frame(), judgement.split.test_dates, "label_12m")
    risk, outcome = test.number("risk"), test.outcome("label_12m")
    count = round(PLAN.team_share * PEOPLE)
    threshold = np.sort(risk)[::-1][count - 1]
    above, tied = risk > threshold, risk == threshold
    # Whoever has the same risk as the last on the list is on it with the same chance.
    found = outcome[above].sum() + (count - above.sum()) * outcome[tied].mean()
    row = next(row for row in figures["scores"][MODEL]["capacities"] if row["is_team"])
    assert row["places"] == count
    assert row["ppv"][0] == pytest.approx(found / count, abs=1e-6)
    assert row["sensitivity"][0] == pytest.approx(found / outcome.sum(), abs=1e-6)
    assert row["number_needed_to_contact"][0] == pytest.approx(count / found, abs=1e-5)
    assert row["ppv"][1] <= row["ppv"][0] <= row["ppv"][2]
    odds = row["threshold"] / (1 - row["threshold"])
    assert row["net_benefit"][0] == pytest.approx((found - (count - found) * odds) / PEOPLE, abs=1e-6)
    assert figures["scores"][MODEL]["auroc"][0] == pytest.approx(auroc(outcome, risk), abs=1e-6)
    assert figures["people"]["scored"] == PEOPLE
    assert figures["people"]["admitted"] == outcome.sum()


def test_rule_hfrs_and_efi_always_stand_beside_the_model(figures: dict[str, Any]) -> None:
    assert list(figures["scores"]) == [MODEL, CHALLENGER, "two_or_more", "hfrs", "efi"]
    for score in figures["scores"].values():
        assert [row["share"] for row in score["capacities"]] == [0.005, 0.01, 0.02, 0.05]
    assert [(row["of"], row["less"]) for row in figures["differences"]] == [
        (MODEL, "two_or_more"),
        (MODEL, "hfrs"),
        (MODEL, "efi"),
        (CHALLENGER, MODEL),
    ]


def test_right_risks_are_found_to_be_right_and_pass_every_gate(figures: dict[str, Any]) -> None:
    fitted = figures["calibration"][MODEL]
    assert fitted["observed_to_expected"][1] < 1 < fitted["observed_to_expected"][2]
    assert fitted["slope"][1] < 1 < fitted["slope"][2]
    assert fitted["ici"] < 0.02
    assert failed_gates(figures["gates"], APPROVAL) == []


def test_risks_that_are_too_alike_and_too_high_fail_on_slope_and_on_the_list() -> None:
    figures = horizon_figures(judged(stretch=0.5), PLAN, SMALL, publish)
    assert figures["calibration"][MODEL]["slope"][0] == pytest.approx(2.0, abs=0.3)
    failed = " ".join(failed_gates(figures["gates"], APPROVAL))
    assert "Calibration slope" in failed
    assert "Observed over expected on the list" in failed


def test_challenger_that_ranks_alike_is_not_promoted(figures: dict[str, Any]) -> None:
    assert failed_gates(figures["gates"], PROMOTION) == [
        "PPV at the team's capacity, Challenger less Model: 0.0% (0.0% to 0.0%), wanted an interval above 0"
    ]


def with_figures(figures: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """The gates of figures in which some were changed: auroc, ppv (of the team's list), difference, split."""
    changed = copy.deepcopy(figures)
    if "auroc" in changes:
        changed["scores"][MODEL]["auroc"] = changes["auroc"]
    for name in (MODEL, CHALLENGER):
        row = next(row for row in changed["scores"][name]["capacities"] if row["is_team"])
        row |= changes.get("row", {}) if name == MODEL else changes.get("challenger", {})
    for row in changed["differences"]:
        if row["of"] == changes.get("of"):
            row["ppv"] = changes["difference"]
    changed["split"]["kind"] = changes.get("split", changed["split"]["kind"])
    return judged_gates(changed, PLAN)


def test_promotion_needs_a_better_list_and_risks_that_hold_on_it(figures: dict[str, Any]) -> None:
    better = {"of": CHALLENGER, "difference": [0.02, 0.001, 0.04]}
    held, off = {"observed_to_expected": [1.05, 0.9, 1.2]}, {"observed_to_expected": [1.11, 1.0, 1.2]}
    assert failed_gates(with_figures(figures, challenger=held, **better), PROMOTION) == []
    assert len(failed_gates(with_figures(figures, challenger=off, **better), PROMOTION)) == 1
    even = {"of": CHALLENGER, "difference": [0.02, -0.001, 0.04]}
    assert len(failed_gates(with_figures(figures, challenger=held, **even), PROMOTION)) == 1


def test_auroc_whose_whole_interval_is_above_the_limit_is_suspected(figures: dict[str, Any]) -> None:
    assert failed_gates(with_figures(figures, auroc=[0.89, 0.868, 0.91])) == []
    failed = failed_gates(with_figures(figures, auroc=[0.89, 0.871, 0.91]))
    assert failed == [
        "AUROC is not too good to be true: 0.890 (0.871 to 0.910), wanted an interval that reaches down to 0.87"
    ]


def test_model_no_better_than_the_rule_a_random_split_and_a_hidden_list_fail(figures: dict[str, Any]) -> None:
    same = failed_gates(with_figures(figures, of=MODEL, difference=[0.01, -0.01, 0.03]))
    assert ["less" in one for one in same] == [True]
    assert "later date" in failed_gates(with_figures(figures, split="random"))[0]
    hidden = failed_gates(
        with_figures(figures, row={"ppv": None, "observed_to_expected": None, "note": "hidden"})
    )
    assert ["not shown" in one for one in hidden] == [True, True]


def test_too_few_admitted_people_on_a_list_are_said_to_be_too_few(figures: dict[str, Any]) -> None:
    shortest = figures["scores"][MODEL]["capacities"][0]
    assert shortest["places"] == 30
    assert shortest["note"]
    assert (
        ("too few" in shortest["note"]) or ("too wide" in shortest["note"]) or ("hidden" in shortest["note"])
    )
    assert shortest["note"] in page_of(figures)


def test_everybody_admitted_or_nobody_cannot_be_judged() -> None:
    table = frame()
    for same in (True, False):
        labels = pa.array([same] * table.num_rows)
        only = table.set_column(table.schema.get_field_index("label_12m"), "label_12m", labels)
        with pytest.raises(MisuseError, match="had the outcome, so no score can be judged"):
            judge(only, PLAN, YEAR, {MODEL: ("Model", Known(1))})


def test_so_few_admitted_people_that_nothing_may_leave_are_refused(judgement: Judgement) -> None:
    outcome = np.zeros_like(judgement.outcome)
    outcome[:4] = True
    with pytest.raises(NotPermittedError, match="nothing of it may leave"):
        horizon_figures(replace(judgement, outcome=outcome), PLAN, SMALL, publish)


def test_order_of_the_rows_changes_no_figure(figures: dict[str, Any]) -> None:
    table = frame()
    shuffled = table.take(pa.array(np.random.default_rng(4).permutation(table.num_rows)))
    fits = {MODEL: ("Model", Known(1.0)), CHALLENGER: ("Challenger", Known(1.0))}
    again = horizon_figures(judge(shuffled, PLAN, YEAR, fits), PLAN, SMALL, publish)
    assert json.dumps(again, sort_keys=True) == json.dumps(figures, sort_keys=True)


def test_charts_are_pictures_with_words_and_nothing_from_the_web(figures: dict[str, Any]) -> None:
    charts = all_figures(figures, PLAN.team_share)
    assert {"calibration", "ppv", "decision", "decay", "fairness"} <= set(charts)
    for name, chart in charts.items():
        assert not re.search(r"http|<script|<image|href|url\((?!#)|//", chart), name
        root = ElementTree.fromstring(standalone(chart))
        words = {child.tag.split("}")[1]: (child.text or "") for child in list(root)[:2]}
        assert len(words["title"]) > 5
        assert re.search(r"\d", words["desc"])
        assert root.attrib["aria-labelledby"].split() == [f"{name}-title", f"{name}-description"]


def test_charts_have_the_same_bytes_again_and_no_name_twice_on_a_page(figures: dict[str, Any]) -> None:
    first, again = (all_figures(figures, PLAN.team_share) for _ in range(2))
    assert first == again
    names = [name for chart in first.values() for name in re.findall(r'\bid="([^"]+)"', chart)]
    assert len(names) == len(set(names)) > 10


def test_chart_draws_nothing_that_is_hidden(figures: dict[str, Any]) -> None:
    changed = copy.deepcopy(figures)
    part = changed["groups"][0]["levels"][0]
    part["name"], part["observed_to_expected"] = "The hidden part", None
    shown = all_figures(changed, PLAN.team_share)["fairness"]
    assert "The hidden part" in shown
    assert ">hidden<" in shown
    assert shown.count("<path") < all_figures(figures, PLAN.team_share)["fairness"].count("<path")


def test_page_is_one_file_that_says_what_it_is_and_what_it_is_not(figures: dict[str, Any]) -> None:
    page = page_of(figures)
    assert not re.search(r"http|<script|<link|<img|<iframe|@import|url\((?!#)|\bsrc=|//", page)
    text = " ".join(re.sub(r"<(svg|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL).split())
    for said in (
        "A prompt for professional review, not a decision.",
        "It says nothing about what contacting people does",
        "Judged on 1 April 2025",
        "1 April 2024 and never saw the people they are judged on",
        "SPARRA v4",
        "10.1101/2021.08.06.21261593",
        "Not judged: no date was early enough",
        "Every condition of the approval holds.",
    ):
        assert said in text, said


def test_page_says_which_conditions_do_not_hold_and_that_a_split_was_random(figures: dict[str, Any]) -> None:
    changed = copy.deepcopy(figures)
    changed["split"]["kind"] = "random"
    changed["gates"] = judged_gates(changed, PLAN)
    page = page_of(changed)
    assert "This model may not be approved." in page
    assert "A random split, asked for explicitly." in page


def test_page_with_a_causal_word_is_refused(figures: dict[str, Any]) -> None:
    changed = copy.deepcopy(figures)
    changed["scores"][MODEL]["title"] = "A model that prevents admissions"
    with pytest.raises(DefinitionError, match="the evaluation page would say 'prevents'"):
        page_of(changed)


def test_figures_are_written_for_readers() -> None:
    assert numbers([-0.0004, -0.1, 0.1], 2) == "0.00 (-0.10 to 0.10)"
    assert percents([0.3149, 0.25, 0.4]) == "31.5% (25.0 to 40.0)"
    assert (
        percents(None) == numbers([None, None, None]) == number(None) == percent(None) == count(None) == "*"
    )
    assert numbers([2.5, 2.1, None], 1) == "2.5 (2.1 to *)"
    assert (share(0.005), share(0.02), span("12m"), span("90d")) == ("0.5%", "2%", "12 months", "90 days")
