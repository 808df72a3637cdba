"""Small releases under the shipped policies."""

from __future__ import annotations

from datetime import date

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.gate import PublishedRelease, publish_release
from riskstrat.disclosure.release import Release, cross_table, flat

HES = Policy("hes", "", smallest_shown=8, rounded_to=5)
NNHIP = Policy("nnhip", "", smallest_shown=6)
KEY = b"k" * 32
NIGHT = date(2026, 4, 1)


def released(counts: dict[str, int], policy: Policy = NNHIP, **more: object) -> PublishedRelease:
    cells, relations = cross_table("t", {(name,): count for name, count in counts.items()}, [flat(counts)])
    return publish_release(Release("t", NIGHT, cells, relations, **more), policy, key=KEY)  # type: ignore[arg-type]


def of(release: PublishedRelease, *parts: str) -> int | None:
    return release.counts[" | ".join(("t", *parts))]
