"""riskstrat codelist: lists in, differences and checks out, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from riskstrat.cli import app
from riskstrat.definitions.codelists import load_codelists
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.metadata import UNREVIEWED, load_metadata
from riskstrat.errors import DefinitionError, RiskstratError
from riskstrat.site import default_site, write_default_site

SHIPPED = default_site() / "config" / "codelists"
NAMES = ["acsc", "cambridge", "charlson", "efi", "efi_values", "flags"]
DEMENTIA, COPD_RESOLVED = "52448006", "941201000000103"
# Well-formed identifiers: one that no list has, and one that efi.csv has with a term.
NEW, KNOWN_ELSEWHERE = "987654006", "386806002"
RUN, AS_OF = "20260401-0fa4e0f1", "2026-04-01"
REFSET = "999012891000230104"
REFSET_HEADER = "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId"
DESCRIPTION_HEADER = (
    "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId"
)
# A download with a new code, one that is there, one that repeats, and whose term holds a comma.
DOWNLOAD = f'code,term\r\n{NEW},"Impaired cognition, any"\r\n{DEMENTIA},Dementia\r\n{DEMENTIA},Dementia\r\n'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    write_default_site(folder)
    return folder


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("RISKSTRAT_SITE", raising=False)


@pytest.fixture
def download(tmp_path: Path) -> Path:
    return written(tmp_path / "opensafely-dementia.csv", DOWNLOAD)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def typed(site: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["--site", str(site), "codelist", *map(str, arguments)])


def answered(site: Path, *arguments: object) -> Result:
    result = typed(site, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def refused(site: Path, exit_code: int, *arguments: object) -> RiskstratError:
    result = typed(site, *arguments)
    assert isinstance(result.exception, RiskstratError), (result.output, result.exception)
    assert result.exception.exit_code == exit_code
    return result.exception


def words(text: str) -> str:
    return " ".join(text.split())


def lists_of(site: Path) -> Path:
    return site / "config" / "codelists"


def files(site: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(lists_of(site).iterdir())}


def codes(site: Path, name: str, concept: str) -> set[str]:
    return {entry.code for entry in load_codelists(lists_of(site))[name].entries if entry.concept == concept}


def add_row(site: Path, name: str, row: str) -> int:
    """Put a row at the end of a list; returns its line."""
    path = lists_of(site) / f"{name}.csv"
    path.write_text(path.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    return len(path.read_text(encoding="utf-8").splitlines())


def set_metadata(site: Path, name: str, **values: str) -> None:
    path = lists_of(site) / f"{name}.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8")) | values
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


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


# list


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


# import


def test_import_writes_the_list_and_takes_the_signature_back(site: Path, download: Path) -> None:
    set_metadata(site, "flags", reviewed_by="Dr A, GP, 2 May 2026")
    before, others = load_metadata(lists_of(site) / "flags.csv"), files(site)
    result = answered(site, "import", download, "--concept", "dementia", "--list", "flags")
    assert codes(site, "flags", "dementia") == {*codes(default_site(), "flags", "dementia"), NEW}
    outcomes = [line.split()[0] for line in result.stdout.splitlines()[2:]]
    assert outcomes == ["added", "already"]
    assert "Impaired cognition, any" in result.stdout
    assert "added: 1, reworded: 0, already there: 1, removed: 0, refused: 0" in result.stderr
    rows = list(csv.reader((lists_of(site) / "flags.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["concept", "code_system", "code", "term"]
    assert rows[1:] == sorted(rows[1:], key=lambda row: row[:3])
    assert ["dementia", "snomed", NEW, "Impaired cognition, any"] in rows
    assert b"\r" not in files(site)["flags.csv"]
    after = load_metadata(lists_of(site) / "flags.csv")
    assert after.reviewed_by == UNREVIEWED
    sha256 = hashlib.sha256(DOWNLOAD.encode()).hexdigest()
    assert after.note == (
        f"{before.note}\nImported into dementia: 1 added; OpenCodelists download, file opensafely-dementia.csv, "
        f"SHA-256 {sha256}."
    )
    assert {name for name, content in files(site).items() if others[name] != content} == {
        "flags.csv",
        "flags.yaml",
    }
    load_definitions(site)


def test_a_second_import_of_the_same_file_writes_nothing(site: Path, download: Path) -> None:
    answered(site, "import", download, "--concept", "dementia", "--list", "flags")
    set_metadata(site, "flags", reviewed_by="Dr A, GP, 2 May 2026")
    before = files(site)
    result = answered(site, "import", download, "--concept", "dementia", "--list", "flags")
    assert "flags stays as it is, so nothing was written." in result.stderr
    assert files(site) == before


def test_import_finds_the_only_list_that_has_the_concept(site: Path, download: Path) -> None:
    answered(site, "import", download, "--concept", "cognitive-problems")
    gained = codes(site, "efi", "cognitive-problems") - codes(default_site(), "efi", "cognitive-problems")
    assert NEW in gained


def test_a_dry_run_shows_and_writes_nothing(site: Path, download: Path) -> None:
    before = files(site)
    result = answered(site, "import", download, "--concept", "dementia", "--list", "flags", "--dry-run")
    assert "added" in result.stdout
    assert "nothing was written" in result.stderr
    assert files(site) == before


def test_out_writes_elsewhere_and_leaves_the_site(site: Path, download: Path, tmp_path: Path) -> None:
    before, out = files(site), tmp_path / "elsewhere" / "flags_new.csv"
    out.parent.mkdir()
    answered(site, "import", download, "--concept", "dementia", "--list", "flags", "--out", out)
    assert files(site) == before
    found = load_codelists(out.parent)["flags_new"]
    assert found.metadata.reviewed_by == UNREVIEWED
    added = set(found.entries) - set(load_codelists(lists_of(site))["flags"].entries)
    assert [(entry.concept, entry.code) for entry in added] == [("dementia", NEW)]


def test_files_keep_their_mode_and_no_leftover_stays(site: Path, download: Path) -> None:
    (lists_of(site) / "flags.csv").chmod(0o664)
    answered(site, "import", download, "--concept", "dementia", "--list", "flags")
    assert (lists_of(site) / "flags.csv").stat().st_mode & 0o777 == 0o664
    assert set(files(site)) == {path.name for path in SHIPPED.iterdir()}


BAD = f"code,term\n{NEW},New\n1089521000000100,Rounded\n52448007,Wrong digit\n"


def test_nothing_is_written_where_a_code_is_refused(site: Path, tmp_path: Path) -> None:
    before, path = files(site), written(tmp_path / "bad.csv", BAD)
    result = typed(site, "import", path, "--concept", "dementia", "--list", "flags")
    assert isinstance(result.exception, DefinitionError)
    assert (result.exception.exit_code, result.exception.row, result.exception.file) == (3, 3, str(path))
    assert "codes that cannot be taken: 2, so nothing was written." in result.exception.what
    assert "--skip-bad" in str(result.exception.remedy)
    told = words(result.stdout)
    assert "refused: row 3, 1089521000000100: a spreadsheet rounded it; download the file again" in told
    assert "refused: row 4, 52448007: is no SNOMED CT identifier" in told
    assert files(site) == before


def test_skip_bad_takes_the_sound_codes(site: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "bad.csv", BAD)
    result = answered(site, "import", path, "--concept", "dementia", "--list", "flags", "--skip-bad")
    assert "added: 1, reworded: 0, already there: 0, removed: 0, refused: 2" in result.stderr
    assert codes(site, "flags", "dementia") - codes(default_site(), "flags", "dementia") == {NEW}
    assert "1 added, 2 refused" in words(load_metadata(lists_of(site) / "flags.csv").note)


def test_a_contradiction_is_refused_before_it_is_written(site: Path, tmp_path: Path) -> None:
    before = files(site)
    path = written(tmp_path / "copd.csv", f"code,term\n{COPD_RESOLVED},COPD resolved\n")
    result = typed(site, "import", path, "--concept", "copd", "--list", "flags")
    assert isinstance(result.exception, DefinitionError)
    assert "under copd_resolved, which contradicts it" in words(result.stdout)
    assert files(site) == before


def test_replace_leaves_codes_of_other_systems(site: Path, download: Path) -> None:
    result = answered(site, "import", download, "--concept", "dementia", "--list", "flags", "--replace")
    entries = [
        entry for entry in load_codelists(lists_of(site))["flags"].entries if entry.concept == "dementia"
    ]
    assert {entry.code for entry in entries if entry.code_system == "snomed"} == {NEW, DEMENTIA}
    shipped = [entry for entry in load_codelists(SHIPPED)["flags"].entries if entry.concept == "dementia"]
    kept = {entry.code for entry in shipped if entry.code_system != "snomed"}
    assert kept
    assert {entry.code for entry in entries if entry.code_system != "snomed"} == kept
    gone = sum(entry.code_system == "snomed" for entry in shipped) - 1
    assert f"removed: {gone}" in result.stderr
    assert sum(line.startswith("removed ") for line in result.stdout.splitlines()) == gone


def test_a_reference_set_takes_its_terms_from_a_release(site: Path, tmp_path: Path) -> None:
    member = f"a\t20250101\t1\t999000011000000103\t{REFSET}\t{NEW}"
    path = written(tmp_path / "der2_Refset_SimpleUKPCSnapshot.txt", f"{REFSET_HEADER}\r\n{member}\r\n")
    arguments = ("import", path, "--concept", "dementia", "--list", "flags", "--refset", REFSET)
    first = answered(site, *arguments)
    assert "codes without a term: 1; --terms FILE" in first.stderr
    assert term_of(site, NEW) == f"member of refset {REFSET}"
    row = f"1\t20250101\t1\tm\t{NEW}\ten\t900000000000003001\tImpaired cognition (finding)\tc"
    terms = written(tmp_path / "sct2_Description.txt", f"{DESCRIPTION_HEADER}\r\n{row}\r\n")
    second = answered(site, *arguments, "--terms", terms, "--replace")
    assert "reworded: 1" in second.stderr
    assert term_of(site, NEW) == "Impaired cognition (finding)"


def test_a_reference_set_takes_the_terms_that_the_lists_have(site: Path, tmp_path: Path) -> None:
    member = f"a\t20250101\t1\t999000011000000103\t{REFSET}\t{KNOWN_ELSEWHERE}"
    path = written(tmp_path / "der2_Refset_SimpleUKPCSnapshot.txt", f"{REFSET_HEADER}\r\n{member}\r\n")
    result = answered(site, "import", path, "--concept", "dementia", "--list", "flags")
    (known,) = {
        entry.term for entry in load_codelists(SHIPPED)["efi"].entries if entry.code == KNOWN_ELSEWHERE
    }
    assert term_of(site, KNOWN_ELSEWHERE) == known
    assert "without a term" not in result.stderr


def term_of(site: Path, code: str) -> str:
    (term,) = {entry.term for entry in load_codelists(lists_of(site))["flags"].entries if entry.code == code}
    return term


def test_a_library_export_is_taken_system_by_system(site: Path, tmp_path: Path) -> None:
    header = "code,description,coding_system,concept_id,concept_name,phenotype_id,code_attributes"
    rows = ["E0099,Dementia,Read codes v2,C1,Dementia,PH1", "99999,Dementia,Med codes,C2,Dementia,PH1"]
    path = written(tmp_path / "PH1_ver_2_codelists.csv", "\r\n".join([header, *rows, ""]))
    assert refused(site, 3, "import", path, "--concept", "dementia", "--list", "flags").row == 3
    answered(site, "import", path, "--concept", "dementia", "--list", "flags", "--system", "readv2")
    assert codes(site, "flags", "dementia") - codes(default_site(), "flags", "dementia") == {"E0099"}


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (["--concept", "dementia"], "several lists have the concept dementia", "--list"),
        (["--concept", "demenita"], "no list has the concept demenita", "did you mean dementia"),
        (["--concept", "zzz"], "no list has the concept zzz", "--list"),
        (["--concept", "Dementia"], "is no concept name", "lower-case"),
        (["--concept", "dementia", "--list", "flag"], "no list of codes 'flag'", "flags"),
        (["--concept", "ckd", "--list", "efi_values"], "no list of codes 'efi_values'", "use one of"),
        (["--concept", "dementia", "--list", "flags", "--refset", "1"], "only a file of TRUD", "--refset"),
        (["--concept", "dementia", "--list", "flags", "--out", "new.txt"], "no name of a list", ".csv"),
    ],
)
def test_import_says_what_it_needs(
    site: Path, download: Path, arguments: list[str], what: str, remedy: str
) -> None:
    before = files(site)
    error = refused(site, 2, "import", download, *arguments)
    assert what in str(error)
    assert remedy in str(error.remedy)
    assert files(site) == before


def test_an_ambiguous_system_is_asked_for(site: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "read.csv", "code,term\nE0099,Dementia\n")
    error = refused(site, 2, "import", path, "--concept", "dementia", "--list", "flags")
    assert "could be readv2 or ctv3" in error.what
    answered(site, "import", path, "--concept", "dementia", "--list", "flags", "--system", "ctv3")
    found = {
        entry.code_system
        for entry in load_codelists(lists_of(site))["flags"].entries
        if entry.code == "E0099"
    }
    assert found == {"ctv3"}


def test_out_refuses_the_folders_that_riskstrat_keeps(site: Path, download: Path) -> None:
    (site / "output").mkdir()
    arguments = ("import", download, "--concept", "dementia", "--list", "flags", "--out")
    assert "riskstrat keeps for itself" in refused(site, 2, *arguments, site / "output" / "x.csv").what
    assert "its folder is not there" in refused(site, 2, *arguments, site / "nowhere" / "x.csv").what


def test_a_new_concept_is_named_as_such(site: Path, download: Path) -> None:
    result = answered(site, "import", download, "--concept", "memory_clinic", "--list", "flags")
    assert "memory_clinic is a new concept of flags" in result.stderr
    assert codes(site, "flags", "memory_clinic") == {NEW, DEMENTIA}


# diff


def rows_of(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_diff_shows_exactly_what_an_import_added(site: Path, download: Path) -> None:
    answered(site, "import", download, "--concept", "dementia", "--list", "flags")
    result = answered(site, "diff", SHIPPED, "--format", "csv")
    assert rows_of(result) == [
        {
            "list": "flags",
            "concept": "dementia",
            "change": "code added",
            "code_system": "snomed",
            "code": NEW,
            "term": "Impaired cognition, any",
        }
    ]
    assert result.stderr == "codes added: 1\n"
    (back,) = rows_of(answered(site, "diff", site, SHIPPED, "--format", "csv"))
    assert (back["change"], back["code"]) == ("code removed", NEW)


def test_diff_names_a_concept_that_came_or_went(site: Path, download: Path) -> None:
    answered(site, "import", download, "--concept", "memory_clinic", "--list", "flags")
    found = json.loads(answered(site, "diff", default_site(), "--format", "json").stdout)
    assert [(row["change"], row["code"]) for row in found] == [
        ("concept added", None),
        ("code added", DEMENTIA),
        ("code added", NEW),
    ]
    assert found[0]["term"] == "2 codes"
    table = answered(site, "diff", site, default_site()).stdout
    assert [line.split()[2:4] for line in table.splitlines()[2:]] == [
        ["concept", "removed"],
        ["code", "removed"],
        ["code", "removed"],
    ]


def test_diff_of_the_same_lists_says_so(site: Path) -> None:
    path = lists_of(site) / "flags.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",Falls\n", ",A fall\n"), encoding="utf-8")
    result = answered(site, "diff", SHIPPED)
    assert result.stdout == "The lists hold the same codes.\n"
    assert "codes that stayed with another term: " in result.stderr
    assert answered(site, "diff", SHIPPED, "--format", "json").stdout == "[\n]\n"


def test_diff_takes_single_files_whatever_their_names(site: Path, download: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.csv"
    answered(site, "import", download, "--concept", "dementia", "--list", "flags", "--out", out)
    (row,) = rows_of(answered(site, "diff", lists_of(site) / "flags.csv", out, "--format", "csv"))
    assert (row["list"], row["code"]) == ("new", NEW)
    namesake = Path(shutil.copy(out, tmp_path / "flags.csv"))
    (row,) = rows_of(answered(site, "diff", namesake, "--format", "csv"))
    assert (row["list"], row["change"]) == ("flags", "code removed")
    (row,) = rows_of(answered(site, "diff", SHIPPED, namesake, "--format", "csv"))
    assert (row["list"], row["change"]) == ("flags", "code added")
    assert "holds no list new" in refused(site, 2, "diff", out).what


def test_diff_refuses_what_is_no_list(site: Path, tmp_path: Path) -> None:
    assert "holds no code lists" in refused(site, 2, "diff", tmp_path / "nothing").what
    (tmp_path / "empty").mkdir()
    assert "holds no code lists" in refused(site, 2, "diff", tmp_path / "empty").what
    row = add_row(site, "flags", "dementia,snomed,52448007,Wrong digit")
    assert refused(site, 3, "diff", SHIPPED).row == row


# check


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
