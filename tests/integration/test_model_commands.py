"""A model of the synthetic town from training to retirement, and what a nightly run does with it at every step."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.definitions.contracts import load_contract
from riskstrat.model import training
from riskstrat.model.frame_files import open_frames, read_frames
from riskstrat.runs import file_hash
from riskstrat.scoring.persistence import load_model
from riskstrat.scoring.registry import Model, approval_hash
from riskstrat.scoring.serving import Served, doubts, find_served
from riskstrat.site import Site, write_default_site
from tests.end_to_end.command import riskstrat
from tests.fake_models import ROOT, replace_text, set_policy
from tests.integration.modelled_town import (
    AS_OF,
    FEATURES,
    MODEL,
    QUIET,
    THEN,
    Town,
    command_on,
    copy_definitions,
    manifest,
    put_evaluation,
    scores,
    served_on,
    with_own_state,
    write_modelled_town,
)
from tests.integration.spoilt_models import CHANGED, UNFIT

SIGNED = ("--by", "Dr A Example", "--reason", "Read by the safety group")
SCORES = load_contract(ROOT / "data_contracts" / "scores.yaml")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return write_modelled_town(tmp_path_factory.mktemp("town") / "site")


def test_training_registers_a_candidate_that_says_what_it_was_made_of(town: Town) -> None:
    about = town.model.about
    assert about["index_dates"] == [f"{THEN}"]
    assert about["complete_to"] == f"{AS_OF}"
    assert about["expires_on"] == "2027-04-01"
    assert about["horizons"] == ["12m", "90d"]
    assert about["outcome"]["death"] == "no_event"
    assert set(about["fits"]) == {
        f"{kind}_{horizon}" for kind in ("logistic", "boosting") for horizon in ("12m", "90d")
    }
    assert (
        about["frame"]["sha256"]
        == open_frames(town.site.state / "models" / "frames" / about["frame"]["id"]).about["sha256"]
    )
    assert {
        "config/codelists/efi.csv",
        "config/codelists/efi_values.csv",
        "config/scores/hfrs_weights.csv",
    } <= set(about["features"]["codelists"])
    assert about["libraries"]["scikit-learn"]
    assert town.model.damage() is None
    for name in (*about["files"], "model.json", "status.json"):
        assert stat.S_IMODE((town.model.folder / name).stat().st_mode) == 0o600, name


def test_training_again_gives_the_model_that_is_there(town: Town) -> None:
    assert training.train(town.site, [THEN], progress=QUIET).id == town.model.id


def test_columns_of_the_model_stand_in_every_run_and_are_empty_without_one(town: Town) -> None:
    named = [column.name for column in SCORES.columns]
    for folder in (town.before, town.scored, town.damaged):
        assert scores(folder).column_names == named
    for folder in (town.before, town.damaged):
        for name in named[named.index("probability_12m") :]:
            assert scores(folder)[name].null_count == scores(folder).num_rows, name


def test_a_candidate_changes_nothing_in_a_run(town: Town) -> None:
    assert "model" not in manifest(town.before)
    assert manifest(town.before)["warnings"] == []


def test_an_approved_model_scores_everybody_with_its_own_numbers(town: Town) -> None:
    found, features = scores(town.scored), pq.read_table(town.scored / "features.parquet")
    assert found["person_id"].equals(features["person_id"])
    for horizon in ("12m", "90d"):
        expected = load_model(town.model.folder, horizon=horizon).predict(features)
        assert found[f"probability_{horizon}"].to_numpy().tobytes() == expected.tobytes()
    assert pc.unique(found["model"]).to_pylist() == [town.model.id]
    assert pc.unique(found["score_as_of"]).to_pylist() == [AS_OF]
    assert manifest(town.scored)["scored_by"]["people"] == found.num_rows
    assert list(manifest(town.scored)["model"]) == [town.model.id]


def test_probabilities_agree_with_what_was_observed_a_year_before(town: Town) -> None:
    frames = read_frames(town.site.state / "models" / "frames" / town.model.about["frame"]["id"])
    observed = pc.mean(frames["label_12m"].cast(pa.float64())).as_py()
    assert pc.mean(scores(town.scored)["probability_12m"]).as_py() == pytest.approx(observed, rel=0.25)


def test_reasons_are_true_of_the_person_and_at_most_three(town: Town) -> None:
    found = scores(town.scored)
    admissions = pq.read_table(town.scored / "features.parquet")["unplanned_admissions_12m"].to_pylist()
    rows = zip(
        found["model_reasons_fixed"].to_pylist(),
        found["model_reasons_actionable"].to_pylist(),
        admissions,
        strict=True,
    )
    said = 0
    for fixed, actionable, count in rows:
        sentences = [one for text in (fixed, actionable) if text for one in text.split("; ")]
        assert len(sentences) <= 3
        for sentence in sentences:
            if sentence.endswith("unplanned admissions in 12 months"):
                said += 1
                assert sentence == f"Multicomplexity: {count} unplanned admissions in 12 months"
    assert said > 5


@pytest.mark.parametrize("name", ["scored", "damaged"])
def test_scores_by_rule_and_every_cohort_are_the_same_with_and_without_a_model(town: Town, name: str) -> None:
    other: Path = getattr(town, name)
    by_rule = ["person_id", "score", "unplanned_admissions_points", "frailty_deficits_points", "age_points"]
    assert scores(other).select(by_rule).equals(scores(town.before).select(by_rule))
    cohorts = sorted(path.name for path in (town.before / "cohorts").glob("*.parquet"))
    assert len(cohorts) > 20
    for cohort in cohorts:
        assert (other / "cohorts" / cohort).read_bytes() == (town.before / "cohorts" / cohort).read_bytes()


def test_a_damaged_model_scores_nobody_and_the_run_says_so(town: Town) -> None:
    (warning,) = manifest(town.damaged)["warnings"]
    assert warning == (
        f"the approved model {town.model.id} is not used, logistic_12m.json is not what was trained: "
        "people have no model score in this run; lists that rank by rule are as ever."
    )
    assert "scored_by" not in manifest(town.damaged)


def test_drift_is_looked_at_where_a_model_scores_and_nowhere_else(town: Town) -> None:
    for folder in (town.before, town.damaged):
        assert "drift" not in manifest(folder)
        assert not (folder / "drift.parquet").exists()
        assert 'id="drift"' not in (folder / "report" / "index.html").read_text(encoding="utf-8")
    rows = pq.read_table(town.scored / "drift.parquet").to_pylist()
    outcomes = [row for row in rows if row["measure"] == "observed_over_expected"]
    assert [(row["name"], row["band"], row["note"]) for row in outcomes] == [
        (horizon, "not_judged", f"no earlier run has scores whose {horizon} are over and settled")
        for horizon in ("12m", "90d")
    ]
    assert {row["name"] for row in rows if row["measure"] == "score_spread"} == {"12m", "90d"}
    assert manifest(town.scored)["warnings"] == []


def test_the_model_is_part_of_what_a_run_is(town: Town) -> None:
    assert len({town.before.name, town.scored.name, town.damaged.name}) == 3


@pytest.mark.parametrize(("spoil", "why"), UNFIT.values(), ids=UNFIT)
def test_an_approved_model_that_was_tampered_with_is_not_used(
    town: Town, tmp_path: Path, spoil: Callable[[Site, Model], None], why: str
) -> None:
    site, model = with_own_state(town, tmp_path)
    assert served_on(site).model is not None
    spoil(site, model)
    served = served_on(site)
    assert served.model is None
    assert not served.models
    assert why in served.warnings[0]
    assert served.identity == {model.id: served.warnings[0]}


@pytest.mark.parametrize(
    ("as_of", "why"),
    [
        (date(2027, 4, 1), "it expired on 2027-04-01"),
        (date(2026, 3, 31), "it has learnt from records up to 2026-04-01"),
    ],
)
def test_a_model_is_used_from_its_last_record_until_it_expires(town: Town, as_of: date, why: str) -> None:
    assert why in served_on(town.site, as_of).warnings[0]
    assert served_on(town.site, date(2027, 3, 31)).model is not None


@pytest.mark.parametrize(("path", "old", "new", "why"), CHANGED.values(), ids=CHANGED)
def test_a_model_whose_features_mean_something_else_is_not_used(
    town: Town, tmp_path: Path, path: str, old: str, new: str, why: str
) -> None:
    copy_definitions(town, tmp_path)
    features = FEATURES
    if path.startswith("data_contracts"):
        column = features.column("unplanned_admissions_90d")
        changed = replace(column, about={**column.about, "window": "100 days"})
        columns = tuple(changed if one.name == column.name else one for one in features.columns)
        features = replace(features, columns=columns)
    else:
        replace_text(tmp_path / path, old, new)
    served = find_served(replace(town.site, root=tmp_path), features, AS_OF)
    assert why in served.warnings[0]


def test_new_sql_behind_the_features_is_warned_of_and_the_model_is_used(town: Town, tmp_path: Path) -> None:
    copy_definitions(town, tmp_path)
    path = tmp_path / "pipelines" / "40_features" / "bed_days.sql"
    path.write_text(f"-- changed\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    served = served_on(replace(town.site, root=tmp_path))
    assert served.model is not None
    assert "the SQL of features changed" in served.warnings[0]


@pytest.mark.parametrize("lost", ["model.json", "status.json"])
def test_an_approved_model_that_was_lost_is_missed(town: Town, tmp_path: Path, lost: str) -> None:
    site, model = with_own_state(town, tmp_path)
    (model.folder / lost).unlink()
    served = served_on(site)
    assert served.model is None
    assert served.warnings[0].startswith(
        f"the audit log has the model {model.id} approved and the registry has not"
    )


def test_two_approved_models_score_nobody(town: Town, tmp_path: Path) -> None:
    site, model = with_own_state(town, tmp_path)
    shutil.copytree(model.folder, model.folder.with_name("20260402-0123456789"))
    served = served_on(site)
    assert "more than one model is approved" in served.warnings[0]
    assert set(served.identity) == {model.id, "20260402-0123456789"}


def test_a_predictor_that_vanished_or_stands_still_tonight_is_doubted(town: Town) -> None:
    served, features = served_on(town.site), pq.read_table(town.scored / "features.parquet")
    assert doubts(served, features) == []
    place = features.schema.get_field_index("unplanned_admissions_12m")
    gone = features.set_column(place, "unplanned_admissions_12m", pa.nulls(features.num_rows, pa.int32()))
    still = features.set_column(
        place, "unplanned_admissions_12m", pa.array([1] * features.num_rows, pa.int32())
    )
    assert doubts(served, gone) == ["unplanned_admissions_12m is unknown for 100% of people (0% in training)"]
    assert doubts(served, still) == ["unplanned_admissions_12m is the same for everybody"]


def test_commands_list_and_show_a_model_and_end_with_6_without_any(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = riskstrat(capsys, town.site.root, "model", "list")
    assert listed.code == 0
    assert town.model.id in listed.out
    assert "approved" in listed.out
    shown = riskstrat(capsys, town.site.root, "model", "show", town.model.id)
    assert "approved by Dr A Example on" in shown.out
    assert "unplanned_admissions_24m" in shown.out
    whole = riskstrat(capsys, town.site.root, "model", "show", town.model.id, "--json")
    assert json.loads(whole.out)["model"] == town.model.id
    assert riskstrat(capsys, town.site.root, "model", "show", "20200101-0000000000").code == 6
    write_default_site(tmp_path / "new")
    assert riskstrat(capsys, tmp_path / "new", "model", "list").code == 6


@pytest.mark.parametrize(
    ("failed", "words", "code", "what"),
    [
        ((), ("approve", MODEL, *SIGNED), 0, "approved, until 2027-04-01"),
        ((), ("approve", MODEL, *SIGNED, "--kind", "boosting"), 0, "approved, until 2027-04-01"),
        (("not_suspicious",), ("approve", MODEL, *SIGNED), 5, "12m: Gate not_suspicious: 0.910 (0.900 to 0.920)"),
        (("better",), ("approve", MODEL, *SIGNED), 0, "approved, until 2027-04-01"),
        (("better",), ("approve", MODEL, *SIGNED, "--kind", "boosting"), 5, "12m: Gate better"),
        ((), ("approve", MODEL, *SIGNED, "--kind", "forest"), 2, "has no forest"),
        ((), ("approve", MODEL, "--by", " ", "--reason", "x"), 2, "--by is empty"),
        ((), ("approve", MODEL, "--by", "x", "--reason", ""), 2, "--reason is empty"),
    ],
)  # fmt: skip
def test_approval_wants_a_signature_and_every_gate(
    town: Town,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    failed: tuple[str, ...],
    words: tuple[str, ...],
    code: int,
    what: str,
) -> None:
    put_evaluation(town.site, town.model, *failed)
    answer, site, model = command_on(town, tmp_path, capsys, *words)
    put_evaluation(town.site, town.model)
    assert answer.code == code
    assert what in answer.out + answer.err
    assert model.stage == ("approved" if code == 0 else "candidate")
    newest = read_entries(site)[-1].facts
    if code == 0:
        kind = words[-1] if "--kind" in words else "logistic"
        assert newest["action"] == "model approve"
        assert newest["signed_off_by"] == "Dr A Example"
        assert newest["file_sha256"] == approval_hash(model.sha256, kind)
        served = served_on(site)
        assert {one.kind for one in served.models.values()} == {kind}
        assert served.reasoned is not None
    elif code == 5:
        assert newest["outcome"] == "refused"
    assert verify(site) == []


def test_approval_wants_the_evaluation_that_the_audit_log_knows(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = town.model.folder / "evaluation.json"
    kept = path.read_bytes()
    put_evaluation(town.site, town.model, "nothing at all", on_record=False)
    path.write_text(path.read_text(encoding="utf-8").replace("Gate slope", "Gate hope"), encoding="utf-8")
    by_hand, *_ = command_on(town, tmp_path / "by_hand", capsys, "approve", MODEL, *SIGNED)
    path.unlink()
    without, *_ = command_on(town, tmp_path / "without", capsys, "approve", MODEL, *SIGNED)
    path.write_bytes(kept)
    assert (by_hand.code, without.code) == (5, 5)
    assert "is not what the audit log says was found" in by_hand.err
    assert "has not been evaluated" in without.err


def test_one_model_is_approved_at_a_time_and_a_retired_one_is_not_approved_again(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approved, site, model = command_on(town, tmp_path, capsys, "approve", MODEL, *SIGNED)
    root = tmp_path / "root"
    again = riskstrat(capsys, root, "model", "approve", model.id, *SIGNED)
    retired = riskstrat(capsys, root, "model", "retire", model.id, *SIGNED)
    twice = riskstrat(capsys, root, "model", "retire", model.id, *SIGNED)
    back = riskstrat(capsys, root, "model", "approve", model.id, *SIGNED)
    assert [approved.code, again.code, retired.code, twice.code, back.code] == [0, 2, 0, 2, 2]
    assert served_on(site) == Served()
    assert read_entries(site)[-1].facts["action"] == "model retire"
    assert file_hash(model.folder / "model.json") == town.model.sha256


def test_nothing_of_a_person_is_in_the_registry_or_the_log(town: Town) -> None:
    people = set(scores(town.scored)["person_id"].to_pylist())
    texts = [path for path in town.model.folder.iterdir() if path.suffix in (".json", ".yaml")]
    texts.append(town.site.state / "audit" / "log.jsonl")
    assert len(texts) > 6
    for path in texts:
        content = path.read_text(encoding="utf-8")
        assert not any(person in content for person in people), path.name


def test_training_that_cannot_be_refuses_and_leaves_no_model(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = town.site.config / "model" / "policy.yaml"
    kept = policy.read_bytes()
    known = sorted(path.name for path in (town.site.state / "models").iterdir())
    set_policy(policy, least_events=100_000)
    few = riskstrat(capsys, town.site.root, "model", "train", "--as-of", f"{THEN}")
    policy.write_bytes(kept)
    late = riskstrat(capsys, town.site.root, "model", "train", "--as-of", "2026-03-01")
    wrong = riskstrat(capsys, town.site.root, "model", "train", "--as-of", "soon")
    assert (few.code, late.code, wrong.code) == (4, 2, 2)
    assert "people had the outcome and 100000 are needed" in few.err
    left = sorted(path.name for path in (town.site.state / "models").iterdir())
    assert [name for name in left if name not in known] == []
