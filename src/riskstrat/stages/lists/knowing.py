"""What the SQL of the lists' folder reads beside the staged tables, and what it makes of it: one row a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.list_columns import ADDED, OVERLAID
from riskstrat.engines.duckdb import DuckDBEngine, run_sql_folder
from riskstrat.errors import DefinitionError
from riskstrat.sqltext import literal, quoted
from riskstrat.stages.context import Context
from riskstrat.stages.earlier import MEMORY, file_of

if TYPE_CHECKING:
    import pyarrow as pa

LISTS_FOLDER = "50_lists"
RETURNS = (
    *(("list", "VARCHAR"), ("person_id", "VARCHAR"), ("outcome", "VARCHAR"), ("outcome_date", "DATE")),
    *(("referred_to", "VARCHAR"), ("case_manager", "VARCHAR"), ("next_review_date", "DATE")),
    *(("q1_visits", "BOOLEAN"), ("q2_falls", "BOOLEAN"), ("q3_medication", "BOOLEAN")),
    *(("q4_memory", "BOOLEAN"), ("q5_daily_living", "BOOLEAN")),
)
RETURN_ORDER = "outcome_date, return_number, list_as_of, row_number"
# Of somebody who has left, a list keeps what it said then, and nothing newer: it is no business of the area any more.
KEPT = ("practice_code", "pcn_code", "neighbourhood_code", "age", "sex")
EARLIER_COLUMNS = (
    *(("list", "VARCHAR"), ("area_code", "VARCHAR"), ("area_name", "VARCHAR"), ("person_id", "VARCHAR")),
    *(("rank", "INTEGER"), ("practice_code", "VARCHAR"), ("pcn_code", "VARCHAR")),
    *(("neighbourhood_code", "VARCHAR"), ("age", "INTEGER"), ("sex", "VARCHAR")),
)


def know_people(context: Context) -> None:
    """Leave ``list_people``: one row for everybody whom a list may name, with the features and what is known besides.

    Where a team reported something back that is a feature too, that stands in its place. What the files of ``50_lists``
    make stays beside it.
    """
    load_returns(context.engine, context.returns)
    _load_settling_services(context)
    _load_score_extracts(context)
    _find_candidates(context)
    run_sql_folder(context.engine, context.definitions.pipelines / LISTS_FOLDER)
    _check_review_months(context)
    features = context.definitions.contracts[FEATURES].columns
    chosen = [
        f"{'list_columns' if column.name in OVERLAID else FEATURES}.{quoted(column.name)}"
        for column in features
    ]
    chosen += [f"list_columns.{name}" for name in ADDED]
    context.engine.create(
        "list_people",
        f"SELECT list_columns.person, {', '.join(chosen)}, scores.score FROM list_columns "
        "JOIN person_keys ON person_keys.person = list_columns.person "
        f"JOIN {FEATURES} ON {FEATURES}.person_id = person_keys.person_id "
        "JOIN scores ON scores.person_id = person_keys.person_id",
    )


def load_returns(engine: DuckDBEngine, returns: pa.Table | None) -> None:
    """Make ``list_returns``: what teams reported back about people on the register, in the order in which it counts."""
    columns = ", ".join(f"given.{name}" for name, _ in RETURNS if name != "person_id")
    if returns is None:
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in RETURNS)
        empty += (
            "".join(f", CAST(NULL AS INTEGER) AS {name}" for name in ("return_number", "row_number"))
            + ", CAST(NULL AS DATE) AS list_as_of"
        )
        source = f"(SELECT {empty} WHERE FALSE)"
    else:
        engine.connection.register("given_returns", returns)
        source = "given_returns"
    engine.create(
        "list_returns",
        f"SELECT person_keys.person, {columns}, "
        f"row_number() OVER (ORDER BY {', '.join(f'given.{name}' for name in RETURN_ORDER.split(', '))}) "
        f"AS return_order FROM {source} AS given "
        "JOIN person_keys ON person_keys.person_id = given.person_id",
    )
    if returns is not None:
        engine.connection.unregister("given_returns")


def _load_settling_services(context: Context) -> None:
    context.engine.load(
        "list_settling_services",
        (("question", "INTEGER"), ("referred_to", "VARCHAR")),
        [
            (action.question, service)
            for action in context.definitions.wording.actions
            for service in action.settled_by
        ],
    )


def _load_score_extracts(context: Context) -> None:
    """The extracts that a score is made of and that come in over time; a register is a state, and has no newest day."""
    definitions = context.definitions
    features = {column.name: column for column in definitions.contracts[FEATURES].columns}
    named = {
        str(extract)
        for component in definitions.ranking.components.values()
        for extract in features[component.feature].about.get("requires", ())
    }
    context.engine.load(
        "list_score_extracts",
        (("extract", "VARCHAR"),),
        [(name,) for name in sorted(named - {definitions.register_extract})],
    )


def _check_review_months(context: Context) -> None:
    """The day on which a review was due is one of the history's snapshots; without it nobody would be known."""
    if not context.engine.rows(
        "SELECT 1 FROM snapshots JOIN parameters ON parameters.care_plan_review_months = snapshots.months_before"
    ):
        raise DefinitionError(
            "care_plan_review_months is more than the months that the history goes back.",
            file=context.definitions.root / "config" / "reference" / "parameters.csv",
            column="value",
            remedy="set history_months to as many or more.",
        )


def _find_candidates(context: Context) -> None:
    """Leave ``earlier_lists``, ``list_cohorts`` and ``list_candidates``, whom tonight's lists may name."""
    engine, lists = context.engine, context.definitions.lists
    columns = ", ".join(name for name, _ in EARLIER_COLUMNS)
    engine.load("earlier_lists", EARLIER_COLUMNS, [])
    engine.load(
        "earlier_memory",
        (("list", "VARCHAR"), ("area_code", "VARCHAR"), ("person_id", "VARCHAR")),
        [],
    )
    for name, run in context.earlier.compared.items():
        listed, memory = (literal(str(run.folder / file_of(one))) for one in (name, MEMORY))
        engine.execute(
            f"INSERT INTO earlier_lists SELECT {columns} FROM read_parquet({listed}) WHERE rank IS NOT NULL"
        )
        engine.execute(
            "INSERT INTO earlier_memory SELECT list, area_code, person_id "
            f"FROM read_parquet({memory}) WHERE list = {literal(name)}"
        )
    engine.load(
        "list_cohorts",
        (("list", "VARCHAR"), ("cohort", "VARCHAR")),
        [(name, cohort) for name, definition in lists.items() for cohort in definition.cohorts],
    )
    engine.create(
        "list_members",
        "SELECT list_cohorts.list, cohort_members.person_id, "
        "bool_or(cohort_members.is_manual_addition) AS is_manual_addition FROM cohort_members "
        "JOIN list_cohorts ON list_cohorts.cohort = cohort_members.cohort "
        "GROUP BY list_cohorts.list, cohort_members.person_id",
    )
    engine.create(
        "list_candidates",
        "SELECT people.person FROM people JOIN person_keys ON person_keys.person = people.person "
        "WHERE person_keys.person_id IN (SELECT person_id FROM list_members UNION SELECT person_id FROM earlier_lists)",
    )
