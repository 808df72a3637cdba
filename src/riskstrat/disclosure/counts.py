"""Hiding small counts, and every count from which a hidden one could be worked out.

Counts are judged as they are and rounded last, so that rounding never decides what is hidden. None is a hidden count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskstrat.definitions.disclosure import Policy

HIDDEN = "*"


def shown(count: int, policy: Policy) -> int | None:
    """A count that stands alone: hidden where small, else rounded; zero stays zero."""
    if 0 < count < policy.smallest_shown:
        return None
    return (count + policy.rounded_to // 2) // policy.rounded_to * policy.rounded_to


def is_safe(count: int, policy: Policy) -> bool:
    """Whether a count, or a difference of counts, may be known."""
    return count == 0 or abs(count) >= policy.smallest_shown


def shown_together(counts: Mapping[str, int], policy: Policy) -> dict[str, int | None]:
    """Counts whose sum is known, or of which one follows from the others: all are hidden where one must be."""
    if all(is_safe(count, policy) for count in counts.values()):
        return {name: shown(count, policy) for name, count in counts.items()}
    return dict.fromkeys(counts)


@dataclass(frozen=True)
class Answer:
    """How many people of a population are counted, and how many of it are undecided."""

    people: int
    undecided: int
    population: int

    @property
    def cells(self) -> dict[str, int]:
        """Everybody of the population, told apart."""
        rest = self.population - self.people - self.undecided
        return {"people": self.people, "undecided": self.undecided, "rest": rest}


def shown_answer(
    answer: Answer, policy: Policy, *, whole: Answer | None = None, may_be_negated: bool = True
) -> tuple[int | None, int | None]:
    """People and undecided as they may be shown, given that anybody may know how many people there are.

    ``whole`` is the same question asked of everybody, where ``answer`` is that of one area: what lies elsewhere
    follows from the two. A condition can be asked with NOT before it (``may_be_negated``), which gives the rest:
    one small cell then hides all. The people of a cohort are shown where they and all others are many.
    """
    cells = answer.cells
    if whole is not None:
        cells |= {f"{name} elsewhere": count - answer.cells[name] for name, count in whole.cells.items()}
    parts = shown_together(cells, policy)
    if may_be_negated:
        return parts["people"], parts["undecided"]
    members = {"people": answer.people, "others": answer.population - answer.people}
    if whole is not None:
        members["elsewhere"] = whole.people - answer.people
    return shown_together(members, policy)["people"], parts["undecided"]


@dataclass(frozen=True)
class Flow:
    """One step of a funnel: people after it, and those it took out, could not judge, or added.

    ``keeps_unknown`` where those whom it cannot judge are among ``left``.
    """

    left: int
    removed: int = 0
    unknown: int = 0
    added: int = 0
    keeps_unknown: bool = False


@dataclass(frozen=True)
class ShownFlow:
    """A step of a funnel as it may be shown; None is hidden."""

    left: int | None
    removed: int | None
    unknown: int | None
    added: int | None


def shown_funnel(steps: Sequence[Flow], policy: Policy) -> list[ShownFlow]:
    """The steps so that no hidden count follows from its neighbours.

    The people left are shown only at steps between which nobody, or at least ``smallest_shown`` people, came or went;
    what a step did is shown only where the steps before and after it are both shown and none of its counts is small.
    """
    if not policy.hides:
        return [ShownFlow(step.left, step.removed, step.unknown, step.added) for step in steps]
    kept = _kept(steps, policy)
    result = []
    for place, step in enumerate(steps):
        left = shown(step.left, policy) if place in kept else None
        is_between = place == 0 or (place in kept and place - 1 in kept)
        counts = {"removed": step.removed, "unknown": step.unknown, "added": step.added}
        parts = shown_together(counts, policy) if is_between else dict.fromkeys(counts)
        result.append(ShownFlow(left, parts["removed"], parts["unknown"], parts["added"]))
    return result


def _kept(steps: Sequence[Flow], policy: Policy) -> set[int]:
    """The steps that are shown: the first, then each that differs safely from the last that was shown."""
    kept: set[int] = set()
    last: int | None = None
    for place, step in enumerate(steps):
        if is_safe(step.left, policy) and (last is None or is_safe(steps[last].left - step.left, policy)):
            kept.add(place)
            last = place
    return kept


def shown_undecided(steps: Sequence[Flow], undecided: int, policy: Policy) -> int | None:
    """How many could not be decided at the end of a funnel: some of those whom its steps could not judge.

    Hidden where the unknown of a step is: in a funnel of one rule the two are the same people.
    """
    judging = [step for step in steps if not step.keeps_unknown]
    places = [place for place, step in enumerate(steps) if not step.keeps_unknown]
    funnel = shown_funnel(steps, policy)
    all_shown = all(funnel[place].unknown is not None for place in places)
    rest = sum(step.unknown for step in judging) - undecided
    if policy.hides and not (all_shown and is_safe(rest, policy)):
        return None
    return shown(undecided, policy)


@dataclass(frozen=True)
class ShownChanges:
    """Two runs compared, as counts may be shown; None is hidden. ``causes`` are by kind (entered, left)."""

    before: int | None
    after: int | None
    entered: int | None
    left: int | None
    moved: int | None
    causes: Mapping[str, Mapping[str, int | None]]


def shown_changes(
    sizes: tuple[int, int], moved: int, causes: Mapping[str, Mapping[str, int]], policy: Policy
) -> ShownChanges:
    """Sizes before and after, who came and went by cause: one small count hides the others that lead to it."""
    before, after = sizes
    entered, left = (sum(causes[kind].values()) for kind in ("entered", "left"))
    stayed = before - left
    flows = shown_together({"entered": entered, "left": left, "stayed": stayed}, policy)
    is_open = None not in flows.values()
    moves = shown_together({"moved": moved, "still": stayed - moved}, policy)
    return ShownChanges(
        shown(before, policy),
        shown(after, policy),
        flows["entered"],
        flows["left"],
        moves["moved"] if is_open else None,
        {
            kind: shown_together(counts, policy) if is_open else dict.fromkeys(counts)
            for kind, counts in causes.items()
        },
    )
