"""What a run keeps of its judgements: ``quality/EXTRACT/expectations.json`` and ``quality/great_expectations.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskstrat.errors import RiskstratError
from riskstrat.quality.expectations import Judgement
from riskstrat.quality.observations import Observations, from_json

VERDICT, RAW = "expectations.json", "great_expectations.json"


def write_json(path: Path, document: object) -> None:
    """Write a document so that the same content gives the same bytes."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The document in a file, or None where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_verdicts(
    run_folder: Path, seen: Mapping[str, Observations], verdicts: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write each extract's verdict with the observations it came from, so that it can be judged again."""
    for name, judged in verdicts.items():
        write_json(run_folder / "quality" / name / VERDICT, {**judged, "observations": seen[name].as_json()})


def write_raw(run_folder: Path, moment: str, judgement: Judgement) -> None:
    """Keep what Great Expectations itself returned at one moment of the run (``ingest``, ``features``)."""
    path = run_folder / "quality" / RAW
    kept = read_json(path) or {"great_expectations": judgement.version, "passes": {}}
    kept["passes"][moment] = list(judgement.raw)
    write_json(path, kept)


def stored_verdicts(run_folder: Path) -> dict[str, dict[str, Any]]:
    """What ``quality/EXTRACT/expectations.json`` of a run holds, by extract, in name order."""
    return {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((run_folder / "quality").glob(f"*/{VERDICT}"))
    }


def stored_observations(stored: Mapping[str, Any], run_folder: Path) -> Observations:
    """The observations beside a stored verdict. Raises RiskstratError for a run that kept none."""
    if "observations" not in stored:
        raise RiskstratError(
            "this run kept verdicts without what was observed, so it cannot be judged again.",
            file=run_folder / "quality",
            remedy="name a newer run, or compute this one again: riskstrat run --as-of DATE",
        )
    return from_json(stored["observations"])
