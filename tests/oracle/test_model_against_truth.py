"""A model trained on the town's past, judged by the truth of its next year: gates, and the signatures of known faults.

The town's truth knows the best attainable risk of everybody. Features look back 24 months, so the bound is
``p_bayes_24m``; ``p_bayes`` also knows the third year.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.model import ModelDefinition
from riskstrat.demo.town import write_town
from riskstrat.keys import init_site_key, person_id, read_site_key
from riskstrat.model.fitting import fit
from riskstrat.model.frames import build_frames, read_frames
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site, write_default_site
from tests.oracle.calibration import calibration_slope

AS_OF, INDEX_DATE = date(2026, 4, 1), date(2025, 4, 1)
QUIET = Progress(quiet=True)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gates:
    """How near to the bound a model must come in a town of so many people."""

    people: int
    auc: float
    rmse: float
    slope: tuple[float, float]
    precision_at_1: float


# The small town has about 110 people in its first hundredth, the large one about 1,800.
SMALL = Gates(12_000, auc=0.03, rmse=0.045, slope=(0.75, 1.25), precision_at_1=0.12)
LARGE = Gates(200_000, auc=0.005, rmse=0.02, slope=(0.95, 1.05), precision_at_1=0.02)


@dataclass(frozen=True)
class Town:
    """The frame of a year ago, today's features of everybody, and what becomes of them in the next year."""

    gates: Gates
    definition: ModelDefinition
    frame: pa.Table
    today: pa.Table
    admitted: NDArray[np.bool_]
    bound: Floats

    def fitted(self, frame: pa.Table | None = None) -> Any:
        """The default model at twelve months, learned from the frame of a year ago, or from another one."""
        return fit(
            self.frame if frame is None else frame, self.definition, horizon="12m", kind="logistic", seed=1
        )

    def observed_to_expected(self, risk: Floats, chosen: NDArray[np.bool_]) -> float:
        return float(self.admitted[chosen].sum() / risk[chosen].sum())


def _town(folder: Path, gates: Gates) -> Town:
    write_default_site(folder)
    init_site_key(folder / "keys")
    known = (folder / "config" / name for name in ("codelists", "geography"))
    write_town(
        folder / "landing", *known, folder / "data_contracts", people=gates.people, seed=3, as_of=AS_OF
    )
    site = load_site(folder)
    published = run(site, AS_OF, progress=QUIET)
    frame = read_frames(build_frames(site, [INDEX_DATE], progress=QUIET).path)
    key = read_site_key(site.keys)
    with duckdb.connect() as connection:
        truth = connection.sql(
            "SELECT nhs_number, p_bayes_24m, unplanned_admissions_next_12m > 0 AS is_admitted "
            f"FROM read_parquet('{folder}/landing/truth/people.parquet')"
        ).to_arrow_table()
        ids = pa.array([person_id(key, number) for number in truth["nhs_number"].to_pylist()])
        connection.register("truth", truth.append_column("person_id", ids))
        both = connection.sql(
            f"SELECT * EXCLUDE (nhs_number) FROM read_parquet('{published.folder}/features.parquet') "
            "JOIN truth USING (person_id) ORDER BY person_id"
        ).to_arrow_table()
    return Town(
        gates,
        load_definitions(folder).model,
        frame,
        both.drop_columns(["p_bayes_24m", "is_admitted"]),
        both["is_admitted"].to_numpy(zero_copy_only=False),
        both["p_bayes_24m"].to_numpy(),
    )


@pytest.fixture(
    scope="module", params=[SMALL, pytest.param(LARGE, marks=pytest.mark.slow)], ids=["small", "large"]
)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return _town(tmp_path_factory.mktemp("truth"), request.param)


def _precision(admitted: NDArray[np.bool_], risk: Floats, share: float) -> float:
    places = round(share * len(risk))
    return float(admitted[np.argsort(-risk, kind="stable")[:places]].mean())


def _standard_error(auc: float, events: int, others: int) -> float:
    """Hanley and McNeil 1982, 10.1148/radiology.143.1.7063747."""
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = auc * (1 - auc) + (events - 1) * (one - auc * auc) + (others - 1) * (two - auc * auc)
    return float(np.sqrt(variance / (events * others)))


def test_model_comes_near_to_the_best_attainable_and_never_beyond_it(town: Town) -> None:
    risk = town.fitted().predict(town.today)
    best, found = roc_auc_score(town.admitted, town.bound), roc_auc_score(town.admitted, risk)
    events = int(town.admitted.sum())
    error = _standard_error(best, events, len(risk) - events)
    assert best - found <= town.gates.auc
    assert found <= best + 3 * error, "better than possible: the features know the future"
    assert float(np.sqrt(np.mean((risk - town.bound) ** 2))) <= town.gates.rmse
    lowest, highest = town.gates.slope
    assert lowest <= calibration_slope(risk, town.admitted) <= highest
    gap = _precision(town.admitted, town.bound, 0.01) - _precision(town.admitted, risk, 0.01)
    assert gap <= town.gates.precision_at_1


def test_model_ranks_better_than_the_rule_and_the_frailty_scores(town: Town) -> None:
    risk = town.fitted().predict(town.today)
    found = roc_auc_score(town.admitted, risk)
    others: dict[str, Callable[[Floats], Floats]] = {
        "unplanned_admissions_12m": lambda values: (values >= 2).astype(np.float64),
        "hfrs": lambda values: values,
        "efi_deficits": lambda values: values,
    }
    for feature, score in others.items():
        values = pc.cast(pc.fill_null(town.today[feature], -1), pa.float64()).to_numpy()
        assert roc_auc_score(town.admitted, score(values)) < found - 0.02, feature


def test_codes_that_are_dated_back_look_excellent_and_fail_live(town: Town) -> None:
    """What was coded in hospital and dated before the index date: people who were admitted have more deficits."""
    label = pc.fill_null(town.frame["label_12m"], False).to_numpy(zero_copy_only=False)
    deficits = town.frame["efi_deficits"].fill_null(0).to_numpy() + 4 * label
    place = town.frame.schema.get_field_index("efi_deficits")
    leaking = town.frame.set_column(
        place, "efi_deficits", pa.array(deficits.astype(np.int32)).cast(town.frame.schema.field(place).type)
    )
    model = town.fitted(leaking)
    is_known = town.frame["label_12m"].is_valid().to_numpy(zero_copy_only=False)
    seeming = roc_auc_score(label[is_known], model.predict(leaking)[is_known])
    live = roc_auc_score(town.admitted, model.predict(town.today))
    honest = roc_auc_score(town.admitted, town.fitted().predict(town.today))
    assert seeming > 0.84
    assert live < honest - 0.002
    assert seeming - live > 0.1


def test_leaving_out_who_died_gives_the_oldest_too_much_risk(town: Town) -> None:
    """Who dies has less time to be admitted; a model that never saw them promises the oldest more admissions."""
    survivors = town.frame.filter(pc.invert(pc.fill_null(town.frame["died_12m"], False)))
    assert survivors.num_rows < town.frame.num_rows
    old = pc.fill_null(pc.greater_equal(town.today["age"], 80), False).to_numpy(zero_copy_only=False)
    everybody, without = (model.predict(town.today) for model in (town.fitted(), town.fitted(survivors)))
    assert town.observed_to_expected(without, old) < town.observed_to_expected(everybody, old) - 0.01


def test_a_group_that_is_recorded_less_is_promised_too_little(town: Town) -> None:
    """A third of what 13% of people have is not recorded: their O:E rises, their order hardly changes."""
    chance = np.random.default_rng(13)
    group = chance.random(town.today.num_rows) < 0.13
    thinned = town.today
    for feature in ("efi_deficits", "unplanned_admissions_12m", "unplanned_admissions_24m", "medicines_12m"):
        place = thinned.schema.get_field_index(feature)
        values = thinned[feature].fill_null(0).to_numpy()
        fewer = np.where(group, chance.binomial(values, 0.65), values).astype(np.int32)
        thinned = thinned.set_column(place, feature, pa.array(fewer).cast(thinned.schema.field(place).type))
    model = town.fitted()
    whole, less = model.predict(town.today), model.predict(thinned)
    assert town.observed_to_expected(less, group) > town.observed_to_expected(whole, group) + 0.08
    assert np.array_equal(less[~group], whole[~group])
    spread = [roc_auc_score(town.admitted[group], risk[group]) for risk in (whole, less)]
    assert abs(spread[0] - spread[1]) < 0.04
