"""Which codes the extracts use, and how many of them no list of the site knows."""

from __future__ import annotations

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.everything import Definitions
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.sqltext import literal, quoted

CODE_SYSTEM = "codeSystem"
ICD10 = "icd10"


def open_code_use(engine: DuckDBEngine, definitions: Definitions) -> None:
    """Make ``code_counts`` (empty), ``known_codes``, and the views below.

    ``code_use``: one row an extract and code system, with codes, row_count and mapped_row_count, and for ICD-10 the
    rows whose code had to be tidied and those that hold no ICD-10 code at all (tidied_row_count, malformed_row_count).
    ``unmapped_codes``: one row an extract, code system and code that no code list, score or value rule names;
    ``listed_codes_seen``: one that does, as it is listed.
    """
    known = {
        (entry.code_system, entry.code)
        for codelist in definitions.codelists.values()
        for entry in codelist.entries
    }
    known |= {(rule.code_system, rule.code) for rule in definitions.value_rules}
    known |= {
        (ICD10, code)
        for table in definitions.scores.values()
        if table.key.startswith(ICD10)
        for code, _ in table.rows
    }
    # RULES, Acute: no punctuation, filler X in position 4 and dagger or asterisk D or A in position 5 dropped
    engine.execute(
        "CREATE TEMP MACRO icd10_plain(code) AS regexp_replace(regexp_replace(upper(code), '[^A-Z0-9]', '', 'g'), "
        "'^([A-Z][0-9][0-9A-Z])(?:X[0-9A-Z]*|([0-9A-Z])[DA]?)$', '\\1\\2')"
    )
    engine.load("known_codes", (("code_system", "VARCHAR"), ("code", "VARCHAR")), sorted(known))
    engine.execute(
        "CREATE TABLE code_counts "
        "(extract VARCHAR, code_system VARCHAR, code VARCHAR, row_count BIGINT, tidied_row_count BIGINT, "
        "is_mapped BOOLEAN)"
    )
    engine.execute(
        "CREATE VIEW code_use AS SELECT extract, code_system, count(*) AS codes, "
        "CAST(sum(row_count) AS BIGINT) AS row_count, "
        "CAST(COALESCE(sum(row_count) FILTER (WHERE is_mapped), 0) AS BIGINT) AS mapped_row_count, "
        "CAST(sum(tidied_row_count) AS BIGINT) AS tidied_row_count, CAST(COALESCE(sum(row_count) FILTER "
        f"(WHERE code_system = '{ICD10}' AND NOT regexp_full_match(code, '[A-Z][0-9][0-9A-Z]{{1,4}}')), 0) AS BIGINT) "
        "AS malformed_row_count FROM code_counts GROUP BY extract, code_system"
    )
    engine.execute(
        "CREATE VIEW unmapped_codes AS SELECT extract, code_system, code, row_count "
        "FROM code_counts WHERE NOT is_mapped"
    )
    engine.execute(
        "CREATE VIEW listed_codes_seen AS SELECT DISTINCT used.extract, known.code_system, known.code "
        "FROM code_counts AS used JOIN known_codes AS known ON known.code_system = used.code_system "
        f"AND (known.code = used.code OR (known.code_system = '{ICD10}' AND starts_with(used.code, known.code))) "
        "WHERE used.is_mapped"
    )


def note_code_use(engine: DuckDBEngine, contract: Contract) -> None:
    """Count every code of a staged extract; its contract says which columns hold codes, and of which system.

    ICD-10 is compared without punctuation, filler and marks, and known by its beginning; other codes as they are.
    """
    names = {column.name for column in contract.columns}
    selects = []
    for column in contract.columns:
        system = column.about.get(CODE_SYSTEM)
        if system is None:
            continue
        called = quoted(system) if system in names else literal(system)
        selects.append(
            f"SELECT {called} AS code_system, {quoted(column.name)} AS written, count(*) AS row_count "
            f"FROM {quoted(contract.name)} WHERE {quoted(column.name)} IS NOT NULL GROUP BY ALL"
        )
    if not selects:
        return
    engine.execute(
        "INSERT INTO code_counts WITH plain AS (SELECT code_system, written, row_count, "
        f"CASE WHEN code_system = '{ICD10}' THEN icd10_plain(written) ELSE written END AS code "
        f"FROM ({' UNION ALL '.join(selects)})), "
        "used AS (SELECT code_system, code, sum(row_count) AS row_count, "
        "COALESCE(sum(row_count) FILTER (WHERE written <> code), 0) AS tidied_row_count "
        "FROM plain GROUP BY code_system, code) "
        f"SELECT {literal(contract.name)}, used.code_system, used.code, used.row_count, used.tidied_row_count, "
        f"bool_or(COALESCE(used.code = known.code OR (used.code_system = '{ICD10}' AND "
        "starts_with(used.code, known.code)), FALSE)) "
        "FROM used LEFT JOIN known_codes AS known ON known.code_system = used.code_system "
        f"AND (used.code = known.code OR used.code_system = '{ICD10}') GROUP BY ALL"
    )
