"""Why a person has the scores they have: the evidence of a published run, and the command that shows it."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime, timedelta
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
OPTED_OUT = factories.nhs_number(9)


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


def attendance(arrived: datetime, **columns: Any) -> dict[str, Any]:
    return factories.attendance(PERSON, arrival_at=arrived, **columns)


ATTENDANCES = {
    "counted": attendance(datetime(2025, 4, 1, 0, 0), arrived_by_ambulance=True),
    "same day emergency care": attendance(datetime(2025, 5, 1, 9, 0), department_type="05"),
    "not first and unplanned": attendance(datetime(2025, 5, 3, 9, 0), attendance_category="2"),
    "on or after as_of": attendance(datetime(2026, 4, 1, 0, 0)),
}
TOO_OLD = attendance(datetime(2025, 3, 31, 23, 59))
PARTNERS = {
    "community_contacts": [
        factories.community_contact(PERSON, contact_id="latest", contact_date=date(2024, 5, 1)),
        factories.community_contact(PERSON, contact_id="older", contact_date=date(2024, 4, 1)),
        factories.community_contact(PERSON, contact_id="missed", attendance_status="3"),
    ],
    "gp_contacts": [
        factories.gp_contact(PERSON, contact_id="call", contact_type="Telephone"),
        factories.gp_contact(PERSON, contact_id="visit", contact_type="surgery"),
        factories.gp_contact(PERSON, contact_id="today", contact_date=AS_OF),
    ],
    "agency_contacts": [
        factories.agency_contact(PERSON, contact_id="ambulance", agency="ambulance"),
        factories.agency_contact(PERSON, contact_id="housing"),
    ],
    "social_care_services": [
        factories.social_care_service(
            PERSON, service_id="at-home", service_type="Home Care", last_review_date=AS_OF
        ),
        factories.social_care_service(PERSON, service_id="ended", end_date=date(2026, 1, 1)),
        factories.social_care_service(PERSON, service_id="meals", service_type="meals"),
        factories.social_care_service(PERSON, service_id="to-come", start_date=AS_OF),
    ],
    "care_plans": [factories.care_plan(PERSON, plan_id="plan", last_reviewed_date=date(2026, 1, 2))],
    "assessments": [factories.assessment(PERSON, assessment_id="asked", question=2, concern=True)],
    "community_caseload": [factories.caseload_entry(PERSON, case_manager="Matron Able")],
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
    extracts["acute_attendances"] += [*ATTENDANCES.values(), TOO_OLD]
    for extract, rows in PARTNERS.items():
        theirs = [
            row | {next(iter(row)): f"theirs {place}", "nhs_number": OPTED_OUT}
            for place, row in enumerate(rows)
        ]
        extracts[extract] = [*extracts.get(extract, ()), *rows, *theirs]
    extracts["gp_patients"].append(factories.patient(OPTED_OUT))
    extracts["gp_events"].append(factories.event(OPTED_OUT))
    extracts["acute_episodes"].append(factories.episode(OPTED_OUT))
    extracts["acute_attendances"].append(factories.attendance(OPTED_OUT))
    extracts["national_opt_out"] = [factories.national_opt_out(OPTED_OUT)]
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


def test_every_attendance_says_why_it_counts_or_does_not(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(site, key, capsys)
    verdicts = {row["attendance_id"]: row["verdict"] for row in found["evidence"]["attendances"]}
    assert verdicts == {row["attendance_id"]: verdict for verdict, row in ATTENDANCES.items()}
    assert [row["attendance_id"] for row in found["evidence"]["attendances"] if row["is_counted_12m"]] == [
        ATTENDANCES["counted"]["attendance_id"]
    ]
    assert found["features"]["ae_attendances_12m"] == found["features"]["ambulance_arrivals_12m"] == 1


def test_contacts_say_which_took_place_and_which_nobody_had_planned(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(site, key, capsys)
    contacts = {
        row["contact_id"]: (row["extract"], row["is_counted"], row["is_unscheduled"])
        for row in found["evidence"]["contacts"]
    }
    assert contacts == {
        "latest": ("community_contacts", True, False),
        "missed": ("community_contacts", False, False),
        "call": ("gp_contacts", True, True),
        "visit": ("gp_contacts", True, False),
        "ambulance": ("agency_contacts", True, True),
        "housing": ("agency_contacts", True, False),
        ATTENDANCES["counted"]["attendance_id"]: ("acute_attendances", True, True),
    }
    assert found["features"]["last_community_contact_date"] == "2024-05-01"
    assert found["features"]["unscheduled_contacts_90d"] == 1
    assert found["features"]["unscheduled_contacts_usual_90d"] == 0.6545


def test_services_come_with_their_dates_and_the_row_they_are_from(
    site: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(site, key, capsys)
    services = {
        row["source_row"] or row["description"]: (row["kind"], row["is_open"], row["last_review_date"])
        for row in found["evidence"]["services"]
    }
    assert services == {
        "at-home": ("home care", True, None),
        "ended": ("home care", False, None),
        "meals": ("social care", True, None),
        "plan": ("care plan", True, "2026-01-02"),
        "asked": ("assessment", True, None),
        "north, Matron Able": ("caseload", True, None),
    }
    assert found["features"]["receives_homecare"] is True
    assert found["features"]["homecare_last_review_date"] is None


def test_evidence_is_of_people_of_the_population_alone(site: Path) -> None:
    latest = site / "output" / "latest"
    for kind in sorted((latest / "evidence").glob("*.parquet")):
        others = duckdb.sql(
            f"SELECT person_id FROM '{kind}' EXCEPT SELECT person_id FROM '{latest}/features.parquet'"
        )
        assert others.fetchall() == [], kind.stem


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
        "A&E attendances: 1, 1 of them by ambulance; same day emergency care: 1",
        "not counted: not first and unplanned",
        "unscheduled in 90 days: 1, usually 0.6545",
        "not counted: did not take place",
        "home care: yes, care plan: yes",
        "question 2: concern",
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
           , attendances AS (SELECT person_id, count(*) FILTER (is_counted_12m) AS year
                                  , count(*) FILTER (is_counted_12m AND arrived_by_ambulance) AS ambulances
                                  , count(*) FILTER (verdict = 'same day emergency care') AS same_day
                             FROM '{latest}/evidence/attendances.parquet' GROUP BY ALL)
           , contacts AS (SELECT person_id
                               , count(*) FILTER (extract = 'gp_contacts') AS practice
                               , count(*) FILTER (extract = 'agency_contacts') AS agencies
                               , count(*) FILTER (extract = 'community_contacts' AND is_counted
                                                  AND contact_date >= DATE '2025-04-01') AS community
                               , count(*) FILTER (is_unscheduled AND contact_date >= DATE '2026-01-01') AS unplanned
                          FROM '{latest}/evidence/contacts.parquet' GROUP BY ALL)
           , services AS (SELECT person_id, bool_or(kind = 'home care' AND is_open) AS homecare
                               , max(last_review_date) FILTER (kind = 'home care' AND is_open) AS reviewed
                               , bool_or(kind = 'caseload' AND is_open) AS known
                          FROM '{latest}/evidence/services.parquet' GROUP BY ALL)
        SELECT count(*)
             , count(*) FILTER (efi_deficits <> COALESCE(efi.total, 0))
             , count(*) FILTER (round(features.hfrs * 10) <> COALESCE(hfrs.total, 0))
             , count(*) FILTER (features.charlson <> COALESCE(charlson.total, 0))
             , count(*) FILTER (round(cambridge_multimorbidity * 100) <> COALESCE(cambridge.total, 0))
             , count(*) FILTER (unplanned_admissions_12m <> COALESCE(stays.year, 0))
             , count(*) FILTER (unplanned_admissions_24m <> COALESCE(stays.two_years, 0))
             , count(*) FILTER (acsc_admissions_12m <> COALESCE(stays.acsc, 0))
             , count(*) FILTER (ae_attendances_12m <> COALESCE(attendances.year, 0))
             , count(*) FILTER (ambulance_arrivals_12m <> COALESCE(attendances.ambulances, 0))
             , count(*) FILTER (sdec_attendances_12m <> COALESCE(attendances.same_day, 0))
             , count(*) FILTER (gp_contacts_12m <> COALESCE(contacts.practice, 0))
             , count(*) FILTER (agency_contacts_12m <> COALESCE(contacts.agencies, 0))
             , count(*) FILTER (community_contacts_12m <> COALESCE(contacts.community, 0))
             , count(*) FILTER (unscheduled_contacts_90d <> COALESCE(contacts.unplanned, 0))
             , count(*) FILTER (receives_homecare <> COALESCE(services.homecare, FALSE))
             , count(*) FILTER (homecare_last_review_date IS DISTINCT FROM services.reviewed)
             , count(*) FILTER (is_known_to_team <> COALESCE(services.known, FALSE))
             , count(*) FILTER (receives_homecare AND unscheduled_contacts_90d > 0 AND ambulance_arrivals_12m > 0)
             , count(*) FILTER (unplanned_admissions_24m > 0 AND efi_deficits > 0
                                AND features.hfrs > 0 AND features.charlson > 0)
        FROM '{latest}/features.parquet' AS features
        LEFT JOIN efi USING (person_id) LEFT JOIN hfrs USING (person_id) LEFT JOIN cambridge USING (person_id)
        LEFT JOIN charlson USING (person_id) LEFT JOIN stays USING (person_id)
        LEFT JOIN attendances USING (person_id) LEFT JOIN contacts USING (person_id)
        LEFT JOIN services USING (person_id)
    """
    (people, *different, needing, telling) = duckdb.sql(totals).fetchall()[0]
    assert people > 2_000
    assert telling > 20
    assert needing > 0
    assert different == [0] * 17


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
