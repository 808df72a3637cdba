"""What a model's features rest on, by hash, so that a run can tell whether they still mean what the model learnt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract
from riskstrat.runs import file_hash

# What of a column's entry in the contract of features decides its meaning; wording may change.
MEANING = ("window", "unit", "requires", "codelists", "sqlTable")
LISTS = ("codelists", "scores")
FOLDERS = ("pipelines/20_link", "pipelines/30_core", "pipelines/40_features", "config/reference")


def feature_facts(root: Path, features: Contract, predictors: Iterable[str]) -> dict[str, Any]:
    """The version of the contract, hashes of the predictors' columns and code lists, and one of all SQL behind them."""
    known = {column.name: column for column in features.columns}
    used = [known[name] for name in sorted(predictors) if name in known]
    lists = {name for column in used for name in column.about.get("codelists", ())}
    return {
        "contract": features.version,
        "columns": {
            column.name: _digest(
                {
                    "type": column.sql_type,
                    "allowed": column.allowed,
                    "limits": column.limits,
                    **{name: column.about.get(name) for name in MEANING},
                }
            )
            for column in used
        },
        "codelists": {
            path.relative_to(root).as_posix(): file_hash(path)
            for name in sorted(lists)
            for folder in LISTS
            if (path := root / "config" / folder / f"{name}.csv").is_file()
        },
        "sql": _digest(
            {
                path.relative_to(root).as_posix(): file_hash(path)
                for folder in FOLDERS
                for path in sorted((root / folder).rglob("*"))
                if path.is_file()
            }
        ),
    }


def changes(trained: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a model learnt from and what is no longer the same; a model must not be used where there is any."""
    found = [
        f"the feature {name} is no longer the same"
        for name, digest in trained["columns"].items()
        if now["columns"].get(name) != digest
    ]
    return found + [
        f"{path} changed since training"
        for path, digest in trained["codelists"].items()
        if now["codelists"].get(path) != digest
    ]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
