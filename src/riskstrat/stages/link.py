"""Link: who is in the population, by registration, death and opt-out. NHS numbers and names end here, in the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskstrat.definitions.opt_outs import FILE as OPT_OUTS_FILE
from riskstrat.engines.duckdb import run_sql_folder
from riskstrat.errors import ContractBrokenError, DefinitionError, RiskstratError
from riskstrat.sqltext import quoted
from riskstrat.stages.context import Context
from riskstrat.stages.ingest.identity import REGISTER_ROW, close_identity, find_erased, read_identities

if TYPE_CHECKING:
    import pyarrow as pa

LINK_FOLDER, VAULT_PEOPLE = "20_link", "vault_people"


def link(context: Context) -> None:
    """Leave ``person_keys``, ``people`` (one row per person of the population) and the population funnel.

    Who these people are goes into the vault, sealed, and is forgotten.
    """
    _refuse_unknown_practices(context)
    _refuse_stale_opt_outs(context)
    identities = read_identities(context.engine) if context.vault else None
    find_erased(context.engine, context.erased)
    close_identity(context.engine)
    context.engine.allow_spilling()  # no NHS number or name is left in the database that could be spilled
    run_sql_folder(context.engine, context.definitions.pipelines / LINK_FOLDER)
    _refuse_undecided_opt_outs(context)
    if identities is not None:
        _fill_vault(context, identities)
    context.manifest["population"] = {
        "steps": [
            {"step": step, "people": people}
            for step, people in context.engine.rows(
                "SELECT step, people FROM population_funnel ORDER BY step_order"
            )
        ]
    }
    context.manifest["opt_outs"] = _opt_outs_by_practice(context)
    _warn_of_missing_opt_outs(context)
    _count_rows_before_birth(context)
    _count_implausible(context)


def _fill_vault(context: Context, identities: pa.Table) -> None:
    """Seal the identities of those whom ``vault_people`` names. They are joined here and never in the database."""
    import pyarrow.compute as pc

    chosen = context.engine.connection.sql(
        f"SELECT * EXCLUDE (person) FROM {VAULT_PEOPLE} ORDER BY {REGISTER_ROW}"
    ).to_arrow_table()
    theirs = identities.filter(pc.is_in(identities[REGISTER_ROW], value_set=chosen[REGISTER_ROW]))
    if theirs.num_rows != chosen.num_rows:
        raise RiskstratError(
            f"{chosen.num_rows} identities belong into the vault and {theirs.num_rows} were read.",
            remedy="this is a fault of riskstrat, not of the data; please report it.",
        )
    for name in chosen.column_names:
        if name != REGISTER_ROW:
            theirs = theirs.append_column(name, chosen[name])
    people = theirs.drop_columns([REGISTER_ROW]).sort_by("person_id")
    if context.vault and not context.vault.write(people, context.as_of):
        context.progress.say("the identity vault holds the people of a later date and stays as it is.")


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


def _refuse_undecided_opt_outs(context: Context) -> None:
    """An opt-out that somebody has and no row applies or exempts would be passed over without a word."""
    undecided = context.engine.rows(
        "SELECT DISTINCT opt_out FROM opted_out "
        "WHERE opt_out NOT IN (SELECT opt_out FROM reference_opt_outs_applied) ORDER BY opt_out"
    )
    for (opt_out,) in undecided:
        raise DefinitionError(
            f"nothing says whether the {opt_out} opt-out is applied.",
            file=context.definitions.root / "config" / "reference" / OPT_OUTS_FILE,
            column="opt_out",
            remedy=f"add a row for {opt_out}, with applied true or false.",
        )


def _refuse_stale_opt_outs(context: Context) -> None:
    """A list that was delivered yesterday and made long ago lacks everybody who has opted out since."""
    applied = context.definitions.reference["reference_opt_outs_applied"]
    names = [name for name, _ in applied.columns]
    for row in applied.rows:
        about = dict(zip(names, row, strict=True))
        extract, dated_by = str(about["extract"]), about.get("dated_by")
        limit = context.definitions.limits[extract].stop_after_days
        if not (context.judged and about["applied"] and dated_by and limit is not None):
            continue
        day = f"CAST({quoted(str(dated_by))} AS DATE)"
        ((newest, undated, rows),) = context.engine.rows(
            f"SELECT max({day}) FILTER (WHERE {day} < DATE '{context.as_of}'), count(*) FILTER (WHERE {day} IS NULL), "
            f"count(*) FROM {quoted(extract)}"
        )
        if rows and newest is None and not undated:
            raise ContractBrokenError(
                f"every check of the {about['opt_out']} opt-outs is dated {context.as_of} or later, so none of them "
                "could be applied.",
                file=context.deliveries.feeds[extract][-1].path,
                column=str(dated_by),
                remedy="correct the dates, or deliver the list that was known before this day.",
            )
        if newest is not None and (age := (context.as_of - newest).days) > limit:
            raise ContractBrokenError(
                f"the newest check of the {about['opt_out']} opt-outs is {age} days old; {limit} are allowed.",
                file=context.deliveries.feeds[extract][-1].path,
                column=str(dated_by),
                remedy="ask the service again and deliver its answer, or set another stop_after_days in "
                f"data_contracts/{extract}.yaml or config/sources.yaml.",
            )


def _opt_outs_by_practice(context: Context) -> dict[str, dict[str, int]]:
    """Practice -> opt-out -> how many of its people are left out for it; counts, and never who."""
    counts: dict[str, dict[str, int]] = {}
    for practice, opt_out, people in context.engine.rows(
        "SELECT practice_code, opt_out, people FROM opt_outs_by_practice ORDER BY practice_code, opt_out"
    ):
        counts.setdefault(str(practice), {})[str(opt_out)] = int(people)
    return counts


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
