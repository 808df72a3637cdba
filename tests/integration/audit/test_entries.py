"""What an entry of the audit log says, and that it holds nobody's identity."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from riskstrat.audit import append, audit_rows, entries, read_entries, refusal, verify
from riskstrat.errors import NotPermittedError, RiskstratError
from riskstrat.keys import check_signing_keys, init_keys
from riskstrat.site import Site
from tests import factories
from tests.integration.audit.logs import filled, log_folder, new_site

BYTES_READ = Path("/proc/self/io")
WRITER = """
import sys
from pathlib import Path
from riskstrat.audit import append
from riskstrat.site import Site
folder = Path(sys.argv[1])
site = Site(root=folder, **{name: folder / name for name in ("landing", "state", "output", "keys")})
for place in range(200):
    append(site, "query", cohort=sys.argv[2], count=place)
"""


def test_two_processes_that_add_200_entries_each_give_one_chain(site: Site) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(site.root), name]) for name in ("left", "right")
    ]
    while any(writer.poll() is None for writer in writers):
        assert verify(site) == [], "a log that is being written to is whole at every moment"
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    assert verify(site) == []
    entries = [entry.facts for entry in read_entries(site)]
    assert [entry["n"] for entry in entries] == list(range(1, 401))
    for name in ("left", "right"):
        assert [entry["count"] for entry in entries if entry["cohort"] == name] == list(range(200))


def test_entry_that_the_disk_has_no_room_for_leaves_the_log_as_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = filled(site)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: whole(descriptor, line[:30]))
    with pytest.raises(RiskstratError, match="nothing is done"):
        append(site, "run", run="20260409-abcd", count=1)
    monkeypatch.undo()
    assert (log_folder(site) / "log.jsonl").read_bytes() == b"".join(lines)
    assert verify(site) == []


def test_refusal_for_want_of_a_key_is_logged_and_the_log_stays_whole(tmp_path: Path) -> None:
    site = new_site(tmp_path / "site", keys=False)
    with pytest.raises(NotPermittedError), refusal(site, "run", purpose="risk_stratification"):
        raise NotPermittedError("there is no site key.", remedy="make one.")
    init_keys(site.keys)
    assert verify(site) == []
    append(site, "run", run="20260409-abcd", count=1)
    (site.keys / "signing.key").chmod(0o644)
    with pytest.raises(NotPermittedError), refusal(site, "export", audience="gp_practice"):
        raise NotPermittedError("the signing key can be read by others.")
    (site.keys / "signing.key").chmod(0o600)
    assert verify(site) == []
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site) == []
    outcomes = [entry.facts["outcome"] for entry in read_entries(site)]
    assert outcomes == ["refused", "done", "refused", "done"]


def test_reason_holds_no_identifier(site: Site) -> None:
    number = factories.nhs_number(1)
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    append(site, "reidentify", reason=f"asked about {number}, {spaced} and {'ab' * 16}\nnow", count=1)
    text = (log_folder(site) / "log.jsonl").read_text()
    assert number not in text
    assert spaced not in text
    assert "ab" * 16 not in text
    assert "asked about [masked], [masked] and [masked] now" in text


def test_nothing_that_somebody_types_holds_an_identifier(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    number = factories.nhs_number(1)
    dotted = f"{number[:3]}.{number[3:6]}.{number[6:]}"
    monkeypatch.setenv("RISKSTRAT_USER", f"for {number}\n{'u' * 200}")
    typed = dict.fromkeys(("audience", "area", "recipient", "cohort", "list"), f"of {number} ")
    with pytest.raises(NotPermittedError), refusal(site, "export", **typed, run="20260401-1234567890"):
        raise NotPermittedError(f"there is no audience '{dotted}'.")
    entry = read_entries(site)[-1].facts
    text = (log_folder(site) / "log.jsonl").read_text()
    assert number not in text
    assert dotted not in text
    assert entry["area"] == "of [masked]"
    assert entry["run"] == "20260401-1234567890"
    assert len(entry["who"]) == 80
    assert verify(site) == []


def test_condition_is_kept_as_its_hash_only(site: Site) -> None:
    audit_rows(site, f"person_id = '{'ab' * 16}'", "20260401-abcd", 1)
    audit_rows(site, "luton_core", "20260401-abcd", 12)
    shown, named = (entry.facts for entry in read_entries(site))
    assert "ab" * 16 not in json.dumps(shown)
    assert len(shown["where_hash"]) == 64
    assert shown["where_hash"] != hashlib.sha256(f"person_id = '{'ab' * 16}'".encode()).hexdigest()
    assert (named["cohort"], named["count"]) == ("luton_core", 12)


def test_log_is_for_its_owner_alone(site: Site) -> None:
    filled(site)
    assert stat.S_IMODE(log_folder(site).stat().st_mode) == 0o700
    for path in log_folder(site).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_entry_says_who_and_when_in_utc(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKSTRAT_USER", "night run")
    entry = append(site, "run", run="20260401-abcd", count=1)
    assert entry["who"] == "night run"
    assert entry["at"].endswith("+00:00")


def test_name_that_somebody_chose_stands_beside_the_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = pwd.getpwuid(os.getuid()).pw_name
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "dr.jones")
    assert append(site, "query", count=1)["who"] == account
    monkeypatch.setenv("RISKSTRAT_USER", "dr.jones")
    entry = append(site, "query", count=1)
    assert (entry["who"], entry["account"]) == ("dr.jones", account)
    monkeypatch.setenv("RISKSTRAT_USER", account)
    assert "account" not in append(site, "query", count=1)


def test_entry_is_not_signed_with_a_key_that_readers_do_not_know(site: Site, tmp_path: Path) -> None:
    filled(site)
    other = new_site(tmp_path / "other")
    shutil.copy(other.keys / "signing.key", site.keys / "signing.key")
    head = (log_folder(site) / "head.json").read_bytes()
    with pytest.raises(NotPermittedError), refusal(site, "run"):
        check_signing_keys(site.keys)
    assert "signature" not in read_entries(site)[-1].facts
    assert (log_folder(site) / "head.json").read_bytes() == head


@pytest.mark.skipif(not BYTES_READ.exists(), reason="only Linux tells how much a process has read")
def test_an_entry_reads_no_more_of_a_long_log_than_of_a_short_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "TAIL_BYTES", 1_000)

    def read_for_one_more() -> int:
        before = _bytes_read()
        append(site, "query", cohort="luton_core", count=1)
        return _bytes_read() - before

    for _ in range(10):
        append(site, "query", cohort="luton_core", count=1)
    short = read_for_one_more()
    for _ in range(60):
        append(site, "query", cohort="luton_core", count=1)
    assert (log_folder(site) / entries.LOG).stat().st_size > 20_000
    assert read_for_one_more() <= short + 100, "a line's number may be longer, and nothing else"


def _bytes_read() -> int:
    """What this process has read so far; asking reads the same few bytes every time."""
    return int(BYTES_READ.read_text(encoding="ascii").split()[1])
