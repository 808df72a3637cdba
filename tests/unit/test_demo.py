"""The synthetic town: only synthetic numbers, the same bytes for the same seed, an exact fault list."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from riskstrat.definitions.contracts import load_contracts
from riskstrat.demo import MAXIMUM_PEOPLE, TownSummary, write_town
from riskstrat.demo.calibration import constant, read_knowledge
from riskstrat.demo.columns import load_header
from riskstrat.demo.faults import all_faults
from riskstrat.demo.nhs_numbers import (
    PEOPLE_OF_THE_RANGE,
    STRANGERS,
    shuffled_numbers,
    valid_numbers,
    with_wrong_check_digit,
)
from riskstrat.demo.oracle import Exposure, best_probability
from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.site import default_site
from tests import factories

AS_OF = date(2026, 4, 1)
CONFIG = default_site() / "config"
CONTRACTS = default_site() / "data_contracts"
EXTRACTS = load_header(CONTRACTS)
REWRITES = ("spaced_number", "hyphened_number")


def town(folder: Path, *, people: int = 1500, seed: int = 7, **options: object) -> TownSummary:
    """A small town of the shipped place."""
    return write_town(
        folder,
        CONFIG / "codelists",
        CONFIG / "geography",
        CONTRACTS,
        people=people,
        seed=seed,
        as_of=AS_OF,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> TownSummary:
    return town(tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> TownSummary:
    return town(tmp_path_factory.mktemp("faulty"), faults=True)


def rows(summary: TownSummary, extract: str) -> list[dict[str, str]]:
    with (summary.delivery / f"{extract}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def is_valid(number: str) -> bool:
    check = (11 - sum(int(digit) * (10 - place) for place, digit in enumerate(number[:9])) % 11) % 11
    return len(number) == 10 and len(set(number)) > 1 and check == int(number[9])


def test_every_number_of_the_range_that_is_valid_is_used_once_and_no_other():
    numbers = valid_numbers()
    assert len(numbers) == len(np.unique(numbers)) == PEOPLE_OF_THE_RANGE + STRANGERS
    sample = [str(number) for number in numbers[:: len(numbers) // 2000]]
    assert all(number.startswith("999") and is_valid(number) for number in sample)
    assert not any(is_valid(str(number)) for number in with_wrong_check_digit(numbers[:2000]))


def test_larger_towns_go_on_with_numbers_that_are_never_issued_and_keep_the_first_people():
    numbers, strangers = shuffled_numbers(1, 1_000_000)
    assert len(np.unique(np.concatenate([numbers, strangers]))) == 1_000_000 + STRANGERS
    assert set(np.unique(numbers // 10**7)) == {998, 999}
    assert all(is_valid(str(number)) for number in numbers[-500:])
    fewer, same_strangers = shuffled_numbers(1, 5_000)
    assert (fewer == numbers[:5_000]).all()
    assert (same_strangers == strangers).all()
    assert (fewer // 10**7 == 999).all()


def test_a_delivery_that_is_no_town_is_never_overwritten(tmp_path: Path):
    delivery = tmp_path / "2026-03-31"
    delivery.mkdir()
    (delivery / "gp_events.csv").write_text("real data")
    with pytest.raises(MisuseError, match="never overwritten"):
        town(tmp_path)
    assert (delivery / "gp_events.csv").read_text() == "real data"
    write_town(
        tmp_path,
        CONFIG / "codelists",
        CONFIG / "geography",
        CONTRACTS,
        people=200,
        seed=7,
        as_of=date(2026, 5, 1),
    )
    with pytest.raises(MisuseError, match="never overwritten"):
        town(tmp_path)
    assert (delivery / "gp_events.csv").read_text() == "real data"


@pytest.mark.parametrize("people", [0, MAXIMUM_PEOPLE + 1])
def test_towns_beyond_reason_are_refused(tmp_path: Path, people: int):
    with pytest.raises(MisuseError, match="10,000,000") as refusal:
        town(tmp_path, people=people)
    assert refusal.value.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_town(tmp_path: Path, clean: TownSummary):
    again = town(tmp_path / "again")
    other = town(tmp_path / "other", seed=8)
    assert contents(again.delivery.parent) == contents(clean.delivery.parent)
    assert contents(other.delivery)["gp_events.csv"] != contents(clean.delivery)["gp_events.csv"]


def test_people_of_the_first_chunks_do_not_depend_on_how_many_follow(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("riskstrat.demo.town.CHUNK", 200)
    small = pyarrow.parquet.read_table(town(tmp_path / "small", people=200).truth / "people.parquet")
    large = pyarrow.parquet.read_table(town(tmp_path / "large", people=500).truth / "people.parquet")
    assert large.slice(0, 200).equals(small)


def test_every_column_of_every_contract_is_delivered_in_its_order(clean: TownSummary):
    contracts = load_contracts(CONTRACTS)
    incoming = {name: contract for name, contract in contracts.items() if contract.direction == "in"}
    assert set(EXTRACTS) == set(incoming)
    left_out = set()
    for name, contract in incoming.items():
        header = (clean.delivery / f"{name}.csv").read_text(encoding="utf-8").partition("\n")[0]
        delivered = header.replace('"', "").split(",")
        stated = [column.name for column in contract.columns]
        assert delivered == [column for column in stated if column in delivered]
        left_out |= {f"{name}.{column}" for column in stated if column not in delivered}
        assert clean.rows[name] > 0
    # a supplier's numbers and withdrawals, which no fault of the town uses
    assert left_out == {
        *("gp_patients.registration_id", "gp_patients.deleted", "gp_contacts.deleted"),
        *("acute_episodes.deleted", "acute_attendances.deleted"),
        *("community_contacts.deleted", "community_referrals.deleted"),
    }


@pytest.mark.parametrize(
    ("extract", "before", "after", "said"),
    [
        ("gp_events", "      - name: unit\n", "      - name: units\n", "column unit of gp_events"),
        ("agency_contacts", None, None, "extract agency_contacts"),
    ],
)
def test_town_that_does_not_fit_the_contracts_of_the_site_is_refused(
    tmp_path: Path, extract: str, before: str | None, after: str | None, said: str
):
    contracts = tmp_path / "data_contracts"
    shutil.copytree(CONTRACTS, contracts)
    path = contracts / f"{extract}.yaml"
    if before is None or after is None:
        path.unlink()
    else:
        path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=said):
        write_town(
            tmp_path / "landing",
            CONFIG / "codelists",
            CONFIG / "geography",
            contracts,
            people=200,
            seed=7,
            as_of=AS_OF,
        )


def test_all_people_have_their_own_valid_synthetic_number(clean: TownSummary):
    truth = pyarrow.parquet.read_table(clean.truth / "people.parquet")
    numbers = truth["nhs_number"].to_pylist()
    assert len(set(numbers)) == clean.people == 1500
    assert all(number.startswith("999") and is_valid(number) for number in numbers)
    for extract in EXTRACTS:
        named = {row["nhs_number"] for row in rows(clean, extract)}
        assert named, extract
        assert named <= set(numbers)


def test_keys_are_unique_without_faults(clean: TownSummary):
    contracts = load_contracts(CONTRACTS)
    for extract in EXTRACTS:
        keys = Counter(tuple(row[name] for name in contracts[extract].key) for row in rows(clean, extract))
        assert not [key for key, count in keys.items() if count > 1], extract


def test_nothing_is_dated_on_or_after_as_of_nor_before_birth(clean: TownSummary):
    contracts = load_contracts(CONTRACTS)
    born = {row["nhs_number"]: row["date_of_birth"] for row in rows(clean, "gp_patients")}
    for extract in EXTRACTS:
        column = contracts[extract].event_date
        for row in rows(clean, extract):
            if column:
                assert born[row["nhs_number"]] <= row[column][:10] < AS_OF.isoformat(), extract
            assert (row.get("recorded_date") or "") < AS_OF.isoformat()


def test_nobody_is_in_two_beds_and_nobody_is_admitted_after_death(clean: TownSummary):
    died = {
        row["nhs_number"]: row["date_of_death"] for row in rows(clean, "gp_patients") if row["date_of_death"]
    }
    spells: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows(clean, "acute_episodes"):
        spells.setdefault((row["nhs_number"], row["spell_id"]), []).append(row)
    stays: dict[str, list[tuple[str, str]]] = {}
    for (number, _), episodes in spells.items():
        first = min(episodes, key=lambda row: int(row["episode_number"]))
        stays.setdefault(number, []).append((first["admission_date"], first["discharge_date"] or "9999"))
        assert first["admission_date"] <= died.get(number, "9999")
    for periods in stays.values():
        ordered = sorted(periods)
        assert all(before[1] <= after[0] for before, after in pairwise(ordered))


def test_a_town_with_faults_adds_exactly_the_rows_that_the_list_counts(
    clean: TownSummary, faulty: TownSummary
):
    listed = list(csv.DictReader((faulty.truth / "faults.csv").read_text(encoding="utf-8").splitlines()))
    added: Counter[str] = Counter()
    for fault in listed:
        if fault["kind"] not in REWRITES:
            added[fault["extract"]] += int(fault["rows"])
    assert {name: faulty.rows[name] - clean.rows[name] for name in EXTRACTS} == {
        name: added[name] for name in EXTRACTS
    }
    assert {fault["fault"] for fault in listed} == {fault.name for fault in all_faults()}
    assert all(int(fault["rows"]) > 0 for fault in listed)


def test_faults_leave_the_good_rows_and_the_truth_as_they_are(clean: TownSummary, faulty: TownSummary):
    for extract in EXTRACTS:
        good = Counter(tuple(row.values()) for row in rows(clean, extract))
        seen = Counter(
            (
                *(
                    value if name != "nhs_number" else "".join(filter(str.isdigit, value))
                    for name, value in row.items()
                ),
            )
            for row in rows(faulty, extract)
        )
        assert not good - seen, extract
    truth = (clean.truth / "people.parquet").read_bytes()
    assert (faulty.truth / "people.parquet").read_bytes() == truth


def test_duplicates_and_older_versions_are_what_the_list_calls_them(faulty: TownSummary):
    for extract in ("gp_events", "acute_episodes"):
        versions: dict[str, list[tuple[str, ...]]] = {}
        key = EXTRACTS[extract][0]
        for row in rows(faulty, extract):
            versions.setdefault(row[key], []).append(tuple(row.values()))
        repeated = [group for group in versions.values() if len(group) > 1]
        same = sum(len(set(group)) == 1 for group in repeated)
        assert same == faulty.faults[f"{extract}_duplicate"]
        assert len(repeated) - same == faulty.faults[f"{extract}_older_version"]


def test_parquet_and_csv_hold_the_same_text(tmp_path: Path, clean: TownSummary):
    parquet = town(tmp_path, file_format="parquet")
    for extract in EXTRACTS:
        table = pyarrow.parquet.read_table(parquet.delivery / f"{extract}.parquet")
        written = [tuple(value or "" for value in row.values()) for row in table.to_pylist()]
        assert written == [tuple(row.values()) for row in rows(clean, extract)]


def test_the_town_is_made_of_whatever_geography_the_site_has(tmp_path: Path):
    geography = tmp_path / "geography"
    geography.mkdir()
    factories.write_geography(geography)
    summary = write_town(
        tmp_path / "landing", CONFIG / "codelists", geography, CONTRACTS, people=300, seed=1, as_of=AS_OF
    )
    listed = (geography / "practices.csv").read_text(encoding="utf-8")
    practices = {row["practice_code"] for row in rows(summary, "gp_patients")}
    assert all(code in listed for code in practices - {"Z99999"})


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> TownSummary:
    return town(tmp_path_factory.mktemp("larger"), people=6_000)


def test_rescue_packs_are_issued_to_people_with_copd_alone(larger: TownSummary):
    packs = {"718241000000107", "XaW9D"}
    issued = {row["nhs_number"] for row in rows(larger, "gp_events") if row["code"] in packs}
    truth = pyarrow.parquet.read_table(larger.truth / "people.parquet").to_pylist()
    copd = {row["nhs_number"] for row in truth if row["has_copd"]}
    assert issued < copd
    assert 0.3 < len(issued) / len(copd) < 0.6


def test_some_people_call_far_more_than_is_usual_for_them(larger: TownSummary):
    recent, earlier = Counter(), Counter()
    for row in rows(larger, "gp_contacts"):
        if row["contact_type"] == "telephone":
            (recent if row["contact_date"] >= "2026-01-31" else earlier)[row["nhs_number"]] += 1
    callers = {number for number, calls in recent.items() if calls >= 5 and earlier[number] < 2 * calls}
    assert 5 <= len(callers) <= 60
    agencies = {"adult social care", "ambulance"}
    calls = Counter(
        row["nhs_number"]
        for row in rows(larger, "agency_contacts")
        if row["agency"] in agencies and row["contact_date"] >= "2026-01-31"
    )
    assert callers & set(calls)


def test_home_care_has_just_started_for_some_and_is_overdue_a_review_for_others(larger: TownSummary):
    services = [row for row in rows(larger, "social_care_services") if row["service_type"] == "home care"]
    going = [row for row in services if not row["end_date"]]
    new = [row for row in going if row["start_date"] >= "2026-01-01"]
    overdue = [row for row in going if max(row["start_date"], row["last_review_date"]) < "2025-04-01"]
    assert len(new) >= 3
    assert len(overdue) >= 3
    assert all(row["start_date"] < "2026-04-01" for row in going)
    assert all(row["last_review_date"] < "2026-04-01" for row in services)


def test_best_probability_is_what_simulation_gives():
    generator = np.random.default_rng(5)
    rate, hazard, history, admissions = 0.6, 0.4, 1.1, np.array([2])
    one = np.ones((1, 1))
    exposed = Exposure(
        rate=np.vstack([one * rate, one * history]),
        begin=np.zeros((2, 1), dtype=np.int64),
        finish=np.zeros((2, 1), dtype=np.int64),
        years=np.ones((2, 1)),
        hazard_of_death=np.array([hazard]),
        next_death=np.array([0]),
    )
    prior = constant("z_shape")
    draws = 400_000
    z = generator.gamma(prior + 2, 1 / (prior + history), draws)
    time_at_risk = np.minimum(generator.exponential(1 / hazard, draws), 1)
    simulated = (generator.poisson(z * rate * time_at_risk) > 0).mean()
    assert best_probability(exposed, admissions, 1)[0] == pytest.approx(simulated, abs=0.003)


def test_every_constant_says_where_it_comes_from():
    for name in ("calibration", "curves", "conditions", "flags", "ethnicity", "admission_methods"):
        for row in read_knowledge(name):
            assert row["status"] in ("read", "derived", "assumed"), row
            assert row["source"] or row["status"] == "assumed", row
