"""The quality page: one self-contained HTML file that answers whether tonight's data can be trusted.

It is made of the files of its own run and nothing else. How runs compare is told by the site's trend page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from riskstrat.quality.calendar import calendar_view
from riskstrat.quality.codes import CODES
from riskstrat.quality.coverage import COVERAGE
from riskstrat.quality.measures import MOST_DELIVERIES
from riskstrat.quality.sparkline import spark_svg
from riskstrat.quality.store import RAW, VERDICT, read_json
from riskstrat.quality.wording import is_rule, kind_of, notices, percent, shown, what

STOPPED_PAGE = Path("quality") / "stopped.html"


def write_stopped_page(output: Path, run_folder: Path, as_of: str, reasons: Sequence[str]) -> Path:
    """Keep the numbers of a run that is about to stop, beside the published runs; returns the page's path."""
    path = output / STOPPED_PAGE
    path.parent.mkdir(exist_ok=True)
    path.write_text(render_quality_page(run_folder, as_of, stopped_by=reasons), encoding="utf-8")
    return path


def render_quality_page(
    run_folder: Path, as_of: str, stopped_by: Sequence[str] = (), *, is_published: bool = True
) -> str:
    """HTML from what a run holds in ``quality/``: each extract's summary, verdict, coverage and codes, in name order.

    ``stopped_by`` says why nothing is published of it; where nothing is anyway, the page leads to no other.
    """
    sources = [_source(path.parent) for path in sorted((run_folder / "quality").glob("*/summary.json"))]
    raw = read_json(run_folder / "quality" / RAW)
    return (
        quality_environment()
        .get_template("page.html.j2")
        .render(
            sources=sources,
            as_of=as_of,
            stopped_by=stopped_by,
            is_published=is_published and not stopped_by,
            notices=[notice for source in sources for notice in source["notices"]],
            versions=", ".join(sorted({source["verdict"]["great_expectations"] for source in sources})),
            judged=_judged(raw),
        )
    )


@cache
def quality_environment() -> Environment:
    """How the templates of this room are filled in: escaped, and with an error for whatever is missing."""
    environment = Environment(
        loader=PackageLoader("riskstrat", "quality"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": lambda count: f"{count:,}" if isinstance(count, int) else str(count),
        "share": lambda share: f"{share:.2%}",
        "percent": percent,
    }
    return environment


def _source(folder: Path) -> dict[str, Any]:
    """One extract as the template needs it."""
    summary: dict[str, Any] = read_json(folder / "summary.json")
    verdict = read_json(folder / VERDICT)
    places = {place["check"]: place for place in summary["first_failures"]}
    broken = [check | {"place": places.get(check["id"])} for check in summary["checks"] if check["failed"]]
    broken.sort(key=lambda check: (check["severity"], -check["failed"], check["id"]))
    coverage, codes = read_json(folder / COVERAGE), read_json(folder / CODES)
    deliveries = verdict.get("observations", {}).get("deliveries", [])
    least = next(
        (one["minimum"] for one in verdict["results"] if kind_of(one["check"]) == "provider.volume"), None
    )
    return summary | {
        "broken": broken,
        "verdict": verdict,
        "outcome": _outcome(verdict),
        "notices": notices(verdict["results"]),
        "checks": _checks(verdict["results"]),
        "newest": verdict.get("observations", {}).get("newest_delivery"),
        "deliveries": deliveries[-MOST_DELIVERIES:],
        "trends": _trends(deliveries, verdict.get("observations", {}).get("mode")),
        "calendar": calendar_view(coverage, least) if coverage else None,
        "codes": _codes(codes) if codes else None,
    }


def _outcome(verdict: Mapping[str, Any]) -> str:
    if not verdict["success"]:
        return "beyond its limits"
    warnings = len(notices(verdict["results"]))
    if not warnings:
        return "within its limits"
    return "1 warning" if warnings == 1 else f"{warnings} warnings"


def _checks(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The checks that are no rules: what was seen, from where on it warns or stops, and what came of it."""
    checks = []
    for check, group in groupby(results, key=lambda result: str(result["check"])):
        found = list(group)
        if is_rule(check):
            continue
        failed = [result["severity"] for result in found if not result["success"]]
        checks.append(
            {
                "id": check,
                "what": what(check),
                "seen": shown(check, found[0]["observed"]),
                "limits": {"warn": "", "stop": ""} | {result["severity"]: _limit(result) for result in found},
                "outcome": "stops a run" if "stop" in failed else "warned" if failed else "within",
            }
        )
    return checks


def _limit(result: Mapping[str, Any]) -> str:
    check, about = str(result["check"]), result["about"]
    if about.get("most_rows") is not None:
        return f"above {shown(check, about['most_share'])} and {about['most_rows']:,} rows"
    if result["minimum"]:
        return f"below {shown(check, result['minimum'])}"
    return f"above {shown(check, result['maximum'])}" if result["maximum"] is not None else ""


def _trends(deliveries: Sequence[Mapping[str, Any]], mode: str | None) -> list[dict[str, Any]]:
    """Lines over the deliveries of an extract, oldest first; one delivery is no trend.

    The first of a ``delta`` feed brings the history: beside it, all others would look like nothing.
    """
    compared = deliveries[1:] if mode == "delta" else deliveries
    compared = compared[-MOST_DELIVERIES:]
    if len(compared) < 2:
        return []
    rows = [one["read"] for one in compared]
    shares = [one["quarantined"] / one["read"] if one["read"] else None for one in compared]
    said = (
        f"Rows in each of {len(rows)} deliveries, {compared[0]['delivery']} to {compared[-1]['delivery']}: "
        f"first {rows[0]:,}, newest {rows[-1]:,}, least {min(rows):,}, most {max(rows):,}."
    )
    if mode == "delta" and len(deliveries) <= MOST_DELIVERIES:
        said += f" The very first ({deliveries[0]['delivery']}, {deliveries[0]['read']:,} rows) brought the history."
    known = [share for share in shares if share is not None]
    lines = [{"title": "Rows a delivery", "svg": spark_svg(rows, said), "said": said}]
    if known:
        said = f"Share quarantined in each: newest {known[-1]:.2%}, least {min(known):.2%}, most {max(known):.2%}."
        lines.append({"title": "Share quarantined", "svg": spark_svg(shares, said), "said": said})
    return lines


def _codes(codes: Mapping[str, Any]) -> dict[str, Any]:
    return {**codes, "has_people": any(code["people"] is not None for code in codes["unmapped"])}


def _judged(raw: Mapping[str, Any] | None) -> dict[str, int] | None:
    """How many numbers Great Expectations held against limits, and how many failed."""
    if raw is None:
        return None
    results = [result for found in raw["passes"].values() for result in found]
    failed = {(one["check"], one["severity"]) for result in results for one in result["unexpected"]}
    counts = [max(result["element_count"] for result in found) for found in raw["passes"].values()]
    return {"checks": sum(counts), "failed": len(failed)}
