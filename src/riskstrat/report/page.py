"""Writes the run report: one self-contained page for the people who operate a run.

The page holds aggregates only, and nothing that differs between two runs of the same inputs: timings stay in
the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from riskstrat.report import figures
from riskstrat.report.drift import drift_tables
from riskstrat.report.measures import measure_tables
from riskstrat.report.people import Neighbourhood, Population, count_population

CONSERVATION_PARTS = ("accepted", "quarantined", "duplicates", "superseded", "deleted")
MOST_REASONS = 12


@dataclass(frozen=True)
class Reason:
    """One check that rows of an extract failed; ``file`` and ``row`` say where first, if ingest kept it."""

    extract: str
    column: str
    message: str
    remedy: str
    failed: int
    share: float
    file: str
    row: int | None


@dataclass(frozen=True)
class Cell:
    """One cohort in one neighbourhood: people, people per 1,000 registered as text, that rate as a percentage of the
    highest of the row, and the worklist's path in the run.
    """

    people: int
    rate: str
    share: int
    path: str | None


@dataclass(frozen=True)
class ListRow:
    """One cohort over all neighbourhoods; ``undecidable`` says why nobody could be decided, if that is so."""

    name: str
    people: int
    undecided: int
    undecidable: str
    cells: tuple[Cell, ...]


def render_report(
    run_folder: Path, manifest: Mapping[str, Any], *, older_from_age: int, frailty_categories: Sequence[str]
) -> str:
    """The report of the run in ``run_folder`` as one HTML page, from its manifest and its published files.

    Frailty is shown for people of ``older_from_age`` and over, in ``frailty_categories`` from least to most.
    The page lies in ``report/`` of the run, where its links start.
    """
    labels = _labels(manifest["neighbourhoods"])
    population = count_population(run_folder / "features.parquet", labels, older_from_age, frailty_categories)
    summaries = _summaries(run_folder, manifest["extracts"])
    template = _environment().get_template("page.html.j2")
    return template.render(
        manifest=manifest,
        labels=labels,
        population=population,
        figures=_figures(population),
        lists=_lists(manifest, [home for home in population.neighbourhoods if home.code in labels]),
        listed_homes=[home for home in population.neighbourhoods if home.code in labels],
        frailty_order=list(population.whole.frailty),
        opt_outs=_opt_outs(manifest),
        opt_out_kinds=sorted({kind for counts in _opt_outs(manifest).values() for kind in counts}),
        parts=CONSERVATION_PARTS,
        totals=_totals(manifest["conservation"]),
        absent=[name for name, extract in sorted(manifest["extracts"].items()) if not extract["present"]],
        turned_away=_reasons(summaries, "quarantine"),
        warned=_reasons(summaries, "warn"),
        most_reasons=MOST_REASONS,
        unused=_unused(summaries),
        unknown_features=_by_reason(manifest["unknown_features"]),
        measures=manifest.get("measures"),
        drift=manifest.get("drift"),
        drift_tables=drift_tables(run_folder) if "drift" in manifest else [],
        measure_tables=measure_tables(run_folder, manifest.get("measures")),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("riskstrat.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": _count, "day": _day}
    environment.globals |= {"share": _share, "per_thousand": _per_thousand}
    return environment


def _labels(neighbourhoods: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Name by neighbourhood code; two neighbourhoods of one name carry their code as well."""
    names = [home["name"] for home in neighbourhoods.values()]
    return {
        code: home["name"] if names.count(home["name"]) == 1 else f"{home['name']} ({code})"
        for code, home in neighbourhoods.items()
    }


def _summaries(run_folder: Path, extracts: Mapping[str, Any]) -> list[dict[str, Any]]:
    paths = [run_folder / "quality" / extract / "summary.json" for extract in sorted(extracts)]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


def _reasons(summaries: Sequence[Mapping[str, Any]], severity: str) -> list[Reason]:
    """The checks of one severity that failed, most rows first."""
    reasons = [
        _reason(summary, check)
        for summary in summaries
        for check in summary["checks"]
        if check["severity"] == severity and check["failed"]
    ]
    return sorted(reasons, key=lambda reason: (-reason.failed, reason.extract, reason.message, reason.column))


def _reason(summary: Mapping[str, Any], check: Mapping[str, Any]) -> Reason:
    failures = [failure for failure in summary["first_failures"] if failure["check"] == check["id"]]
    first: Mapping[str, Any] = failures[0] if failures else {"file": "", "row": None}
    return Reason(
        extract=summary["extract"],
        column=check["column"] or "",
        message=check["message"],
        remedy=check["remedy"] or "",
        failed=check["failed"],
        share=check["share"],
        file=first["file"],
        row=first["row"],
    )


def _unused(summaries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Extracts with rows that were accepted and yet belong to nobody, or to a day outside the run's time."""
    return [
        summary
        for summary in summaries
        if summary["unlinked"] or summary["before_birth"] or summary["after_as_of"]
    ]


def _opt_outs(manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Practice to opt-out to how many of its people are left out for it; every practice has every opt-out."""
    counts: Mapping[str, Mapping[str, int]] = manifest.get("opt_outs", {})
    kinds = {kind for of_practice in counts.values() for kind in of_practice}
    return {
        practice: {kind: of_practice.get(kind, 0) for kind in kinds}
        for practice, of_practice in counts.items()
    }


def _totals(conservation: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {part: sum(rows[part] for rows in conservation.values()) for part in ("read", *CONSERVATION_PARTS)}


def _by_reason(unknown_features: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Reasons in alphabetical order, each with the features that it leaves unknown."""
    reasons = sorted(set(unknown_features.values()))
    return [
        (reason, sorted(name for name, why in unknown_features.items() if why == reason))
        for reason in reasons
    ]


def _lists(manifest: Mapping[str, Any], homes: Sequence[Neighbourhood]) -> list[ListRow]:
    """A row a cohort, by name, with a cell for each neighbourhood."""
    undecidable = manifest.get("cohorts_undecidable", {})
    return [
        ListRow(
            name,
            people,
            manifest["cohorts_undecided"].get(name, 0),
            undecidable.get(name, ""),
            _cells(name, manifest["neighbourhoods"], homes),
        )
        for name, people in sorted(manifest["cohorts"].items())
    ]


def _cells(
    name: str, neighbourhoods: Mapping[str, Mapping[str, Any]], homes: Sequence[Neighbourhood]
) -> tuple[Cell, ...]:
    sizes = {home.code: int(neighbourhoods[home.code]["cohorts"].get(name, 0)) for home in homes}
    rates = {home.code: sizes[home.code] / home.people if home.people else 0.0 for home in homes}
    most = max(rates.values(), default=0.0)
    return tuple(
        Cell(
            sizes[home.code],
            _per_thousand(sizes[home.code], home.people),
            round(100 * rates[home.code] / most) if most else 0,
            neighbourhoods[home.code]["worklists"].get(name),
        )
        for home in homes
    )


def _figures(population: Population) -> dict[str, Any]:
    """Every chart of the page, ready to be put in: ages, deciles and frailty."""
    ages, deciles = population.age_bands, population.deciles
    frailty_alt = (
        f"Stacked bar chart: frailty of people aged {population.older_from_age} and over, as shares in each "
        "neighbourhood; the table below has the numbers."
    )
    return {
        "ages": Markup(figures.count_bars("ages", f"Bar chart of people by age: {_in_words(ages)}", ages)),
        "deciles": Markup(
            figures.count_bars(
                "deciles", f"Bar chart of people by deprivation decile: {_in_words(deciles)}", deciles
            )
        ),
        "frailty": Markup(figures.frailty_bars("frailty", frailty_alt, population.neighbourhoods)),
    }


def _in_words(counts: Sequence[tuple[str, int]]) -> str:
    return "; ".join(f"{label} {people:,}" for label, people in counts) + "."


def _count(number: int) -> str:
    return f"{number:,}"


def _day(text: str | None) -> str:
    """An ISO date as people write it, 1 April 2026."""
    if not text:
        return ""
    day = date.fromisoformat(str(text)[:10])
    return f"{day.day} {day:%B %Y}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _per_thousand(part: int, whole: int) -> str:
    return f"{1000 * part / whole:.1f}" if whole else "-"
