"""Everything that is worked out about a risk score, exact, before it is decided what of it may be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from riskstrat.definitions.model_evaluation import EvaluationPlan
from riskstrat.definitions.model_outcome import Horizon
from riskstrat.errors import MisuseError
from riskstrat.model.evaluation.bootstrap import Entrant, Resampled, Sample, resample
from riskstrat.model.evaluation.capacity import listed
from riskstrat.model.evaluation.decay import AgedScore, aged_scores
from riskstrat.model.evaluation.discrimination import auroc_interval
from riskstrat.model.evaluation.fairness import Level, by_level
from riskstrat.model.evaluation.leaving import Division
from riskstrat.model.evaluation.people import People, level_order, people_of
from riskstrat.model.evaluation.ranking import Flags, Floats, Ranking, rank
from riskstrat.model.evaluation.splits import (
    Fit,
    LeftOut,
    Split,
    cross_fit,
    leave_each_out,
    split_by_time,
)
from riskstrat.model.evaluation.stability import population_stability_index

MODEL, CHALLENGER = "model", "challenger"
AGED, FRESH = "aged", "fresh"
RISK, NO_PRIOR = "risk", "no_prior"
CURVE_SHARES = tuple(float(share) for share in np.round(np.geomspace(0.001, 0.2, 40), 6))
"""The capacities of the chart of PPV against capacity."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Contender:
    """Something that people can be ranked by, (n,); ``is_risk`` where it is a probability."""

    name: str
    title: str
    score: Floats
    ranking: Ranking
    is_risk: bool


@dataclass(frozen=True)
class Decay:
    """Old and fresh scores of the same people: AGED and FRESH in ``resampled``, at the team's capacity alone."""

    aged: AgedScore
    resampled: Resampled


@dataclass(frozen=True)
class Judgement:
    """One horizon judged: the people of the test with what happened, and everything that ranked them.

    ``shares`` are the plan's capacities, those of the chart and 1 (everybody), ascending; ``resampled`` has the same.
    """

    horizon: Horizon
    split: Split
    test: People
    outcome: Flags
    contenders: Mapping[str, Contender]
    no_prior: Flags
    shares: tuple[float, ...]
    resampled: Resampled
    on_list: Flags
    divisions: tuple[Division, ...]
    places: tuple[LeftOut, ...]
    decay: tuple[Decay, ...]
    stability: float
    training_rows: int

    @property
    def risk(self) -> Floats:
        """The model's risks, (n,)."""
        return self.contenders[MODEL].score

    @property
    def whole(self) -> Level:
        """Everybody as one part."""
        return by_level(["all"] * len(self.outcome), ["all"], self.outcome, self.risk, self.on_list)[0]


def judge(
    frame: pa.Table,
    plan: EvaluationPlan,
    horizon: Horizon,
    fits: Mapping[str, tuple[str, Fit]],
    *,
    asked: Sequence[date] = (),
    allow_random: bool = False,
    in_full: bool = True,
    say: Say = lambda _: None,
) -> Judgement:
    """Split, fit without whom is judged, and compare with what a team would do otherwise.

    ``fits`` has MODEL, and CHALLENGER where there is one, each with its title and its fitting function. ``in_full``
    adds groups, places and old scores. Raises MisuseError where a split is not possible, or nobody or everybody of the
    test had the outcome.
    """
    split = split_by_time(frame, horizon, asked, allow_random=allow_random)
    test = people_of(frame, split.test_dates, split.label)
    outcome = test.outcome(split.label)
    _check(outcome, split)
    models = {}
    for name, (title, fit) in fits.items():
        say(f"{horizon.name}: fitting {plan.person_folds} times, {title}")
        models[name] = cross_fit(frame, split, plan.person_folds, fit)
    contenders = {
        name: _contender(name, fits[name][0], model.risk(test.table), is_risk=True)
        for name, model in models.items()
    }
    for one in plan.comparators:
        contenders[one.name] = _contender(one.name, one.title, test.score(one), is_risk=False)
    risk = contenders[MODEL].score
    no_prior = test.number(plan.prior_admissions) == 0
    shares = tuple(sorted({*plan.shares, *CURVE_SHARES, 1.0}))
    say(f"{horizon.name}: {plan.resamples} resamples of {len(test):,} rows")
    resampled = _resampled(plan, test, outcome, contenders, no_prior, shares)
    on_list = listed(risk, np.arange(len(test), dtype=np.float64), plan.team_share)
    training = people_of(frame, split.training_dates, split.label)
    places: Sequence[LeftOut] = ()
    decay: Sequence[Decay] = ()
    if in_full:
        say(f"{horizon.name}: leaving out each {plan.group(plan.left_out).title}")
        fit = fits[MODEL][1]
        places = leave_each_out(frame, split, test, plan.group(plan.left_out).feature, fit)
        say(f"{horizon.name}: scores of {', '.join(map(str, plan.decay_months))} months ago")
        aged = [aged_scores(frame, test, risk, months, models[MODEL].risk) for months in plan.decay_months]
        decay = [_decay(one, plan, split.label) for one in aged if one is not None]
    return Judgement(
        horizon=horizon,
        split=split,
        test=test,
        outcome=outcome,
        contenders=contenders,
        no_prior=no_prior,
        shares=shares,
        resampled=resampled,
        on_list=on_list,
        divisions=_divisions(plan, test, outcome, risk, on_list) if in_full else (),
        places=tuple(places),
        decay=tuple(decay),
        stability=population_stability_index(models[MODEL].risk(training.table), risk),
        training_rows=len(training),
    )


def _decay(aged: AgedScore, plan: EvaluationPlan, label: str) -> Decay:
    sample = Sample(aged.people.outcome(label), aged.people.person, np.array([plan.team_share]))
    entrants = {name: Entrant(rank(score), {}) for name, score in ((AGED, aged.aged), (FRESH, aged.fresh))}
    return Decay(aged, resample(sample, entrants, plan.resamples, plan.seed))


def _check(outcome: Flags, split: Split) -> None:
    if not outcome.any() or outcome.all():
        who = "nobody" if not outcome.any() else "everybody"
        raise MisuseError(
            f"{who} of the test of {', '.join(map(str, split.test_dates))} had the outcome, so no score can be judged.",
            remedy="name another index date with --as-of, or look at the extracts that the outcome is made of.",
        )


def _contender(name: str, title: str, score: Floats, *, is_risk: bool) -> Contender:
    return Contender(name, title, score, rank(score), is_risk)


def _resampled(
    plan: EvaluationPlan,
    test: People,
    outcome: Flags,
    contenders: Mapping[str, Contender],
    no_prior: Flags,
    shares: Sequence[float],
) -> Resampled:
    none = {NO_PRIOR: no_prior.astype(np.float64)}
    entrants = {
        name: Entrant(one.ranking, none | ({RISK: one.score} if one.is_risk else {}))
        for name, one in contenders.items()
    }
    sample = Sample(outcome, test.person, np.array(shares))
    return resample(sample, entrants, plan.resamples, plan.seed)


def _divisions(
    plan: EvaluationPlan, test: People, outcome: Flags, risk: Floats, on_list: Flags
) -> tuple[Division, ...]:
    labels = {group.name: test.labels(group) for group in plan.groups}
    divisions = []
    for group in plan.groups:
        own = labels[group.name]
        levels = by_level(own, level_order(own, group), outcome, risk, on_list)
        names = np.array(own)
        areas = [
            auroc_interval(outcome[names == level.name], risk[names == level.name], plan.confidence)
            for level in levels
        ]
        parents = _parents(own, labels.get(group.within or ""))
        divisions.append(Division(group, tuple(levels), tuple(areas), parents))
    return tuple(divisions)


def _parents(own: Sequence[str], larger: Sequence[str] | None) -> dict[str, str] | None:
    """The larger part of each part; None where there is none, or a part lies in two (it moved between dates)."""
    if larger is None:
        return None
    pairs = set(zip(own, larger, strict=True))
    return dict(pairs) if len(pairs) == len({part for part, _ in pairs}) else None
