"""The tables of a model card, section by section, each read from a file of the model and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from riskstrat.definitions.model_card import CardPlan
from riskstrat.disclosure.counts import shown
from riskstrat.documents.tables import Table
from riskstrat.model.evaluation.artefacts import LEFT, Artefacts
from riskstrat.model.evaluation.card_performance import fairness, performance
from riskstrat.model.evaluation.judging import MODEL
from riskstrat.model.evaluation.page import (
    count,
    found_by,
    number,
    numbers,
    percent,
    percents,
    share,
    span,
    stands_against,
    team_row,
)
from riskstrat.scoring.effects import Curve, Effect

YES_NO = {True: "yes", False: "no"}


def tables_of(section: str, found: Artefacts) -> tuple[Table, ...]:
    """The tables of a section; none where a section is words alone."""
    return MAKERS[section](found) if section in MAKERS else ()


def _facts(title: str, rows: Sequence[tuple[str, str]], note: str = "") -> Table:
    kept = tuple((label, text) for label, text in rows if text)
    return Table(title, ("", ""), kept, note, (LEFT, LEFT))


def _summary(found: Artefacts) -> tuple[Table, ...]:
    plan, main = found.evaluation["plan"], found.main
    team = team_row(main["scores"][MODEL])
    rule = main["scores"][plan["rule"]]
    against = stands_against(found.evaluation["horizons"])
    return (
        _facts(
            "At a glance",
            [
                ("Model", str(found.about["model"])),
                ("Stage", str(found.status["stage"])),
                ("Predicts", f"{found.about['outcome']['title']} within {span(main['horizon'])}"),
                ("Learnt from index dates", ", ".join(found.about["index_dates"])),
                ("Judged on", ", ".join(main["split"]["test_dates"])),
                (
                    "Judged by",
                    f"models of {', '.join(main['split']['training_dates'])}, a {main['split']['kind']} split",
                ),
                (
                    "Team's capacity",
                    f"{share(plan['team_share'])} of the people scored; team_capacity in {plan['file']} sets it. "
                    f"{plan['team_source']}",
                ),
                ("PPV on that list", percents(team.get("ppv"), 0)),
                (f"PPV, {rule['title']}", percents(team_row(rule).get("ppv"), 0)),
                ("Number needed to contact", numbers(team.get("number_needed_to_contact"), 1)),
                ("Observed over expected on the list", numbers(team.get("observed_to_expected"))),
                ("AUROC", numbers(main["scores"][MODEL]["auroc"], 3)),
                (
                    "Conditions of the approval",
                    "; ".join(against) if against else "all hold",
                ),
                ("Expires on", str(found.about["expires_on"])),
            ],
        ),
    )


def _outcome(found: Artefacts) -> tuple[Table, ...]:
    rules = found.about["outcome"]
    horizons = ", ".join(span(str(one["name"])) for one in rules["horizons"])
    return (
        _facts(
            "Outcome",
            [
                ("Event", str(rules["title"])),
                ("Horizons", horizons),
                ("A death without an event", str(rules["death"]).replace("_", " ")),
                ("Who left within the horizon", str(rules["leaving"]).replace("_", " ")),
                ("Made of", ", ".join(rules["extracts"])),
                ("Rules", f"{found.frame['outcome']['file']}, SHA-256 {rules['sha256']}"),
                (
                    "Output",
                    "a probability for each person, with its reasons, the day it was made and the day it expires",
                ),
            ],
        ),
    )


def _people(found: Artefacts) -> tuple[Table, ...]:
    rows = []
    for horizon in found.judged:
        people = horizon["people"]
        rows.append(
            (
                span(horizon["horizon"]),
                ", ".join(horizon["split"]["test_dates"]),
                *(count(people[name]) for name in ("scored", "admitted")),
                *(count(people.get(name)) for name in ("died", "left")),
                count(people["training_rows"]),
            )
        )
    unknown = found.frame.get("unknown_features", {})
    silent = sorted({name for names in unknown.values() for name in names})
    columns = ("Horizon", "Judged on", "People", "Admitted", "Died", "Left", "Rows learnt from")
    return (
        Table("People of the evaluation", columns, tuple(rows), numeric=(LEFT, LEFT, *(True,) * 5)),
        _facts(
            "Data",
            [
                ("Records and outcomes known to", str(found.about["complete_to"])),
                (
                    "Frame",
                    f"{found.evaluation['frames']['id']}, SHA-256 {found.evaluation['frames']['sha256']}",
                ),
                ("Index dates of the frame", ", ".join(found.evaluation["frames"]["index_dates"])),
                ("Features unknown on some date", ", ".join(silent) or "none"),
                ("Warnings", " ".join(found.about["warnings"]) or "none"),
                (
                    "Score, learning against judging",
                    f"population stability index {number(found.main['stability']['score'], 3)}",
                ),
            ],
        ),
    )


def _predictors(found: Artefacts) -> tuple[Table, ...]:
    effects = {effect.predictor: effect for effect in found.effects}
    rows = []
    for predictor in found.definition.predictors:
        effect, shape = effects.get(predictor.name), found.about["shape"].get(predictor.name)
        rows.append(
            (
                predictor.name,
                predictor.transform,
                predictor.sign,
                percent(shape["unknown"], 0) if shape else "",
                *(_ends(effect) if effect else ("", "", "left out")),
            )
        )
    columns = ("Predictor", "Form", "Risk may", "Unknown", "Lowest", "Highest", "If unknown")
    note = (
        "Lowest and highest are what the default model adds to the log-odds at its lowest and highest point; what "
        "it adds in between stands in the model's file. Form: spline, a smooth curve; log1p, the same over the "
        "logarithm of one plus a count; flag, yes or no."
    )
    numeric = (LEFT, LEFT, LEFT, True, True, True, True)
    return (Table("Predictors", columns, tuple(rows), note, numeric),)


def _ends(effect: Effect) -> tuple[str, str, str]:
    """Least and greatest of what a predictor adds where it is known, and what it adds where it is not."""
    added = effect.at_knots if isinstance(effect, Curve) else tuple(effect.levels.values())
    low, high, unknown = (f"{round(one, 2) + 0.0:+.2f}" for one in (min(added), max(added), effect.unknown))
    return low, high, unknown


def _making(found: Artefacts) -> tuple[Table, ...]:
    rows = [
        (
            name.replace("_", " "),
            *(count(shown(fit[key], found.policy)) for key in ("people", "rows", "people_with_outcome")),
            count(fit["coefficients"]) if "coefficients" in fit else "",
            count(fit["trees"]) if "trees" in fit else "",
            ", ".join(fit["left_out"]) or "none",
        )
        for name, fit in found.about["fits"].items()
    ]
    columns = ("Fit", "People", "Rows", "People admitted", "Coefficients", "Trees", "Predictors left out")
    training, plan = found.definition.training, found.evaluation["plan"]
    libraries = ", ".join(f"{name} {version}" for name, version in found.about["libraries"].items())
    return (
        Table("What was fitted", columns, tuple(rows), numeric=(LEFT, *(True,) * 5, LEFT)),
        _facts(
            "Settings",
            [
                (
                    "Least admitted people",
                    f"{training.least_events:,}, and {training.events_per_coefficient} for each coefficient",
                ),
                ("Ridge penalty", f"{training.ridge:g}"),
                ("Seed", str(found.about["seed"])),
                ("Parts for judging by person", str(plan["person_folds"])),
                ("Resamples of people", f"{plan['resamples']}, seed {plan['seed']}"),
                ("Code", str(found.about["code_version"])),
                ("Libraries", libraries),
            ],
        ),
    )


def _life(found: Artefacts) -> tuple[Table, ...]:
    signed = [
        (
            stage.capitalize(),
            f"by {found.status[stage]['by']} on {found.status[stage]['at'][:10]}: {found.status[stage]['reason']}",
        )
        for stage in ("approved", "retired")
        if stage in found.status
    ]
    gates = tuple(
        (
            span(horizon["horizon"]),
            gate["title"],
            gate["decides"],
            found_by(gate),
            gate["wanted"],
            YES_NO[gate["passed"]],
        )
        for horizon in found.evaluation["horizons"]
        for gate in horizon["gates"]
    )
    columns = ("Horizon", "Condition", "For", "Found", "Wanted", "Holds")
    return (
        _facts(
            "Stage",
            [("Stage", str(found.status["stage"])), *signed, ("Expires on", str(found.about["expires_on"]))],
        ),
        Table("Conditions", columns, gates, numeric=(LEFT, LEFT, LEFT, True, LEFT, LEFT)),
    )


def _hazards(found: Artefacts) -> tuple[Table, ...]:
    rows = tuple((one.hazard, one.title, one.why) for one in found.words.hazards)
    note = f"Hazard log: {found.words.hazard_log}. Intended purpose: {found.words.intended_purpose}."
    return (Table("From the hazard log", ("Hazard", "", "Here"), rows, note, (LEFT, LEFT, LEFT)),)


def tripod_table(words: CardPlan) -> Table:
    """Where the card speaks of each item of TRIPOD+AI."""
    titles = {section.name: section.title for section in words.sections}
    rows = tuple(
        (
            item.item,
            item.topic,
            titles[item.section] if item.section else f"for the site to state: {item.site}",
        )
        for item in words.tripod
    )
    return Table("TRIPOD+AI", ("Item", "Topic", "In this card"), rows, numeric=(LEFT, LEFT, LEFT))


MAKERS = {
    "summary": _summary,
    "outcome": _outcome,
    "people": _people,
    "predictors": _predictors,
    "making": _making,
    "performance": performance,
    "fairness": fairness,
    "life": _life,
    "hazards": _hazards,
}
