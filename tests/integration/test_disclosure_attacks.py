"""Nobody who keeps every release can narrow a hidden count below the policy's range.

``DISCLOSURE_STORIES`` and ``DISCLOSURE_SEED`` make the attack longer: each story is one to three releases.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.counts import shown
from riskstrat.disclosure.gate import PublishedRelease, publish_release
from riskstrat.disclosure.knowledge import SMALL
from riskstrat.disclosure.release import Release
from riskstrat.errors import NotPermittedError
from tests.disclosure.attacker import Place, Range, Seen, attack
from tests.disclosure.generated import KINDS, Story, story

STORIES = int(os.environ.get("DISCLOSURE_STORIES", "500"))
SEED = int(os.environ.get("DISCLOSURE_SEED", "0"))
KEY = b"k" * 32


def published(tale: Story) -> list[PublishedRelease]:
    """All that leaves; a release that the gate holds back ends the story."""
    done: list[PublishedRelease] = []
    for release in tale.releases:
        earlier = [one.remembered for one in done]
        try:
            done.append(publish_release(release, tale.policy, earlier, key=KEY))
        except NotPermittedError:
            break
    return done


def without_a_word(release: Release, policy: Policy) -> Seen:
    """A release of which everything is hidden: only that its cells exist is known."""
    relations = [(one.total, one.parts) for one in release.complete().relations]
    counts = dict.fromkeys(cell.name for cell in release.cells if cell.is_shown)
    return Seen(counts, relations, frozenset(), policy.smallest_shown, policy.rounded_to)


def as_seen(release: PublishedRelease, source: Release) -> Seen:
    marks = release.remembered.cells
    rates = {rate.name: rate for rate in source.rates}
    return Seen(
        counts=release.counts,
        relations=[(one.total, one.parts) for one in source.complete().relations],
        told_small=frozenset(name for name in release.counts if marks[name].mark == SMALL),
        smallest_shown=release.policy.smallest_shown,
        rounded_to=release.policy.rounded_to,
        percentages=[
            (rates[name].numerator, rates[name].denominator, share)
            for name, share in release.percentages.items()
            if share is not None
        ],
    )


def naive(tale: Story) -> list[Seen]:
    """Small counts hidden and the others rounded, each by itself: what the policy says without its last sentence."""
    return [
        Seen(
            counts={cell.name: shown(cell.count, tale.policy) for cell in release.cells if cell.is_shown},
            relations=[(one.total, one.parts) for one in release.complete().relations],
            told_small=frozenset(
                cell.name
                for cell in release.cells
                if cell.is_shown and shown(cell.count, tale.policy) is None
            ),
            smallest_shown=tale.policy.smallest_shown,
            rounded_to=tale.policy.rounded_to,
        )
        for release in tale.releases
    ]


def unchanged(releases: Sequence[Release]) -> list[tuple[Place, Place]]:
    first: dict[tuple[str, int], Place] = {}
    pairs = []
    for night, release in enumerate(releases):
        for cell in release.complete().cells:
            place = (night, cell.name)
            pairs.append((first.setdefault((cell.name, cell.count), place), place))
    return pairs


def hidden_counts(tale: Story, seen: Sequence[Seen]) -> dict[Place, int]:
    """Hidden ones, and small ones that no release shows but that follow from it. Zero is no secret."""
    shown_somewhere = {
        (cell.name, cell.count)
        for release, view in zip(tale.releases, seen, strict=True)
        for cell in release.cells
        if view.counts.get(cell.name) is not None
    }
    return {
        (night, cell.name): cell.count
        for night, release in enumerate(tale.releases)
        for cell in release.complete().cells
        if cell.count > 0
        and seen[night].counts.get(cell.name) is None
        and (cell.is_shown or cell.count < tale.policy.smallest_shown)
        and (cell.name, cell.count) not in shown_somewhere
    }


def narrowed(tale: Story, seen: Sequence[Seen]) -> dict[Place, Range]:
    """The hidden counts of which the attacker comes to know more than the policy allows."""
    hidden = hidden_counts(tale, seen)
    found = attack(seen, unchanged(tale.releases), list(hidden)) if hidden else {}
    highest = tale.policy.smallest_shown - 1
    return {
        place: what
        for place, what in found.items()
        if (
            (what.least > 1 or what.greatest < highest)
            if hidden[place] <= highest
            else what.greatest - what.least < highest - 1
        )
    }


def test_no_hidden_count_is_narrowed_below_the_range_of_the_policy() -> None:
    methods: Counter[str] = Counter()
    shown_cells = hidden_cells = held_back = 0
    for seed in range(SEED, SEED + STORIES):
        tale = story(seed)
        releases = published(tale)
        out = Story(tale.kind, tale.policy, tale.releases[: len(releases)])
        seen = [as_seen(*pair) for pair in zip(releases, out.releases, strict=True)]
        assert not narrowed(out, seen), f"seed {seed}: {tale.kind} under {tale.policy.name}"
        if len(releases) < len(
            tale.releases
        ):  # only where what left before tells too much, whatever is hidden now
            held_back += 1
            tried = Story(tale.kind, tale.policy, tale.releases[: len(releases) + 1])
            assert narrowed(tried, [*seen, without_a_word(tried.releases[-1], tale.policy)]), f"seed {seed}"
        for release in releases:
            methods[release.proof.method] += 1
            shown_cells += sum(value is not None for value in release.counts.values())
            hidden_cells += sum(value is None for value in release.counts.values())
    assert held_back <= 0.02 * STORIES
    assert methods["cheapest"] + methods["nothing to hide"] >= 0.98 * methods.total(), methods
    assert shown_cells > hidden_cells  # safe because everything is hidden would be no art


def test_the_attack_succeeds_where_only_small_counts_are_hidden() -> None:
    tried: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for seed in range(SEED, SEED + STORIES):
        tale = story(seed)
        seen = naive(tale)
        if not hidden_counts(tale, seen):
            continue
        names = (tale.policy.name, tale.kind)
        tried.update(names)
        won.update(names if narrowed(tale, seen) else ())
    assert set(tried) >= {"hes", "nnhip", *KINDS}
    assert won["nnhip"] >= 0.8 * tried["nnhip"], (won, tried)
    assert won["hes"] >= 0.4 * tried["hes"], (won, tried)  # rounding alone saves the others
    assert all(won[kind] >= 0.3 * tried[kind] for kind in KINDS), (won, tried)


def test_the_attack_succeeds_where_releases_do_not_know_of_each_other() -> None:
    """Each release by itself is safe; together they are not: so it is the earlier ones that the gate heeds."""
    tried: Counter[str] = Counter()
    won: Counter[str] = Counter()
    for seed in range(SEED, SEED + STORIES // 2):
        tale = story(seed)
        if len(tale.releases) == 1:
            continue
        alone = [publish_release(release, tale.policy, key=KEY) for release in tale.releases]
        seen = [as_seen(*pair) for pair in zip(alone, tale.releases, strict=True)]
        tried[tale.kind] += 1
        won[tale.kind] += bool(narrowed(tale, seen))
    assert set(tried) == {"nights", "other shape", "subset"}
    assert all(won[kind] >= 0.2 * tried[kind] for kind in tried), (won, tried)
