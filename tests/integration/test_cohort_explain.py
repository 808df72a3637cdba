"""``cohort explain``: every rule's answer for one person, and what stands behind it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from riskstrat.reading.evidence import evidence_of_features
from riskstrat.site import Site, default_site
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")


def person(site: Path, question: str, order: str = "person_id") -> str:
    with duckdb.connect() as connection:
        run = site / "output" / "latest"
        found = connection.execute(
            f"SELECT person_id FROM read_parquet('{run / 'features.parquet'}') AS features "
            f"LEFT JOIN read_parquet('{run / 'cohorts' / 'first_of_area.parquet'}') AS members USING (person_id) "
            f"WHERE {question} ORDER BY {order} LIMIT 1"
        ).fetchall()
    return str(found[0][0])


def explained(site: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answered(site, "cohort", "explain", *arguments, "--format", "json"))
    return found


def test_member_passes_every_rule_and_shows_the_values(compared_site: Path) -> None:
    key = json.loads(
        answered(compared_site, "cohort", "query", "luton_core", "--limit", "1", "--format", "json")
    )[0]["person_id"]
    found = explained(compared_site, "luton_core", key)
    assert found["is_member"]
    assert found["why"] == ["every rule is met"]
    assert {rule["answer"] for rule in found["rules"]} == {"passed"}
    assert found["rules"][0]["values"].keys() == {"age"}
    assert found["rules"][0]["values"]["age"] >= 65


def test_person_who_fails_is_told_which_rule(compared_site: Path) -> None:
    found = explained(compared_site, "luton_core", person(compared_site, "age < 30"))
    assert not found["is_member"]
    assert found["rules"][0]["answer"] == "failed"
    assert "not met: age >= 65" in found["why"]


def test_unknown_is_neither_passed_nor_failed(compared_site: Path) -> None:
    question = "age >= 65 AND frailty_category IS NULL AND unplanned_admissions_12m >= 2"
    found = explained(compared_site, "luton_core", person(compared_site, question))
    assert not found["is_member"]
    assert found["rules"][1]["answer"] == "unknown"
    assert found["why"][0].startswith("undecided: unknown is frailty_category IN")


def test_exclusion_is_named(compared_site: Path) -> None:
    question = "age >= 75 AND efi_deficits >= 5 AND is_end_of_life AND rank IS NULL"
    found = explained(compared_site, "first_of_area", person(compared_site, question))
    assert found["why"] == ["excluded by is_end_of_life"]


def test_place_outside_the_first_of_the_area_is_told(compared_site: Path) -> None:
    question = "age >= 75 AND efi_deficits >= 5 AND NOT is_end_of_life AND NOT is_inpatient AND rank IS NULL"
    found = explained(compared_site, "first_of_area", person(compared_site, question))
    assert not found["is_member"]
    assert "is not among its first 5" in found["why"][0]


def test_addition_by_hand_is_a_reason_of_its_own(compared_site: Path) -> None:
    question = "is_manual_addition AND NOT COALESCE(efi_deficits >= 5, FALSE)"
    found = explained(compared_site, "first_of_area", person(compared_site, question))
    assert found["is_member"]
    assert found["why"][0] == "a professional added the person by hand"
    assert len(found["why"]) > 1


def test_gaps_say_whether_the_person_has_them(compared_site: Path) -> None:
    key = person(compared_site, "rank IS NOT NULL AND NOT flu_vaccine_this_season AND has_care_plan")
    gaps = [rule for rule in explained(compared_site, "first_of_area", key)["rules"] if rule["kind"] == "gap"]
    assert [(gap["name"], gap["answer"]) for gap in gaps] == [
        ("flu vaccine", "passed"),
        ("care plan", "failed"),
    ]


def test_source_rows_behind_the_rules_are_shown(compared_site: Path) -> None:
    key = person(
        compared_site, "age >= 65 AND efi_deficits BETWEEN 9 AND 12 AND unplanned_admissions_12m = 2"
    )
    found = explained(compared_site, "luton_core", key)
    assert [rule["evidence"] for rule in found["rules"]] == [[], ["efi"], ["stays"], []]
    assert 9 <= len(found["evidence"]["efi"]) <= 12
    assert len(found["evidence"]["stays"]) == 2
    shown = answered(compared_site, "cohort", "explain", "luton_core", key)
    assert "efi: behind frailty_category" in shown
    assert "2026-02-27" in shown
    assert "code" not in shown.partition("efi: behind")[2]


def test_records_of_other_concepts_are_not_behind_a_feature(compared_site: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(compared_site, tmp_path / "site", symlinks=True))
    path = site / "data_contracts" / "features.yaml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    for column in contract["schema"][0]["properties"]:
        if column["name"] in ("has_dementia", "has_copd", "lives_alone"):
            column["customProperties"].append({"property": "evidence", "value": "flags"})
        if column["name"] == "lives_alone":
            column["customProperties"].append({"property": "evidence_concepts", "value": ["alone"]})
    path.write_text(yaml.safe_dump(contract), encoding="utf-8")
    (site / "config" / "reference").mkdir(exist_ok=True)
    (site / "config" / "reference" / "states.csv").write_text(
        "state,started_by,ended_by,meaning,source\nhas_dementia,memory,,,\nhas_copd,lungs,lungs_well,,\n",
        encoding="utf-8",
    )
    run = site / "output" / "latest"
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            "COPY (SELECT person_id, concept, DATE '2026-03-01' AS latest_date FROM "
            f"read_parquet('{run / 'features.parquet'}'), (VALUES ('memory'), ('lungs'), ('lungs_well'), ('alone'), "
            f"('fall')) AS concepts (concept)) TO '{run / 'evidence' / 'flags.parquet'}' (FORMAT parquet)"
        )
    key = person(site, "has_dementia")
    for where, concepts in (
        ("has_dementia", {"memory"}),
        ("has_copd", {"lungs", "lungs_well"}),
        ("has_dementia AND lives_alone", {"memory", "alone"}),
    ):
        found = explained(site, key, "--where", where)["evidence"]["flags"]
        assert {row["concept"] for row in found} == concepts


def test_shipped_features_name_the_concepts_behind_them() -> None:
    root = default_site()
    site = Site(root, root / "landing", root / "state", root / "output", root / "keys")
    found = evidence_of_features(site)
    with (root / "config" / "codelists" / "flags.csv").open(encoding="utf-8", newline="") as stream:
        known = {row["concept"] for row in csv.DictReader(stream)}
    of_flags = {name: evidence.concepts for name, evidence in found.items() if "flags" in evidence.kinds}
    assert len(of_flags) >= 10
    for name, concepts in of_flags.items():
        assert concepts, name
        assert set(concepts) <= known, name


def test_first_digits_and_a_condition_are_enough(compared_site: Path) -> None:
    key = person(compared_site, "age BETWEEN 80 AND 84 AND NOT has_copd")
    found = explained(compared_site, key[:10], "--where", "age >= 80 AND has_copd")
    assert found["person_id"] == key
    assert [rule["answer"] for rule in found["rules"]] == ["passed", "failed"]


def test_no_message_repeats_what_was_typed(compared_site: Path) -> None:
    for typed_in in ("9990000107", "ffffffffffffffff", "not a person"):
        problem = refused(compared_site, 2, "cohort", "explain", "luton_core", typed_in)
        assert typed_in not in str(problem)
    result = typed(compared_site, "cohort", "explain", "9990000107")
    assert "9990000107" not in result.output + str(result.exception)
    assert result.exit_code == 2 or getattr(result.exception, "exit_code", 0) == 2


def test_run_without_evidence_still_explains_the_rules(reading_site: Path) -> None:
    key = json.loads(
        answered(reading_site, "cohort", "query", "luton_core", "--limit", "1", "--format", "json")
    )[0]
    result = typed(reading_site, "cohort", "explain", "luton_core", key["person_id"])
    assert result.exit_code == 0
    assert "keeps no evidence" in result.stderr
    assert "passed   age >= 65" in result.stdout
