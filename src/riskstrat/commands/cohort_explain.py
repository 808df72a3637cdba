"""riskstrat cohort explain: what every rule answers for one person, and the source rows behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from riskstrat.commands.asking import DraftOption, WhereOption, criteria_of, opened
from riskstrat.commands.choosing import AsOfOption, RunOption, Shape, say, site_of
from riskstrat.commands.completion import complete_cohort
from riskstrat.commands.disclosing import ANALYST, AudienceOption, refuse_rows
from riskstrat.errors import MisuseError
from riskstrat.reading.answers import Answer, Verdict, judge_person, shown_value
from riskstrat.reading.explaining import KEY, Records, evidence_kinds, evidence_of, find_person

MARKS = {"passed": "passed ", "failed": "FAILED ", "unknown": "unknown"}
GAP_WORDS = {"passed": "has it", "failed": "has it not", "unknown": "unknown"}
MOST_RECORDS = 12


def explain(
    context: typer.Context,
    first: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="A cohort; left out where --where is given.",
            autocompletion=complete_cohort,
        ),
    ],
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="PERSON_ID", help="A person_id, or its first 8 digits or more.", show_default=False
        ),
    ] = None,
    *,
    where: WhereOption = None,
    draft: DraftOption = False,
    shape: Annotated[Shape, typer.Option("--format", help="How to write the result.")] = Shape.TABLE,
    audience: AudienceOption = ANALYST,
    run: RunOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Show what every rule answers for one person, why the person is a member or not, and the rows behind it.

    Example: riskstrat cohort explain luton_core 3f9a0c1e
    """
    name, person = _named(first, second, where)
    refuse_rows(context, audience)
    chosen, connection = opened(context, run, as_of, parses=where is not None)
    criteria = criteria_of(context, chosen, connection, name=name, where=where, draft=draft)
    features = find_person(connection, chosen, person)
    from riskstrat.audit import audit_person
    from riskstrat.reading.failures import reading

    audit_person(site_of(context), chosen.id, name)

    with reading(chosen, where):
        verdict = judge_person(connection, chosen, criteria, features)
    from riskstrat.reading.evidence import evidence_of_features, records_behind

    site = site_of(context)
    behind_features = evidence_of_features(site)
    kinds = {feature: evidence.kinds for feature, evidence in behind_features.items()}
    kept = evidence_kinds(chosen)
    if not kept:
        say(f"run {chosen.id} keeps no evidence, so no source rows are shown.")
    behind = _behind(verdict, kinds)
    evidence = {
        kind: records_behind(
            evidence_of(connection, chosen, kind, str(features[KEY])),
            [behind_features[name] for name in behind[kind]],
        )
        for kind in behind
        if kind in kept
    }
    if shape is Shape.JSON:
        document = {"run": chosen.id, "cohort": name, "where": where, KEY: features[KEY]}
        typer.echo(json.dumps(document | _document(verdict, kinds, evidence), indent=1, default=str))
        return
    typer.echo("\n".join(_lines(str(features[KEY]), verdict, behind, evidence)))


def _named(first: str, second: str | None, where: str | None) -> tuple[str | None, str]:
    """The cohort and the person. Raises MisuseError, which repeats neither: one may be an NHS number."""
    if where is not None and second is None:
        return None, first
    if where is None and second is not None:
        return first, second
    raise MisuseError(
        "name either a cohort or a condition, and one person.",
        remedy="write: riskstrat cohort explain NAME PERSON_ID, or: riskstrat cohort explain PERSON_ID --where EXPR",
    )


def _behind(verdict: Verdict, kinds: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Kind of evidence to the features of the rules that stand on it."""
    behind: dict[str, list[str]] = {}
    for feature in dict.fromkeys(feature for one in verdict.answers for feature in one.values):
        for kind in kinds.get(feature, ()):
            behind.setdefault(kind, []).append(feature)
    return behind


def _document(
    verdict: Verdict, kinds: Mapping[str, tuple[str, ...]], evidence: Mapping[str, Records]
) -> dict[str, Any]:
    return {
        "is_member": verdict.is_member,
        "why": list(verdict.why),
        "rules": [
            {
                "kind": one.kind,
                "name": one.name,
                "text": one.rule.text,
                "answer": one.answer,
                "values": dict(one.values),
                "evidence": list(dict.fromkeys(kind for name in one.values for kind in kinds.get(name, ()))),
            }
            for one in verdict.answers
        ],
        "evidence": {kind: records.as_dicts() for kind, records in evidence.items()},
    }


def _lines(
    person_id: str, verdict: Verdict, behind: Mapping[str, list[str]], evidence: Mapping[str, Records]
) -> Iterator[str]:
    from riskstrat.commands.printing import facts

    yield f"person_id     {person_id}"
    yield from facts({"member": ["yes" if verdict.is_member else "no", *verdict.why]})
    for kind, heading in (("include", "Rules"), ("exclude", "Exclusions"), ("gap", "Gaps")):
        answers = [one for one in verdict.answers if one.kind == kind]
        if answers:
            yield ""
            yield heading
        for one in answers:
            yield from _answer_lines(one)
    for kind, records in evidence.items():
        yield ""
        yield from _evidence_lines(kind, behind[kind], records)


def _answer_lines(one: Answer) -> Iterator[str]:
    values = ", ".join(f"{name} {shown_value(value)}" for name, value in one.values.items())
    if one.kind == "gap":
        yield f"  {GAP_WORDS[one.answer]:<10}  {one.name}: {one.rule.text}"
    else:
        yield f"  {MARKS[one.answer]}  {one.rule.text}"
    if values:
        yield f"  {'':<{10 if one.kind == 'gap' else 7}}    {values}"


def _evidence_lines(kind: str, features: list[str], records: Records) -> Iterator[str]:
    """The newest records of one kind; columns that hold nothing are left out."""
    from riskstrat.commands.printing import aligned

    yield f"{kind}: behind {', '.join(features)}"
    if not records.rows:
        yield "  nothing recorded"
        return
    rows = records.as_dicts()
    days = [name for name in records.columns if name.endswith("_date") or name.endswith("_at")]
    if days:
        rows.sort(key=lambda row: str(row[days[0]] or ""), reverse=True)
    shown = [name for name in records.columns if any(row[name] is not None for row in rows)]
    for line in aligned(shown, [[row[name] for name in shown] for row in rows[:MOST_RECORDS]]):
        yield f"  {line}"
    if len(rows) > MOST_RECORDS:
        yield f"  and {len(rows) - MOST_RECORDS} older (--format json shows all)"
