"""The tables of a model card on how good a model is, and for whom it is worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskstrat.documents.tables import Table
from riskstrat.model.evaluation.artefacts import LEFT, Artefacts
from riskstrat.model.evaluation.figures_groups import is_long
from riskstrat.model.evaluation.judging import MODEL
from riskstrat.model.evaluation.page import (
    count,
    furthest,
    numbers,
    percent,
    percents,
    share,
    span,
)


def performance(found: Artefacts) -> tuple[Table, ...]:
    """The lists of every capacity and horizon, calibration, other places, old scores."""
    tables: list[Table] = []
    for horizon in found.judged:
        rows = [
            (
                share(row["share"]),
                score["title"],
                percents(row.get("ppv")),
                percents(row.get("sensitivity")),
                numbers(row.get("number_needed_to_contact"), 1),
                numbers(row.get("observed_to_expected")) if "observed_to_expected" in row else "",
                row["note"] or "",
            )
            for place in range(len(horizon["scores"][MODEL]["capacities"]))
            for score in horizon["scores"].values()
            for row in (score["capacities"][place],)
        ]
        columns = (
            "List",
            "Chosen by",
            "PPV",
            "Sensitivity",
            "Needed to contact",
            "Observed over expected",
            "Note",
        )
        numeric = (LEFT, LEFT, True, True, True, True, LEFT)
        tables.append(Table(f"Lists, {span(horizon['horizon'])}", columns, tuple(rows), numeric=numeric))
        tables.append(_calibration(horizon))
    return (*tables, *_over_places_and_time(found.main))


def _calibration(horizon: Mapping[str, Any]) -> Table:
    rows = [
        (
            horizon["scores"][name]["title"],
            numbers(horizon["scores"][name]["auroc"], 3),
            *(numbers(one[key]) for key in ("observed_to_expected", "intercept", "slope")),
            percent(one["ici"], 2),
        )
        for name, one in horizon["calibration"].items()
    ]
    rows += [
        (score["title"], numbers(score["auroc"], 3), "", "", "", "")
        for name, score in horizon["scores"].items()
        if name not in horizon["calibration"]
    ]
    columns = ("Score", "AUROC", "Observed over expected", "Intercept", "Slope", "Mean distance (ICI)")
    return Table(f"Ranking and calibration, {span(horizon['horizon'])}", columns, tuple(rows))


def _over_places_and_time(main: Mapping[str, Any]) -> list[Table]:
    tables = []
    if main.get("places"):
        places = tuple(
            (
                place["name"],
                numbers(place["auroc"], 3),
                numbers(place["observed_to_expected"]),
                percent(place["ppv"]),
            )
            for place in main["places"]
        )
        tables.append(
            Table(
                "Each place by a model fitted without it",
                ("Place", "AUROC", "Observed over expected", "PPV"),
                places,
            )
        )
    if main.get("decay"):
        rows = tuple(
            (
                f"{row['months']} months",
                *(numbers(row[name]["auroc"], 3) for name in ("aged", "fresh")),
                *(percents(row[name]["ppv"]) for name in ("aged", "fresh")),
            )
            for row in main["decay"]
        )
        columns = ("Age of the score", "AUROC", "AUROC, fresh", "PPV", "PPV, fresh")
        tables.append(Table("Old scores of the same people", columns, rows))
    return tables


def fairness(found: Artefacts) -> tuple[Table, ...]:
    """Groups at the team's capacity."""
    groups = [group for group in found.main.get("groups", ()) if not is_long(group)]
    rows = tuple(
        (
            group["title"],
            level["name"],
            count(level["people"]),
            numbers(level["observed_to_expected"]),
            *(percent(level[key]) for key in ("need_rate", "selection_rate")),
            percent(level["true_positive_rate"], 0),
        )
        for group in groups
        for level in group["levels"]
    )
    outside = "; ".join(
        f"{title.lower()} {level} {numbers(value)}"
        for title, level, value in furthest(found.main.get("groups", ()))
    )
    columns = ("Group", "", "People", "Observed over expected", "Expected need", "On the list", "TPR")
    note = f"Intervals without one: {outside or 'none'}."
    return (Table("Groups at the team's capacity", columns, rows, note, (LEFT, LEFT, *(True,) * 5)),)
