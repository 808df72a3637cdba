"""The model that a run may score people with: the one that is approved, if it fits the day and the definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pyarrow as pa

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.model import ModelDefinition, load_model_definition
from riskstrat.errors import RiskstratError
from riskstrat.scoring.facts import changes, feature_facts
from riskstrat.scoring.logistic import LogisticModel
from riskstrat.scoring.persistence import FittedModel, load_model
from riskstrat.scoring.registry import APPROVED, Model, decision_on_record, is_on_record, list_models
from riskstrat.scoring.watching import Watch, find_watch
from riskstrat.site import Site

FALLBACK = "people have no model score in this run; lists that rank by rule are as ever"
# So many people at least would have been expected to differ before a predictor that is the same for all is suspected.
FEWEST_EXPECTED = 20


@dataclass(frozen=True)
class Served:
    """What a run may score with. ``models`` has one a horizon; ``reasoned`` is the one that reasons come from.

    ``identity`` is what of the registry decides a run's bytes: each approved model, with its kind and hash or why it is
    not used, and the earlier runs whose scores ``watch`` holds against what happened; a run without a model does not
    mention it. ``warnings`` say why an approved model is not used (``models`` is then empty), or what to doubt about
    one that is.
    """

    model: Model | None = None
    definition: ModelDefinition | None = None
    models: Mapping[str, FittedModel] = field(default_factory=dict)
    reasoned: LogisticModel | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    watch: Watch | None = None


def find_served(site: Site, features: Contract, as_of: date) -> Served:
    """The approved model, if it fits ``as_of`` and ``features``; a warning where there is one that does not.

    Raises DefinitionError where it is not said how a model that fits is watched.
    """
    served = _found(site, features, as_of)
    if served.model is None:
        return served
    watch = find_watch(site, served.model.about, as_of)
    damaged = tuple(
        f"the scores of the run {run} are not what was published, and are not held against what happened."
        for run in watch.damaged
    )
    identity = {**served.identity, **watch.identity}
    return replace(served, watch=watch, identity=identity, warnings=(*served.warnings, *damaged))


def _found(site: Site, features: Contract, as_of: date) -> Served:
    approved = [model for model in list_models(site) if _stage(model) == APPROVED]
    if not approved:
        return _none(site)
    if approved[1:]:
        named = " and ".join(model.id for model in approved)
        return _unused(approved, f"more than one model is approved ({named}): {FALLBACK}.")
    (model,) = approved
    try:
        problem = _unfit(site, model, features, as_of)
        if problem is None:
            return _served(site, model, features)
    except (RiskstratError, KeyError, TypeError, ValueError) as damage:
        problem = damage.what if isinstance(damage, RiskstratError) else "its files cannot be read"
    return _unused(approved, f"the approved model {model.id} is not used, {problem}: {FALLBACK}.")


def _none(site: Site) -> Served:
    """No model is approved; a warning where the audit log knows better, as a folder or its status was lost."""
    decision = decision_on_record(site)
    if decision is None:
        return Served()
    name = str(decision["model"])
    warning = f"the audit log has the model {name} approved and the registry has not: {FALLBACK}."
    return Served(identity={name: warning}, warnings=(warning,))


def _unused(approved: Sequence[Model], warning: str) -> Served:
    return Served(identity={model.id: warning for model in approved}, warnings=(warning,))


def _stage(model: Model) -> str:
    try:
        return model.stage
    except (RiskstratError, KeyError):
        return "unreadable"


def _unfit(site: Site, model: Model, features: Contract, as_of: date) -> str | None:
    """Why the model must not be used on this day; None where it may."""
    if damaged := model.damage():
        return f"{damaged} is not what was trained"
    if not is_on_record(site, model):
        return "the audit log has no approval of it"
    about = model.about
    if not {"rows", "shape_of_risks"} <= about.keys():  # of a version that could not tell drift
        return "it does not say how its scores were spread in training"
    if as_of >= date.fromisoformat(about["expires_on"]):
        return f"it expired on {about['expires_on']}"
    if as_of < date.fromisoformat(about["complete_to"]):
        return f"it has learnt from records up to {about['complete_to']}"
    return _changed(site, model, features)


def _changed(site: Site, model: Model, features: Contract) -> str | None:
    found = changes(model.about["features"], _facts_now(site, model, features))
    more = f" and {len(found) - 1} more" if found[1:] else ""
    return f"{found[0]}{more}" if found else None


def _facts_now(site: Site, model: Model, features: Contract) -> dict[str, Any]:
    return feature_facts(site.root, features, model.about["features"]["columns"])


def _served(site: Site, model: Model, features: Contract) -> Served:
    about, kind = model.about, str(model.status["kind"])
    definition = load_model_definition(model.folder, {column.name: column for column in features.columns})
    models = {horizon: load_model(model.folder, horizon=horizon, kind=kind) for horizon in about["horizons"]}
    main = models[about["horizons"][0]]
    if not isinstance(main, LogisticModel):  # trees have no exact reasons; the default model beside them has
        main = load_model(model.folder, horizon=about["horizons"][0])
    warnings = []
    if _facts_now(site, model, features)["sql"] != about["features"]["sql"]:
        warnings.append(
            f"the SQL of features changed since the model {model.id} was trained; "
            "evaluate it again to see whether it still holds."
        )
    if not isinstance(main, LogisticModel):
        raise TypeError(main)
    identity = {model.id: f"{kind} {model.sha256}"}
    return Served(model, definition, models, main, identity, tuple(warnings))


def doubts(served: Served, features: pa.Table) -> list[str]:
    """Why the model must not be used on these people: a predictor that vanished, stands still or is rarely known."""
    if served.model is None or served.definition is None:
        return []
    shape = served.model.about["shape"]
    allowed, people = served.definition.serving.most_unknown_rise, features.num_rows
    names = sorted({name for one in served.models.values() for name in one.predictors})
    found = []
    for name in names if people else ():
        column = features[name]
        unknown, then = column.null_count / people, float(shape[name]["unknown"])
        if unknown - then > allowed:
            found.append(f"{name} is unknown for {unknown:.0%} of people ({then:.0%} in training)")
        elif float(shape[name]["differing"]) * people >= FEWEST_EXPECTED and _stands_still(column):
            found.append(f"{name} is the same for everybody")
    return found


def _stands_still(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return len(pc.unique(column.drop_null())) < 2
