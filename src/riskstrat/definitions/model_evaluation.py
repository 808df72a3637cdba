"""``config/model/evaluation.yaml``: capacities, comparators, groups and gates by which a risk score is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import count_at, names_at, text_at
from riskstrat.definitions.cohorts import review_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError

FILE = Path("model") / "evaluation.yaml"
KEYS = (
    *("title", "capacities", "team_capacity", "confidence", "bootstrap", "person_folds", "decay_months"),
    *("prior_admissions", "comparators", "rule", "groups", "left_out", "gates", "audience", "causal_words"),
    *("anchors", "review"),
)
COMPARATOR_KEYS = ("title", "feature", "at_least")
GROUP_KEYS = ("title", "feature", "values", "within")
GATE_KEYS = (
    *("highest_auroc", "inside_list", "calibration_slope", "fewest_admitted_on_list"),
    *("widest_ppv_interval", "source"),
)
MODELS = ("model", "challenger")
"""Names that stand for what is judged, and so for no comparator."""
ANCHOR_KEYS = ("model", "people", "outcome", "auroc", "ppv", "note", "source")


@dataclass(frozen=True)
class Comparator:
    """What people would be ranked by without the model: a feature, or with ``at_least`` whether it is that high."""

    name: str
    title: str
    feature: str
    at_least: float | None


@dataclass(frozen=True)
class Group:
    """How people are told apart; ``values`` maps codes to labels, ``within`` names the larger group that holds it."""

    name: str
    title: str
    feature: str
    values: Mapping[str, str]
    within: str | None


@dataclass(frozen=True)
class Gates:
    """What has to hold before a model may be approved; intervals are inclusive."""

    highest_auroc: float
    inside_list: tuple[float, float]
    calibration_slope: tuple[float, float]
    fewest_admitted_on_list: int
    widest_ppv_interval: float
    source: str


@dataclass(frozen=True)
class Anchor:
    """A published model and what was found; figures are text, as they were published."""

    model: str
    people: str
    outcome: str
    auroc: str
    ppv: str
    note: str
    source: str


@dataclass(frozen=True)
class EvaluationPlan:
    """How risk scores are judged. ``shares`` are shares of the people scored, the team's among them, ascending."""

    file: Path
    title: str
    shares: tuple[float, ...]
    team_share: float
    team_source: str
    confidence: float
    resamples: int
    seed: int
    person_folds: int
    decay_months: tuple[int, ...]
    prior_admissions: str
    comparators: tuple[Comparator, ...]
    rule: str
    groups: tuple[Group, ...]
    left_out: str
    gates: Gates
    audience: str
    causal_words: tuple[str, ...]
    anchors: tuple[Anchor, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Every column of a frame that the plan reads, besides those of the model."""
        compared = [comparator.feature for comparator in self.comparators]
        grouped = [group.feature for group in self.groups]
        return tuple(dict.fromkeys([self.prior_admissions, *compared, *grouped]))

    def group(self, name: str) -> Group:
        """The group of this name."""
        return next(group for group in self.groups if group.name == name)


def load_evaluation_plan(path: Path) -> EvaluationPlan:
    """Parse the plan strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=KEYS, file=path)
    team = mapping_at(document, "team_capacity", path)
    check_keys(
        team, allowed=("share", "source"), required=("share", "source"), file=path, where="team_capacity"
    )
    bootstrap = mapping_at(document, "bootstrap", path)
    check_keys(
        bootstrap, allowed=("resamples", "seed"), required=("resamples", "seed"), file=path, where="bootstrap"
    )
    team_share = _share(team, "share", path)
    listed = _numbers(document, "capacities", path)
    for share in listed:
        _within(share, 0.0, 1.0, "capacities", path)
    review_at(document, path)
    plan = EvaluationPlan(
        file=path,
        title=text_at(document, "title", path),
        shares=tuple(sorted({*listed, team_share})),
        team_share=team_share,
        team_source=text_at(team, "source", path, "team_capacity"),
        confidence=_share(document, "confidence", path),
        resamples=_at_least(count_at(bootstrap, "resamples", path), 50, "resamples", path),
        seed=_at_least(count_at(bootstrap, "seed", path), 1, "seed", path),
        person_folds=_at_least(count_at(document, "person_folds", path), 2, "person_folds", path),
        decay_months=tuple(int(months) for months in _numbers(document, "decay_months", path)),
        prior_admissions=text_at(document, "prior_admissions", path),
        comparators=tuple(
            _comparator(str(name), entry, path)
            for name, entry in mapping_at(document, "comparators", path).items()
        ),
        rule=text_at(document, "rule", path),
        groups=tuple(
            _group(str(name), entry, path) for name, entry in mapping_at(document, "groups", path).items()
        ),
        left_out=text_at(document, "left_out", path),
        gates=_gates(mapping_at(document, "gates", path), path),
        audience=text_at(document, "audience", path),
        causal_words=names_at(document, "causal_words", path),
        anchors=tuple(_anchor(entry, path) for entry in document["anchors"] or ()),
    )
    _check_names(plan)
    return plan


def check_features(plan: EvaluationPlan, features: Collection[str]) -> None:
    """Raise DefinitionError where the plan reads a column that the feature catalogue does not have."""
    for name in plan.features:
        if name not in features:
            raise DefinitionError(
                f"'{name}' is not a feature.",
                file=plan.file,
                column=name,
                remedy="correct the name; riskstrat features list shows all.",
            )


def _check_names(plan: EvaluationPlan) -> None:
    groups = {group.name for group in plan.groups}
    for comparator in plan.comparators:
        if comparator.name in MODELS:
            raise DefinitionError(
                f"a comparator cannot be called {comparator.name}.",
                file=plan.file,
                column="comparators",
                remedy="give it another name.",
            )
    wanted = [
        ("rule", plan.rule, {comparator.name for comparator in plan.comparators}),
        ("left_out", plan.left_out, groups),
        *(("groups", group.within, groups - {group.name}) for group in plan.groups if group.within),
    ]
    for column, name, known in wanted:
        if name not in known:
            raise DefinitionError(
                f"'{name}' is not there.",
                file=plan.file,
                column=column,
                remedy=f"use one of {', '.join(sorted(known))}.",
            )


def _comparator(name: str, entry: Any, path: Path) -> Comparator:
    check_keys(entry, allowed=COMPARATOR_KEYS, required=("title", "feature"), file=path, where=name)
    least = entry.get("at_least")
    return Comparator(
        name,
        text_at(entry, "title", path, name),
        text_at(entry, "feature", path, name),
        None if least is None else _number(least, name, path),
    )


def _group(name: str, entry: Any, path: Path) -> Group:
    check_keys(entry, allowed=GROUP_KEYS, required=("title", "feature"), file=path, where=name)
    values: dict[str, str] = {}
    for label, codes in (entry.get("values") or {}).items():
        for code in codes if isinstance(codes, list) else [codes]:
            if str(code) in values:
                raise DefinitionError(
                    f"{name} has the code {code} twice.", file=path, column=name, remedy="keep one of them."
                )
            values[str(code)] = str(label)
    within = entry.get("within")
    return Group(
        name,
        text_at(entry, "title", path, name),
        text_at(entry, "feature", path, name),
        values,
        None if within is None else str(within),
    )


def _gates(entry: Mapping[str, Any], path: Path) -> Gates:
    check_keys(entry, allowed=GATE_KEYS, required=GATE_KEYS, file=path, where="gates")
    return Gates(
        highest_auroc=_share(entry, "highest_auroc", path),
        inside_list=_interval(entry, "inside_list", path),
        calibration_slope=_interval(entry, "calibration_slope", path),
        fewest_admitted_on_list=_at_least(
            count_at(entry, "fewest_admitted_on_list", path), 1, "fewest_admitted_on_list", path
        ),
        widest_ppv_interval=_share(entry, "widest_ppv_interval", path),
        source=text_at(entry, "source", path, "gates"),
    )


def _anchor(entry: Any, path: Path) -> Anchor:
    required = [key for key in ANCHOR_KEYS if key not in ("ppv", "note")]
    check_keys(entry, allowed=ANCHOR_KEYS, required=required, file=path, where="anchors")
    texts = {key: text_at(entry, key, path, "anchors") if key in entry else "" for key in ANCHOR_KEYS}
    return Anchor(**texts)


def _interval(entry: Mapping[str, Any], key: str, path: Path) -> tuple[float, float]:
    values = _numbers(entry, key, path)
    if len(values) != 2 or values[0] >= values[1]:
        raise DefinitionError(
            f"{key} must be a lower and a higher number.", file=path, column=key, remedy="write [0.9, 1.1]."
        )
    return values[0], values[1]


def _numbers(document: Mapping[str, Any], key: str, path: Path) -> tuple[float, ...]:
    values = document[key]
    if not isinstance(values, list) or not values:
        raise DefinitionError(
            f"{key} must be a list of numbers.", file=path, column=key, remedy="write [1, 2, 3]."
        )
    return tuple(_number(value, key, path) for value in values)


def _number(value: Any, where: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DefinitionError(
            f"{where} must be a number.", file=path, column=where, remedy="write it in digits."
        )
    return float(value)


def _share(document: Mapping[str, Any], key: str, path: Path) -> float:
    return _within(_number(document[key], key, path), 0.0, 1.0, key, path)


def _within(value: float, low: float, high: float, key: str, path: Path) -> float:
    if not low < value < high:
        raise DefinitionError(
            f"{key} must lie between {low:g} and {high:g}.", file=path, column=key, remedy="correct it."
        )
    return value


def _at_least(value: int | None, least: int, key: str, path: Path) -> int:
    if value is None or value < least:
        raise DefinitionError(f"{key} must be {least} or more.", file=path, column=key, remedy="raise it.")
    return value
