"""Whatever is done to the audit log afterwards is found."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from riskstrat.audit import append, verify
from riskstrat.audit.accounting import unaccounted
from riskstrat.certificates import file_certificate, heading, write_pending
from riskstrat.errors import MisuseError
from riskstrat.keys import init_keys
from riskstrat.site import Site
from tests.end_to_end.command import riskstrat
from tests.integration.audit.logs import ENTRIES, filled, log_folder, new_site, without


def edited(place: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        assert old in lines[place - 1]
        return [
            line.replace(old, new) if other == place else line for other, line in enumerate(lines, start=1)
        ]

    return change


TAMPERING: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a changed count": (edited(3, b'"count":3', b'"count":9'), "entry 3 (line 3): was changed"),
    "a changed byte of a hash": (edited(5, b'"hash":"', b'"hash":"0'), "entry 5 (line 5)"),
    "the first line removed": (without(1), "entry 1 is missing"),
    "a middle line removed": (without(4), "entry 4 is missing"),
    "the last line removed": (without(ENTRIES), f"names entry {ENTRIES}"),
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
    lines = filled(site)
    assert verify(site) == []
    change, expected = TAMPERING[kind]
    (log_folder(site) / "log.jsonl").write_bytes(b"".join(change(lines)))
    assert expected in verify(site)[0]


@pytest.mark.parametrize("kind", TAMPERING)
def test_an_entry_that_follows_does_not_hide_what_was_done_before_it(site: Site, kind: str) -> None:
    lines = filled(site)
    (log_folder(site) / "log.jsonl").write_bytes(b"".join(TAMPERING[kind][0](lines)))
    append(site, "run", run="20260409-abcd", count=1)
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site)


def _forged(line: bytes) -> bytes:
    """A changed entry whose hash is right again, as somebody without the signing key could write it."""
    from riskstrat.audit.entries import canonical, entry_hash

    facts = json.loads(line) | {"count": 1_000_000}
    return canonical(facts | {"hash": entry_hash(facts)}) + b"\n"


def test_changed_entry_with_a_hash_made_anew_is_found_by_its_signature(site: Site) -> None:
    lines = filled(site)
    (log_folder(site) / "log.jsonl").write_bytes(b"".join([*lines[:-1], _forged(lines[-1])]))
    assert "does not carry the site's signature" in verify(site)[0]


def test_entry_written_by_hand_is_found(site: Site) -> None:
    from riskstrat.audit.entries import canonical, entry_hash

    last = json.loads(filled(site)[-1])
    facts = {"n": last["n"] + 1, "action": "purge", "outcome": "done", "previous": last["hash"]}
    with (log_folder(site) / "log.jsonl").open("ab") as stream:
        stream.write(canonical(facts | {"hash": entry_hash(facts)}) + b"\n")
    assert "is not signed" in verify(site)[0]
    append(site, "run", run="20260409-abcd", count=1)
    assert "is not signed" in verify(site)[0]


def _cut_after(site: Site, place: int) -> dict:
    """Cut the log after an entry, and return that entry."""
    lines = (log_folder(site) / "log.jsonl").read_bytes().splitlines(keepends=True)
    (log_folder(site) / "log.jsonl").write_bytes(b"".join(lines[:place]))
    return dict(json.loads(lines[place - 1]))


@pytest.mark.parametrize("place", [1, 4, ENTRIES - 1])
def test_no_head_can_be_made_of_an_entry_to_hide_those_after_it(site: Site, place: int) -> None:
    filled(site)
    last = _cut_after(site, place)
    head = {name: last[name] for name in ("n", "hash", "signature")}
    (log_folder(site) / "head.json").write_text(json.dumps(head))
    assert "does not carry the site's signature" in verify(site)[0]
    append(site, "run", run="20260409-abcd", count=1)
    assert "entries before it may be gone" in verify(site)[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b"{", b'{"count":1,', 1),
        lambda line: line.replace(b",", b", ", 1),
        lambda line: line.replace(b'"run"', b'"\\u0072un"', 1),
    ],
    ids=["a fact before the true one", "a space", "a letter written otherwise"],
)
def test_line_that_says_the_same_in_other_bytes_is_found(
    site: Site, change: Callable[[bytes], bytes]
) -> None:
    """Whoever reads the file itself must read what was written, not what a parser makes of it."""
    lines = filled(site)
    changed = [change(line) if place == 3 else line for place, line in enumerate(lines, start=1)]
    assert changed != lines
    (log_folder(site) / "log.jsonl").write_bytes(b"".join(changed))
    assert verify(site)[0].startswith("entry 3 (line 3): was changed")


@pytest.mark.parametrize("kind", ["removed", "older", "of another site", "no JSON", "another number"])
def test_replaced_head_is_found(site: Site, kind: str, tmp_path: Path) -> None:
    head = log_folder(site) / "head.json"
    append(site, "run", run="20260401-abcd", count=1)
    older = head.read_bytes()
    filled(site)
    other = new_site(tmp_path / "other")
    filled(other)
    if kind == "removed":
        head.unlink()
    else:
        changed = json.dumps(json.loads(head.read_text()) | {"n": 3}).encode()
        head.write_bytes(
            {
                "older": older,
                "of another site": (log_folder(other) / "head.json").read_bytes(),
                "no JSON": b"{",
                "another number": changed,
            }[kind]
        )
    assert "head.json" in verify(site)[0]


def test_removing_the_head_and_the_end_of_the_log_stays_visible_after_the_next_entry(site: Site) -> None:
    lines = filled(site)
    (log_folder(site) / "head.json").unlink()
    (log_folder(site) / "log.jsonl").write_bytes(b"".join(lines[:4]))
    assert verify(site)
    append(site, "run", run="20260409-abcd", count=1)
    assert "entry 5" in verify(site)[0]


def test_head_that_was_kept_elsewhere_shows_that_log_and_head_were_put_back_together(
    site: Site, tmp_path: Path
) -> None:
    append(site, "run", run="20260401-abcd", count=1)
    shutil.copytree(log_folder(site), tmp_path / "earlier")
    filled(site)
    kept = tmp_path / "kept.json"
    shutil.copy(log_folder(site) / "head.json", kept)
    assert verify(site, kept) == []
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site, kept) == []
    shutil.rmtree(log_folder(site))
    shutil.copytree(tmp_path / "earlier", log_folder(site))
    assert verify(site) == []
    assert "the kept head" in verify(site, kept)[0]
    with pytest.raises(MisuseError):
        verify(site, tmp_path / "nothing.json")


def test_exchanged_public_key_is_found(site: Site, tmp_path: Path) -> None:
    filled(site)
    other = new_site(tmp_path / "other")
    shutil.copy(other.keys / "signing.pub", site.keys / "signing.pub")
    assert "signing.pub" in verify(site)[0]


def test_auditor_with_the_public_half_alone_can_verify(site: Site) -> None:
    filled(site)
    (site.keys / "signing.key").unlink()
    assert verify(site) == []


def test_command_that_ended_between_log_and_head_is_healed_by_the_next_entry(site: Site) -> None:
    filled(site)
    head = (log_folder(site) / "head.json").read_bytes()
    append(site, "run", run="20260409-abcd", count=1)
    (log_folder(site) / "head.json").write_bytes(head)
    assert "or a command ended before it was written" in verify(site)[0]
    append(site, "run", run="20260410-abcd", count=1)
    assert verify(site) == []


def test_something_done_without_a_signing_key_is_pointed_out(tmp_path: Path) -> None:
    site = new_site(tmp_path / "site", keys=False)
    append(site, "run", run="20260401-abcd", count=1)
    init_keys(site.keys)
    assert "is not signed" in verify(site)[0]


def _published(site: Site, run: str) -> Path:
    manifest = site.output / "runs" / run / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"run": run}))
    append(site, "run", run=run, manifest_sha256=hashlib.sha256(manifest.read_bytes()).hexdigest())
    return manifest


def test_runs_bear_witness_against_a_log_that_was_put_back(site: Site) -> None:
    """An older log with its own head is whole by itself; what was published since is not on it."""
    _published(site, "20260401-abcd")
    older = {path.name: path.read_bytes() for path in log_folder(site).iterdir()}
    manifest = _published(site, "20260402-abcd")
    assert unaccounted(site) == []
    for name, content in older.items():
        (log_folder(site) / name).write_bytes(content)
    assert verify(site) == []
    assert [one.split(":")[0] for one in unaccounted(site)] == [
        "run 20260402-abcd is published and no entry says so"
    ]
    shutil.rmtree(log_folder(site))
    assert verify(site) == []
    assert len(unaccounted(site)) == 2
    shutil.rmtree(manifest.parents[1])
    assert unaccounted(site) == []


def test_run_whose_manifest_was_changed_is_found(site: Site) -> None:
    manifest = _published(site, "20260401-abcd")
    manifest.write_text(manifest.read_text() + " ")
    assert "is not what entries say was published" in unaccounted(site)[0]


@pytest.mark.parametrize("what", ["removed", "changed", "added"])
def test_certificates_are_compared_with_the_log(site: Site, what: str) -> None:
    content = {**heading("landing"), "files": 3}
    filed = file_certificate(site, write_pending(site, content), content)
    assert unaccounted(site) == []
    if what == "removed":
        filed.unlink()
    elif what == "changed":
        filed.write_bytes(filed.read_bytes() + b" ")
    else:
        filed.with_name("20260401-landing-abcd.json").write_text("{}")
    assert unaccounted(site)


@pytest.mark.usefixtures("usual_terminal")
def test_verify_and_list_as_commands(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    lines = filled(site)
    answer = riskstrat(capsys, site.root, "audit", "verify")
    assert (answer.code, answer.out) == (0, f"{ENTRIES} entries, none changed, removed or moved.\n")
    listed = riskstrat(capsys, site.root, "audit", "list", "--action", "run", "--last", "2")
    assert "20260408-abcd" in listed.out
    assert "20260406-abcd" not in listed.out
    assert riskstrat(
        capsys, site.root, "audit", "list", "--action", "export", "--format", "json"
    ).out.split() == ["[", "]"]
    (log_folder(site) / "log.jsonl").write_bytes(b"".join(without(4)(lines)))
    answer = riskstrat(capsys, site.root, "audit", "verify")
    assert answer.code == 1
    assert "entry 4 is missing" in answer.err.splitlines()[-1]


@pytest.mark.usefixtures("usual_terminal")
def test_site_without_a_log_has_nothing_to_verify(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert riskstrat(capsys, site.root, "audit", "verify").code == 0
    append(site, "run", run="20260401-abcd", count=1)
    answer = riskstrat(capsys, site.root, "audit", "verify")
    assert (answer.code, answer.out) == (0, "1 entry, none changed, removed or moved.\n")
    _published(site, "20260402-abcd")
    shutil.rmtree(log_folder(site))
    answer = riskstrat(capsys, site.root, "audit", "verify")
    assert answer.code == 1
    assert "run 20260402-abcd is published and no entry says so" in answer.err
