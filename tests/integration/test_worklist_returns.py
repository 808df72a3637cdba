"""riskstrat worklist returns: what it says, what it writes down, whom it refuses, and what becomes of it later."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.certificates import read_certificate
from riskstrat.guards import locked
from riskstrat.keys import read_site_key
from riskstrat.progress import Progress
from riskstrat.purging import purge_people
from riskstrat.returns import store
from riskstrat.rotation import rotate
from riskstrat.site import Site
from tests import factories
from tests.end_to_end.command import Answer, riskstrat
from tests.fake_returns import (
    AREA,
    FIRST,
    LIST,
    OTHER_AREA,
    SECOND,
    THIRD,
    as_csv,
    as_xlsx,
    pseudonym,
    publish,
    put,
    row,
    seen,
    write_site,
)
from tests.identifiers import Identifiers

QUIET = Progress(quiet=True)
BOOKS = ("applied", "quarantined", "duplicates", "not_filled_in")

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return write_site(tmp_path / "site", [FIRST, SECOND])


@pytest.fixture
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def returns(capsys: pytest.CaptureFixture[str], site: Site, content: bytes, *more: str) -> Answer:
    return riskstrat(capsys, site.root, "worklist", "returns", str(put(site.root.parent, content)), *more)


MIXED = [
    seen(0),
    seen(1, outcome="referred", referred_to="falls_service"),
    seen(2, outcome="sen"),
    seen(3, area_code=OTHER_AREA),
    row(4),
    seen(5),
    seen(5),
]


def test_books_are_printed_and_balance(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    answer = returns(capsys, site, as_csv(MIXED))
    assert answer.code == 0, answer.err
    lines = {line[:14].strip(): line[14:] for line in answer.out.splitlines() if line[:14].strip()}
    assert lines["read"] == "7 rows"
    assert lines["applied"] == "3 (referred 1, seen 2)"
    assert (lines["set aside"], lines["said before"], lines["not filled in"]) == ("2", "1", "1")
    assert lines["lists"] == f"{LIST} of {FIRST}"
    assert lines["see"].endswith(".csv")
    assert "1 outcome: This is no outcome of returns.yaml. Did you mean 'seen'?" in answer.out
    assert max(map(len, answer.out.replace(lines["see"], "").splitlines())) <= 100


def test_books_of_json_balance(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    answer = returns(
        capsys, site, as_xlsx({"In hospital": MIXED[:4], "Discharged": MIXED[4:]}), "--format", "json"
    )
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert told["read"] == sum(told[name] for name in BOOKS) == 7
    assert told["outcomes"] == {"referred": 1, "seen": 2}
    assert Path(told["stored"]).is_file()


def test_same_file_again_says_so_and_ends_well(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    returns(capsys, site, as_csv(MIXED))
    before = {path: path.read_bytes() for path in (site.state / "returns").rglob("*.*")}
    answer = returns(capsys, site, as_csv(MIXED))
    assert answer.code == 0
    assert "taken back before; nothing has changed" in answer.err
    assert {path: path.read_bytes() for path in (site.state / "returns").rglob("*.*")} == before


def test_correction_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    returns(capsys, site, as_csv([seen(0)]))
    answer = returns(capsys, site, as_csv([seen(0, outcome="declined")]))
    assert "1 (declined 1); 1 take the place of an earlier answer" in answer.out


def test_renamed_column_ends_with_4_and_names_the_near_one(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = returns(capsys, site, as_csv(MIXED).replace(b"q2_falls", b"q2_fall"))
    assert answer.code == 4
    assert "column q2_fall: is no column of a list." in answer.err
    assert "did you mean 'q2_falls'?" in answer.err
    assert not store.stored(site.state)


def test_file_without_an_answer_that_can_be_taken_ends_with_4(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = returns(capsys, site, as_csv([seen(0, outcome="sen"), row(1)]))
    assert answer.code == 4
    assert "no answer in the file could be taken" in answer.err
    assert "set aside     1" in answer.out


def test_list_on_which_nothing_was_filled_in_is_no_error(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = returns(capsys, site, as_csv([row(person) for person in range(5)]))
    assert answer.code == 0
    assert "not filled in 5" in answer.out
    assert not store.stored(site.state)


def test_dry_run_keeps_nothing_and_logs_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    answer = returns(capsys, site, as_csv(MIXED), "--dry-run", "--area", AREA)
    assert answer.code == 0
    assert "a dry run: nothing was kept" in answer.err
    assert not (site.state / "returns").exists()
    assert read_entries(site) == []
    with locked(site):  # a dry run needs no lock
        assert returns(capsys, site, as_csv(MIXED), "--dry-run").code == 0


def test_return_waits_for_no_run(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(site):
        assert returns(capsys, site, as_csv(MIXED)).code == 7
    assert not store.stored(site.state)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("purpose: direct_care", "purpose: commissioning"),
        ("valid_from: 1900-01-01", "valid_from: 2026-04-03"),
    ],
    ids=["no basis", "one that begins later"],
)
def test_without_a_live_basis_for_direct_care_it_is_refused_and_logged(
    site: Site, capsys: pytest.CaptureFixture[str], right: str, wrong: str
) -> None:
    path = site.config / "legal_basis.yaml"
    head, basis = path.read_text().split("\n  direct_care:\n    extracts")
    path.write_text(f"{head}\n  direct_care:\n    extracts{basis.replace(right, wrong, 1)}")
    answer = returns(capsys, site, as_csv(MIXED))
    assert answer.code == 5
    assert "for the purpose direct_care" in answer.err
    assert not store.stored(site.state)
    (entry,) = read_entries(site)
    assert (entry.facts["action"], entry.facts["outcome"]) == ("returns", "refused")


def test_without_the_site_key_nobody_can_be_found(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    (site.keys / "site.key").unlink()
    assert returns(capsys, site, as_csv(MIXED)).code == 5


def test_log_says_how_many_and_never_whom(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    returns(capsys, site, as_csv(MIXED))
    returns(capsys, site, as_csv(MIXED).replace(b"q2_falls", b"q2_fall"))
    first, second = (entry.facts for entry in read_entries(site))
    assert first["action"] == second["action"] == "returns"
    assert (first["list"], first["count"], first["purpose"]) == (f"{LIST} of {FIRST}", 3, "direct_care")
    assert first["counts"] == {
        **dict(zip(BOOKS, (3, 2, 1, 1), strict=True)),
        "read": 7,
        "replaced": 0,
    }
    assert second["reason"] == "the whole file was set aside"
    assert len(first["file_sha256"]) == len(second["file_sha256"]) == 64
    assert verify(site) == []
    assert "counts" in riskstrat(capsys, site.root, "audit", "list").out


def test_no_number_and_no_name_is_kept_anywhere(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    found = Identifiers(
        numbers={factories.nhs_number(person).encode() for person in range(12)}, names={b"Quillfeather"}
    )
    answer = returns(capsys, site, as_csv(MIXED))
    whole = returns(capsys, site, as_csv(MIXED).split(b"\r\n", 1)[1])
    assert (answer.code, whole.code) == (0, 4)
    printed = (answer.out + answer.err + whole.out + whole.err).encode()
    assert list(found.found_in(printed)) == []
    kept = [path for path in site.state.rglob("*") if path.is_file() and "vault" not in path.parts]
    assert [path.name for path in kept if path.suffix == ".parquet"]
    assert [found.found_in_file(path) for path in kept] == [[]] * len(kept)
    assert list(found.found_in(as_csv(MIXED)))  # the search finds what is there


# Rotation, erasure, retention


def test_rotation_gives_the_returns_the_new_identifiers(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    returns(capsys, site, as_csv([seen(0), seen(1, outcome="declined")]))
    before = store.read_all(site.state)
    rotate(site, QUIET)
    after = store.read_all(site.state)
    assert after["person_id"].to_pylist() == [pseudonym(site, 0), pseudonym(site, 1)]
    assert not set(after["person_id"].to_pylist()) & set(before["person_id"].to_pylist())
    assert after.drop(["person_id"]).equals(before.drop(["person_id"]))
    (path,) = store.stored(site.state).values()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = returns(
        capsys, site, as_csv([seen(0), seen(1, outcome="declined")])
    )  # the sheet names the old run
    assert (again.code, "said before   2" in again.out) == (0, True)


def test_somebody_whom_the_vault_does_not_know_gets_one_identifier_in_runs_and_returns(site: Site) -> None:
    import pyarrow.parquet as pq

    stranger, gone = "a" * 32, "b" * 32
    rows = [{"row_number": 1, "list": LIST, "list_as_of": FIRST, "outcome": "seen", "outcome_date": FIRST}]
    store.write_return(site.state, "20260401-0000000000", [{**rows[0], "person_id": stranger}])
    store.write_return(site.state, "20260401-1111111111", [{**rows[0], "person_id": gone}])
    folder = site.output / "runs" / publish_with(site, stranger)
    rotate(site, QUIET)
    people = store.read_all(site.state)["person_id"].to_pylist()
    assert not {stranger, gone} & set(people)
    assert len(set(people)) == 2
    assert not folder.exists()
    (new,) = (site.output / "runs").glob(f"{THIRD:%Y%m%d}-*")
    assert people[0] in pq.read_table(new / "lists" / f"{LIST}.parquet")["person_id"].to_pylist()


def publish_with(site: Site, person: str) -> str:
    """Publish a run on whose list stands somebody else; its folder's name."""
    import hashlib

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = publish(site, THIRD)
    path = folder / "lists" / f"{LIST}.parquet"
    table = pq.read_table(path)
    one = pa.Table.from_pylist([{"list": LIST, "area_code": AREA, "person_id": person}], table.schema)
    pq.write_table(pa.concat_tables([table, one]), path)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][f"lists/{LIST}.parquet"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder.name


KILLED_BEFORE = """
import os, signal, sys
from pathlib import Path
from riskstrat import replacing, rotation
from riskstrat.progress import Progress
from riskstrat.site import load_site

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "decide":
    rotation.decide = dies
else:
    replacing.STEPS = tuple(dies if step.__name__ == sys.argv[2] else step for step in replacing.STEPS)
rotation.rotate(load_site(Path(sys.argv[1])), Progress(quiet=True))
"""


@pytest.mark.parametrize("step", ["decide", "bring_in", "take_vault", "take_returns", "take_key", "close"])
def test_interrupted_rotation_leaves_returns_that_fit_the_key(
    site: Site, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    returns(capsys, site, as_csv([seen(0)]))
    before, key = store.read_all(site.state), read_site_key(site.keys)
    ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE, str(site.root), step], check=False)
    assert ended.returncode == -signal.SIGKILL
    if step == "decide":
        assert store.read_all(site.state).equals(before)
        assert returns(capsys, site, as_csv([seen(1)])).code == 0
    else:
        assert returns(capsys, site, as_csv([seen(1)])).code == 5  # what is there may not fit together
        assert len(store.stored(site.state)) == 1
    rotate(site, QUIET)
    assert read_site_key(site.keys) != key
    people = store.read_all(site.state)["person_id"].to_pylist()
    assert people[0] == pseudonym(site, 0)
    assert list((site.state / "returns").glob("*.next")) == []


def test_erased_people_leave_the_returns(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    returns(capsys, site, as_csv([seen(0), seen(1)]))
    publish(site, THIRD)
    returns(capsys, site, as_csv([seen(0, SECOND)]))
    erased = pseudonym(site, 0)
    purged = purge_people(site, [factories.nhs_number(0)], QUIET)
    assert purged.content["returned_rows_removed"] == 2
    assert purged.path is not None
    assert read_certificate(site, purged.path) == purged.content
    assert store.read_all(site.state)["person_id"].to_pylist() == [pseudonym(site, 1)]
    holders = [
        path for path in site.state.rglob("*") if path.is_file() and erased.encode() in path.read_bytes()
    ]
    assert holders == []


def test_somebody_only_in_the_returns_is_erased_too(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    returns(capsys, site, as_csv([seen(0), seen(1)]))
    shutil.rmtree(site.output / "runs")
    (site.output / "runs").mkdir()
    (site.output / "latest").unlink()
    (site.state / "vault" / "identity.parquet.age").unlink()
    assert purge_people(site, [factories.nhs_number(1)], QUIET).content["returned_rows_removed"] == 1
    assert store.read_all(site.state)["person_id"].to_pylist() == [pseudonym(site, 0)]


def test_old_returns_go_with_what_was_set_aside_of_them(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    returns(capsys, site, as_csv(MIXED))
    publish(site, THIRD)
    returns(capsys, site, as_csv([seen(0, SECOND), seen(2, SECOND, outcome="sen")]))
    answer = riskstrat(capsys, site.root, "purge", "--layer", "returns", "--before", THIRD.isoformat())
    assert answer.code == 0, answer.err
    left = sorted(path.name[:8] for path in (site.state / "returns").rglob("*.*"))
    assert left == [f"{THIRD:%Y%m%d}"] * 2
    assert date(2026, 4, 3) == THIRD
