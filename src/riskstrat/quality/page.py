"""The quality page: one self-contained HTML file that answers whether tonight's data can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_quality_page(run_folder: Path, as_of: str) -> str:
    """HTML from each ``quality/EXTRACT/summary.json`` and ``expectations.json`` of a run, in name order."""
    sources = [_source(path.parent) for path in sorted((run_folder / "quality").glob("*/summary.json"))]
    versions = {source["verdict"]["great_expectations"] for source in sources}
    environment = Environment(
        loader=PackageLoader("riskstrat", "quality"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"number": lambda count: f"{count:,}", "share": lambda share: f"{share:.2%}"}
    return environment.get_template("page.html.j2").render(
        sources=sources, as_of=as_of, version=", ".join(sorted(versions))
    )


def _source(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    places = {place["check"]: place for place in summary["first_failures"]}
    broken = [check | {"place": places.get(check["id"])} for check in summary["checks"] if check["failed"]]
    broken.sort(key=lambda check: (check["severity"], -check["failed"], check["id"]))
    verdict = json.loads((folder / "expectations.json").read_text(encoding="utf-8"))
    return summary | {"broken": broken, "verdict": verdict}
