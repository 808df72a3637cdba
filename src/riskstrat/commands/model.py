"""riskstrat model: risk models are trained, looked at, approved by somebody who signs for it, and retired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from riskstrat.commands.choosing import site_of
from riskstrat.commands.model_drift import drift, recalibrate
from riskstrat.commands.model_evaluate import card, evaluate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Risk models: off unless one is approved; lists by rule never need one.",
)

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A model's id, or 'latest'.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who signs for it.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the audit log.")
]


@app.command("train")
def train(
    context: typer.Context,
    as_of: Annotated[
        list[str],
        typer.Option(
            "--as-of", metavar="DATE", help="An index date to learn from, YYYY-MM-DD; several may be given."
        ),
    ],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the challenger's draws.")] = 0,
    despite_offers: Annotated[
        str | None,
        typer.Option(
            "--despite-offers",
            metavar="REASON",
            help="Learn from people who were offered something, and say why; it is kept in the audit log.",
        ),
    ] = None,
) -> None:
    """Learn from what became of people after one or more index dates, and register a candidate.

    Nothing scores with a candidate: it is evaluated, then approved. An index date must lie a whole horizon back, and
    that horizon must end before anybody was offered something because of a list.

    Example: riskstrat model train --as-of 2024-10-01 --as-of 2025-04-01
    """
    from riskstrat.commands.run import parse_date
    from riskstrat.model.training import train as train_model

    dates = [parse_date(text, "--as-of") for text in as_of]
    model = train_model(site_of(context), dates, seed=seed, despite_offers=despite_offers)
    typer.echo(model.id)
    typer.echo(f"Next: riskstrat model evaluate {model.id}", err=True)


app.command("evaluate")(evaluate)
app.command("card")(card)
app.command("drift")(drift)
app.command("recalibrate")(recalibrate)


@app.command("list")
def list_registered(context: typer.Context) -> None:
    """List every model, the newest last, with its stage and the day on which it expires.

    Example: riskstrat model list
    """
    from riskstrat.commands.printing import aligned
    from riskstrat.errors import NothingPublishedError
    from riskstrat.scoring.registry import TRAIN_REMEDY, list_models

    models = list_models(site_of(context))
    if not models:
        raise NothingPublishedError("no model has been trained yet.", remedy=TRAIN_REMEDY)
    rows = [
        (
            *(model.id, model.stage, model.status.get("kind") or "", ", ".join(model.about["horizons"])),
            *(model.about["people"], model.about["complete_to"], model.about["expires_on"]),
        )
        for model in models
    ]
    headers = ["model", "stage", "kind", "horizons", "people", "records_to", "expires_on"]
    typer.echo("\n".join(aligned(headers, rows)))


@app.command("show")
def show(
    context: typer.Context,
    model: ModelArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Everything it was made of, as JSON.")] = False,
) -> None:
    """Show what a model was made of, who signed for it, and what each predictor adds to the log-odds.

    Example: riskstrat model show latest
    """
    from riskstrat.scoring.registry import ABOUT, find_model

    found = find_model(site_of(context), model)
    if as_json:
        typer.echo((found.folder / ABOUT).read_text(encoding="utf-8"), nl=False)
        return
    typer.echo("\n".join(_description(found.id, found.about, found.status)))
    typer.echo("\n".join(_effects(found)))


@app.command("approve")
def approve(
    context: typer.Context,
    model: ModelArgument,
    by: ByOption,
    reason: ReasonOption,
    kind: Annotated[
        str, typer.Option("--kind", help="Which kind scores: logistic, or boosting where it was promoted.")
    ] = "logistic",
) -> None:
    """Let nightly runs score with a candidate whose evaluation passes every gate; one model is approved at a time.

    Example: riskstrat model approve 20260401-0123456789 --by "Dr A Example" --reason "Read by the safety group"
    """
    from riskstrat.model.promotion import approve as approve_model

    approved = approve_model(site_of(context), model, by=by, reason=reason, kind=kind)
    typer.echo(f"{approved.id}: approved, until {approved.about['expires_on']}")


@app.command("retire")
def retire(context: typer.Context, model: ModelArgument, by: ByOption, reason: ReasonOption) -> None:
    """Let no run score with a model any more. It stays in the registry, for whoever asks what scores came from.

    Example: riskstrat model retire 20260401-0123456789 --by "Dr A Example" --reason "Replaced by the model of July"
    """
    from riskstrat.model.promotion import retire as retire_model

    retired = retire_model(site_of(context), model, by=by, reason=reason)
    typer.echo(f"{retired.id}: retired")


def _description(name: str, about: Mapping[str, Any], status: Mapping[str, Any]) -> list[str]:
    from riskstrat.commands.printing import facts

    signed = [
        f"{stage} by {status[stage]['by']} on {status[stage]['at'][:10]}: {status[stage]['reason']}"
        for stage in ("approved", "retired")
        if stage in status
    ]
    fits = [
        f"{fit}: {one['people']} people, {one['people_with_outcome']} of them admitted"
        for fit, one in about["fits"].items()
    ]
    moved = about.get("recalibrated")
    return facts(
        {
            "model": name,
            "stage": str(status["stage"]),
            **({"recalibrated from": moved["parent"]["model"]} if moved else {}),
            "signed": signed,
            "learnt from": ", ".join(about["index_dates"]),
            "records to": about["complete_to"],
            "expires on": about["expires_on"],
            "fitted": fits,
            "warnings": about["warnings"],
        }
    )


def _effects(model: Any) -> list[str]:
    """What each predictor adds at its lower end, at its upper end, and where it is unknown."""
    from riskstrat.commands.printing import aligned
    from riskstrat.scoring.effects import Curve
    from riskstrat.scoring.persistence import load_model

    rows: list[tuple[Any, ...]] = []
    fitted = load_model(model.folder, horizon=model.about["horizons"][0])
    for effect in getattr(fitted, "effects", ()):
        points = (
            list(zip(effect.knots, effect.at_knots, strict=True))
            if isinstance(effect, Curve)
            else list(effect.levels.items())
        )
        told = "  ".join(
            f"{at:g} {added:+.2f}" if isinstance(at, float) else f"{at} {added:+.2f}" for at, added in points
        )
        rows.append((effect.predictor, f"{effect.unknown:+.2f}", told))
    return ["", *aligned(["predictor", "unknown", "adds_to_the_log_odds_at"], rows)]
