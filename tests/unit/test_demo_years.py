"""A town of more than three years of history: its past holds whom it lost since, and its truth goes by all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from riskstrat.demo import TownSummary, write_town
from riskstrat.demo.calibration import constant
from riskstrat.errors import MisuseError
from riskstrat.site import default_site

AS_OF = date(2026, 4, 1)
SITE = default_site()
YEARS = 7


def town(folder: Path, years: int = YEARS, *, people: int = 4_000, nights: int = 1) -> TownSummary:
    return write_town(
        folder,
        SITE / "config" / "codelists",
        SITE / "config" / "geography",
        SITE / "data_contracts",
        people=people,
        seed=11,
        as_of=AS_OF,
        years=years,
        nights=nights,
    )


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The truth as ``people``, and every extract under its name."""
    made = town(tmp_path_factory.mktemp("years"))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE people AS SELECT * FROM '{made.truth}/people.parquet'")
        for extract in made.rows:
            connection.execute(f"CREATE TABLE {extract} AS FROM read_csv('{made.delivery}/{extract}.csv')")
        yield connection


def answers(ask: duckdb.DuckDBPyConnection, question: str) -> list[tuple[object, ...]]:
    return ask.execute(question).fetchall()


@pytest.mark.parametrize("years", [2, 11])
def test_fewer_years_than_a_look_back_needs_or_more_than_ten_are_refused(tmp_path: Path, years: int) -> None:
    with pytest.raises(MisuseError, match="3 to 10 years"):
        town(tmp_path, years)
    assert not list(tmp_path.iterdir())


def test_later_nights_leave_the_first_delivery_of_a_long_history_as_it_is(tmp_path: Path) -> None:
    one, three = (town(tmp_path / f"{nights}", people=300, nights=nights) for nights in (1, 3))
    for path in (*one.delivery.iterdir(), one.truth / "people.parquet"):
        assert (tmp_path / "3" / path.relative_to(tmp_path / "1")).read_bytes() == path.read_bytes(), path
    assert three.people == 300


@pytest.mark.parametrize(
    ("extract", "day", "years"),
    [
        ("acute_episodes", "admission_date", YEARS),
        ("acute_attendances", "arrival_at", YEARS),
        ("community_contacts", "contact_date", YEARS),
        ("gp_medications", "issue_date", YEARS - 1),
        ("gp_contacts", "contact_date", YEARS - 1),
    ],
)
def test_every_extract_reaches_back_as_far_as_an_index_date_looks(
    ask: duckdb.DuckDBPyConnection, extract: str, day: str, years: int
) -> None:
    question = (
        f"SELECT date_diff('month', {day}::DATE, DATE '{AS_OF}') AS ago, count(*) FROM {extract} GROUP BY 1"
    )
    months = dict(answers(ask, question))
    assert min(int(str(months.get(month, 0))) for month in range(1, 12 * years)) > 0


def test_people_died_and_left_in_every_year_but_the_first(ask: duckdb.DuckDBPyConnection) -> None:
    for column, table in (("date_of_death", "people"), ("registered_to", "gp_patients")):
        years = answers(
            ask,
            f"SELECT count(DISTINCT date_diff('year', {column}, DATE '{AS_OF}')) FROM {table} "
            f"WHERE {column} < DATE '{AS_OF}' AND {column} >= DATE '{AS_OF}' - INTERVAL {YEARS - 1} YEAR",
        )
        assert int(str(years[0][0])) >= YEARS - 1
    first = f"DATE '{AS_OF}' - INTERVAL {YEARS - 1} YEAR"
    assert answers(ask, f"SELECT count(*) FROM people WHERE date_of_death < {first}") == [(0,)]


def test_nobody_has_a_record_of_hospital_before_birth_or_after_death(ask: duckdb.DuckDBPyConnection) -> None:
    for table, day in (("acute_episodes", "admission_date"), ("acute_attendances", "arrival_at::DATE")):
        wrong = answers(
            ask,
            f"SELECT count(*) FROM {table} JOIN people ON people.nhs_number = {table}.nhs_number::VARCHAR "
            f"WHERE {day} < date_of_birth OR {day} > date_of_death",
        )
        assert wrong == [(0,)], table


def test_maternity_stays_of_long_ago_are_of_women_who_were_of_age_then(
    ask: duckdb.DuckDBPyConnection,
) -> None:
    youngest = answers(
        ask,
        "SELECT min(date_diff('day', date_of_birth, admission_date)) / 365.25 FROM acute_episodes "
        "JOIN people ON people.nhs_number = acute_episodes.nhs_number::VARCHAR "
        f"WHERE admission_method IN ('31', '32') AND admission_date < DATE '{AS_OF}' - INTERVAL 3 YEAR",
    )
    assert float(str(youngest[0][0])) >= 17.9


def test_posterior_goes_by_all_admissions_of_the_history(ask: duckdb.DuckDBPyConnection) -> None:
    table = ask.execute(
        "SELECT history_expected, unplanned_admissions_history, unplanned_admissions_36m, mu, expected_rate FROM people"
    ).fetchnumpy()
    shape = constant("z_shape")
    found = (
        (shape + table["unplanned_admissions_history"]) / (shape + table["history_expected"]) * table["mu"]
    )
    assert np.allclose(found, table["expected_rate"])
    assert (table["unplanned_admissions_history"] >= table["unplanned_admissions_36m"]).all()
    assert (table["unplanned_admissions_history"] > table["unplanned_admissions_36m"]).any()


def test_three_years_need_no_column_for_the_whole_history(tmp_path: Path) -> None:
    table = duckdb.sql(f"SELECT * FROM '{town(tmp_path, 3, people=200).truth}/people.parquet'")
    assert "unplanned_admissions_history" not in table.columns


def test_as_many_medicines_are_issued_in_the_last_year_as_the_truth_says_and_fewer_long_ago(
    ask: duckdb.DuckDBPyConnection,
) -> None:
    rows = answers(
        ask,
        f"""
        SELECT people.medicines_12m
             , count(DISTINCT dmd_code) FILTER (issue_date >= DATE '{AS_OF}' - INTERVAL 12 MONTH)
             , count(DISTINCT dmd_code) FILTER (issue_date < DATE '{AS_OF}' - INTERVAL 4 YEAR)
        FROM people LEFT JOIN gp_medications ON people.nhs_number = gp_medications.nhs_number::VARCHAR
        WHERE in_population GROUP BY people.person, people.medicines_12m
        """,
    )
    truth, now, then = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert (truth == now).all()
    assert then.sum() < 0.95 * now.sum()
