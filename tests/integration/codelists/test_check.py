"""riskstrat codelist list and check: who reviewed each list, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskstrat.definitions.codelists import load_codelists
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.metadata import load_metadata
from riskstrat.errors import DefinitionError
from tests.integration.codelists.commands import (
    COPD_RESOLVED,
    DEMENTIA,
    NAMES,
    NEW,
    SHIPPED,
    add_row,
    answered,
    lists_of,
    refused,
    set_metadata,
    typed,
    words,
)

pytestmark = pytest.mark.usefixtures("usual_terminal")

RUN, AS_OF = "20260401-0fa4e0f1", "2026-04-01"


def publish(site: Path, **extracts: dict[str, object]) -> None:
    """A published run that keeps nothing but the use of codes."""
    folder = site / "output" / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    for extract, use in extracts.items():
        path = folder / "quality" / extract / "codes.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(use), encoding="utf-8")
    (site / "output" / "latest").symlink_to(Path("runs") / RUN)


def system(name: str, rows: int, mapped: int) -> dict[str, object]:
    return {"code_system": name, "codes": 1, "rows": rows, "mapped_rows": mapped}


def unmapped(name: str, code: str, rows: int) -> dict[str, object]:
    return {"code_system": name, "code": code, "rows": rows, "people": None}


def test_list_tells_each_list_with_its_codes_and_who_reviewed_it(site: Path) -> None:
    set_metadata(site, "flags", reviewed_by="Dr A, GP, 2 May 2026")
    lines = answered(site, "list").stdout.splitlines()
    rows = {line.split()[0]: line.split() for line in lines[2:] if not line.startswith(" ")}
    assert list(rows) == NAMES
    flags = load_codelists(SHIPPED)["flags"]
    counts = [
        sum(entry.code_system == name for entry in flags.entries) for name in ("snomed", "readv2", "ctv3")
    ]
    about = load_metadata(SHIPPED / "flags.csv")
    expected = [about.version, len(flags.concepts), *counts, 0, about.next_review]
    assert rows["flags"] == ["flags", *map(str, expected)]
    assert rows["efi_values"][1:3] == ["2026.1", "12"]
    text = words("\n".join(lines))
    assert about.title in text
    assert "reviewed by: Dr A, GP, 2 May 2026" in text


def test_the_shipped_lists_pass_and_only_signatures_are_missing(site: Path) -> None:
    result = answered(site, "check", "--on", AS_OF)
    assert result.stdout.splitlines()[-1].startswith(
        "lists: 6, rows: 7,475, errors: 0, warnings: 6, notices: "
    )
    warnings = [line for line in result.stdout.splitlines() if line.startswith("warning")]
    assert [line.split()[1] for line in warnings] == [f"config/codelists/{name}.yaml," for name in NAMES]
    assert all("column reviewed_by" in line for line in warnings)


def test_the_shipped_lists_fail_strictly_because_no_clinician_has_signed(site: Path) -> None:
    result = typed(site, "check", "--strict", "--on", AS_OF)
    assert isinstance(result.exception, DefinitionError)
    assert result.exception.exit_code == 3
    errors = [line for line in result.stdout.splitlines() if line.startswith("error")]
    assert [line.split()[1] for line in errors] == [f"config/codelists/{name}.yaml," for name in NAMES]
    assert all("nobody has reviewed the list" in line for line in errors)
    for name in NAMES:
        set_metadata(site, name, reviewed_by="Dr A, GP, 2 May 2026")
    answered(site, "check", "--strict", "--on", AS_OF)


def test_a_review_is_due_the_day_after_and_judged_by_no_clock(site: Path) -> None:
    set_metadata(site, "flags", reviewed_by="Dr A, GP, 2 May 2026")
    day = load_metadata(lists_of(site) / "flags.csv").next_review
    assert "warnings: 0" in answered(site, "check", "flags", "--on", day).stdout
    assert "next_review" not in answered(site, "check", "flags").stdout
    late = words(answered(site, "check", "flags", "--on", day.replace(day=2)).stdout)
    assert f"column next_review: the review was due on {day}, before {day.replace(day=2)}." in late
    assert refused(site, 3, "check", "flags", "--strict", "--on", "2031-01-01")
    assert "--on" in str(refused(site, 2, "check", "flags", "--strict").remedy)
    assert refused(site, 2, "check", "--on", "yesterday")


def test_every_bad_row_is_named_with_its_remedy(site: Path) -> None:
    rows = {
        "dementia,snomed,52448007,Wrong digit": "no SNOMED CT identifier",
        f"dementia,snomed,{DEMENTIA},Again": "is listed twice under dementia",
        "dementia,snomed,680946014,A description": "identifies a description",
        "dementia,readv2,E00,Short": "no 5-byte Read code",
        f"dementia,snomed,{NEW},": "is empty",
    }
    places = {add_row(site, "flags", row): what for row, what in rows.items()}
    result = typed(site, "check", "flags", "--on", AS_OF)
    assert isinstance(result.exception, DefinitionError)
    assert "errors: 5" in result.stdout.splitlines()[-1]
    told = words(result.stdout)
    for row, what in places.items():
        (finding,) = [part for part in told.split("error ") if f"flags.csv, row {row}, column" in part]
        assert what in finding
        assert "Remedy: " in finding


@pytest.mark.parametrize(
    ("concept", "other", "row"),
    [
        ("copd", "copd_resolved", f"copd,snomed,{COPD_RESOLVED},COPD resolved"),
        ("type1_withdrawal", "type1_dissent", "type1_withdrawal,snomed,827241000000103,Dissent"),
        ("frailty_mild", "frailty_severe", "frailty_mild,snomed,925861000000102,Severe frailty"),
    ],
)
def test_a_contradiction_is_an_error_here_and_stops_a_run(
    site: Path, concept: str, other: str, row: str
) -> None:
    place = add_row(site, "flags", row)
    result = typed(site, "check", "--on", AS_OF)
    assert isinstance(result.exception, DefinitionError)
    (finding,) = [part for part in words(result.stdout).split("error ") if "contradicts" in part]
    assert f"flags.csv, row {place}, column code" in finding
    assert f"under {concept}, but row" in finding
    assert f"under {other}, which contradicts {concept}." in finding
    with pytest.raises(DefinitionError, match="which contradicts") as caught:
        load_definitions(site)
    assert (caught.value.file, caught.value.row) == (str(lists_of(site) / "flags.csv"), place)
    assert "delete the row" in str(caught.value.remedy)


def test_a_code_under_two_lists_contradicts_nothing(site: Path) -> None:
    add_row(site, "efi", f"copd,snomed,{COPD_RESOLVED},COPD resolved")
    answered(site, "check", "--on", AS_OF)
    load_definitions(site)


def test_contradictions_that_hold_for_nothing_are_named(site: Path) -> None:
    path = site / "config" / "reference" / "contradictory_concepts.csv"
    path.write_text(path.read_text(encoding="utf-8") + "copd,copd_gone\n", encoding="utf-8")
    told = words(answered(site, "check", "--on", AS_OF).stdout)
    assert (
        "contradictory_concepts.csv, row 10, column contradicts: no list has the concept copd_gone." in told
    )
    path.unlink()
    assert "is missing" in refused(site, 3, "check", "--on", AS_OF).what
    with pytest.raises(DefinitionError, match="is missing"):
        load_definitions(site)


def test_a_code_under_several_concepts_is_a_notice_with_its_rows(site: Path) -> None:
    rows = (lists_of(site) / "efi.csv").read_text(encoding="utf-8").splitlines()
    places = [place for place, row in enumerate(rows, start=1) if ",43959009," in row]
    told = words(answered(site, "check", "efi", "--on", AS_OF).stdout)
    assert f"snomed 43959009 (rows {places[0]} and {places[1]})" in told
    assert "14 codes stand under diabetes and vision-problems and count for each" in told
    assert "flags" not in told


def test_a_numeric_code_on_a_list_of_the_same_concept_is_a_notice(site: Path) -> None:
    clean = answered(site, "check", "efi", "--on", AS_OF).stdout
    assert "value rule" not in words(clean)
    place = add_row(site, "efi", "respiratory-disease,ctv3,66Yf.,Number of exacerbations")
    told = words(answered(site, "check", "efi", "--on", AS_OF).stdout)
    assert f"efi.csv, row {place}, column code: 66Yf. (ctv3) has a value rule for respiratory-disease" in told


def test_unknown_list_and_damaged_files_are_named(site: Path) -> None:
    assert "flags" in str(refused(site, 3, "check", "flag").remedy)
    (lists_of(site) / "acsc.csv").write_text("concept,code\n", encoding="utf-8")
    rules = lists_of(site) / "efi_values.csv"
    rules.write_text(rules.read_text(encoding="utf-8").replace(",any,", ",both,", 1), encoding="utf-8")
    (lists_of(site) / "efi.yaml").unlink()
    result = typed(site, "check", "--on", AS_OF)
    assert isinstance(result.exception, DefinitionError)
    told = words(result.stdout)
    assert "error config/codelists/acsc.csv, row 1: the columns must be" in told
    assert "error config/codelists/efi_values.csv, row 2, column sex: 'both' is unknown." in told
    assert "error config/codelists/efi.yaml: is missing." in told


def test_common_codes_that_no_list_has_are_shown_with_small_counts_hidden(site: Path) -> None:
    add_row(site, "flags", f"dementia,snomed,{NEW},Impaired cognition")
    publish(
        site,
        gp_events={
            "systems": [system("snomed", 900, 700), system("readv2", 30, 0)],
            "unmapped": [
                unmapped("snomed", "271650006", 4_900),
                unmapped("snomed", NEW, 80),
                unmapped("readv2", "246..", 8),
                unmapped("snomed", "271649006", 7),
                unmapped("snomed", "27113001", 1),
            ],
        },
        acute_episodes={
            "systems": [system("icd10", 50, 20)],
            "unmapped": [unmapped("icd10", "R104", 20), unmapped("icd10", "J441", 20)],
        },
    )
    result = answered(site, "check")
    assert f"run {RUN}, as of {AS_OF}" in result.stderr
    lines = [line.split() for line in result.stdout.splitlines() if line.startswith(("gp_", "acute_"))]
    assert lines == [
        ["acute_episodes", "icd10", "R104", "20"],
        ["gp_events", "snomed", "271650006", "4900"],
        ["gp_events", "readv2", "246..", "8"],
        ["gp_events", "snomed", "271649006", "*"],
        ["gp_events", "snomed", "27113001", "*"],
    ]
    told = words(result.stdout)
    readv2 = sum(entry.code_system == "readv2" for entry in load_codelists(SHIPPED)["flags"].entries)
    never = (
        f"none of its {readv2} readv2 codes was ever seen: run {RUN} has no row whose code is on any list."
    )
    assert f"config/codelists/flags.csv, column code_system: {never}" in told
    assert f"run {RUN} has no row with a code of it." in told
    only = [line for line in answered(site, "check", "acsc").stdout.splitlines() if "_e" in line]
    assert [line.split()[2] for line in only if line.startswith(("gp_", "acute_"))] == ["R104"]


def test_reviews_are_judged_by_the_run_unless_a_day_is_given(site: Path) -> None:
    publish(site)
    set_metadata(site, "flags", reviewed_by="Dr A, GP")
    path = lists_of(site) / "flags.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("2027-04-01", "2026-03-31"), encoding="utf-8")
    result = answered(site, "check", "flags")
    assert "was due on 2026-03-31, before 2026-04-01" in words(result.stdout)
    assert "the run does not keep which codes its extracts use." in result.stderr
    assert "warnings: 0" in answered(site, "check", "flags", "--on", "2026-03-31").stdout
    assert "warnings: 1" in answered(site, "check", "flags", "--as-of", AS_OF).stdout
    assert "there is no run" in refused(site, 6, "check", "--run", "20250101-0123abcd").what


def test_check_works_before_the_first_run(site: Path) -> None:
    result = answered(site, "check", "flags")
    assert "nothing has been published yet: next_review is judged with --on DATE only." in result.stderr
    assert "nothing has been published yet" in refused(site, 6, "check", "--run", RUN).what


def test_check_tells_which_codes_the_run_never_saw(site: Path) -> None:
    entries = [entry for entry in load_codelists(SHIPPED)["flags"].entries if entry.code_system == "snomed"]
    left = next(entry for entry in entries if entry.concept == "dementia")
    copd = {entry.code for entry in entries if entry.concept == "copd_resolved"}
    seen = sorted({entry.code for entry in entries} - {left.code} - copd)
    publish(
        site, gp_events={"systems": [{**system("snomed", 99, 90), "listed_codes_seen": seen}], "unmapped": []}
    )
    told = words(answered(site, "check", "flags", "--on", "2026-04-01").stdout)
    assert f"{1 + len(copd)} of its {len(entries)} snomed codes were never seen in run {RUN}" in told
    assert "no code at all of copd_resolved." in told
    listed = answered(site, "check", "flags", "--on", "2026-04-01", "--unseen").stdout
    rows = [line.split()[1:4] for line in listed.splitlines() if line.startswith("flags ")]
    assert sorted(rows) == sorted(
        [entry.concept, "snomed", entry.code] for entry in entries if entry.code in {left.code, *copd}
    )
