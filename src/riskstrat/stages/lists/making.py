"""The stage: who may be named, who is eligible, how the areas share the places, who is listed, and what has changed."""

from __future__ import annotations

from datetime import timedelta

from riskstrat.stages.context import Context
from riskstrat.stages.earlier import FOLDER
from riskstrat.stages.lists.choosing import (
    AREA_COLUMNS,
    ELIGIBLE_TABLE,
    find_eligible,
    rank_listed,
    set_quotas,
)
from riskstrat.stages.lists.compiling import compile_lists
from riskstrat.stages.lists.dropping import find_dropped
from riskstrat.stages.lists.knowing import know_people
from riskstrat.stages.lists.publishing import (
    publish_eligible,
    publish_files,
    publish_list,
    publish_memory,
    summary,
)
from riskstrat.stages.lists.rows import add_rows, create_rows
from riskstrat.stages.lists.wording import wording_sql

MESSAGES, EPISODES = "acute_adt", "acute_episodes"


def lists(context: Context) -> None:
    """Write ``lists/``: each list with its definition, everybody eligible, the memory, and a file for each area.

    The manifest says of every list how many people of each area are eligible, listed and dropped, and with which run it
    is compared; and where events come from.
    """
    compiled = compile_lists(context.definitions, context.as_of)
    definitions = context.definitions.lists
    for run in context.earlier.damaged:
        context.warn(
            f"the run {run} is damaged, so no list is compared with it (riskstrat runs verify {run})."
        )
    know_people(context)
    context.engine.execute(ELIGIBLE_TABLE)
    context.engine.load("list_areas", AREA_COLUMNS, [])
    quotas = {}
    for name, definition in definitions.items():
        find_eligible(context, definition, compiled.lists[name])
        quotas[name] = set_quotas(context, definition)
        if because := quotas[name].per_head_because:
            context.warn(f"the places of the list {name} are shared per head, because {because}.")
    rank_listed(context)
    find_dropped(context)
    create_rows(context)
    wording = wording_sql(context, compiled.wording)
    (context.building / FOLDER).mkdir()
    for name, definition in definitions.items():
        context.progress.step(name)
        add_rows(context, definition, compiled.lists[name], wording)
        publish_list(context, definition)
        publish_files(context, definition)
    publish_eligible(context)
    publish_memory(context)
    context.manifest["lists"] = {
        name: summary(context, definition, quotas[name]) for name, definition in definitions.items()
    }
    context.manifest["list_events"] = _events(context)


def _events(context: Context) -> dict[str, str | None]:
    """Where events come from, and the day of the newest message; warns where that was days ago."""
    if not context.manifest["extracts"][MESSAGES]["present"]:
        return {"source": EPISODES, "newest_message": None}
    ((newest, days),) = context.engine.rows(
        "SELECT (SELECT max(CAST(event_at AS DATE)) FROM acute_adt CROSS JOIN run "
        "WHERE CAST(event_at AS DATE) < run.as_of), hospital_event_days FROM parameters"
    )
    if newest is None or newest < context.as_of - timedelta(days=days):
        context.warn(
            f"{MESSAGES}: the newest message is of {newest or 'no day at all'}, so the lists do not know who came into "
            "hospital or left it since."
        )
    return {"source": MESSAGES, "newest_message": newest.isoformat() if newest else None}
