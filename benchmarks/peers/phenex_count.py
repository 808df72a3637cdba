"""The question asked of PhenEx on OMOP tables in a DuckDB database.

    python phenex_count.py CDM.duckdb --load OMOP_FOLDER     (once, not timed)
    python phenex_count.py CDM.duckdb

Visits are mapped as coded events, because PhenEx counts those; results are kept in the database beside the tables,
the fastest of the ways that were tried.
"""

import json
import logging
import sys
import time
from pathlib import Path


def load(database: str, folder: Path) -> None:
    """Copy the Parquet files into tables whose names and columns are in capitals, as PhenEx expects them."""
    import duckdb

    with duckdb.connect(database) as connection:
        for path in sorted(folder.glob("*.parquet")):
            columns = [row[0] for row in connection.execute(f"DESCRIBE FROM '{path}'").fetchall()]
            named = ", ".join(f"{column} AS {column.upper()}" for column in columns)
            connection.execute(f"CREATE TABLE {path.stem.upper()} AS SELECT {named} FROM '{path}'")


def count(database: str) -> dict[str, float]:
    """How many people the cohort has, and the seconds without the imports."""
    from phenex.codelists import Codelist
    from phenex.core import Cohort
    from phenex.filters import (
        GreaterThan,
        GreaterThanOrEqualTo,
        LessThanOrEqualTo,
        RelativeTimeRangeFilter,
        ValueFilter,
    )
    from phenex.ibis_connect import DuckDBConnector
    from phenex.mappers import DomainsDictionary, OMOPConditionOccurenceTable, OMOPPersonTable
    from phenex.phenotypes import AgePhenotype, CodelistPhenotype, EventCountPhenotype, UserDefinedPhenotype
    from phenex.tables import CodeTable

    class VisitTable(CodeTable):
        NAME_TABLE = "VISIT_OCCURRENCE"
        JOIN_KEYS = {"OMOPPersonTable": ["PERSON_ID"]}  # noqa: RUF012 - as the package's own mappers have it
        DEFAULT_MAPPING = {  # noqa: RUF012 - as above
            "PERSON_ID": "PERSON_ID",
            "EVENT_DATE": "VISIT_START_DATE",
            "CODE": "VISIT_CONCEPT_ID",
        }

    logging.disable(logging.INFO)
    started = time.perf_counter()
    connector = DuckDBConnector(DUCKDB_DEST_DATABASE=database)
    domains = {"PERSON": OMOPPersonTable, "CONDITION": OMOPConditionOccurenceTable, "VISIT": VisitTable}
    frail = CodelistPhenotype(
        name="frail",
        domain="CONDITION",
        codelist=Codelist([2000000002, 2000000003]).copy(use_code_type=False),
        relative_time_range=RelativeTimeRangeFilter(when="before", min_days=GreaterThan(0)),
    )
    admissions = CodelistPhenotype(
        name="admissions",
        domain="VISIT",
        codelist=Codelist([262]).copy(use_code_type=False),
        return_date="all",
        relative_time_range=RelativeTimeRangeFilter(
            when="before", min_days=GreaterThan(0), max_days=LessThanOrEqualTo(365)
        ),
    )
    two_or_more = ValueFilter(min_value=GreaterThanOrEqualTo(2))
    cohort = Cohort(
        name="frail_and_admitted",
        entry_criterion=UserDefinedPhenotype(name="as_of", function=everybody),
        inclusions=[
            AgePhenotype(value_filter=ValueFilter(min_value=GreaterThanOrEqualTo(65))),
            frail,
            EventCountPhenotype(name="admitted_twice", phenotype=admissions, value_filter=two_or_more),
        ],
        write_subset_tables_entry=False,
        write_subset_tables_index=False,
    )
    tables = DomainsDictionary(domains).get_mapped_tables(connector)
    cohort.execute(tables, con=connector, overwrite=True, sql_dir=None)
    people = int(cohort.table.select("PERSON_ID").distinct().count().execute())
    return {"people": people, "query_seconds": time.perf_counter() - started}


def everybody(tables):
    """Everybody, with the day of the run as the day to look back from."""
    import ibis

    return tables["PERSON"].select("PERSON_ID").mutate(EVENT_DATE=ibis.date("2026-04-01"))


if __name__ == "__main__":
    if "--load" in sys.argv:
        load(sys.argv[1], Path(sys.argv[3]))
    else:
        print(json.dumps(count(sys.argv[1])))
