"""Fitting: the best answer is found where there is one, in whatever order, and what cannot be learnt is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from riskstrat.errors import ContractBrokenError, MisuseError, NothingPublishedError, RiskstratError
from riskstrat.model.boosting import drawn_people
from riskstrat.model.fitting import KINDS, fit, load_model
from tests.fake_models import definition, fake_frame

each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return definition(tmp_path_factory.mktemp("definition"))


@pytest.fixture(scope="module")
def frame():
    return fake_frame(6_000)[0]


@pytest.fixture(scope="module")
def models(frame, known):
    return {kind: fit(frame, known, horizon="12m", kind=kind) for kind in KINDS}


def with_column(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, values)


def with_falls(table, values):
    return with_column(table, "falls_12m", pa.array(values * table.num_rows, pa.int32()))


def shuffled(table, seed=3):
    return table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows)))


def test_default_model_comes_close_to_the_best_that_anybody_could_know(known):
    learnt, _ = fake_frame(20_000, seed=1)
    people, best = fake_frame(20_000, seed=9)
    label = people["label_12m"].to_numpy()
    found = fit(learnt, known, horizon="12m", kind="logistic").predict(people)
    assert 0 < roc_auc_score(label, best) - roc_auc_score(label, found) < 0.01
    assert np.sqrt(np.mean((found - best) ** 2)) < 0.025
    line = LogisticRegression(C=np.inf).fit(np.log(found / (1 - found))[:, None], label)
    assert 0.9 < line.coef_[0, 0] < 1.1


def test_contributions_add_up_to_the_log_odds(frame, models):
    model = models["logistic"]
    names, added = model.contributions(frame)
    risk = model.predict(frame)
    assert names == model.predictors
    np.testing.assert_allclose(
        model.intercept + added.sum(axis=1), np.log(risk) - np.log1p(-risk), rtol=0, atol=1e-9
    )


def test_average_risk_is_what_was_observed_so_nobody_was_weighted(frame, models):
    observed = frame["label_12m"].to_numpy().mean()
    assert abs(models["logistic"].predict(frame).mean() - observed) < 1e-6


def test_a_straight_line_is_the_one_that_scikit_learn_finds(tmp_path, frame):
    only = definition(tmp_path)
    age = replace(only.predictors[0], knots=(0.0, 90.0))
    alone = replace(only, predictors=(age,), training=replace(only.training, ridge=1e-9))
    model = fit(frame, alone, horizon="12m", kind="logistic")
    ages = frame["age"].to_numpy().astype(float)[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky").fit(
        ages, frame["label_12m"].to_numpy()
    )
    np.testing.assert_allclose(model.predict(frame), theirs.predict_proba(ages)[:, 1], rtol=1e-6)


@each_kind
def test_rows_in_another_order_give_the_same_bytes(frame, known, models, kind):
    again = fit(shuffled(frame), known, horizon="12m", kind=kind)
    assert json.dumps(again.document()) == json.dumps(models[kind].document())
    assert again.predict(frame).tobytes() == models[kind].predict(frame).tobytes()


@each_kind
def test_a_score_depends_on_no_other_row_and_on_no_order(frame, models, kind):
    whole = models[kind].predict(frame)
    order = np.random.default_rng(5).permutation(frame.num_rows)
    assert models[kind].predict(frame.take(pa.array(order))).tobytes() == whole[order].tobytes()
    assert models[kind].predict(frame.slice(100, 50)).tobytes() == whole[100:150].tobytes()


@each_kind
def test_rows_whose_outcome_is_not_known_teach_nothing(frame, known, models, kind):
    rows = frame.num_rows
    unknown = with_column(frame, "label_12m", pa.nulls(rows, pa.bool_()))
    strangers = with_column(unknown, "person_id", pa.array([f"stranger {row}" for row in range(rows)]))
    again = fit(pa.concat_tables([strangers, frame]), known, horizon="12m", kind=kind)
    assert again.document() == models[kind].document()


def test_unknown_has_an_effect_of_its_own_and_is_not_zero(frame, known):
    rng = np.random.default_rng(7)
    had = frame["label_12m"].to_numpy()
    lost = rng.random(len(had)) < np.where(
        had, 0.6, 0.2
    )  # those whose medicines are unknown are at more risk
    medicines = pc.if_else(
        pa.array(lost), pa.scalar(None, pa.int32()), frame["medicines_12m"].combine_chunks()
    )
    model = fit(with_column(frame, "medicines_12m", medicines), known, horizon="12m", kind="logistic")
    effect = next(one for one in model.effects if one.predictor == "medicines_12m")
    assert effect.unknown > 0.5
    assert effect.unknown > max(effect.at_knots)


def test_unknown_counts_as_average_where_too_few_people_have_it(frame, known):
    medicines = pc.if_else(
        pa.array(np.arange(frame.num_rows) < known.training.least_people - 1),
        pa.scalar(None, pa.int32()),
        frame["medicines_12m"].combine_chunks(),
    )
    model = fit(with_column(frame, "medicines_12m", medicines), known, horizon="12m", kind="logistic")
    effect = next(one for one in model.effects if one.predictor == "medicines_12m")
    assert effect.unknown == pytest.approx(0, abs=1e-12)


def test_a_level_that_few_people_have_gets_no_effect_of_its_own(frame, known):
    sexes = frame["sex"].to_pylist()
    sexes[: known.training.least_people - 1] = ["9"] * (known.training.least_people - 1)
    model = fit(with_column(frame, "sex", pa.array(sexes)), known, horizon="12m", kind="logistic")
    effect = next(one for one in model.effects if one.predictor == "sex")
    assert set(effect.levels) == {"female", "male"}
    assert effect.other == pytest.approx(0, abs=1e-12)


@each_kind
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda frame: with_falls(frame, [0]), "is the same for all"),
        (lambda frame: with_falls(frame, [None]), "is unknown for everybody"),
        (lambda frame: frame.drop_columns("falls_12m"), "is not in the data"),
    ],
    ids=["constant", "unknown", "vanished"],
)
def test_a_predictor_that_tells_nothing_is_left_out_and_named(frame, known, kind, change, why):
    model = fit(change(frame), known, horizon="12m", kind=kind)
    assert "falls_12m" not in model.predictors
    assert why in model.about["left_out"]["falls_12m"]


def test_a_required_predictor_that_tells_nothing_is_refused(frame, known):
    what = "unplanned_admissions_12m is required and is not in the data"
    with pytest.raises(ContractBrokenError, match=what) as refused:
        fit(frame.drop_columns("unplanned_admissions_12m"), known, horizon="12m", kind="logistic")
    assert refused.value.exit_code == 4
    assert refused.value.column == "unplanned_admissions_12m"


def labelled(frame, value):
    return with_column(frame, "label_12m", pa.array([value] * frame.num_rows, pa.bool_()))


@each_kind
@pytest.mark.parametrize(
    ("value", "what"),
    [
        (True, "everybody had the outcome"),
        (False, "nobody had the outcome"),
        (None, "nobody's outcome is known"),
    ],
)
def test_an_outcome_that_does_not_vary_or_is_not_known_is_refused(frame, known, kind, value, what):
    with pytest.raises(ContractBrokenError, match=what) as refused:
        fit(labelled(frame, value), known, horizon="12m", kind=kind)
    assert refused.value.remedy


def test_too_few_people_with_the_outcome_are_refused_with_the_number_that_is_needed(tmp_path, frame):
    strict = definition(tmp_path, events_per_coefficient=100)
    with pytest.raises(
        ContractBrokenError, match=r"people had the outcome and \d{4} are needed \(100 for each of"
    ):
        fit(frame, strict, horizon="12m", kind="logistic")


def test_one_person_on_many_dates_counts_once(tmp_path):
    strict = definition(tmp_path, least_events=10_000)
    frame, _ = fake_frame(3_000, dates=3)
    had = frame.filter(pc.field("label_12m"))
    people = len(pc.unique(had["person_id"]))
    assert people < had.num_rows
    with pytest.raises(ContractBrokenError, match=f"^{people} people had the outcome and 10000 are needed"):
        fit(frame, strict, horizon="12m", kind="logistic")


def test_a_frame_without_the_label_is_misuse(frame, known):
    with pytest.raises(MisuseError, match="the frame has no label_5y"):
        fit(frame, known, horizon="5y", kind="logistic")


def test_a_kind_that_there_is_not_is_misuse(frame, known):
    with pytest.raises(MisuseError, match="'forest' is no kind of model"):
        fit(frame, known, horizon="12m", kind="forest")


@pytest.mark.parametrize("predictor", ["unplanned_admissions_24m", "efi_deficits", "ae_attendances_12m"])
def test_challenger_never_falls_where_risk_may_only_rise(frame, models, predictor):
    sample = frame.slice(0, 300)
    risks = [
        models["boosting"].predict(with_column(sample, predictor, pa.array([count] * 300, pa.int32())))
        for count in range(12)
    ]
    assert (np.diff(risks, axis=0) >= 0).all()


def test_people_are_held_out_with_all_their_dates():
    frame, _ = fake_frame(2_000, dates=3)
    held_out = drawn_people(frame["person_id"], 0.2, "held out 0")
    sides: dict[str, set[bool]] = {}
    for person, side in zip(frame["person_id"].to_pylist(), held_out.tolist(), strict=True):
        sides.setdefault(person, set()).add(side)
    assert all(len(side) == 1 for side in sides.values())
    assert 0.15 < held_out.mean() < 0.25
    assert (drawn_people(frame["person_id"], 0.2, "held out 1") != held_out).any()


def test_challenger_of_a_part_of_the_people_is_the_same_in_any_order(tmp_path, frame, models):
    few = definition(tmp_path, most_rows=3_000)
    model = fit(frame, few, horizon="12m", kind="boosting")
    again = fit(shuffled(frame), few, horizon="12m", kind="boosting")
    assert again.predict(frame).tobytes() == model.predict(frame).tobytes()
    assert model.predict(frame).tobytes() != models["boosting"].predict(frame).tobytes()


@each_kind
def test_a_model_that_was_kept_scores_the_same_to_the_last_byte(tmp_path, frame, models, kind):
    written = models[kind].save(tmp_path)
    assert {path.name for path in written} == {f"{kind}_12m.json", f"{kind}_12m.skops"}
    kept = load_model(tmp_path, horizon="12m", kind=kind)
    assert kept.predict(frame).tobytes() == models[kind].predict(frame).tobytes()


def test_scoring_with_the_default_model_imports_no_estimator(tmp_path, models):
    models["logistic"].save(tmp_path)
    script = (
        "import sys; from pathlib import Path; import riskstrat.scoring.serving, riskstrat.scoring.reasons; "
        "from riskstrat.scoring.persistence import load_model; load_model(Path(sys.argv[1])); "
        "print(sorted({'sklearn', 'skops', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


def test_no_pickle_is_read(tmp_path: Path, models):
    models["boosting"].save(tmp_path)
    skops.io.dump(np.random.default_rng, tmp_path / "boosting_12m.skops")
    with pytest.raises(RiskstratError, match="which no model of this package is made of"):
        load_model(tmp_path, horizon="12m", kind="boosting")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("logistic", "logistic_12m.json"),
        ("boosting", "boosting_12m.json"),
        ("boosting", "boosting_12m.skops"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04K\x01.", b"PK\x03\x04 no archive"])
def test_a_damaged_file_is_refused_by_name(tmp_path, models, kind, name, content):
    models[kind].save(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RiskstratError, match="the model is damaged") as refused:
        load_model(tmp_path, horizon="12m", kind=kind)
    assert str(refused.value.file).endswith(name)


def test_a_model_that_is_not_there_says_where_it_looked(tmp_path):
    with pytest.raises(NothingPublishedError, match="there is no such model"):
        load_model(tmp_path, horizon="90d", kind="logistic")
