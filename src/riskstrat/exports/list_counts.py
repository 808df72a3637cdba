"""What a commissioner is given of a list: people by area and section, through the disclosure gate."""

from __future__ import annotations

from collections import Counter

import duckdb

from riskstrat.definitions.disclosure import Policy
from riskstrat.disclosure.counts import HIDDEN
from riskstrat.disclosure.release import SEPARATOR, WHOLE, cross_table, flat
from riskstrat.disclosure.release import Release as CountRelease
from riskstrat.disclosure.store import publish_for_site
from riskstrat.exports.people import Rows
from riskstrat.reading.published_lists import DROPPED, PublishedList, people_of
from riskstrat.site import Site

COUNT_MEANINGS = {
    "area_code": "The neighbourhood or practice whose list it is; all is the whole place.",
    "area_name": "The name of the area.",
    "section": "The part of the list; all is the whole list.",
    "people": "People on the list; * is a count that may not be shown, others are rounded as the policy says.",
}
COUNT_COLUMNS = tuple(COUNT_MEANINGS)


def shown_list_counts(
    site: Site, connection: duckdb.DuckDBPyConnection, published: PublishedList, policy: Policy
) -> Rows:
    """People by area and section and in all, as they may be shown.

    Always of every area, whatever part of the place an export is about, so that nobody can set one export against
    another. Raises NotPermittedError where nothing can be shown safely.
    """
    sections = [name for name in published.sections if name != DROPPED]
    listed = people_of(connection, published, "rank IS NOT NULL")
    found = Counter((str(one["area_code"]), str(one["section"])) for one in listed)
    areas = sorted({*published.areas, *(area for area, _ in found)})
    # The same name in every run, so that the gate protects one night's counts together with the nights before.
    name = f"people on {published.name} by {published.kind} and section"
    counts: dict[tuple[str, ...], int] = {
        (area, section): found[(area, section)] for area in areas for section in sections
    }
    cells, relations = cross_table(name, counts, [flat(areas), flat(sections)])
    shown = publish_for_site(site, CountRelease(name, published.run.as_of, cells, relations), policy).counts
    rows: list[list[object]] = []
    for area in [*areas, WHOLE]:
        about = published.areas.get(area, {})
        for section in [*sections, WHOLE]:
            count = shown[SEPARATOR.join((name, area, section))]
            rows.append([area, about.get("name", ""), section, HIDDEN if count is None else count])
    return Rows(COUNT_COLUMNS, rows, 0)
