"""The tables of a model card, section by section, each read from a file of the model and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.model import ModelDefinition
from riskstrat.definitions.model_card import CardPlan
from riskstrat.disclosure.counts import shown
from riskstrat.documents.tables import Table
from riskstrat.model.evaluation.figures import is_long
from riskstrat.model.evaluation.judging import MODEL
from riskstrat.model.evaluation.page import (
    count,
    furthest,
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
LEFT = False
"""Columns of words; numbers stand to the right."""


@dataclass(frozen=True)
class Artefacts:
    """Everything that a card may speak of: the files of the model and its definitions, read and parsed."""

    about: Mapping[str, Any]
    status: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    frame: Mapping[str, Any]
    definition: ModelDefinition
    effects: tuple[Effect, ...]
    words: CardPlan
    policy: Policy

    @property
    def main(self) -> Mapping[str, Any]:
        """The figures of the main horizon."""
        found: Mapping[str, Any] = self.evaluation["horizons"][0]
        return found

    @property
    def judged(self) -> list[Mapping[str, Any]]:
        """The figures of every horizon that could be judged."""
        return [horizon for horizon in self.evaluation["horizons"] if "left_out" not in horizon]


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
                    f"{share(plan['team_share'])} of the people scored. {plan['team_source']}",
                ),
                ("PPV on that list", percents(team.get("ppv"))),
                (f"PPV, {rule['title']}", percents(team_row(rule).get("ppv"))),
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
        "it adds in between stands in the model's file."
    )
    numeric = (LEFT, LEFT, LEFT, True, True, True, True)
    return (Table("Predictors", columns, tuple(rows), note, numeric),)


def _ends(effect: Effect) -> tuple[str, str, str]:
    """Least and greatest of what a predictor adds where it is known, and what it adds where it is not."""
    added = effect.at_knots if isinstance(effect, Curve) else tuple(effect.levels.values())
    return f"{min(added):+.2f}", f"{max(added):+.2f}", f"{effect.unknown:+.2f}"


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


def _performance(found: Artefacts) -> tuple[Table, ...]:
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


def _fairness(found: Artefacts) -> tuple[Table, ...]:
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
            numbers(gate["found"], 3) if gate["found"] else "",
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
    "performance": _performance,
    "fairness": _fairness,
    "life": _life,
    "hazards": _hazards,
}
