"""``config/model/``: what a risk model may know of a person, how it is made, and how long it may be used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

from riskstrat.definitions.cohort_values import choice_at, flag_at, text_at
from riskstrat.definitions.cohorts import DECIMALS, PLACEHOLDER, Review, review_at, sentence
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.definitions.model_policy import Boosting, Serving, Training, is_number, load_policy
from riskstrat.definitions.reasons import ACTIONABLE, FIXED, GROUPS
from riskstrat.definitions.rules import Column
from riskstrat.errors import DefinitionError
from riskstrat.language import compile_expression

Transform = Literal["spline", "log1p", "flag", "category"]
Sign = Literal["increasing", "decreasing", "any"]

PREDICTORS, POLICY = "predictors.yaml", "policy.yaml"
FILES = (PREDICTORS, POLICY)
CURVES: tuple[Transform, ...] = ("spline", "log1p")
TRANSFORMS: tuple[Transform, ...] = (*CURVES, "flag", "category")
# The types of feature that a transform takes.
TAKES = {
    "spline": ("integer", "number"),
    "log1p": ("integer", "number"),
    "flag": ("boolean",),
    "category": ("text",),
}
SIGNS: tuple[Sign, ...] = ("increasing", "decreasing", "any")
ANY_DAY = date(2000, 1, 1)  # whether a condition can be understood depends on no day
STRAIGHT = (0.0, 1.0)  # the knots of a log1p that names none: a straight line

DOCUMENT_KEYS = ("title", "why", "predictors", "reasons", "source", "review")
PREDICTOR_KEYS = ("transform", "knots", "sign", "required", "reason")
REASON_KEYS = ("kind", "m", "says")


@dataclass(frozen=True)
class Predictor:
    """One feature that a model may use. ``knots`` are in the feature's unit, ascending; none for flag and category.

    ``reason`` names the sentence that speaks of it; None for a predictor that is never named.
    """

    name: str
    transform: Transform
    knots: tuple[float, ...]
    sign: Sign
    required: bool
    reason: str | None


@dataclass(frozen=True)
class Saying:
    """A sentence with ``{feature}`` placeholders and the condition under which it is said."""

    when: str
    text: str


@dataclass(frozen=True)
class ModelReason:
    """What may be said of people whose score is high for this reason; ``group`` is one of the Geriatric 5Ms."""

    name: str
    kind: str
    group: str
    says: tuple[Saying, ...]


@dataclass(frozen=True)
class ModelDefinition:
    """Everything that decides a model beside its data. ``hashes`` are the SHA-256 of the files by name."""

    folder: Path
    title: str
    predictors: tuple[Predictor, ...]
    reasons: tuple[ModelReason, ...]
    training: Training
    boosting: Boosting
    serving: Serving
    source: str
    review: Review
    hashes: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The predictors' names, in order."""
        return tuple(predictor.name for predictor in self.predictors)


def load_model_definition(folder: Path, features: Mapping[str, Column]) -> ModelDefinition:
    """Parse ``predictors.yaml`` and ``policy.yaml`` of ``config/model`` strictly, against the feature table.

    Raises DefinitionError with the file, the place and the remedy.
    """
    path = folder / PREDICTORS
    document = read_mapping(path)
    check_keys(document, allowed=DOCUMENT_KEYS, required=DOCUMENT_KEYS, file=path)
    reasons = tuple(
        _reason(str(name), entry, path) for name, entry in mapping_at(document, "reasons", path).items()
    )
    predictors = tuple(
        _predictor(str(name), entry, path) for name, entry in mapping_at(document, "predictors", path).items()
    )
    _check_reasons(predictors, reasons, features, path)
    for predictor in predictors:
        _check_feature(predictor, features, path)
    training, boosting, serving = load_policy(folder / POLICY)
    if not any(predictor.required for predictor in predictors):
        raise DefinitionError(
            "no predictor is required.",
            file=path,
            column="predictors",
            remedy="mark those that it cannot do without.",
        )
    return ModelDefinition(
        folder=folder,
        title=text_at(document, "title", path),
        predictors=predictors,
        reasons=reasons,
        training=training,
        boosting=boosting,
        serving=serving,
        source=text_at(document, "source", path),
        review=review_at(document, path),
        hashes={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
    )


def _predictor(name: str, entry: Any, path: Path) -> Predictor:
    check_keys(entry, allowed=PREDICTOR_KEYS, required=("transform", "sign"), file=path, where=name)
    transform = cast("Transform", choice_at(entry, "transform", TRANSFORMS, path, name))
    sign = cast("Sign", choice_at(entry, "sign", SIGNS, path, name))
    if transform == "category" and sign != "any":
        raise DefinitionError(
            "a category neither rises nor falls.", file=path, column=name, remedy="write sign: any."
        )
    reason = entry.get("reason")
    return Predictor(
        name=name,
        transform=transform,
        knots=_knots(name, transform, entry.get("knots"), path),
        sign=sign,
        required=flag_at(entry, "required", path, default=False),
        reason=None if reason is None else str(reason),
    )


def _knots(name: str, transform: Transform, given: Any, path: Path) -> tuple[float, ...]:
    if transform not in CURVES:
        if given is not None:
            raise DefinitionError(
                f"a {transform} has no knots.", file=path, column=name, remedy="leave them out."
            )
        return ()
    if given is None and transform == "log1p":
        return STRAIGHT
    numbers = [] if not isinstance(given, list) else [one for one in given if is_number(one)]
    if not isinstance(given, list) or len(numbers) != len(given) or len(numbers) < 2:
        raise DefinitionError(
            "knots must be two numbers or more.",
            file=path,
            column=name,
            remedy="write the values between which the curve may bend, such as [0, 1, 3, 8].",
        )
    if numbers != sorted(set(numbers)) or (transform == "log1p" and numbers[0] < 0):
        raise DefinitionError(
            "knots must rise, and those of log1p begin at 0 or above.",
            file=path,
            column=name,
            remedy="correct them.",
        )
    return tuple(float(number) for number in numbers)


def _reason(name: str, entry: Any, path: Path) -> ModelReason:
    check_keys(entry, allowed=REASON_KEYS, required=REASON_KEYS, file=path, where=name)
    says = entry["says"]
    if not isinstance(says, list) or not says:
        raise DefinitionError(
            f"{name} says nothing.", file=path, column=name, remedy="give a condition and a sentence."
        )
    for one in says:
        check_keys(one, allowed=("when", "text"), required=("when", "text"), file=path, where=name)
    return ModelReason(
        name=name,
        kind=choice_at(entry, "kind", (FIXED, ACTIONABLE), path, name),
        group=choice_at(entry, "m", GROUPS, path, name),
        says=tuple(
            Saying(text_at(one, "when", path, name), sentence(text_at(one, "text", path, name), path, name))
            for one in says
        ),
    )


def _check_reasons(
    predictors: tuple[Predictor, ...],
    reasons: tuple[ModelReason, ...],
    features: Mapping[str, Column],
    path: Path,
) -> None:
    named = {reason.name for reason in reasons}
    used = {predictor.reason for predictor in predictors if predictor.reason}
    for name in sorted(used ^ named):
        what = "no predictor has this reason." if name in named else "there is no such reason."
        raise DefinitionError(
            what, file=path, column=name, remedy="name it under predictors and under reasons."
        )
    kinds = {name: column.sql_type for name, column in features.items()}
    allowed = {name: column.allowed for name, column in features.items() if column.allowed}
    for reason in reasons:
        for saying in reason.says:
            compile_expression(saying.when, kinds, allowed, file=path, as_of=ANY_DAY)
            _check_sentence(reason.name, saying.text, features, path)


def _check_sentence(name: str, text: str, features: Mapping[str, Column], path: Path) -> None:
    if ";" in text:
        raise DefinitionError(
            "a sentence holds a semicolon, which separates reasons.",
            file=path,
            column=name,
            remedy="take it out.",
        )
    for feature in PLACEHOLDER.findall(text):
        if feature not in features:
            raise DefinitionError(
                f"'{feature}' is not a feature.", file=path, column=name, remedy="correct the name."
            )
    for feature in DECIMALS.findall(text):
        if features[feature].type not in TAKES["spline"]:
            raise DefinitionError(
                f"{feature} has no decimals.", file=path, column=name, remedy=f"write {{{feature}}}."
            )


def _check_feature(predictor: Predictor, features: Mapping[str, Column], path: Path) -> None:
    column = features.get(predictor.name)
    if column is None:
        raise DefinitionError(
            f"'{predictor.name}' is not a feature.",
            file=path,
            column=predictor.name,
            remedy="correct the name; riskstrat features list shows all.",
        )
    if column.type not in TAKES[predictor.transform]:
        raise DefinitionError(
            f"{predictor.name} is of type {column.type}, which {predictor.transform} does not take.",
            file=path,
            column=predictor.name,
            remedy=f"{predictor.transform} takes {' or '.join(TAKES[predictor.transform])}.",
        )
    if predictor.transform == "category" and not column.allowed:
        raise DefinitionError(
            f"{predictor.name} may hold any text, as an identifier or a place does, and a model must not learn those.",
            file=path,
            column=predictor.name,
            remedy="use a feature whose values the catalogue lists.",
        )
