"""How long it takes to fit every risk model to a million landmark rows, and to score a million people with reasons.

    python -m benchmarks.model --rows 1000000 --repeats 3

A demo town gives a landmark frame; its people are repeated under new identifiers until there are enough, with
fates drawn anew. Every measurement runs in a process of its own. Writes a JSON document and a Markdown table beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.running import (
    RESULTS,
    Turn,
    Work,
    machine,
    measure_in_process,
    measure_work,
    medians,
    take_turns,
    versions,
    write_result,
)

AS_OF, INDEX_DATE = date(2026, 4, 1), date(2025, 4, 1)
TOWN = 60_000
HORIZONS = ("12m", "90d")
MEASURED = ("logistic_12m", "logistic_90d", "boosting_12m", "boosting_90d", "score")
LABELS = {
    "logistic_12m": "fit the default model, 12 months",
    "logistic_90d": "fit the default model, 90 days",
    "boosting_12m": "fit the challenger, 12 months",
    "boosting_90d": "fit the challenger, 90 days",
    "score": "score everybody at both horizons, with reasons",
}
FRAME, MODEL = "frame.parquet", "model"


def main() -> None:
    """Make the frame, take turns, and write what was measured."""
    options = _options()
    if options.measure:
        name, folder = options.measure, options.folder
        work = _scoring(folder) if name == "score" else _fitting(folder, *name.split("_"))
        print(json.dumps(measure_work(work)))
        return
    with tempfile.TemporaryDirectory(prefix="riskstrat-bench-", dir=options.work) as place:
        folder = Path(place)
        _prepare(folder, options.rows)
        found = take_turns(
            MEASURED, options.repeats, lambda name: measure_in_process("benchmarks.model", name, folder)
        )
        result = _result(found, options.rows)
    write_result(options.out, "model", result, _page(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the frame, and people to score")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=Path, default=None, help="where the data go while it runs")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _prepare(folder: Path, rows: int) -> None:
    """A site with a town, its frame repeated to so many rows, and a model of the town itself to score with.

    What becomes of a repeated person is drawn anew, or the challenger would learn the people it is held against.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from riskstrat.demo.town import write_town
    from riskstrat.keys import init_keys
    from riskstrat.model.frame_files import read_frames
    from riskstrat.model.training import train
    from riskstrat.progress import Progress
    from riskstrat.scoring.persistence import load_model
    from riskstrat.site import load_site, write_default_site

    root = folder / "site"
    write_default_site(root)
    init_keys(root / "keys")
    site = load_site(root)
    write_town(
        *(site.landing, site.config / "codelists", site.config / "geography", site.data_contracts),
        people=min(TOWN, rows),
        seed=1,
        as_of=AS_OF,
        progress=Progress(),
    )
    model = train(site, [INDEX_DATE], progress=Progress())
    frame = read_frames(site.state / "models" / "frames" / model.about["frame"]["id"])
    generator = np.random.default_rng(1)
    place = np.arange(rows) % frame.num_rows
    whole = frame.take(pa.array(place))
    repeated = {"person_id": [f"{number:032x}" for number in generator.permutation(rows)]}
    for horizon in HORIZONS:
        risk = load_model(model.folder, horizon=horizon).predict(frame)[place]
        repeated[f"label_{horizon}"] = generator.random(rows) < risk
    for name, values in repeated.items():
        whole = whole.set_column(whole.schema.get_field_index(name), name, pa.array(values))
    pq.write_table(whole, folder / FRAME)
    (folder / MODEL).symlink_to(model.folder)


def _fitting(folder: Path, kind: str, horizon: str) -> Work:
    """From the frame on disk to a fitted model."""
    from riskstrat.definitions.contracts import load_contract
    from riskstrat.definitions.model import load_model_definition
    from riskstrat.model.fitting import fit
    from riskstrat.model.frame_files import read_frames

    site = folder / "site"
    features = load_contract(site / "data_contracts" / "features.yaml")
    definition = load_model_definition(
        site / "config" / "model", {column.name: column for column in features.columns}
    )

    def work() -> dict[str, Any]:
        model = fit(read_frames(folder / FRAME), definition, horizon=horizon, kind=kind)
        return {name: model.about[name] for name in ("rows", "coefficients", "trees") if name in model.about}

    return work


def _scoring(folder: Path) -> Work:
    """From the features of a run on disk to a published file of scores, as the stage does it."""
    from riskstrat.definitions.everything import FEATURES, load_definitions
    from riskstrat.definitions.model import load_model_definition
    from riskstrat.engines.duckdb import DuckDBEngine
    from riskstrat.progress import Progress
    from riskstrat.scoring.logistic import LogisticModel
    from riskstrat.scoring.persistence import load_model
    from riskstrat.scoring.registry import Model
    from riskstrat.scoring.serving import Served
    from riskstrat.stages.context import Context
    from riskstrat.stages.ingest.deliveries import Deliveries
    from riskstrat.stages.score import score

    definitions = load_definitions(folder / "site")
    model = Model((folder / MODEL).readlink().name, folder / MODEL)
    columns = {column.name: column for column in definitions.contracts[FEATURES].columns}
    models = {horizon: load_model(model.folder, horizon=horizon) for horizon in HORIZONS}
    main = models["12m"]
    if not isinstance(main, LogisticModel):
        raise TypeError(main)
    model.__dict__["status"] = {"kind": main.kind}  # nobody signs for a benchmark
    served = Served(model, load_model_definition(model.folder, columns), models, main)
    building = folder / f"run-{os.getpid()}"
    building.mkdir()
    engine = DuckDBEngine(building / "run.duckdb", threads=2, memory_limit="4GB")
    engine.define(FEATURES, f"SELECT * FROM read_parquet('{folder / FRAME}')")
    nothing = Deliveries({}, {}, {}, ())
    context = Context(
        *(AS_OF, definitions, engine, nothing, folder, building, b"", Progress(quiet=True)), served=served
    )

    def work() -> dict[str, Any]:
        score(context)
        return {"rows": context.manifest["scored_by"]["people"]}

    return work


def _result(found: dict[str, list[Turn]], rows: int) -> dict[str, Any]:
    return {
        "rows": rows,
        "machine": machine(),
        "versions": versions("scikit-learn", "numpy"),
        "turns": found,
        "median": medians(found),
    }


def _page(result: dict[str, Any]) -> str:
    turns = len(result["turns"]["score"])
    lines = [
        f"{result['rows']:,} landmark rows, and as many people to score (fitting with one thread, scikit-learn "
        f"{result['versions']['scikit-learn']}); medians of {turns} interleaved turns.",
        "",
        "| | seconds | CPU seconds | peak GB |",
        "|---|---:|---:|---:|",
    ]
    for name in MEASURED:
        row = result["median"][name]
        lines.append(
            f"| {LABELS[name]} | {row['seconds']:.1f} | {row['cpu_seconds']:.1f} | {row['peak_gb']:.2f} |"
        )
    total = sum(result["median"][name]["seconds"] for name in MEASURED if name != "score")
    lines += ["", f"All four models: {total:.1f} s.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
