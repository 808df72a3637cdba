"""A night with a model: what it says of drift, and that scores rest on nothing but what was known before as_of."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskstrat import pipeline
from riskstrat.definitions.contracts import load_contract
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import DefinitionError
from riskstrat.pipeline import run
from riskstrat.rewriting import Rewriter
from riskstrat.scoring.registry import find_model, write_status
from riskstrat.scoring.serving import find_served
from riskstrat.site import load_site
from tests.drifting_town import AS_OF, QUIET, YEAR_AGO, DriftingTown, approved, drift_of
from tests.earlier_deliveries import write_whole
from tests.end_to_end.command import riskstrat
from tests.fake_models import ROOT, replace_text
from tests.later_events import LATER, later_row

FEATURES = load_contract(ROOT / "data_contracts" / "features.yaml")
CONTRACT = load_contract(ROOT / "data_contracts" / "drift.yaml")


def outcome_row(town: DriftingTown, part: str) -> dict[str, object]:
    (row,) = [
        row
        for row in drift_of(town.night)
        if (row["measure"], row["name"], row["part"]) == ("observed_over_expected", "12m", part)
    ]
    return row


def test_observed_and_expected_are_those_of_the_labels_and_the_published_scores(
    drifting: DriftingTown,
) -> None:
    """The labels come from a landmark frame, which stages the deliveries anew and knows nothing of drift."""
    risk, label = drifting.scores["probability_12m"], drifting.then["label_12m"]
    known = label.is_valid()
    everybody = outcome_row(drifting, "all")
    assert everybody["observed"] == pc.sum(label).as_py()
    assert everybody["people"] == pc.sum(known).as_py() < len(label)
    assert everybody["expected"] == pytest.approx(pc.sum(risk.filter(known)).as_py(), abs=1e-5)
    assert (everybody["scored_as_of"], everybody["model"]) == (YEAR_AGO, drifting.model.id)
    ids = np.array(drifting.scores["person_id"].to_pylist())
    top = np.lexsort((ids, -risk.to_numpy()))[: round(len(ids) * 0.02)]
    on_list = outcome_row(drifting, "list")
    assert on_list["observed"] == pc.sum(label.take(pa.array(top))).as_py()
    assert on_list["people"] == pc.count(label.take(pa.array(top))).as_py()


def test_people_who_died_or_left_since_are_followed_by_the_rules_of_the_label(drifting: DriftingTown) -> None:
    """Their stays are in no table of tonight's population, and an admission before they went still counts."""
    tonight = pq.read_table(drifting.night / "features.parquet")["person_id"]
    gone = drifting.then.filter(
        pc.invert(pc.is_in(drifting.then["person_id"], value_set=tonight.combine_chunks()))
    )
    assert pc.sum(gone["died_12m"]).as_py() > 5
    assert pc.sum(gone["label_12m"]).as_py() > 0
    assert gone["label_12m"].null_count > 0


def test_a_model_that_expected_too_few_is_warned_of_and_an_unshifted_town_is_not(
    drifting: DriftingTown,
) -> None:
    manifest = json.loads((drifting.night / "manifest.json").read_text(encoding="utf-8"))
    (warning,) = manifest["warnings"]
    assert warning.startswith(
        f"the model {drifting.model.id} said of everybody scored as of {YEAR_AGO} that "
    )
    assert outcome_row(drifting, "all")["band"] == "act"
    assert manifest["drift"]["crossed"] == {"watch": 0, "act": 1}
    spread = [row for row in drift_of(drifting.night) if row["measure"].endswith("_spread")]
    assert len(spread) > 15
    assert {row["band"] for row in spread} == {"steady"}


def test_the_earlier_run_is_part_of_what_the_run_is(drifting: DriftingTown) -> None:
    manifest = json.loads((drifting.night / "manifest.json").read_text(encoding="utf-8"))
    (earlier,) = [
        path.name for path in (drifting.site.output / "runs").iterdir() if path.name.startswith("20250301")
    ]
    assert manifest["model"]["scores of the 12m"] == earlier


def test_rows_are_in_a_total_order_and_agree_with_the_contract(drifting: DriftingTown) -> None:
    table = pq.read_table(drifting.night / "drift.parquet")
    assert table.column_names == [column.name for column in CONTRACT.columns]
    keys = [(row["measure"], row["name"], row["part"]) for row in table.to_pylist()]
    assert len(set(keys)) == len(keys)
    measures = list(dict.fromkeys(measure for measure, *_ in keys))
    assert measures == ["observed_over_expected", "score_spread", "feature_spread", "unknown_share"]
    for measure in measures:
        own = [key for key in keys if key[0] == measure]
        assert own == sorted(own)
    practices = set(pq.read_table(drifting.night / "features.parquet")["practice_code"].to_pylist())
    assert {part for measure, _, part in keys if measure == "unknown_share"} == practices


def test_the_run_report_has_a_section_of_it_and_the_command_prints_it(
    drifting: DriftingTown, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (drifting.night / "report" / "index.html").read_text(encoding="utf-8")
    assert '<h2 id="drift">Whether a risk model still fits</h2>' in page
    assert f"12m, {YEAR_AGO}" in page
    shown = riskstrat(capsys, drifting.site.root, "model", "drift", "--run", drifting.night.name)
    assert shown.code == 0
    assert f"12m, {YEAR_AGO}" in shown.out
    assert "medicines_12m" in shown.out
    as_json = riskstrat(
        capsys, drifting.site.root, "model", "drift", "--run", drifting.night.name, "--format", "json"
    )
    assert len(json.loads(as_json.out)) == len(drift_of(drifting.night))
    none = riskstrat(capsys, drifting.site.root, "model", "drift", "--as-of", f"{YEAR_AGO}")
    assert none.code == 6
    assert "no model scored the people" in none.err


def test_scores_that_are_not_what_was_published_are_passed_over_and_named(
    drifting: DriftingTown, tmp_path: Path
) -> None:
    shutil.copytree(drifting.site.output, tmp_path / "output", symlinks=True)
    (earlier,) = (tmp_path / "output" / "runs").glob("20250301*")
    (earlier / "scores.parquet").write_bytes(b"other bytes")
    served = find_served(replace(drifting.site, output=tmp_path / "output"), FEATURES, AS_OF)
    assert served.watch is not None
    assert served.watch.mature == {}
    assert served.warnings == (
        f"the scores of the run {earlier.name} are not what was published, and are not held against what happened.",
    )


def test_a_horizon_that_is_not_settled_is_not_held_against_anything(
    drifting: DriftingTown, tmp_path: Path
) -> None:
    shutil.copytree(drifting.site.root / "config", tmp_path / "config")
    for room in ("data_contracts", "pipelines"):
        (tmp_path / room).symlink_to(drifting.site.root / room)
    policy = tmp_path / "config" / "model" / "drift.yaml"
    replace_text(policy, "settle_days: 28", "settle_days: 32")
    served = find_served(replace(drifting.site, root=tmp_path), FEATURES, AS_OF)
    assert served.watch is not None
    assert served.watch.mature == {}
    replace_text(policy, "settle_days: 32", "settle_days: soon")
    with pytest.raises(DefinitionError, match="settle_days"):
        find_served(replace(drifting.site, root=tmp_path), FEATURES, AS_OF)


def test_a_model_that_does_not_say_how_its_scores_were_spread_is_not_used(
    drifting: DriftingTown, tmp_path: Path
) -> None:
    for room in ("models", "audit"):
        shutil.copytree(drifting.site.state / room, tmp_path / room, ignore=shutil.ignore_patterns("frames"))
    site = replace(drifting.site, state=tmp_path)
    model = find_model(site, drifting.model.id)
    about = {name: value for name, value in model.about.items() if name != "shape_of_risks"}
    (model.folder / "model.json").write_text(json.dumps(about), encoding="utf-8")
    changed = find_model(site, model.id)
    write_status(changed, {"stage": "candidate", "sha256": changed.sha256})
    approved(site, find_model(site, model.id))
    served = find_served(site, FEATURES, AS_OF)
    assert served.models == {}
    assert "it does not say how its scores were spread in training" in served.warnings[0]


class KeptElsewhere(DuckDBEngine):
    """An engine that keeps what it makes in files and leaves views of them, as Spark does."""

    def run_statement(self, name: str, statement: str, file: Path, *, as_view: bool) -> None:
        target = self.database.parent / f"{name}.parquet"
        self.execute(f"COPY ({statement}) TO '{target}' (FORMAT parquet)")
        self.define(name, f"SELECT * FROM read_parquet('{target}')")

    @property
    def embedded(self) -> DuckDBEngine:
        plain = DuckDBEngine.__new__(DuckDBEngine)
        plain.__dict__.update(self.__dict__)
        return plain


def test_a_run_whose_tables_another_engine_makes_says_the_same_of_drift(
    drifting: DriftingTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(
        drifting.site.root,
        tmp_path / "site",
        symlinks=True,
        ignore=shutil.ignore_patterns(drifting.night.name),
    )
    monkeypatch.setattr(
        pipeline, "_engine", lambda _, site, database: KeptElsewhere(database, threads=1, memory_limit="2GB")
    )
    again = run(load_site(tmp_path / "site"), AS_OF, engine="spark", progress=QUIET).folder
    assert drift_of(again) == drift_of(drifting.night)


def test_a_run_that_is_written_again_names_earlier_runs_as_they_are_called_then() -> None:
    rewriter = Rewriter(DuckDBEngine(Path(":memory:"), threads=1, memory_limit="1GB"))
    rewriter.new_runs = {"20250301-old0000000": "20250301-new0000000"}
    manifest = {"model": {"20260401-0123456789": "logistic", "scores of the 12m": "20250301-old0000000"}}
    rewriter._rename_earlier(manifest)
    assert manifest["model"] == {
        "20260401-0123456789": "logistic",
        "scores of the 12m": "20250301-new0000000",
    }


def test_later_events_and_another_order_of_rows_leave_every_score_byte_for_byte(
    drifting: DriftingTown, tmp_path: Path
) -> None:
    """Everybody gets more of everything from as_of on, and every file is shuffled."""
    shutil.copytree(drifting.site.root, tmp_path / "site", symlinks=True)
    busier, dice, added = load_site(tmp_path / "site"), Random("later events"), 0
    (delivery,) = [folder for folder in busier.landing.iterdir() if folder.name.startswith("2026")]
    for path in sorted(delivery.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        header = list(rows[0])
        if path.stem in LATER:
            later = [later_row(path.stem, row, dice, AS_OF) for row in dice.sample(rows, min(200, len(rows)))]
            rows, added = rows + later, added + len(later)
        dice.shuffle(rows)
        write_whole(path, header, rows)
    again = run(busier, AS_OF, progress=QUIET).folder
    assert added > 500
    assert again.name != drifting.night.name
    for file in ("features.parquet", "scores.parquet", "drift.parquet"):
        assert (again / file).read_bytes() == (drifting.night / file).read_bytes(), file
