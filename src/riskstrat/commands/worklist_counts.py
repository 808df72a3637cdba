"""How many people each list and each cohort of a run has in each area, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskstrat.runs import Run


def areas_document(run: Run) -> dict[str, Any]:
    """Area code to its name and cohorts, and under ``lists`` to what the run says of each list there."""
    areas: dict[str, Any] = {
        code: dict(about) for code, about in run.manifest.get("neighbourhoods", {}).items()
    }
    for name, published in run.manifest.get("lists", {}).items():
        for code, about in published["areas"].items():
            area = areas.setdefault(code, {"name": about["name"]})
            area.setdefault("lists", {})[name] = {key: value for key, value in about.items() if key != "name"}
    return areas


def list_tables(run: Run) -> list[str]:
    """For every kind of area a table: a row an area, for each list how many are listed, and of them new."""
    from riskstrat.commands.printing import aligned

    lists: Mapping[str, Any] = run.manifest.get("lists", {})
    lines: list[str] = []
    for kind in dict.fromkeys(str(published["area"]) for published in lists.values()):
        names = [name for name, published in lists.items() if published["area"] == kind]
        codes = {
            code: about["name"] for name in names for code, about in sorted(lists[name]["areas"].items())
        }
        rows = [
            [code, title, *(_counts(lists[name], code) for name in names)] for code, title in codes.items()
        ]
        lines += ["", *aligned([kind, "name", *names], rows)]
    return lines[1:]


def cohort_table(run: Run) -> list[str]:
    """A row a cohort, a column a neighbourhood."""
    from riskstrat.commands.printing import aligned

    areas = run.manifest.get("neighbourhoods", {})
    rows = [
        [
            name,
            *(about["cohorts"].get(name, 0) for about in areas.values()),
            run.manifest["cohorts"].get(name),
        ]
        for name in run.cohorts()
    ]
    return aligned(["cohort", *areas, "all"], rows)


def _counts(published: Mapping[str, Any], code: str) -> str:
    about = published["areas"].get(code)
    return "-" if about is None else f"{about['listed']} ({about['new']} new)"
