"""The tables of a model card on how good a model is, and for whom it is worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskstrat.documents.tables import Table
from riskstrat.model.evaluation.artefacts import LEFT, Artefacts, in_order
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
                percents(row.get("ppv"), 0),
                percents(row.get("sensitivity")),
                numbers(row.get("number_needed_to_contact"), 1),
                numbers(row.get("observed_to_expected")) if "observed_to_expected" in row else "",
            )
            for place in range(len(horizon["scores"][MODEL]["capacities"]))
            for score in (horizon["scores"][name] for name in in_order(horizon))
            for row in (score["capacities"][place],)
        ]
        columns = (
            "List",
            "Chosen by",
            "PPV",
            "Sensitivity",
            "Needed to contact",
            "Observed over expected",
        )
        numeric = (LEFT, LEFT, True, True, True, True)
        title, note = f"Lists, {span(horizon['horizon'])}", _notes(horizon)
        tables.append(Table(title, columns, tuple(rows), note, numeric))
        tables.append(_calibration(horizon))
    return (*tables, *_over_places_and_time(found.main))


def _notes(horizon: Mapping[str, Any]) -> str:
    """What is to be said against which lists."""
    against: dict[str, list[str]] = {}
    for name in in_order(horizon):
        score = horizon["scores"][name]
        for row in score["capacities"]:
            if row["note"]:
                against.setdefault(row["note"], []).append(f"{share(row['share'])} {score['title']}")
    return " ".join(f"{note[0].upper()}{note[1:]}: {', '.join(where)}." for note, where in against.items())


def _calibration(horizon: Mapping[str, Any]) -> Table:
    rows = [
        (
            horizon["scores"][name]["title"],
            numbers(horizon["scores"][name]["auroc"], 3),
            *(numbers(one[key]) for key in ("observed_to_expected", "intercept", "slope")),
            percent(one["ici"], 2),
        )
        for name, one in ((name, horizon["calibration"].get(name)) for name in in_order(horizon))
        if one
    ]
    rows += [
        (score["title"], numbers(score["auroc"], 3), "", "", "", "")
        for name, score in ((name, horizon["scores"][name]) for name in in_order(horizon))
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
                percents(place["ppv"], 0),
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
                *(percents(row[name]["ppv"], 0) for name in ("aged", "fresh")),
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
    columns = ("Group", "", "People", "Observed over expected", "Expected admitted", "On the list", "TPR")
    note = (
        "TPR: of the admitted people of the group, the share on the list. Expected admitted: the mean of the predicted "
        f"risks. Intervals that leave out one: {outside or 'none'}."
    )
    return (Table("Groups at the team's capacity", columns, rows, note, (LEFT, LEFT, *(True,) * 5)),)
