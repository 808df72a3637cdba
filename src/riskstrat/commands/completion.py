"""What a shell may propose: cohorts, features, areas and runs of the site. Quick, and silent where anything is wrong.

A shell calls these at every press of Tab, where an error or a wait would stand in the way of typing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskstrat.runs import Run
    from riskstrat.site import Site

Proposal = tuple[str, str]
Proposals = Callable[[typer.Context, str], list[Proposal]]


def _quiet(
    find: Callable[[Site, typer.Context], Iterator[Proposal]], typed: str, context: typer.Context
) -> list[Proposal]:
    """What begins like the typed word; nothing where it cannot be found out."""
    from riskstrat.site import find_site

    try:
        named = context.find_root().params.get("site")
        site = find_site(explicit=Path(named) if named else None)
        return [(word, about) for word, about in find(site, context) if word.startswith(typed)]
    except Exception:  # a shell has no place to show it
        return []


def complete_cohort(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The cohorts of the run that is read, with their titles."""
    return _quiet(_cohorts, incomplete, ctx)


def complete_worklist(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The lists and the cohorts of the run that is read, with their titles."""
    return [*_quiet(_lists, incomplete, ctx), *_quiet(_cohorts, incomplete, ctx)]


def complete_definition(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The cohorts that are defined now."""
    return _quiet(_definitions, incomplete, ctx)


def complete_run(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The published runs."""
    return _quiet(_runs, incomplete, ctx)


def complete_area(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The codes of neighbourhoods, PCNs and practices."""
    return _quiet(_areas, incomplete, ctx)


def complete_audience(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The audiences of the disclosure policies."""
    return _quiet(_audiences, incomplete, ctx)


def complete_feature(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """The features of the run that is read, with their types."""
    return _quiet(_features, incomplete, ctx)


def complete_features(ctx: typer.Context, incomplete: str) -> list[Proposal]:
    """Features for a list with commas: what was typed up to the last comma, and a feature after it."""
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    found = _quiet(_features, last, ctx)
    return [(f"{before}{comma}{word}", about) for word, about in found if word not in taken]


def _run(site: Site, context: typer.Context) -> Run:
    from riskstrat.runs import find_run

    return find_run(site.output, context.params.get("run"))


def _lists(site: Site, context: typer.Context) -> Iterator[Proposal]:
    for name, published in _run(site, context).manifest.get("lists", {}).items():
        yield name, str(published["title"])


def _cohorts(site: Site, context: typer.Context) -> Iterator[Proposal]:
    import json

    from riskstrat.reading.published import definition_path

    if context.params.get("draft"):
        yield from _definitions(site, context)
        return
    run = _run(site, context)
    for name in run.cohorts():
        path = definition_path(run, name)
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        yield name, str(kept.get("title", ""))


def _definitions(site: Site, _: typer.Context) -> Iterator[Proposal]:
    for path in sorted((site.config / "cohorts").glob("*.yaml")):
        yield path.stem, ""


def _runs(site: Site, _: typer.Context) -> Iterator[Proposal]:
    from riskstrat.runs import list_runs

    for run in reversed(list_runs(site.output)):
        yield run.id, f"as of {run.as_of}"


def _areas(site: Site, context: typer.Context) -> Iterator[Proposal]:
    import csv

    neighbourhoods = _run(site, context).manifest.get("neighbourhoods", {})
    for code, about in sorted(neighbourhoods.items()):
        yield code, str(about.get("name", ""))
    path = site.config / "geography" / "practices.csv"
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for kind in ("pcn", "practice"):
            yield from sorted({(row[f"{kind}_code"], row[f"{kind}_name"]) for row in rows})


def _audiences(site: Site, _: typer.Context) -> Iterator[Proposal]:
    from riskstrat.definitions.disclosure import load_disclosure

    for name, policy in load_disclosure(site.config / "disclosure.yaml").audiences.items():
        yield name, policy.title


def _features(site: Site, context: typer.Context) -> Iterator[Proposal]:
    from riskstrat.runs import feature_types, open_run

    with open_run(_run(site, context), threads=1) as connection:
        for name, kind in feature_types(connection).items():
            yield name, kind.lower()
