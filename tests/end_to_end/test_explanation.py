"""Why a person has the scores they have: the evidence of a published run, and the command that shows it."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from riskstrat.keys import person_id, read_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town
from tests.end_to_end.command import riskstrat

AS_OF = small_town.AS_OF
PERSON = factories.nhs_number(7)
ANCIENT = factories.nhs_number(8)


def stay(admitted: date, days: int | None = 2, **columns: Any) -> dict[str, Any]:
    return factories.episode(
        PERSON,
        admission_date=admitted,
        discharge_date=None if days is None else admitted + timedelta(days=days),
        **columns,
    )


STAYS = {
    "counted": stay(date(2025, 4, 1), diagnosis_01="J44.1", discharge_destination="51"),
    "transfer": stay(date(2025, 4, 4), provider_code="RT2", admission_method="81", source_of_admission="51"),
    "outside 12 months": stay(date(2025, 3, 20), diagnosis_01="F05.9"),
    "outside 24 months": stay(date(2024, 3, 20)),
    "maternity": stay(date(2025, 6, 1), admission_method="31"),
    "birth": stay(date(2025, 7, 1), admission_method="82"),
    "planned": stay(date(2025, 8, 1), admission_method="12"),
    "unknown admission method": stay(date(2025, 9, 1), admission_method="99"),
    "regular attender": stay(date(2025, 10, 1), days=0, patient_classification="3"),
    "before birth": stay(date(1930, 1, 1)),
    "on or after as_of": stay(AS_OF, days=None),
    "recorded on or after as_of": stay(date(2026, 2, 1), recorded_date=AS_OF),
}
READMITTED = stay(date(2025, 4, 9), admission_method="21", diagnosis_01="R55X")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_town.write_site(tmp_path_factory.mktemp("explained") / "site")
    extracts = small_town.town()
    extracts["gp_patients"] += [
        factories.patient(PERSON, date_of_birth=date(1940, 5, 5)),
        factories.patient(ANCIENT, date_of_birth=date(1890, 1, 1)),
    ]
    extracts["gp_events"] += [
        factories.event(PERSON, event_id="first-fall", code="298344006", event_date=date(2019, 1, 2)),
        factories.event(PERSON, event_id="later-fall", code="298344006", event_date=date(2024, 1, 2)),
        factories.event(PERSON, event_id="high-tsh", code="1022791000000101", value=9.0),
        factories.event(PERSON, event_id="absurd-egfr", code="1011481000000105", value=-4.0),
    ]
    extracts["acute_episodes"] += [*STAYS.values(), READMITTED]
    small_town.write_landing(folder, extracts)
    run(load_site(folder), AS_OF, progress=Progress(quiet=True))
    return folder


@pytest.fixture
def key(site: Path) -> str:
    return person_id(read_site_key(site / "keys"), PERSON)


def explained(site: Path, key: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer = riskstrat(capsys, site, "features", "explain", key, "--format", "json")
    assert answer.code == 0, answer.err
    document: dict[str, Any] = json.loads(answer.out)
    return document


def test_every_stay_says_why_it_counts_or_does_not(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(site, key, capsys)
    verdicts = {row["episode_id"]: row["verdict"] for row in found["evidence"]["stays"]}
    assert verdicts == {row["episode_id"]: verdict for verdict, row in STAYS.items()} | {
        READMITTED["episode_id"]: "counted"
    }
    assert found["features"]["unplanned_admissions_12m"] == 2
    assert found["features"]["unplanned_admissions_24m"] == 3
    (again,) = [row for row in found["evidence"]["stays"] if row["episode_id"] == READMITTED["episode_id"]]
    assert again["days_since_previous_cips"] == 3


def test_deficits_come_with_the_record_that_first_showed_them(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deficits = {row["deficit"]: row["event_id"] for row in explained(site, key, capsys)["evidence"]["efi"]}
    assert deficits == {"falls": "first-fall", "thyroid-disorders": "high-tsh"}


def test_points_of_the_scores_come_with_code_and_episode(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = explained(site, key, capsys)["evidence"]
    hfrs = {row["icd10_3char"]: (row["icd10"], row["episode_id"]) for row in evidence["hfrs"]}
    assert hfrs["F05"] == ("F059", STAYS["outside 12 months"]["episode_id"])
    assert hfrs["R55"] == ("R55", READMITTED["episode_id"])
    assert [row["concept"] for row in evidence["charlson"]] == ["chronic_pulmonary_disease"]


def test_text_is_for_people_and_first_digits_are_enough(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = riskstrat(capsys, site, "features", "explain", key[:10].upper())
    assert answer.code == 0
    for said in (
        "eFI 2 of 36 deficits; frailty fit",
        "Elderly fall",
        "not counted: a transfer, it continues a stay",
        "not used: recorded on or after as_of",
        "readmission after 3 days",
        "ACSC copd_and_bronchiectasis",
        "unplanned admissions: 2 in 12 months, 3 in 24",
    ):
        assert said in answer.out, said
    assert PERSON not in answer.out + answer.err


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (PERSON, 2, "nobody in run"),
        ("A. Person", 2, "that is no person_id"),
        ("0123456", 2, "that is no person_id"),
        ("0" * 32, 2, "nobody in run"),
    ],
)
def test_what_is_no_person_is_refused_and_never_repeated(
    site: Path, capsys: pytest.CaptureFixture[str], asked: str, code: int, said: str
) -> None:
    answer = riskstrat(capsys, site, "features", "explain", asked)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert asked not in answer.err


def test_run_without_evidence_says_how_to_get_it(
    site: Path, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "site"
    shutil.copytree(site, older, symlinks=True)
    published = (older / "output" / "latest").resolve()
    published.chmod(0o750)
    (published / "evidence").chmod(0o750)
    shutil.rmtree(published / "evidence")
    answer = riskstrat(capsys, older, "features", "explain", key)
    assert answer.code == 6
    assert "riskstrat run --as-of 2026-04-01" in answer.err


def test_evidence_adds_up_to_the_feature_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_town.write_site(tmp_path / "site")
    shutil.rmtree(folder / "config" / "geography")
    shutil.copytree(Path(__file__).parents[2] / "config" / "geography", folder / "config" / "geography")
    for arguments in (
        ("demo", "--people", "3000", "--seed", "5", "--faults"),
        ("run", "--as-of", "2026-04-01"),
    ):
        answer = riskstrat(capsys, folder, *arguments)
        assert answer.code == 0, answer.err
    latest = folder / "output" / "latest"
    totals = f"""
        WITH efi AS (SELECT person_id, count(*) AS total FROM '{latest}/evidence/efi.parquet' GROUP BY ALL)
           , hfrs AS (SELECT person_id, sum(round(points * 10)) AS total FROM '{latest}/evidence/hfrs.parquet'
                      GROUP BY ALL)
           , charlson AS (SELECT person_id, sum(points) AS total FROM '{latest}/evidence/charlson.parquet'
                          GROUP BY ALL)
           , cambridge AS (SELECT person_id, sum(round(points * 100)) AS total
                           FROM '{latest}/evidence/cambridge.parquet' GROUP BY ALL)
           , stays AS (SELECT person_id, count(*) FILTER (is_counted_12m) AS year
                            , count(*) FILTER (is_counted_24m) AS two_years
                            , count(*) FILTER (is_counted_12m AND acsc_condition IS NOT NULL) AS acsc
                       FROM '{latest}/evidence/stays.parquet' GROUP BY ALL)
        SELECT count(*)
             , count(*) FILTER (efi_deficits <> COALESCE(efi.total, 0))
             , count(*) FILTER (round(features.hfrs * 10) <> COALESCE(hfrs.total, 0))
             , count(*) FILTER (features.charlson <> COALESCE(charlson.total, 0))
             , count(*) FILTER (round(cambridge_multimorbidity * 100) <> COALESCE(cambridge.total, 0))
             , count(*) FILTER (unplanned_admissions_12m <> COALESCE(stays.year, 0))
             , count(*) FILTER (unplanned_admissions_24m <> COALESCE(stays.two_years, 0))
             , count(*) FILTER (acsc_admissions_12m <> COALESCE(stays.acsc, 0))
             , count(*) FILTER (unplanned_admissions_24m > 0 AND efi_deficits > 0
                                AND features.hfrs > 0 AND features.charlson > 0)
        FROM '{latest}/features.parquet' AS features
        LEFT JOIN efi USING (person_id) LEFT JOIN hfrs USING (person_id) LEFT JOIN cambridge USING (person_id)
        LEFT JOIN charlson USING (person_id) LEFT JOIN stays USING (person_id)
    """
    (people, *different, telling) = duckdb.sql(totals).fetchall()[0]
    assert people > 2_000
    assert telling > 20
    assert different == [0] * 7


def test_what_cannot_be_right_is_counted_on_the_quality_page(site: Path) -> None:
    quality = site / "output" / "latest" / "quality"
    events = json.loads((quality / "gp_events" / "summary.json").read_text(encoding="utf-8"))
    patients = json.loads((quality / "gp_patients" / "summary.json").read_text(encoding="utf-8"))
    episodes = json.loads((quality / "acute_episodes" / "codes.json").read_text(encoding="utf-8"))
    assert (events["implausible"], patients["implausible"]) == (1, 1)
    (icd10,) = episodes["systems"]
    assert icd10["tidied_rows"] > 0
    page = " ".join((quality / "index.html").read_text(encoding="utf-8").split())
    assert "1 of them hold a value that cannot be right" in page
    assert "were read without it; 0 are no code of that system" in page
