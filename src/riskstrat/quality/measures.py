"""From what was seen of an extract to the numbers that are held against its limits.

A check keeps its identifier for ever: trends and agreements with suppliers refer to it. Where a limit warns and
another stops, the check is measured once for each, told apart by severity. The checks of an extract:

- ``EXTRACT.delivery.freshness``: days from its newest delivery to as_of.
- ``EXTRACT.delivery.volume``: rows of its newest delivery as a share of the usual, once there is a usual.
- ``EXTRACT.delivery.missing``: newest delivery folders without it, where every earlier one had it. An optional extract
  that has been missing more often than it ever came is no longer expected.
- ``EXTRACT.rows.read``, ``EXTRACT.rows.accepted``: rows of all deliveries that count.
- ``EXTRACT.rows.quarantined_share``: quarantined rows that nothing has corrected since, as a share of the rows read.
- ``EXTRACT.provider.silence``: complete months for which a provider of some size sent nothing, over all providers.
- ``EXTRACT.provider.volume``: the smallest share of its own mean that a provider sent for the newest complete month.
- one for each rule of its contract, under the rule's identifier: rows that break it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.limits import Limits
from riskstrat.quality.observations import Delivered, Observations

Severity = Literal["quarantine", "warn", "stop"]
MOST_DELIVERIES = 30  # of a usual, and of a trend


@dataclass(frozen=True)
class Measurement:
    """One number against its limits; None is no limit. ``about`` holds the parts of the sentence that explains it.

    Severity says what a breach means: ``stop`` ends the run, ``warn`` is reported, ``quarantine`` has set rows aside.
    """

    check: str
    severity: Severity
    observed: float
    minimum: float | None = None
    maximum: float | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


def measure(seen: Observations, contract: Contract, limits: Limits) -> list[Measurement]:
    """Everything that is judged of one extract, in the order in which it is shown."""
    return [
        *_freshness(seen, limits),
        *_volume(seen, limits),
        *_missing(seen, required=contract.required),
        *_rows(seen, limits, least=1 if contract.required else None),
        *measure_providers(seen, limits),
        *(
            Measurement(rule.id, rule.severity, seen.failed[rule.id], 0, 0, {"rule": rule.message})
            for rule in contract.rules
            if rule.id in seen.failed
        ),
    ]


def unobserved(seen: Observations, contract: Contract) -> list[str]:
    """The rules of today's contract that were not applied when the rows were read; only a run can judge them."""
    return [rule.id for rule in contract.rules if rule.id not in seen.failed]


def usual_rows(seen: Observations, limits: Limits) -> tuple[float, int] | None:
    """The median rows of the earlier deliveries and how many they were; None while there is no usual.

    The first delivery of a ``delta`` feed brings the history and is left out.
    """
    earlier = seen.deliveries[1 if seen.mode == "delta" else 0 : -1][-MOST_DELIVERIES:]
    if not earlier or len(earlier) < limits.usual_after:
        return None
    usual = float(median(delivery.read for delivery in earlier))
    return (usual, len(earlier)) if usual >= max(limits.usual_min_rows, 1) else None


def _freshness(seen: Observations, limits: Limits) -> Iterator[Measurement]:
    if seen.newest_delivery is None:
        return
    days = (seen.as_of - seen.newest_delivery).days
    about = {"newest": seen.newest_delivery.isoformat(), "as_of": seen.as_of.isoformat()}
    check = f"{seen.extract}.delivery.freshness"
    yield Measurement(check, "warn", days, maximum=limits.stale_after_days, about=about)
    if limits.stop_after_days is not None:
        yield Measurement(check, "stop", days, maximum=limits.stop_after_days, about=about)


def _volume(seen: Observations, limits: Limits) -> Iterator[Measurement]:
    usual = usual_rows(seen, limits)
    if usual is None:
        return
    newest: Delivered = seen.deliveries[-1]
    about = {
        "delivery": newest.delivery.isoformat(),
        "rows": newest.read,
        "usual": usual[0],
        "deliveries": usual[1],
    }
    check, share = f"{seen.extract}.delivery.volume", round(newest.read / usual[0], 6)
    yield Measurement(check, "warn", share, minimum=limits.small_share, about=about)
    if limits.stop_small_share is not None:
        yield Measurement(check, "stop", share, minimum=limits.stop_small_share, about=about)


def _missing(seen: Observations, *, required: bool) -> Iterator[Measurement]:
    about = {"missed": [day.isoformat() for day in seen.missed], "held": seen.held}
    is_expected = required or len(seen.missed) <= seen.held
    yield Measurement(
        f"{seen.extract}.delivery.missing",
        "warn",
        len(seen.missed),
        maximum=0 if is_expected else None,
        about=about,
    )


def _rows(seen: Observations, limits: Limits, *, least: int | None) -> Iterator[Measurement]:
    outstanding = seen.quarantined - seen.corrected
    share = round(outstanding / seen.read, 6) if seen.read else 0.0
    is_few = outstanding <= limits.max_quarantined_rows and not (seen.read and outstanding == seen.read)
    about = {"read": seen.read, "accepted": seen.accepted, "quarantined": outstanding}
    most = {"most_share": limits.max_quarantined_share, "most_rows": limits.max_quarantined_rows}
    yield Measurement(f"{seen.extract}.rows.read", "warn", seen.read, minimum=least, about=about)
    yield Measurement(
        f"{seen.extract}.rows.accepted", "stop", seen.accepted, minimum=limits.min_rows, about=about
    )
    yield Measurement(
        f"{seen.extract}.rows.quarantined_share",
        "stop",
        share,
        maximum=1.0 if is_few else limits.max_quarantined_share,
        about=about | most,
    )


def measure_providers(seen: Observations, limits: Limits) -> Iterator[Measurement]:
    """Silence, and the newest complete month of each provider against its own mean, once the calendar is known."""
    if not seen.calendar_providers:
        return
    silent = [{"provider": one.provider, "month": one.month.isoformat()} for one in seen.silent]
    about: dict[str, Any] = {"providers": seen.calendar_providers, "silent": silent}
    yield Measurement(f"{seen.extract}.provider.silence", "warn", len(silent), maximum=0, about=about)
    if not seen.providers:
        return
    shares = {entry: round(entry.rows / entry.mean, 6) for entry in seen.providers}
    least = limits.month_small_share
    small = sorted(
        (entry for entry in seen.providers if least is not None and shares[entry] < least),
        key=lambda entry: (shares[entry], entry.provider),
    )
    about = {
        "month": seen.providers[0].month.isoformat(),
        "providers": len(seen.providers),
        "small": [{"provider": entry.provider, "rows": entry.rows, "mean": entry.mean} for entry in small],
    }
    yield Measurement(
        f"{seen.extract}.provider.volume", "warn", min(shares.values()), minimum=least, about=about
    )
