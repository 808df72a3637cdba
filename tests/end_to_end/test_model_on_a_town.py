"""The whole way of a risk model on a town of several years: trained, judged by time, signed for, and scoring a night.

The shipped definitions decide, but for the capacity of the teams: of a small town nobody can judge a short list,
and there the model is refused until its list is longer.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from riskstrat.cli import main
from riskstrat.keys import person_id, read_site_key
from riskstrat.model.evaluation.page import numbers, percents
from riskstrat.site import write_default_site
from tests.end_to_end.command import Answer
from tests.end_to_end.pictures import drawn_page
from tests.fake_models import replace_text

DATES = ("2023-04-01", "2024-04-01", "2025-04-01")
AS_OF = "2026-04-01"
A4_WIDTH = 596  # points
SIGNED = ("--by", "Dr A Example", "--reason", "Read by the safety group")


@dataclass(frozen=True)
class Size:
    """A town, the shares of its people that are judged as the capacity, and dates whose scores have grown old.

    The model is refused at every capacity but the last. Whether it passes there is a matter of the seed as well.
    """

    people: int
    seed: int
    capacities: tuple[float, ...]
    old: tuple[str, ...]

    @property
    def capacity(self) -> float:
        """The share at which the model was approved."""
        return self.capacities[-1]


SMALL = Size(8_000, seed=1, capacities=(0.005, 0.05), old=())
LARGE = Size(20_000, seed=1, capacities=(0.02,), old=("2024-10-01", "2025-01-01"))
YEARS = "6"


@dataclass(frozen=True)
class Way:
    """The site, the model, its evaluation.json, refused approvals, and the runs before and after the approval."""

    site: Path
    size: Size
    model: Path
    evaluation: dict[str, Any]
    refused: list[Answer]
    before: Path
    after: Path

    @property
    def main(self) -> dict[str, Any]:
        """The figures of the twelve months."""
        found: dict[str, Any] = self.evaluation["horizons"][0]
        return found


def tried(site: Path, *words: str) -> Answer:
    """What a command answers, as the console script runs it."""
    out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["riskstrat", "--site", str(site), *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    return Answer(code, out.getvalue(), err.getvalue())


def done(site: Path, *words: str) -> str:
    answer = tried(site, *words)
    assert answer.code == 0, answer.err
    return answer.out


@pytest.fixture(
    scope="module", params=[SMALL, pytest.param(LARGE, marks=pytest.mark.slow)], ids=["small", "large"]
)
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Way:
    size: Size = request.param
    site = tmp_path_factory.mktemp("whole_way") / "site"
    write_default_site(site)
    done(site, "keys", "init")
    done(site, "demo", "--people", str(size.people), "--seed", str(size.seed), "--years", YEARS)
    done(site, "run", "--as-of", AS_OF)
    before = (site / "output" / "latest").resolve()
    dates = [word for day in DATES for word in ("--as-of", day)]
    model = site / "state" / "models" / done(site, "model", "train", *dates).strip()
    plan, shipped = site / "config" / "model" / "evaluation.yaml", 0.02
    answers = [tried(site, "model", "approve", model.name, *SIGNED)]
    for capacity in size.capacities:
        replace_text(plan, f"  share: {shipped}\n", f"  share: {capacity}\n")
        shipped = capacity
        done(site, "model", "evaluate", *(word for day in size.old for word in ("--old", day)))
        answers.append(tried(site, "model", "approve", model.name, *SIGNED))
    *refused, approved = answers
    assert approved.code == 0, approved.err
    done(site, "model", "card")
    done(site, "run", "--as-of", AS_OF)
    evaluation = json.loads((model / "evaluation.json").read_text(encoding="utf-8"))
    return Way(site, size, model, evaluation, refused, before, (site / "output" / "latest").resolve())


def test_people_were_admitted_died_and_left_after_every_index_date_at_the_same_pace(way: Way) -> None:
    frame = way.site / "state" / "models" / "frames" / way.evaluation["frames"]["id"] / "frames.json"
    counts = json.loads(frame.read_text(encoding="utf-8"))["counts"]
    shares = [counts[day]["events_12m"] / counts[day]["labelled_12m"] for day in DATES]
    assert max(shares) / min(shares) < 1.15
    for day in DATES:
        assert 0.004 < counts[day]["died_12m"] / counts[day]["people"] < 0.013
        assert counts[day]["left_12m"] > 0


def test_nobody_approves_a_model_that_was_not_judged(way: Way) -> None:
    assert way.refused[0].code == 5
    assert "riskstrat model evaluate" in way.refused[0].err


def test_nobody_approves_a_model_whose_list_is_too_short_to_be_judged(way: Way) -> None:
    assert len(way.refused) == len(way.size.capacities)
    for answer in way.refused[1:]:
        assert answer.code == 5
        assert "Enough admitted people on the list to judge it" in answer.err


def test_it_is_judged_on_a_later_date_than_it_learnt_from_and_every_gate_holds(way: Way) -> None:
    assert way.main["split"]["kind"] == "temporal"
    assert way.main["split"]["test_dates"] == [DATES[-1]]
    assert way.main["split"]["training_dates"] == [*DATES[:-1], *way.main["split"]["training_dates"][2:]]
    gates = [gate for horizon in way.evaluation["horizons"] for gate in horizon["gates"]]
    assert {gate["name"] for gate in gates} >= {"by_time", "inside_list", "slope", "better_than_rule"}
    assert all(gate["passed"] for gate in gates if gate["decides"] == "approval")


def test_every_place_is_left_out_once_and_every_group_has_its_figures(way: Way) -> None:
    assert len(way.main["places"]) == 5
    for place in way.main["places"]:
        assert place["auroc"][1] < place["auroc"][0] < place["auroc"][2]
        assert place["ppv"] is None or place["ppv"][1] < place["ppv"][0] < place["ppv"][2]
    groups = {group["name"]: group["levels"] for group in way.main["groups"]}
    assert set(groups) == {"imd_quintile", "ethnicity", "sex", "age_band", "practice", "pcn"}
    assert all(level["observed_to_expected"] for level in groups["pcn"])


def test_scores_grow_old_at_every_age_that_has_a_date(way: Way) -> None:
    months = [row["months"] for row in way.main["decay"]]
    assert months == ([3, 6, 12, 24] if way.size.old else [12, 24])
    oldest = way.main["decay"][-1]
    assert oldest["followed_share"] < 0.95
    assert oldest["aged"]["auroc"][1] < oldest["fresh"]["auroc"][0]


def test_rule_hfrs_and_efi_stand_beside_the_model_and_find_fewer(way: Way) -> None:
    team = {
        name: next(row for row in score["capacities"] if row["is_team"])
        for name, score in way.main["scores"].items()
    }
    assert {"two_or_more", "hfrs", "efi"} < set(team)
    for name in ("two_or_more", "hfrs", "efi"):
        assert team[name]["ppv"][0] < team["model"]["ppv"][0], name


def test_page_and_card_say_which_capacity_was_judged_and_where_it_is_set(way: Way) -> None:
    share = f"{100 * way.size.capacity:g}%"
    page = (way.model / "evaluation.html").read_text(encoding="utf-8")
    assert f"of the people on a list of {share}" in page
    assert "team_capacity" in page
    card = (way.model / "card.md").read_text(encoding="utf-8")
    assert f"{share} of the people scored; team_capacity in config/model/evaluation.yaml sets it." in card
    assert not re.search(
        r"\b(nan|none|inf)\b", re.sub("<svg.*?</svg>", "", page.split("<main>")[1], flags=re.DOTALL)
    )


@pytest.mark.parametrize("name", ["evaluation.html", "card.html"])
def test_what_is_printed_holds_every_column_and_no_page_cuts_a_word(
    way: Way, name: str, tmp_path: Path
) -> None:
    printed = drawn_page(Path(shutil.copy(way.model / name, tmp_path)))
    assert all(word.left >= 0 and word.right <= A4_WIDTH for words in printed.words for word in words)
    team = next(row for row in way.main["scores"]["model"]["capacities"] if row["is_team"])
    whole = printed.text.replace("\n", " ")
    for figure in (percents(team["ppv"], 0), numbers(team["observed_to_expected"])):
        assert figure in whole
    for place in way.main["places"]:
        assert numbers(place["auroc"], 3) in whole


def test_the_night_after_the_approval_scores_everybody_with_reasons(way: Way) -> None:
    before, after = (
        duckdb.sql(f"SELECT * FROM read_parquet('{folder}/scores.parquet') ORDER BY person_id").df()
        for folder in (way.before, way.after)
    )
    assert before["probability_12m"].isna().all()
    assert list(before["person_id"]) == list(after["person_id"])
    assert (before["score"] == after["score"]).all()
    assert after["probability_12m"].between(0, 1, inclusive="neither").all()
    assert set(after["model"]) == {way.model.name}
    highest = after.nlargest(100, "probability_12m")
    assert (highest["model_reasons_fixed"].notna() | highest["model_reasons_actionable"].notna()).all()


def test_scores_of_the_night_come_near_to_what_could_be_known(way: Way) -> None:
    key = read_site_key(way.site / "keys")
    truth = duckdb.sql(
        "SELECT nhs_number, p_bayes, p_bayes_24m, unplanned_admissions_next_12m > 0 AS is_admitted "
        f"FROM read_parquet('{way.site}/landing/truth/people.parquet')"
    ).df()
    truth["person_id"] = [person_id(key, number) for number in truth["nhs_number"]]
    scores = duckdb.sql(
        f"SELECT person_id, probability_12m FROM read_parquet('{way.after}/scores.parquet')"
    ).df()
    both = scores.merge(truth, on="person_id", validate="one_to_one")
    assert len(both) == len(scores)
    error = float(((both["probability_12m"] - both["p_bayes_24m"]) ** 2).mean() ** 0.5)
    spread = float(both["p_bayes_24m"].std())
    assert error < spread / 2
    assert both["probability_12m"].sum() / both["is_admitted"].sum() == pytest.approx(1, abs=0.12)
