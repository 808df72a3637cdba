"""Everybody judged by every cohort at once, in one pass over the features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from riskstrat.definitions.cohort_rules import RANK_COLUMNS, Rules
from riskstrat.definitions.cohorts import PLACEHOLDER
from riskstrat.definitions.everything import FEATURES
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context


def undecidable_cohorts(context: Context) -> dict[str, str]:
    """Cohort -> why nobody can be decided: an extract that it cannot do without was not delivered."""
    why = {
        name: absent
        for name, cohort in context.definitions.cohorts.items()
        if (absent := _absence(context, cohort.requires.extracts))
    }
    if why:
        told = "; ".join(f"{name} ({reason})" for name, reason in why.items())
        context.warn(f"nobody could be decided, and only people added by hand are listed, for: {told}.")
    return why


def undecidable_gaps(context: Context, rules: Rules) -> dict[str, str]:
    """Gap -> why it is said of nobody: an absent extract leaves no date, and that is not "never done"."""
    columns = {column.name: column for column in context.definitions.contracts[FEATURES].columns}
    why = {}
    for name, gap in rules.gaps:
        needed = [
            extract for feature in gap.columns for extract in columns[feature].about.get("requires", ())
        ]
        if absent := _absence(context, needed):
            why[name] = absent
    return why


def _absence(context: Context, needed: Iterable[str]) -> str | None:
    extracts = context.manifest["extracts"]
    absent = [extract for extract in dict.fromkeys(needed) if not extracts[extract]["present"]]
    if not absent:
        return None
    noun, verb = ("extracts", "were") if absent[1:] else ("extract", "was")
    return f"the {noun} {' and '.join(absent)} {verb} not delivered"


def judge(context: Context, rules: Mapping[str, Rules], undecidable: Mapping[str, str]) -> None:
    """Leave ``judged``: one row a person whom a rule finds or somebody added, with score and the features shown.

    ``found_N`` says whether the rules of the cohort in place N find the person, ``added_N`` whether somebody added
    the person to it; neither is NULL. One table for all cohorts, so that the features are read and joined once.
    """
    cohorts = context.definitions.cohorts
    found = ["FALSE" if name in undecidable else f"({rules[name].matches})" for name in cohorts]
    added = [
        f"COALESCE(cohort_additions.added_{place}, FALSE)" if cohort.manual_additions else "FALSE"
        for place, cohort in enumerate(cohorts.values())
    ]
    flags = [f"{sql} AS found_{place}" for place, sql in enumerate(found)]
    flags += [f"{sql} AS added_{place}" for place, sql in enumerate(added)]
    shown = [f"features.{quoted(name)}" for name in _features_shown(context, rules)]
    context.engine.create(
        "judged",
        f"SELECT {', '.join(['features.person_id', 'scores.score', *shown, *flags])} FROM features "
        "JOIN scores ON scores.person_id = features.person_id "
        "LEFT JOIN cohort_additions ON cohort_additions.person_id = features.person_id "
        f"WHERE cohort_additions.person_id IS NOT NULL OR {' OR '.join(found) or 'FALSE'}",
    )


def _features_shown(context: Context, rules: Mapping[str, Rules]) -> list[str]:
    """The features that rank members, place them in areas, and say their reasons and gaps."""
    wanted: set[str] = set()
    for name, cohort in context.definitions.cohorts.items():
        wanted |= {item.column for item in cohort.rank_by}
        wanted |= {feature for reason in cohort.reasons for feature in PLACEHOLDER.findall(reason.text)}
        wanted |= {feature for _, when in rules[name].reasons if when for feature in when.columns}
        wanted |= {feature for _, gap in rules[name].gaps for feature in gap.columns}
        wanted |= {cohort.top_n.per} if cohort.top_n else set()
    return sorted(wanted - {"person_id", *RANK_COLUMNS})


def count_undecided(
    context: Context, rules: Mapping[str, Rules], undecidable: Mapping[str, str]
) -> dict[str, int]:
    """How many people the rules of each cohort could not decide: everybody, where an extract is absent.

    That is what the rules say, also of people whom somebody added by hand.
    """
    if not rules:
        return {}
    counts = ", ".join(
        f"count(*) FILTER (WHERE {'TRUE' if name in undecidable else rule.undecided})"
        for name, rule in rules.items()
    )
    found = context.engine.rows(f"SELECT {counts} FROM {FEATURES}")[0]
    return {name: int(count) for name, count in zip(rules, found, strict=True)}
