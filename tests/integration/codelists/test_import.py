"""riskstrat codelist import: lists in, and what is refused."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from riskstrat.definitions.codelists import load_codelists
from riskstrat.definitions.everything import load_definitions
from riskstrat.definitions.metadata import UNREVIEWED, load_metadata
from riskstrat.errors import DefinitionError
from riskstrat.site import default_site
from tests.integration.codelists.commands import (
    COPD_RESOLVED,
    DEMENTIA,
    DOWNLOAD,
    KNOWN_ELSEWHERE,
    NEW,
    SHIPPED,
    answered,
    codes,
    files,
    lists_of,
    refused,
    set_metadata,
    typed,
    words,
    written,
)

pytestmark = pytest.mark.usefixtures("usual_terminal")

REFSET = "999012891000230104"
REFSET_HEADER = "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId"
DESCRIPTION_HEADER = (
    "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId"
)


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
