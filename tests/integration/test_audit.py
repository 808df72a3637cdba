"""The audit log: whatever is done to it afterwards is found, and it holds nobody's identity."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from riskstrat.audit import append, audit_rows, read_entries, refusal, verify
from riskstrat.errors import MisuseError, NotPermittedError, RiskstratError
from riskstrat.keys import init_keys
from riskstrat.site import Site
from tests import factories
from tests.end_to_end.command import riskstrat

ENTRIES = 8


def new_site(folder: Path, *, keys: bool = True) -> Site:
    for name in ("config", "data_contracts", "pipelines"):
        (folder / name).mkdir(parents=True)
    if keys:
        init_keys(folder / "keys")
    rooms = {name: folder / name for name in ("landing", "state", "output", "keys")}
    return Site(root=folder, **rooms)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return new_site(tmp_path / "site")


def _filled(site: Site) -> list[bytes]:
    for place in range(1, ENTRIES + 1):
        append(site, "run", purpose="risk_stratification", run=f"2026040{place}-abcd", count=place)
    return (_folder(site) / "log.jsonl").read_bytes().splitlines(keepends=True)


def _folder(site: Site) -> Path:
    return site.state / "audit"


def _without(place: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [line for other, line in enumerate(lines, start=1) if other != place]


def _edited(place: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        assert old in lines[place - 1]
        return [
            line.replace(old, new) if other == place else line for other, line in enumerate(lines, start=1)
        ]

    return change


TAMPERING: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a changed count": (_edited(3, b'"count":3', b'"count":9'), "entry 3 (line 3): was changed"),
    "a changed byte of a hash": (_edited(5, b'"hash":"', b'"hash":"0'), "entry 5 (line 5)"),
    "the first line removed": (_without(1), "entry 1 is missing"),
    "a middle line removed": (_without(4), "entry 4 is missing"),
    "the last line removed": (_without(ENTRIES), f"names entry {ENTRIES}"),
    "two lines exchanged": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "entry 4 (line 3)"),
    "a line doubled": (lambda lines: [*lines[:4], lines[3], *lines[4:]], "stands where entry 5 should"),
    "a line added": (lambda lines: [*lines[:4], lines[1], *lines[4:]], "entry 2 (line 5)"),
    "a file cut off in a line": (lambda lines: [*lines[:6], lines[6][:20]], "line 7: is no entry"),
    "a file cut off at a line": (lambda lines: lines[:3], "ends early"),
    "an empty file": (lambda _: [], "ends early"),
    "a line that is no JSON": (lambda lines: [*lines[:2], b"\xff\x00\n", *lines[3:]], "line 3: is no entry"),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_what_was_done_to_the_log_is_found_and_named(site: Site, kind: str) -> None:
    lines = _filled(site)
    assert verify(site) == []
    change, expected = TAMPERING[kind]
    (_folder(site) / "log.jsonl").write_bytes(b"".join(change(lines)))
    assert expected in verify(site)[0]


@pytest.mark.parametrize("kind", TAMPERING)
def test_an_entry_that_follows_does_not_hide_what_was_done_before_it(site: Site, kind: str) -> None:
    lines = _filled(site)
    (_folder(site) / "log.jsonl").write_bytes(b"".join(TAMPERING[kind][0](lines)))
    append(site, "run", run="20260409-abcd", count=1)
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site)


def _forged(line: bytes) -> bytes:
    """A changed entry whose hash is right again, as somebody without the signing key could write it."""
    from riskstrat.audit.entries import canonical, entry_hash

    facts = json.loads(line) | {"count": 1_000_000}
    return canonical(facts | {"hash": entry_hash(facts)}) + b"\n"


def test_changed_entry_with_a_hash_made_anew_is_found_by_its_signature(site: Site) -> None:
    lines = _filled(site)
    (_folder(site) / "log.jsonl").write_bytes(b"".join([*lines[:-1], _forged(lines[-1])]))
    assert "does not carry the site's signature" in verify(site)[0]


def test_entry_written_by_hand_is_found(site: Site) -> None:
    from riskstrat.audit.entries import canonical, entry_hash

    last = json.loads(_filled(site)[-1])
    facts = {"n": last["n"] + 1, "action": "purge", "outcome": "done", "previous": last["hash"]}
    with (_folder(site) / "log.jsonl").open("ab") as stream:
        stream.write(canonical(facts | {"hash": entry_hash(facts)}) + b"\n")
    assert "is not signed" in verify(site)[0]
    append(site, "run", run="20260409-abcd", count=1)
    assert "is not signed" in verify(site)[0]


@pytest.mark.parametrize("kind", ["removed", "older", "of another site", "no JSON", "another number"])
def test_replaced_head_is_found(site: Site, kind: str, tmp_path: Path) -> None:
    head = _folder(site) / "head.json"
    append(site, "run", run="20260401-abcd", count=1)
    older = head.read_bytes()
    _filled(site)
    other = new_site(tmp_path / "other")
    _filled(other)
    if kind == "removed":
        head.unlink()
    else:
        changed = json.dumps(json.loads(head.read_text()) | {"n": 3}).encode()
        head.write_bytes(
            {
                "older": older,
                "of another site": (_folder(other) / "head.json").read_bytes(),
                "no JSON": b"{",
                "another number": changed,
            }[kind]
        )
    assert "head.json" in verify(site)[0]


def test_removing_the_head_and_the_end_of_the_log_stays_visible_after_the_next_entry(site: Site) -> None:
    lines = _filled(site)
    (_folder(site) / "head.json").unlink()
    (_folder(site) / "log.jsonl").write_bytes(b"".join(lines[:4]))
    assert verify(site)
    append(site, "run", run="20260409-abcd", count=1)
    assert "entry 5" in verify(site)[0]


def test_head_that_was_kept_elsewhere_shows_that_log_and_head_were_put_back_together(
    site: Site, tmp_path: Path
) -> None:
    append(site, "run", run="20260401-abcd", count=1)
    shutil.copytree(_folder(site), tmp_path / "earlier")
    _filled(site)
    kept = tmp_path / "kept.json"
    shutil.copy(_folder(site) / "head.json", kept)
    assert verify(site, kept) == []
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site, kept) == []
    shutil.rmtree(_folder(site))
    shutil.copytree(tmp_path / "earlier", _folder(site))
    assert verify(site) == []
    assert "the kept head" in verify(site, kept)[0]
    with pytest.raises(MisuseError):
        verify(site, tmp_path / "nothing.json")


def test_exchanged_public_key_is_found(site: Site, tmp_path: Path) -> None:
    _filled(site)
    other = new_site(tmp_path / "other")
    shutil.copy(other.keys / "signing.pub", site.keys / "signing.pub")
    assert "signing.pub" in verify(site)[0]


def test_auditor_with_the_public_half_alone_can_verify(site: Site) -> None:
    _filled(site)
    (site.keys / "signing.key").unlink()
    assert verify(site) == []


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


def test_command_that_ended_between_log_and_head_is_healed_by_the_next_entry(site: Site) -> None:
    _filled(site)
    head = (_folder(site) / "head.json").read_bytes()
    append(site, "run", run="20260409-abcd", count=1)
    (_folder(site) / "head.json").write_bytes(head)
    assert "or a command ended before it was written" in verify(site)[0]
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site) == []


def test_entry_that_the_disk_has_no_room_for_leaves_the_log_as_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = _filled(site)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: whole(descriptor, line[:30]))
    with pytest.raises(RiskstratError, match="nothing is done"):
        append(site, "run", run="20260409-abcd", count=1)
    monkeypatch.undo()
    assert (_folder(site) / "log.jsonl").read_bytes() == b"".join(lines)
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


def test_something_done_without_a_signing_key_is_pointed_out(tmp_path: Path) -> None:
    site = new_site(tmp_path / "site", keys=False)
    append(site, "run", run="20260401-abcd", count=1)
    init_keys(site.keys)
    assert "is not signed" in verify(site)[0]


def test_reason_holds_no_identifier(site: Site) -> None:
    number = factories.nhs_number(1)
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    append(site, "reidentify", reason=f"asked about {number}, {spaced} and {'ab' * 16}\nnow", count=1)
    text = (_folder(site) / "log.jsonl").read_text()
    assert number not in text
    assert spaced not in text
    assert "ab" * 16 not in text
    assert "asked about [masked], [masked] and [masked] now" in text


def test_condition_is_kept_as_its_hash_only(site: Site) -> None:
    audit_rows(site, f"person_id = '{'ab' * 16}'", "20260401-abcd", 1)
    audit_rows(site, "luton_core", "20260401-abcd", 12)
    shown, named = (entry.facts for entry in read_entries(site))
    assert "ab" * 16 not in json.dumps(shown)
    assert len(shown["where_hash"]) == 64
    assert shown["where_hash"] != hashlib.sha256(f"person_id = '{'ab' * 16}'".encode()).hexdigest()
    assert (named["cohort"], named["count"]) == ("luton_core", 12)


def test_log_is_for_its_owner_alone(site: Site) -> None:
    _filled(site)
    assert stat.S_IMODE(_folder(site).stat().st_mode) == 0o700
    for path in _folder(site).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_entry_says_who_and_when_in_utc(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKSTRAT_USER", "night run")
    entry = append(site, "run", run="20260401-abcd", count=1)
    assert entry["who"] == "night run"
    assert entry["at"].endswith("+00:00")


def test_an_entry_costs_milliseconds(site: Site) -> None:
    append(site, "query", cohort="luton_core", count=1)
    begun = time.perf_counter()
    for _ in range(20):
        append(site, "query", cohort="luton_core", count=1)
    assert (time.perf_counter() - begun) / 20 < 0.1


@pytest.mark.usefixtures("usual_terminal")
def test_verify_and_list_as_commands(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    lines = _filled(site)
    answer = riskstrat(capsys, site.root, "audit", "verify")
    assert (answer.code, answer.out) == (0, f"{ENTRIES} entries, none changed, removed or moved.\n")
    listed = riskstrat(capsys, site.root, "audit", "list", "--action", "run", "--last", "2")
    assert "20260408-abcd" in listed.out
    assert "20260406-abcd" not in listed.out
    assert riskstrat(
        capsys, site.root, "audit", "list", "--action", "export", "--format", "json"
    ).out.split() == ["[", "]"]
    (_folder(site) / "log.jsonl").write_bytes(b"".join(_without(4)(lines)))
    answer = riskstrat(capsys, site.root, "audit", "verify")
    assert answer.code == 1
    assert "entry 4 is missing" in answer.err.splitlines()[-1]


@pytest.mark.usefixtures("usual_terminal")
def test_site_without_a_log_has_nothing_to_verify(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert riskstrat(capsys, site.root, "audit", "verify").code == 0
