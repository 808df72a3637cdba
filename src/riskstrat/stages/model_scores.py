"""What an approved model says of everybody: probabilities and reasons; nothing where none is approved and fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.model import ModelDefinition, ModelReason
from riskstrat.definitions.reasons import GROUPS
from riskstrat.language import compile_expression
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.sentences import sentence_sql

if TYPE_CHECKING:
    import pyarrow as pa

    from riskstrat.scoring.serving import Served

SCORES, PROBABILITY, REASONS = "scores", "probability_", "model_reasons_"
ROWS_AT_ONCE = 100_000


def model_columns(context: Context) -> list[tuple[str, str]]:
    """Name and SQL type of the columns of ``scores`` that a model fills; NULL for everybody in a run without one."""
    named = ("model", "score_as_of")
    return [
        (column.name, column.sql_type)
        for column in context.definitions.contracts[SCORES].columns
        if column.name in named or column.name.startswith((PROBABILITY, REASONS))
    ]


def scored_people(context: Context) -> pa.Table | None:
    """person_id and the columns that a model fills, of everybody; None where no model is used.

    A model that is approved and does not fit is warned of, in the manifest too. The rules never need it.
    """
    served = context.served
    for warning in served.warnings if served else ():
        context.warn(warning)
    if served is None or served.model is None or served.definition is None:
        return None
    from riskstrat.scoring.serving import FALLBACK, doubts

    features = sorted(
        {name for one in (*served.models.values(), served.reasoned) if one for name in one.predictors}
    )
    wanted = ", ".join(["person_id", *map(quoted, features), *_texts(context, served.definition)])
    people = context.engine.connection.sql(f"SELECT {wanted} FROM {FEATURES}").to_arrow_table()
    if problems := doubts(served, people):
        more = f" and {len(problems) - 1} more" if problems[1:] else ""
        context.warn(f"the approved model {served.model.id} is not used, {problems[0]}{more}: {FALLBACK}.")
        return None
    import pyarrow as pa

    pieces = [
        _scored(people.slice(first, ROWS_AT_ONCE).combine_chunks(), served, context)
        for first in range(0, max(people.num_rows, 1), ROWS_AT_ONCE)
    ]
    table = pa.concat_tables(pieces)
    context.manifest["scored_by"] = {
        "model": served.model.id,
        "kind": str(served.model.status["kind"]),
        "expires_on": str(served.model.about["expires_on"]),
        "people": table.num_rows,
    }
    return table


def _scored(people: pa.Table, served: Served, context: Context) -> pa.Table:
    import pyarrow as pa

    from riskstrat.scoring.reasons import by_reason, said

    definition, model = served.definition, served.model
    if definition is None or model is None or served.reasoned is None:
        raise ValueError("a model that is served has its definition and its reasons")
    names, added = served.reasoned.contributions(people)
    columns: dict[str, pa.Array] = {
        "model": pa.repeat(model.id, people.num_rows),
        "score_as_of": pa.repeat(pa.scalar(context.as_of, pa.date32()), people.num_rows),
    }
    for horizon, one in served.models.items():
        risk = served.reasoned.summed(added) if one is served.reasoned else one.predict(people)
        columns[f"{PROBABILITY}{horizon}"] = pa.array(risk)
    texts = [people[_text_column(reason)].combine_chunks() for reason in definition.reasons]
    found = said(
        by_reason(names, added, definition),
        texts,
        definition.reasons,
        most=definition.serving.most_reasons,
        least=definition.serving.least_contribution,
    )
    columns |= {f"{REASONS}{kind}": sentences for kind, sentences in found.items()}
    nothing = pa.nulls(people.num_rows)
    return pa.table(
        {
            "person_id": people["person_id"],
            **{name: columns.get(name, nothing) for name, _ in model_columns(context)},
        }
    )


def _texts(context: Context, definition: ModelDefinition) -> list[str]:
    """A column a reason: the sentence that is true of a person, with its group of the Geriatric 5Ms; NULL for none."""
    columns = context.definitions.contracts[FEATURES].columns
    kinds = {column.name: column.sql_type for column in columns}
    types = {column.name: column.type for column in columns}
    allowed = {column.name: column.allowed for column in columns if column.allowed}
    listed = []
    for reason in definition.reasons:
        cases = []
        for saying in reason.says:
            when = compile_expression(
                saying.when, kinds, allowed, file=definition.folder / "predictors.yaml", as_of=context.as_of
            )
            words = f"{literal(f'{GROUPS[reason.group]}: ')} || {sentence_sql(saying.text, types)}"
            cases.append(f"WHEN ({when.sql}) THEN {words}")
        listed.append(f"CASE {' '.join(cases)} END AS {quoted(_text_column(reason))}")
    return listed


def _text_column(reason: ModelReason) -> str:
    return f"why {reason.name}"
