"""The one way out for aggregates: what a release may show, with the proof, given all that was shown before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.counts import shown
from riskstrat.disclosure.knowledge import (
    HIDDEN,
    SHOWN,
    SMALL,
    UNTOLD,
    RememberedCell,
    RememberedRelease,
    System,
    token,
    what_is_known,
)
from riskstrat.disclosure.means import shown_means
from riskstrat.disclosure.release import Release
from riskstrat.disclosure.suppression import Choice, Effort, choose, known_too_well
from riskstrat.errors import NotPermittedError

NOTHING_HIDDEN = "nothing to hide"
NAMED = 5  # cells in a message


@dataclass(frozen=True)
class Proof:
    """Why the release is safe. For the site alone: one of the tables behind it is the true one.

    ``ranges``: for every hidden cell, a least and a greatest count that it could be.

    Both are reached by whole tables that agree with everything that has left, and for a small cell so is every count
    between them.
    """

    method: str
    ranges: Mapping[str, tuple[int, int]]
    tables: int


@dataclass(frozen=True)
class PublishedRelease:
    """All that may leave: counts, percentages and means. None is a hidden number. Charts are drawn from these alone.

    ``proof`` and ``remembered`` stay with the site.
    """

    name: str
    as_of: date
    policy: Policy
    counts: Mapping[str, int | None]
    percentages: Mapping[str, float | None]
    means: Mapping[tuple[str, str], float | None]
    proof: Proof
    remembered: RememberedRelease


def publish_release(
    release: Release,
    policy: Policy,
    earlier: Sequence[RememberedRelease] = (),
    *,
    key: bytes,
    effort: Effort | None = None,
) -> PublishedRelease:
    """What of ``release`` may be shown under ``policy`` to somebody who has every one of ``earlier``.

    ``key`` is the site's disclosure key. Raises NotPermittedError where nothing can be proven safe.
    """
    complete = release.complete()
    untold: frozenset[str] = frozenset()
    for distance in range(1, len(complete.cells) + 2):
        system = what_is_known(complete, policy, earlier, key, untold)
        choice = choose(system, effort)
        if choice is not None:
            return _published(complete, policy, system, choice, key)
        more = untold | _around(system, known_too_well(system), distance)
        if more == untold:
            break
        untold = more
    raise _held_back(release, system)


def _around(system: System, places: Sequence[int], distance: int) -> frozenset[str]:
    """The cells of the release that so many relations lead to: their marks say no longer that they are small."""
    reached = np.zeros(len(system.cells))
    reached[list(places)] = 1.0
    links = abs(system.matrix)
    for _ in range(distance):
        reached = np.minimum(links.T @ (links @ reached) + reached, 1.0)
    return frozenset(name for name, place in system.places.items() if reached[place])


def _held_back(release: Release, system: System) -> NotPermittedError:
    names = [system.cells[place] for place in known_too_well(system)]
    return NotPermittedError(
        f"the release {release.name} has small counts that what left earlier tells too much about already.",
        remedy="leave them out, with the totals that they are part of, or hold the release back: "
        + "; ".join(names[:NAMED]),
    )


def _published(
    release: Release, policy: Policy, system: System, choice: Choice, key: bytes
) -> PublishedRelease:
    counts = {
        cell.name: None if choice.hidden[system.places[cell.name]] else shown(cell.count, policy)
        for cell in release.cells
        if cell.is_shown
    }
    percentages = {
        rate.name: _percentage(counts.get(rate.numerator), counts.get(rate.denominator))
        for rate in release.rates
    }
    ranges = {
        name: choice.ranges[place]
        for name, place in system.places.items()
        if counts.get(name) is None and place in choice.ranges
    }
    method = choice.method if policy.hides and (np.any(choice.hidden) or system.needed) else NOTHING_HIDDEN
    return PublishedRelease(
        release.name,
        release.as_of,
        policy,
        counts,
        percentages,
        shown_means(release, counts),
        Proof(method, ranges, choice.tables),
        _remembered(release, policy, system, counts, key),
    )


def _remembered(
    release: Release, policy: Policy, system: System, counts: Mapping[str, int | None], key: bytes
) -> RememberedRelease:
    cells = {}
    for cell in release.cells:
        value = counts.get(cell.name)
        if value is not None:
            mark = SHOWN
        elif system.places[cell.name] in system.small:
            mark = SMALL
        else:
            mark = HIDDEN if cell.is_shown and cell.count >= policy.smallest_shown else UNTOLD
        is_small = 0 < cell.count < policy.smallest_shown
        cells[cell.name] = RememberedCell(token(key, cell.name, cell.count), mark, value, is_small)
    return RememberedRelease(release.name, release.as_of, policy, cells, release.relations)


def _percentage(numerator: int | None, denominator: int | None) -> float | None:
    """From the numbers that are shown, so that it tells a reader nothing new; None where one is hidden."""
    if numerator is None or not denominator:
        return None
    return round(100 * numerator / denominator, 1)
