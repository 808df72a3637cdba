"""How old, how small and how damaged an extract may be: the limits that a contract states and a site may override.

A contract states them as ODCS ``slaProperties`` under the names of ``UNITS``; ``config/sources.yaml`` may give any of
them another value for one site. No number has a default here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from riskstrat.definitions.documents import check_keys
from riskstrat.errors import DefinitionError

UNITS: Mapping[str, str] = {
    "stale_after_days": "d",
    "stop_after_days": "d",
    "max_quarantined_share": "share",
    "max_quarantined_rows": "rows",
    "min_rows": "rows",
    "small_share": "share",
    "stop_small_share": "share",
    "usual_after": "deliveries",
    "usual_min_rows": "rows",
    "month_small_share": "share",
}
MAY_BE_NULL = ("stale_after_days", "stop_after_days", "small_share", "stop_small_share", "month_small_share")
MAY_BE_LEFT_OUT = ("stop_after_days", "stop_small_share", "month_small_share")
SLA_KEYS = ("id", "property", "value", "unit", "element", "driver", "description")

LimitValue = int | float | None


@dataclass(frozen=True)
class Limits:
    """What one extract may come to; None never warns or stops.

    Days count from the newest delivery to as_of: beyond ``stale_after_days`` a run warns, beyond ``stop_after_days``
    it stops. It stops too when more than ``max_quarantined_rows`` rows and more than ``max_quarantined_share`` of the
    rows read are quarantined, when every row is, or when fewer than ``min_rows`` are accepted.

    The newest delivery's rows are compared with the usual: the median of the earlier deliveries, once there are
    ``usual_after`` of them and it is ``usual_min_rows`` or more. Below ``small_share`` of it a run warns, below
    ``stop_small_share`` it stops. Below ``month_small_share`` of a provider's own mean its month is warned about.
    """

    stale_after_days: int | None
    stop_after_days: int | None
    max_quarantined_share: float
    max_quarantined_rows: int
    min_rows: int
    small_share: float | None
    stop_small_share: float | None
    usual_after: int
    usual_min_rows: int
    month_small_share: float | None


def sla_limits(entries: Sequence[Mapping[str, Any]], file: Path) -> dict[str, LimitValue]:
    """The limits that a contract's ``slaProperties`` state. Raises DefinitionError on an unknown or wrong one."""
    stated: dict[str, LimitValue] = {}
    for entry in entries:
        where = f"the limit {entry.get('property')}"
        check_keys(entry, allowed=SLA_KEYS, required=("property", "value"), file=file, where=where)
        name = entry["property"]
        check_keys({name: None}, allowed=UNITS, file=file, where="slaProperties")
        if name in stated:
            raise DefinitionError(f"{where} stands twice.", file=file, column=name, remedy="keep one.")
        if entry.get("unit", UNITS[name]) != UNITS[name]:
            raise DefinitionError(
                f"{where} has another unit than it is read in.",
                file=file,
                column=name,
                remedy=f"write unit: {UNITS[name]}.",
            )
        stated[name] = checked_limit(name, entry["value"], file=file, extract=file.stem)
    return stated


def checked_limit(name: str, value: Any, *, file: Path, extract: str) -> LimitValue:
    """The value, if it is one that the limit can have: days, rows and deliveries are whole, shares lie in 0 to 1."""
    if value is None and name in MAY_BE_NULL:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if UNITS[name] == "share":
        if is_number and 0 <= value <= 1:
            return float(value)
        raise DefinitionError(
            f"{name} of {extract} must lie between 0 and 1.",
            file=file,
            column=name,
            remedy="write 0.05 for 5%.",
        )
    if isinstance(value, int) and is_number and value >= 0:
        return value
    raise DefinitionError(
        f"{name} of {extract} must be a whole number, 0 or more.",
        file=file,
        column=name,
        remedy=f"count {'days' if UNITS[name] == 'd' else UNITS[name]}.",
    )


def resolve_limits(
    extract: str, stated: Mapping[str, LimitValue], overrides: Mapping[str, LimitValue], contract: Path
) -> Limits:
    """The contract's limits with the site's in their place. Raises DefinitionError where one is stated nowhere."""
    merged: dict[str, Any] = dict.fromkeys(MAY_BE_LEFT_OUT) | dict(stated) | dict(overrides)
    for field in fields(Limits):
        if field.name not in merged:
            raise DefinitionError(
                f"the limit {field.name} of {extract} is stated nowhere.",
                file=contract,
                column="slaProperties",
                remedy=f"add - {{property: {field.name}, value: ..., unit: {UNITS[field.name]}}}.",
            )
    limits = Limits(**merged)
    pairs = (("stop_after_days", "stale_after_days"), ("small_share", "stop_small_share"))
    for larger, smaller in pairs:
        high, low = getattr(limits, larger), getattr(limits, smaller)
        if high is not None and low is not None and high < low:
            raise DefinitionError(
                f"{larger} of {extract} is below {smaller}: a run would stop before it warned.",
                file=contract,
                column=larger,
                remedy="correct one of them here, or in config/sources.yaml if it is overridden there.",
            )
    return limits
