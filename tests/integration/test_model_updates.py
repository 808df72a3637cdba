"""Changing a model that is in use: its level by a signed update, and no naive refit once offers exist."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.definitions.contracts import load_contract
from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.model import training
from riskstrat.model.evaluation.evaluating import _Work, horizons_of
from riskstrat.model.fitting import fit
from riskstrat.model.promotion import retire
from riskstrat.model.recalibration import recalibrate
from riskstrat.returns.store import CONTENT, write_return
from riskstrat.scoring.persistence import load_estimator, load_model
from riskstrat.scoring.registry import Model, find_model, list_models
from riskstrat.scoring.serving import find_served
from riskstrat.site import Site, load_site
from tests.drifting_town import AS_OF, LEARNT, QUIET, YEAR_AGO, DriftingTown, approved
from tests.end_to_end.command import riskstrat
from tests.fake_models import ROOT, replace_text

SIGNED = {"by": "Dr A Example", "reason": "Replaced by its update"}


@dataclass(frozen=True)
class Updated:
    """A copy of the drifting town's registry in which its model was recalibrated from the command line."""

    site: Site
    parent: Model
    model: Model
    told: str


@pytest.fixture(scope="module")
def updated(drifting: DriftingTown, tmp_path_factory: pytest.TempPathFactory) -> Updated:
    root = tmp_path_factory.mktemp("updated")
    shutil.copytree(drifting.site.root, root / "site", symlinks=True)
    site = load_site(root / "site")
    from typer.testing import CliRunner

    from riskstrat.cli import app

    words = ["--site", str(site.root), "model", "recalibrate", drifting.model.id, "--as-of", f"{YEAR_AGO}"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    (made,) = [one for one in list_models(site) if one.id != drifting.model.id]
    return Updated(site, find_model(site, drifting.model.id), made, answer.output)


def test_the_update_is_a_candidate_of_its_own_with_its_parent_and_both_ratios(
    updated: Updated, drifting: DriftingTown
) -> None:
    about = updated.model.about
    assert updated.model.stage == "candidate"
    assert updated.model.damage() is None
    assert about["recalibrated"]["parent"] == {"model": updated.parent.id, "sha256": updated.parent.sha256}
    moved = about["recalibrated"]["horizons"]["12m"]
    label = drifting.then["label_12m"]
    known = drifting.then.filter(label.is_valid())
    expected = load_model(updated.parent.folder).predict(known).sum()
    assert moved["before"][0] == pytest.approx(pc.sum(label).as_py() / expected)
    assert moved["after"][0] == pytest.approx(1.0)
    assert moved["before"][1] < moved["before"][0] < moved["before"][2]
    assert load_model(updated.model.folder).predict(known).sum() == pytest.approx(pc.sum(label).as_py())
    assert f"{moved['before'][0]:.2f} (" in updated.told
    assert updated.parent.damage() is None
    assert about["expires_on"] == updated.parent.about["expires_on"]
    assert about["index_dates"] == updated.parent.about["index_dates"]


def test_nothing_but_intercepts_differs_between_the_files(updated: Updated) -> None:
    for kind in updated.model.about["kinds"]:
        before, after = (
            json.loads((one.folder / f"{kind}_12m.json").read_text(encoding="utf-8"))
            for one in (updated.parent, updated.model)
        )
        shift = updated.model.about["recalibrated"]["horizons"]["12m"]["shifts"][kind]
        assert after.pop("intercept") == pytest.approx(before.pop("intercept") + shift, abs=1e-12)
        assert after.pop("about").pop("shift") == shift
        before.pop("about")
        assert after == before
    for name in ("predictors.yaml", "policy.yaml"):
        assert (updated.model.folder / name).read_bytes() == (updated.parent.folder / name).read_bytes()
    estimators = [
        load_estimator(one.folder / "logistic_12m.skops") for one in (updated.parent, updated.model)
    ]
    assert np.array_equal(estimators[0].coef_, estimators[1].coef_)
    shift = updated.model.about["recalibrated"]["horizons"]["12m"]["shift"]
    assert estimators[1].intercept_ - estimators[0].intercept_ == pytest.approx(shift)


def test_the_update_is_on_record_and_scores_nobody_before_somebody_signs(updated: Updated) -> None:
    frame, entry = (one.facts for one in read_entries(updated.site)[-2:])
    assert (frame["action"], frame["purpose"]) == ("model frame", "risk_stratification")
    assert frame["count"] == entry["count"] > 1_000
    assert entry["action"] == "model recalibrate"
    assert (entry["model"], entry["replaces"]) == (updated.model.id, updated.parent.id)
    assert verify(updated.site) == []
    features = load_contract(ROOT / "data_contracts" / "features.yaml")
    served = find_served(updated.site, features, AS_OF)
    assert served.model is not None
    assert served.model.id == updated.parent.id


def test_the_same_update_again_is_the_model_that_is_there(updated: Updated) -> None:
    assert recalibrate(updated.site, updated.parent.id, [YEAR_AGO], progress=QUIET).id == updated.model.id


def test_a_signed_update_serves_in_its_parents_place(updated: Updated, tmp_path: Path) -> None:
    shutil.copytree(updated.site.state, tmp_path / "state", ignore=shutil.ignore_patterns("frames"))
    site = replace(updated.site, state=tmp_path / "state")
    retire(site, updated.parent.id, **SIGNED)
    approved(site, find_model(site, updated.model.id))
    served = find_served(site, load_contract(ROOT / "data_contracts" / "features.yaml"), AS_OF)
    assert served.model is not None
    assert served.model.id == updated.model.id
    assert served.reasoned == load_model(updated.model.folder)


def test_the_update_is_judged_at_its_own_level(updated: Updated, drifting: DriftingTown) -> None:
    work = _Work(updated.site, updated.model, _definition(updated), None, None, QUIET)
    (horizon,) = horizons_of(updated.model)
    _, made = work.fits(horizon)["model"]
    again = fit(drifting.then, _definition(updated), horizon="12m", kind="logistic")
    shift = updated.model.about["recalibrated"]["horizons"]["12m"]["shift"]
    assert made(drifting.then).intercept == pytest.approx(again.intercept + shift)


def _definition(updated: Updated):
    from riskstrat.definitions.model import load_model_definition

    features = load_contract(ROOT / "data_contracts" / "features.yaml")
    return load_model_definition(updated.model.folder, {column.name: column for column in features.columns})


def test_what_cannot_be_updated_is_refused(updated: Updated, tmp_path: Path) -> None:
    site = updated.site
    with pytest.raises(MisuseError, match="is what it learnt") as early:
        recalibrate(site, updated.parent.id, [LEARNT], progress=QUIET)
    assert f"after {LEARNT}" in str(early.value.remedy)
    shutil.copytree(site.state, tmp_path / "state", ignore=shutil.ignore_patterns("frames"))
    retired = replace(site, state=tmp_path / "state")
    retire(retired, updated.parent.id, **SIGNED)
    with pytest.raises(MisuseError, match="is retired"):
        recalibrate(retired, updated.parent.id, [YEAR_AGO], progress=QUIET)
    shutil.copytree(site.root / "config", tmp_path / "site" / "config")
    for room in ("data_contracts", "pipelines"):
        (tmp_path / "site" / room).symlink_to(site.root / room)
    changed = replace(site, root=tmp_path / "site")
    outcome = tmp_path / "site" / "config" / "model" / "outcome.yaml"
    replace_text(outcome, "rule: no_event", "rule: event")
    with pytest.raises(MisuseError, match="rules of the outcome changed"):
        recalibrate(changed, updated.parent.id, [YEAR_AGO], progress=QUIET)
    replace_text(outcome, "rule: event", "rule: no_event")
    replace_text(tmp_path / "site" / "config" / "codelists" / "charlson.csv", "\n", "\n\n")
    with pytest.raises(MisuseError, match=r"charlson\.csv changed since training"):
        recalibrate(changed, updated.parent.id, [YEAR_AGO], progress=QUIET)


def test_a_naive_refit_is_refused_and_with_a_reason_marks_who_was_treated(
    updated: Updated, drifting: DriftingTown, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some people of the frame were seen half a year after the index date, one of them twice, one a year too late."""
    people = drifting.then["person_id"].to_pylist()[:4]
    days = [date(2024, 11, 1), date(2024, 12, 1), date(2024, 11, 1), date(2025, 12, 1)]
    rows = [
        {
            **dict.fromkeys(CONTENT),
            **{"list": "weekly_mdt", "list_as_of": day, "area_code": "N1", "person_id": person},
            **{"outcome": "seen", "outcome_date": day, "row_number": place},
        }
        for place, (person, day) in enumerate(zip([people[0], people[0], *people[2:]], days, strict=True))
    ]
    site = updated.site
    write_return(site.state, "20260401-00000000aa", rows)
    before = len(list_models(site))
    refused = riskstrat(capsys, site.root, "model", "train", "--as-of", f"{LEARNT}")
    assert refused.code == 5
    assert "would learn that those who are helped need no help" in refused.err
    assert "no index date after 2023-11-01" in refused.err
    assert len(list_models(site)) == before
    entry = read_entries(site)[-1].facts
    assert (entry["action"], entry["outcome"]) == ("model train", "refused")
    reason = "Offered to a random half, judged apart"
    made = training.train(site, [LEARNT], kinds=("logistic",), despite_offers=reason, progress=QUIET)
    told = made.about["offers"]
    in_frame = set(_learnt_people(made, site))
    treated = [date(2025, 5, 1) - days[place] for place in (0, 2) if people[place] in in_frame]
    assert told == {
        "first": "2024-11-01",
        "treated": {f"{LEARNT}": {"rows": len(treated), "person_days": sum(one.days for one in treated)}},
        "despite": reason,
    }
    assert treated
    entry = read_entries(site)[-1].facts
    assert (entry["action"], entry["model"], entry["reason"]) == ("model train", made.id, reason)
    with pytest.raises(NotPermittedError):
        training.train(site, [LEARNT], progress=QUIET)


def _learnt_people(model: Model, site: Site) -> list[str]:
    import pyarrow.parquet as pq

    folder = site.state / "models" / "frames" / model.about["frame"]["id"]
    table: pa.Table = pq.read_table(folder / "frames.parquet", columns=["person_id"])
    return table["person_id"].to_pylist()
