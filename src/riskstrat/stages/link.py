"""Link: who is in the population, by registration, death and opt-out. The NHS numbers end here."""

from __future__ import annotations

from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.errors import ContractBrokenError
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.identity import close_identity

LINK_FOLDER = "20_link"


def link(context: Context) -> None:
    """Leave ``person_keys``, ``people`` (one row per person of the population) and the population funnel."""
    _refuse_unknown_practices(context)
    close_identity(context.engine)
    context.engine.allow_spilling()  # no NHS number is left that could be spilled
    run_sql_folder(context.engine, context.definitions.pipelines / LINK_FOLDER)
    context.manifest["population"] = {
        "steps": [
            {"step": step, "people": people}
            for step, people in context.engine.rows(
                "SELECT step, people FROM population_funnel ORDER BY step_order"
            )
        ]
    }
    _warn_of_missing_opt_outs(context)
    _count_rows_before_birth(context)
    _count_implausible(context)


def _refuse_unknown_practices(context: Context) -> None:
    """A register of which the site knows no practice would publish empty lists, as if nobody needed help."""
    name = context.definitions.register_extract
    practice = context.definitions.contracts[name].provider
    if not context.judged or practice is None or not context.engine.count(name):
        return
    known = context.engine.rows(
        f"SELECT 1 FROM {quoted(name)} WHERE {quoted(practice)} IN (SELECT practice_code FROM practices) LIMIT 1"
    )
    if not known:
        raise ContractBrokenError(
            f"no practice of {name} is one of the site's practices.",
            file=context.deliveries.feeds[name][-1].path,
            column=practice,
            remedy="send the ODS codes of the practices, or name them in config/geography/practices.csv.",
        )


def _warn_of_missing_opt_outs(context: Context) -> None:
    """An opt-out that is applied and not delivered would put people on lists who asked not to be."""
    for opt_out, extract in context.engine.rows(
        "SELECT opt_out, extract FROM reference_opt_outs_applied WHERE applied ORDER BY opt_out"
    ):
        if not context.engine.count(extract):
            context.warn(
                f"no {extract} was delivered, so nobody could be left out for the {opt_out} opt-out."
            )


def _count_rows_before_birth(context: Context) -> None:
    for books in context.books:
        contract = books.contract
        if contract.event_date is None or not any(column.identifier for column in contract.columns):
            continue
        if contract.name == context.definitions.register_extract:
            continue
        day = f"CAST(rows_of_extract.{quoted(contract.event_date)} AS DATE)"
        books.before_birth = int(
            context.engine.rows(
                f"SELECT count(*) FROM {quoted(contract.name)} AS rows_of_extract "
                f"JOIN people ON people.person = rows_of_extract.person WHERE {day} < people.date_of_birth"
            )[0][0]
        )
        if books.before_birth:
            context.warn(
                f"{contract.name}: {books.before_birth} rows are dated before the person's birth; they are not used."
            )


def _count_implausible(context: Context) -> None:
    """Values that cannot be right and therefore count for nothing, and people older than anybody ever was."""
    counts = {
        context.definitions.register_extract: (
            "SELECT count(*) FROM people WHERE age IS NULL",
            "people are older than anybody ever was; their age is unknown",
        ),
        "gp_events": (
            "SELECT count(*) FROM gp_events JOIN value_bounds USING (code_system, code) "
            "WHERE value < lowest OR value > highest",
            "rows hold a value that cannot be right; it counts for nothing",
        ),
    }
    for books in context.books:
        if books.contract.name in counts:
            select, meaning = counts[books.contract.name]
            books.implausible = int(context.engine.rows(select)[0][0])
            if books.implausible:
                context.warn(f"{books.contract.name}: {books.implausible} {meaning}.")
