"""Models on disk: ``KIND_HORIZON.json`` and scikit-learn's estimator in ``KIND_HORIZON.skops``; never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from riskstrat.errors import NothingPublishedError, RiskstratError
from riskstrat.scoring.boosting import BoostingModel
from riskstrat.scoring.logistic import LogisticModel

FittedModel = LogisticModel | BoostingModel
# Everything else that an estimator is made of is trusted by skops itself.
TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
DAMAGED = "cannot be read; the model is damaged."
DAMAGED_REMEDY = "restore the folder from its backup, or train and approve a model again."


def save_model(model: FittedModel, folder: Path) -> list[Path]:
    """Write a model that was just fitted, and say which files it is made of."""
    import skops.io

    name = f"{model.kind}_{model.horizon}"
    text = json.dumps(model.document(), indent=1, ensure_ascii=False) + "\n"
    document, estimator = folder / f"{name}.json", folder / f"{name}.skops"
    document.write_text(text, encoding="utf-8")
    skops.io.dump(model.estimator, estimator)
    return [document, estimator]


def load_model(folder: Path, *, horizon: str = "12m", kind: str = LogisticModel.kind) -> FittedModel:
    """Read a model back. The default model's estimator is not needed to score and stays on disk.

    Raises NothingPublishedError where the folder has no such model, RiskstratError where it cannot be read, or its
    estimator is made of anything but what is trusted.
    """
    path = folder / f"{kind}_{horizon}.json"
    if not path.is_file():
        raise NothingPublishedError("there is no such model.", file=path, remedy="see: riskstrat model list")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["kind"] == BoostingModel.kind:
            return BoostingModel.from_document(document, load_estimator(path.with_suffix(".skops")))
        return LogisticModel.from_document(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RiskstratError(DAMAGED, file=path, remedy=DAMAGED_REMEDY) from None


def load_estimator(path: Path) -> Any:
    """scikit-learn's estimator, made of trusted types alone. Raises RiskstratError."""
    import skops.io

    try:
        strange = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
        if not strange:
            return skops.io.load(path, trusted=list(TRUSTED))
    except Exception:
        # whatever a damaged file makes of a parser; what it says may quote the file
        raise RiskstratError(DAMAGED, file=path, remedy=DAMAGED_REMEDY) from None
    raise RiskstratError(
        f"holds {', '.join(sorted(strange))}, which no model of this package is made of.",
        file=path,
        remedy="do not use it, and find out where it came from.",
    )
