"""A town of 30,000 people has the rates it was made for, whatever its years, and the pipeline finds what is true."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from riskstrat.definitions.everything import load_definitions
from riskstrat.demo import TownSummary, write_town
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.pipeline import TEST_KEY
from riskstrat.progress import Progress
from riskstrat.site import default_site
from riskstrat.stages.context import Context
from riskstrat.stages.features import features
from riskstrat.stages.ingest import ingest
from riskstrat.stages.ingest.deliveries import find_deliveries
from riskstrat.stages.link import link

AS_OF = date(2026, 4, 1)
SITE = default_site()
# First day of the twelve months before as_of.
YEAR = "'2025-04-01'"
YEARS_OF_HISTORY = (3, 6)


@pytest.fixture(scope="module", params=YEARS_OF_HISTORY)
def years(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, years: int) -> TownSummary:
    return _town(tmp_path_factory.mktemp("landing"), 30_000, years, faults=False)


@pytest.fixture(scope="module")
def ask(town: TownSummary) -> Iterator[duckdb.DuckDBPyConnection]:
    """The population's truth as ``people`` and every extract under its name."""
    connection = duckdb.connect()
    connection.execute(
        f"CREATE TABLE people AS SELECT * FROM '{town.truth}/people.parquet' WHERE in_population"
    )
    for extract in town.rows:
        file = town.delivery / f"{extract}.csv"
        connection.execute(f"CREATE VIEW {extract} AS SELECT * FROM read_csv('{file}', all_varchar = true)")
    yield connection
    connection.close()


def _town(landing: Path, people: int, years: int, *, faults: bool) -> TownSummary:
    config = SITE / "config"
    return write_town(
        landing,
        config / "codelists",
        config / "geography",
        SITE / "data_contracts",
        people=people,
        seed=1,
        as_of=AS_OF,
        years=years,
        faults=faults,
    )


def attendances(where: str) -> str:
    return (
        "SELECT count(*) FROM acute_attendances JOIN people USING (nhs_number) "
        f"WHERE arrival_at >= {YEAR} AND attendance_category = '1' AND department_type <> '05' AND {where}"
    )


def share(what: str, among: str) -> str:
    return f"SELECT avg(({what})::INT) FROM people WHERE {among}"


# What, the question, and the bounds: the marginal, and three standard errors or the tolerance about it.
CALIBRATION = [
    ("fit at 65+", share("efi_deficits <= 4", "age >= 65"), 0.46, 0.54),
    ("mild at 65+", share("efi_category = 'mild'", "age >= 65"), 0.31, 0.39),
    (
        "moderate at 65+",
        share("efi_category = 'moderate'", "age >= 65"),
        0.095,
        0.14,
    ),
    ("severe at 65+", share("efi_category = 'severe'", "age >= 65"), 0.022, 0.05),
    (
        "frail at 50-64",
        share("efi_deficits > 4", "age BETWEEN 50 AND 64"),
        0.09,
        0.14,
    ),
    ("65+ admissions", "SELECT avg(unplanned_admissions_12m) FROM people WHERE age >= 65", 0.21, 0.29),
    ("all admissions", "SELECT avg(unplanned_admissions_12m) FROM people", 0.100, 0.126),
    (
        "admissions rise with frailty",
        "SELECT avg(unplanned_admissions_12m) FILTER (efi_deficits > 8) "
        "/ avg(unplanned_admissions_12m) FILTER (efi_deficits <= 4) FROM people WHERE age >= 65",
        1.9,
        3.9,
    ),
    (
        "repeat admissions at 65+",
        "SELECT sum(unplanned_admissions_12m) FILTER (unplanned_admissions_12m >= 2) "
        "/ sum(unplanned_admissions_12m) FROM people WHERE age >= 65",
        0.34,
        0.52,
    ),
    ("A&E a person-year", f"SELECT ({attendances('true')}) / count(*) FROM people", 0.45, 0.51),
    ("65+ share of A&E", f"SELECT ({attendances('age >= 65')}) / ({attendances('true')})", 0.20, 0.26),
    (
        "community contacts at 65+",
        f"SELECT (SELECT count(*) FROM community_contacts JOIN people USING (nhs_number) WHERE age >= 65 "
        f"AND contact_date >= {YEAR} AND attendance_status IN ('5', '6')) / count(*) FROM people WHERE age >= 65",
        4.3,
        6.1,
    ),
    ("care homes at 65+", share("is_care_home_resident", "age >= 65"), 0.016, 0.034),
    ("dementia at 65+", share("has_dementia", "age >= 65"), 0.033, 0.053),
    ("COPD", "SELECT avg(has_copd::INT) FROM people", 0.0165, 0.0215),
    ("opt-outs of women", share("national_opt_out", "female"), 0.049, 0.062),
    ("opt-outs of men", share("national_opt_out", "NOT female"), 0.039, 0.050),
    ("area not known", "SELECT avg((lsoa_code IS NULL)::INT) FROM gp_patients", 0.030, 0.040),
    ("GP events a person", "SELECT count(*) / 30000 FROM gp_events", 22, 30),
    ("deaths next year", "SELECT avg((date_of_death_next_12m IS NOT NULL)::INT) FROM people", 0.006, 0.0095),
]


@pytest.mark.parametrize(
    ("question", "low", "high"), [row[1:] for row in CALIBRATION], ids=[r[0] for r in CALIBRATION]
)
def test_the_town_has_the_rates_it_was_made_for(
    ask: duckdb.DuckDBPyConnection, question: str, low: float, high: float
):
    value = ask.execute(question).fetchone()[0]
    assert low <= value <= high


def test_every_provider_sends_rows_in_every_month(ask: duckdb.DuckDBPyConnection, years: int):
    for extract, day in (("acute_episodes", "admission_date"), ("acute_attendances", "arrival_at")):
        months = ask.execute(
            f"SELECT provider_code, count(DISTINCT {day}[:7]) FROM {extract} GROUP BY 1"
        ).fetchall()
        assert [count for _, count in months] == [12 * years, 12 * years]
    contacts = ask.execute("SELECT count(DISTINCT contact_date[:7]) FROM community_contacts").fetchone()
    assert contacts == (12 * years,)


def test_the_best_attainable_risk_ranks_better_than_any_one_feature_and_is_calibrated(
    ask: duckdb.DuckDBPyConnection,
):
    features_of = (
        "p_bayes, unplanned_admissions_12m, unplanned_admissions_36m, efi_deficits, age, mu, medicines_12m"
    )
    table = ask.execute(
        f"SELECT {features_of}, (unplanned_admissions_next_12m > 0) AS admitted FROM people"
    ).fetch_df()
    areas = {
        name: _area_under_curve(table[name].rank(), table["admitted"]) for name in features_of.split(", ")
    }
    best = areas.pop("p_bayes")
    assert best > max(areas.values()) + 0.01
    assert 0.66 < best < 0.87
    assert table["admitted"].mean() / table["p_bayes"].mean() == pytest.approx(1, abs=0.06)


def _area_under_curve(ranks, admitted) -> float:
    cases = admitted.sum()
    return (ranks[admitted].sum() - cases * (cases + 1) / 2) / (cases * (len(admitted) - cases))


def test_the_pipeline_finds_the_truth_whatever_the_faults(tmp_path: Path, years: int):
    found = {}
    for name, faults in (("clean", False), ("faulty", True)):
        town = _town(tmp_path / name, 3_000, years, faults=faults)
        found[name] = _features(tmp_path / name, tmp_path / f"{name}_work")
    assert found["clean"].equals(found["faulty"])
    people = duckdb.sql(f"FROM '{town.truth}/people.parquet'").df()
    people["person_id"] = [
        hmac.new(TEST_KEY, number.encode("ascii"), hashlib.sha256).hexdigest()[:32]
        for number in people["nhs_number"]
    ]
    expected = people[people["in_population"] & ~people["national_opt_out"] & ~people["type1_opt_out"]]
    both = found["clean"].merge(expected, on="person_id", suffixes=("", "_truth"), validate="one_to_one")
    assert len(both) == len(found["clean"]) == len(expected)
    for column in both.columns:
        if f"{column}_truth" in both.columns and column != "imd_decile":
            assert (both[column] == both[f"{column}_truth"]).all(), column


def _features(landing: Path, work: Path):
    (work / "run").mkdir(parents=True)
    engine = DuckDBEngine(work / "run.duckdb", threads=2, memory_limit="2GB")
    try:
        definitions = load_definitions(SITE)
        deliveries = find_deliveries(landing, AS_OF, definitions)
        context = Context(
            AS_OF, definitions, engine, deliveries, landing, work / "run", TEST_KEY, Progress(quiet=True)
        )
        for stage in (ingest, link, features):
            stage(context)
        return engine.connection.execute("SELECT * FROM features ORDER BY person_id").fetch_df()
    finally:
        engine.close()
