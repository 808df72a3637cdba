"""riskstrat model evaluate and card: how good a model is, beside what a team would do without it, and its papers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskstrat.commands.choosing import say, site_of

LatestModel = Annotated[str, typer.Argument(metavar="[MODEL]", help="A model's id; default: the newest.")]


def evaluate(
    context: typer.Context,
    model: LatestModel = "latest",
    as_of: Annotated[
        list[str] | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="An index date to be judged on; default: the newest that allows it. Several may be given.",
        ),
    ] = None,
    old: Annotated[
        list[str] | None,
        typer.Option(
            "--old", metavar="DATE", help="An earlier index date, whose scores are judged by their age."
        ),
    ] = None,
    allow_random_split: Annotated[
        bool,
        typer.Option(
            "--allow-random-split",
            help="Where no test by time is possible: judge people of the same dates. It cannot be approved on that.",
        ),
    ] = False,
) -> None:
    """Judge a model on a later date, and write evaluation.json, evaluation.html and the charts beside it.

    What leaves passes the disclosure gate; * is hidden.

    Example: riskstrat model evaluate latest --as-of 2025-04-01
    """
    from riskstrat.commands.run import parse_date
    from riskstrat.model.evaluation.evaluating import evaluate as evaluate_model

    found = evaluate_model(
        site_of(context),
        model,
        test_dates=[parse_date(text, "--as-of") for text in as_of or ()],
        old_dates=[parse_date(text, "--old") for text in old or ()],
        allow_random=allow_random_split,
    )
    for horizon in found.evaluation["horizons"]:
        typer.echo("\n".join(_lines(horizon)))
    say(f"page: {found.page}")


def card(
    context: typer.Context,
    model: LatestModel = "latest",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="Write PATH.md and PATH.html instead of card.md and card.html in the model's folder.",
        ),
    ] = None,
) -> None:
    """Write the model card of an evaluated model from its own files, as Markdown and as a page.

    Example: riskstrat model card latest --out /tmp/card
    """
    from riskstrat.commands.writing import check_target, replaced
    from riskstrat.model.evaluation.card import write_card
    from riskstrat.scoring.registry import find_model

    site = site_of(context)
    base = (
        find_model(site, model).folder / "card"
        if out is None
        else out.with_suffix("")
        if out.suffix in (".md", ".html")
        else out
    )
    targets = [base.with_name(f"{base.name}{suffix}") for suffix in (".md", ".html")]
    if out is not None:
        for target in targets:
            check_target(target, site)
    made = write_card(site, model)
    for target, text in zip(targets, (made.markdown, made.html), strict=True):
        with replaced(target) as partial:
            partial.write_text(text, encoding="utf-8")
        typer.echo(str(target))


def _lines(horizon: Mapping[str, Any]) -> list[str]:
    """The lists of every capacity, the model beside what a team would do without it, and the gates that do not hold."""
    from riskstrat.commands.printing import aligned
    from riskstrat.model.evaluation.gates import failed_gates
    from riskstrat.model.evaluation.page import number, numbers, percent, percents, share, span

    title = f"{span(horizon['horizon'])}: "
    if "left_out" in horizon:
        return [f"{title}not judged; {horizon['left_out']}", ""]
    people, split = horizon["people"], horizon["split"]
    title += (
        f"{people['scored']:,} people of {', '.join(split['test_dates'])}, {people['admitted']:,} admitted; "
        f"learnt from {', '.join(split['training_dates'])}, {split['kind']} split"
    )
    listed = [
        (row, score)
        for place in range(len(horizon["scores"]["model"]["capacities"]))
        for score in horizon["scores"].values()
        for row in (score["capacities"][place],)
    ]
    rows = [
        (
            share(row["share"]) + (" *" if row["is_team"] else ""),
            score["title"],
            percents(row.get("ppv")),
            percent(row["sensitivity"][0]) if "sensitivity" in row else "",
            number(row["number_needed_to_contact"][0], 1) if "number_needed_to_contact" in row else "",
            numbers(row["observed_to_expected"]) if "observed_to_expected" in row else "",
            number(score["auroc"][0], 3),
        )
        for row, score in listed
    ]
    headers = ["list", "chosen_by", "PPV", "finds", "to_contact", "O:E", "AUROC"]
    notes: dict[str, list[str]] = {}
    for row, score in listed:
        if row["note"]:
            notes.setdefault(row["note"], []).append(f"{share(row['share'])} {score['title']}")
    said = [f"{note}: {', '.join(where)}" for note, where in notes.items()]
    failed = [f"does not hold: {problem}" for problem in failed_gates(horizon["gates"])]
    team = "* the team's capacity: team_capacity in config/model/evaluation.yaml"
    return [title, "", *aligned(headers, rows), "", team, *said, *failed, ""]
