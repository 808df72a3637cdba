"""Re-identification: only the recipient's own key opens a file, whole and in time, and the log says why."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.errors import NotPermittedError
from riskstrat.exports.exporting import Order, export
from riskstrat.exports.manifests import signed_manifest
from riskstrat.exports.opening import open_sealed
from riskstrat.exports.sealing import padded, unpadded
from riskstrat.keys import init_keys, read_signing_key
from riskstrat.runs import Run
from tests import factories
from tests.end_to_end.command import Answer, riskstrat
from tests.fake_exports import COHORT, PRACTICE, Town, write_town
from tests.fake_run import RUN

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return write_town(tmp_path_factory.mktemp("town"))


@dataclass(frozen=True)
class Sent:
    """A file that arrived at a practice, its manifest, and the practice's private key; there is no site."""

    file: Path
    manifest: Path
    key: Path
    count: int

    def facts(self) -> dict[str, Any]:
        return json.loads(self.manifest.read_text())


def send(town: Town, folder: Path, audience: str = "gp_practice", form: str = "csv") -> Sent:
    order = Order(COHORT, audience, recipient=PRACTICE, form=form, out=folder)
    written = export(town.site, Run(RUN, town.run_folder), order).files[0]
    key = folder / "practice.key"
    key.write_bytes(town.keys[PRACTICE].read_bytes())
    key.chmod(0o600)
    manifest = written.path.with_name(written.path.name.removesuffix(".age") + ".manifest.json")
    count = len([one for one in town.members() if one["practice_code"] == PRACTICE])
    return Sent(written.path, manifest, key, count)


@pytest.fixture
def sent(town: Town, tmp_path: Path) -> Sent:
    return send(town, tmp_path)


@pytest.fixture
def nowhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The practice's computer: a working folder in which there is no site."""
    folder = tmp_path_factory.mktemp("practice")
    monkeypatch.chdir(folder)
    return folder


def reidentify(
    capsys: pytest.CaptureFixture[str], site: Path | None, sent: Sent, *more: str, reason: str = "weekly MDT"
) -> Answer:
    given = ["--recipient-key", str(sent.key), "--reason", reason, *more]
    return riskstrat(capsys, site, "reidentify", str(sent.file), *given)


def test_practice_without_a_site_opens_its_own_file(
    town: Town, sent: Sent, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = reidentify(capsys, None, sent, "--signer", str(town.site.keys / "signing.pub"))
    assert answer.code == 0, answer.err
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    mine = [one for one in town.members() if one["practice_code"] == PRACTICE]
    assert [row["nhs_number"] for row in rows] == [
        town.people[one["person_id"]]["nhs_number"] for one in mine
    ]
    assert not answer.out.endswith("\n\n"), "the padding is gone"
    assert f"{sent.count} people, as of 2026-04-01, for {PRACTICE}" in answer.err
    assert "the sender that --signer names" in answer.err
    assert list(nowhere.iterdir()) == []


def test_file_is_written_for_its_owner_alone(
    sent: Sent, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = nowhere / "list.csv"
    answer = reidentify(capsys, None, sent, "--out", str(out))
    assert (answer.code, answer.out) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert len(list(csv.DictReader(out.open(newline="")))) == sent.count
    assert "nobody checked whose it is" in answer.err
    assert reidentify(capsys, None, sent, "--out", str(out)).code == 2, "nothing is overwritten"


def test_commissioner_passes_on_what_the_practice_opens(
    town: Town, tmp_path: Path, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = send(town, tmp_path, "commissioner")
    assert sent.facts()["rows"] == "*"
    answer = reidentify(capsys, None, sent)
    assert len(list(csv.DictReader(io.StringIO(answer.out)))) == sent.count
    assert f"{sent.count} people" in answer.err


def test_workbook_needs_a_file_and_is_a_workbook(
    town: Town, tmp_path: Path, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = send(town, tmp_path, form="xlsx")
    assert reidentify(capsys, None, sent).code == 2
    out = nowhere / "list.xlsx"
    assert reidentify(capsys, None, sent, "--out", str(out)).code == 0
    assert out.read_bytes().startswith(b"PK")


def test_opening_at_a_site_is_logged_with_its_reason_and_nobody(
    town: Town, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = reidentify(capsys, town.site.root, sent, reason="visit\nof Monday")
    assert answer.code == 0
    assert verify(town.site) == []
    entry = dict(read_entries(town.site)[-1].facts)
    assert (entry["action"], entry["reason"], entry["count"]) == ("reidentify", "visit of Monday", sent.count)
    assert (entry["purpose"], entry["recipient"]) == ("direct_care", PRACTICE)
    text = (town.site.state / "audit" / "log.jsonl").read_text()
    assert not [one for one in town.people.values() if one["nhs_number"] in text]


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts))


def _changed_manifest(sent: Sent, town: Town, _: Path) -> None:
    _write(sent.manifest, sent.facts() | {"rows": 1})


def _later_expiry(sent: Sent, town: Town, _: Path) -> None:
    _write(sent.manifest, sent.facts() | {"expires": "2999-01-01"})


def _expired(sent: Sent, town: Town, _: Path) -> None:
    facts = {name: value for name, value in sent.facts().items() if name not in ("signer", "signature")}
    sent.manifest.write_bytes(
        signed_manifest(facts | {"expires": "2026-01-01"}, read_signing_key(town.site.keys))
    )


def _signed_by_another(sent: Sent, town: Town, folder: Path) -> None:
    init_keys(folder / "other")
    facts = {name: value for name, value in sent.facts().items() if name not in ("signer", "signature")}
    sent.manifest.write_bytes(signed_manifest(facts, read_signing_key(folder / "other")))


def _changed_file(sent: Sent, town: Town, _: Path) -> None:
    content = bytearray(sent.file.read_bytes())
    content[-1] ^= 1
    sent.file.write_bytes(content)


def _cut_file(sent: Sent, town: Town, _: Path) -> None:
    sent.file.write_bytes(sent.file.read_bytes()[:-500])


def _another_key(sent: Sent, town: Town, _: Path) -> None:
    sent.key.write_bytes(town.keys["icb"].read_bytes())


def _public_key(sent: Sent, town: Town, _: Path) -> None:
    sent.key.write_text(f"{sent.facts()['public_key']}\n")


BAD: dict[str, tuple[Callable[[Sent, Town, Path], object], str]] = {
    "a changed manifest": (_changed_manifest, "its signature is wrong"),
    "a later expiry written in": (_later_expiry, "its signature is wrong"),
    "a manifest that is none": (lambda sent, *_: sent.manifest.write_text("[]"), "no manifest of an export"),
    "no manifest": (lambda sent, *_: sent.manifest.unlink(), "no manifest beside it"),
    "another's signature": (_signed_by_another, "not by the sender"),
    "an expired manifest": (_expired, "until the day before 2026-01-01"),
    "a changed file": (_changed_file, "not the one that its manifest describes"),
    "a file cut off": (_cut_file, "not the one that its manifest describes"),
    "another's key": (_another_key, "cannot be opened with this key"),
    "a public key": (_public_key, "no private age key"),
    "an empty key": (lambda sent, *_: sent.key.write_text("# nothing\n"), "holds no private age key"),
    "no key": (lambda sent, *_: sent.key.unlink(), "no recipient's key"),
    "a key open to others": (lambda sent, *_: sent.key.chmod(0o644), "can be read by others"),
    "no file": (lambda sent, *_: sent.file.unlink(), "cannot be read"),
}


@pytest.mark.parametrize("kind", BAD)
def test_refused_opening_is_one_line_writes_nothing_and_is_logged(
    town: Town, sent: Sent, capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    damage, expected = BAD[kind]
    damage(sent, town, tmp_path)
    out = tmp_path / "list.csv"
    signer = str(town.site.keys / "signing.pub")
    answer = reidentify(capsys, town.site.root, sent, "--signer", signer, "--out", str(out))
    assert (answer.code, answer.out) == (5, "")
    assert len(answer.err.splitlines()) == 1
    assert expected in answer.err
    assert "AGE-SECRET-KEY" not in answer.err
    assert not [path for path in tmp_path.iterdir() if "list" in path.name]
    assert verify(town.site) == []
    entry = dict(read_entries(town.site)[-1].facts)
    assert (entry["action"], entry["outcome"]) == ("reidentify", "refused")
    if kind != "another's signature":  # nobody can tell it without the sender's own signing.pub
        assert reidentify(capsys, None, sent).out == ""


@pytest.mark.parametrize("written", ["{}", "{} {} {}", "{}-{}-{}"])
def test_reason_that_names_somebody_is_refused_and_not_logged(
    town: Town, sent: Sent, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    number = factories.nhs_number(7)
    parts = (number,) if written == "{}" else (number[:3], number[3:6], number[6:])
    text = written.format(*parts)
    answer = reidentify(capsys, town.site.root, sent, reason=f"visit to {text} today")
    assert answer.code == 5
    assert answer.out == ""
    log = (town.site.state / "audit" / "log.jsonl").read_text()
    assert text not in log + answer.err
    assert dict(read_entries(town.site)[-1].facts)["outcome"] == "refused"


@pytest.mark.parametrize("reason", ["", "   "])
def test_reason_is_required(town: Town, sent: Sent, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    answer = reidentify(capsys, town.site.root, sent, reason=reason)
    assert answer.code == 5
    assert "a reason is required" in answer.err


def test_file_may_be_opened_until_the_day_before_it_expires(sent: Sent) -> None:
    last = date.fromisoformat(sent.facts()["expires"])
    assert open_sealed(sent.file, sent.key, today=date.fromordinal(last.toordinal() - 1)).rows == sent.count
    with pytest.raises(NotPermittedError):
        open_sealed(sent.file, sent.key, today=last)


def test_private_rows_never_lie_in_a_temporary_file(
    town: Town, tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making and opening a workbook writes sealed bytes and manifests, and nothing beside them."""
    watched = tmp_path / "temporary"
    watched.mkdir()
    opened: list[str] = []
    sys.addaudithook(
        lambda event, given: opened.append(str(given[0])) if event == "open" and recording else None
    )
    monkeypatch.setenv("TMPDIR", str(watched))
    recording = True
    sent = send(town, tmp_path / "out", form="xlsx")
    open_sealed(sent.file, sent.key)
    recording = False
    assert not [path for path in opened if path.startswith((str(watched), "/tmp/tmp"))]
    assert list(watched.iterdir()) == []
    names = {path.name for path in sent.file.parent.iterdir()}
    assert names == {sent.file.name, sent.manifest.name, sent.key.name}


@pytest.mark.parametrize(
    "content", [b"a\n", b"", b"x" * 32_767 + b"\n", b"x" * 32_768, b'rank,name\n1,"a\n"\n']
)
def test_padding_of_text_comes_off_again(content: bytes) -> None:
    assert len(padded(content, "csv")) % 32_768 == 0
    assert unpadded(padded(content, "csv"), "csv") in (content, content + b"\n")


ADD = ("keys", "recipient", "add")


def test_recipients_are_added_listed_and_removed(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    site, private = town.site.root, tmp_path / "new.key"
    public = riskstrat(capsys, None, "keys", "recipient", "make", str(private)).out.strip()
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert public.startswith("age1")
    assert riskstrat(capsys, None, "keys", "recipient", "make", str(private)).code == 2
    added = riskstrat(capsys, site, *ADD, "X9913", public)
    assert (added.code, added.out) == (0, "X9913: gp_practice of X9913\n"), "a practice's code says the rest"
    listed = riskstrat(capsys, site, "keys", "recipient", "list").out
    assert public in listed
    path = town.site.keys / "recipients.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert riskstrat(capsys, site, *ADD, "X9913", public).code == 2
    assert riskstrat(capsys, site, *ADD, "another", public, "--audience", "commissioner").code == 2
    assert riskstrat(capsys, site, "keys", "recipient", "remove", "X9913").code == 0
    assert public not in riskstrat(capsys, site, "keys", "recipient", "list").out
    assert riskstrat(capsys, site, "keys", "recipient", "remove", "X9913").code == 2
    assert verify(town.site) == []


@pytest.mark.parametrize("code", ["NB01", "U9902"])
def test_code_of_a_neighbourhood_or_pcn_makes_a_team(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path, code: str
) -> None:
    public = riskstrat(capsys, None, "keys", "recipient", "make", str(tmp_path / "new.key")).out.strip()
    added = riskstrat(capsys, town.site.root, *ADD, code, public)
    assert added.out == f"{code}: direct_care_team of {code}\n"
    riskstrat(capsys, town.site.root, "keys", "recipient", "remove", code)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("somebody", "PUBLIC"), 2),
        (("bad name", "PUBLIC"), 2),
        (("../x", "PUBLIC"), 2),
        (("somebody", "PUBLIC", "--audience", "insurer"), 5),
        (("somebody", "PUBLIC", "--audience", "gp_practice"), 5),
        (("somebody", "PUBLIC", "--audience", "gp_practice", "--area", "NB01"), 5),
        (("somebody", "PUBLIC", "--audience", "gp_practice", "--area", "NOWHERE"), 5),
        (("somebody", "PUBLIC", "--audience", "commissioner", "--area", "NB01"), 5),
        (("X9914", "age1qqqq"), 2),
        (("X9914", "ssh-ed25519 AAAA"), 2),
    ],
)
def test_recipient_that_makes_no_sense_is_refused(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    public = riskstrat(capsys, None, "keys", "recipient", "make", str(tmp_path / "new.key")).out.strip()
    before = (town.site.keys / "recipients.yaml").read_bytes()
    given = [public if word == "PUBLIC" else word for word in arguments]
    answer = riskstrat(capsys, town.site.root, *ADD, *given)
    assert answer.code == code
    assert "Remedy:" in answer.err
    assert (town.site.keys / "recipients.yaml").read_bytes() == before


def test_private_key_given_by_mistake_is_refused_and_not_repeated(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    private = town.keys[PRACTICE].read_text().splitlines()[-1]
    for given in (private, private.lower()):
        answer = riskstrat(capsys, town.site.root, *ADD, "X9914", given)
        assert answer.code == 2
        assert "private key" in answer.err
        assert private[20:40].lower() not in answer.err.lower()


def test_recipients_file_with_a_mistake_is_named(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    path = town.site.keys / "recipients.yaml"
    kept = path.read_bytes()
    path.write_text("X: {public_key: age1, audience: gp_practice}\n")
    answer = riskstrat(capsys, town.site.root, "keys", "recipient", "list")
    path.write_bytes(kept)
    assert answer.code == 3
    assert "recipients.yaml" in answer.err


def test_practices_command_needs_nothing_but_the_three_files(sent: Sent, tmp_path: Path) -> None:
    """In a process of its own, in an empty folder, without a home: as a practice would type it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "riskstrat", "reidentify", str(sent.file)]
    ended = subprocess.run(
        [*command, "--recipient-key", str(sent.key), "--reason", "weekly MDT"],
        cwd=empty,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert len(list(csv.DictReader(io.StringIO(ended.stdout)))) == sent.count
