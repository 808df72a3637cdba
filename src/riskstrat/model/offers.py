"""The performative loop: people who were offered something because of a list are treated from then on, and are marked.

A model that learns from them as if nobody had been there learns that those whom a team helps need no help.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskstrat.definitions.model_drift import FILE, check_offers, load_drift_policy
from riskstrat.definitions.model_outcome import Outcome
from riskstrat.definitions.returns import load_return_rules
from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.returns.store import in_force, read_all
from riskstrat.site import Site

RETURNS = "returns.yaml"
OFFERED = "offered_on"


def read_offers(site: Site) -> pa.Table:
    """Every offer that came back on a list: person_id and ``offered_on``. Raises DefinitionError for unknown words."""
    policy = load_drift_policy(site.config / FILE)
    check_offers(policy, load_return_rules(site.config / RETURNS).outcomes)
    rows = in_force(read_all(site.state))
    made = rows.filter(pc.is_in(rows["outcome"], value_set=pa.array(policy.offers, pa.string())))
    return pa.table({"person_id": made["person_id"], OFFERED: made["outcome_date"]})


def first_offer(offers: pa.Table) -> date | None:
    """The day of the first offer; None where nobody was offered anything."""
    day: date | None = pc.min(offers[OFFERED]).as_py()
    return day


def refuse_naive_refit(
    offers: pa.Table, outcome: Outcome, index_dates: Sequence[date], despite: str | None
) -> None:
    """Raise NotPermittedError where a horizon reaches beyond the first offer, unless ``despite`` says why it may."""
    if despite is not None and not despite.strip():
        raise MisuseError("--despite-offers is empty.", remedy="say why; it is kept in the audit log.")
    first = first_offer(offers)
    reach = [day for day in index_dates if first and max(one.end(day) for one in outcome.horizons) > first]
    if first is None or not reach or despite is not None:
        return
    last = min(one.latest_start(first) for one in outcome.horizons)
    raise NotPermittedError(
        f"people were offered something because of lists since {first}, before the horizon of {min(reach)} ends: a "
        "model of it would learn that those who are helped need no help.",
        remedy=f"name no index date after {last}, move the level alone (riskstrat model recalibrate), or say why it is "
        "right all the same: --despite-offers REASON.",
    )


def treated_rows(table: pa.Table, offers: pa.Table, outcome: Outcome) -> pa.Array:
    """The days of each row's main horizon from the person's first offer in it on; 0 where there was none."""
    days = np.zeros(table.num_rows, dtype=np.int64)
    for day in pc.unique(table["index_date"]).to_pylist():
        end = outcome.main.end(day)
        inside = offers.filter(
            pc.and_(pc.greater_equal(offers[OFFERED], day), pc.less(offers[OFFERED], pa.scalar(end)))
        )
        first = {
            row["person_id"]: (end - row[f"{OFFERED}_min"]).days
            for row in inside.group_by("person_id").aggregate([(OFFERED, "min")]).to_pylist()
        }
        if not first:
            continue
        of_day = pc.and_(
            pc.equal(table["index_date"], day),
            pc.is_in(table["person_id"], value_set=pa.array(list(first), pa.string())),
        )
        places = np.flatnonzero(of_day.to_numpy())
        days[places] = [first[one] for one in table["person_id"].take(pa.array(places)).to_pylist()]
    return pa.array(days)


def marked(table: pa.Table, offers: pa.Table, outcome: Outcome) -> dict[str, Any]:
    """What a model's file says of offers: the first, and rows and person-days treated by index date; {} without any."""
    first = first_offer(offers)
    if first is None:
        return {}
    days = treated_rows(table, offers, outcome).to_numpy()
    index_dates = table["index_date"].to_numpy()
    return {
        "first": f"{first}",
        "treated": {
            f"{day}": {
                "rows": int(np.count_nonzero(days[index_dates == np.datetime64(day)])),
                "person_days": int(days[index_dates == np.datetime64(day)].sum()),
            }
            for day in sorted(pc.unique(table["index_date"]).to_pylist())
        },
    }
