"""An export that is refused, or cannot be written, leaves nothing behind and is logged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.command import Answer
from tests.fake_exports import AREA, OTHER_PRACTICE, PCN, PRACTICE, Town
from tests.integration.exports.commands import export, exported, last_entry
from tests.sealed_files import paths, rows_of

pytestmark = pytest.mark.usefixtures("usual_terminal")


def _open_key(town: Town) -> None:
    (town.site.keys / "signing.key").chmod(0o644)


def _expired(town: Town) -> None:
    path = town.site.config / "legal_basis.yaml"
    before, _, after = path.read_text().partition("  direct_care:\n    extracts:")
    path.write_text(f"{before}  direct_care:\n    extracts:{after.replace('9999-12-31', '2026-04-01', 1)}")


REFUSALS: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown audience": (("insurer",), "no audience 'insurer'"),
    "an area of another kind": (("gp_practice", "--area", AREA), "the people of a practice"),
    "a PCN for a practice": (("gp_practice", "--area", PCN), "the people of a practice"),
    "an area without a recipient": (("gp_practice", "--area", "X9931"), "no recipient for the area X9931"),
    "an area that is none": (("gp_practice", "--area", "NOWHERE"), "no known area"),
    "a commissioner's area that is none": (("commissioner", "--area", "NOWHERE"), "'NOWHERE' is no practice"),
    "an unknown recipient": (("gp_practice", "--recipient", "nobody"), "no recipient 'nobody'"),
    "another's area": (
        ("gp_practice", "--recipient", PRACTICE, "--area", OTHER_PRACTICE),
        f"no recipient {PRACTICE} for",
    ),
    "another audience's recipient": (
        ("gp_practice", "--recipient", "team"),
        "none of the audience gp_practice",
    ),
    "a format that is not for it": (("analyst", "--format", "s1-list"), "may not be given the format"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_refused_export_is_one_line_writes_nothing_and_is_logged(
    town: Town, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    arguments, expected = REFUSALS[kind]
    _assert_refused(town, export(capsys, town, *arguments), expected)


def _assert_refused(town: Town, answer: Answer, expected: str) -> None:
    assert answer.code == 5, answer.err
    assert answer.out == ""
    errors = [line for line in answer.err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert answer.err.splitlines()[-1] == errors[0]
    assert expected in errors[0]
    assert "Remedy:" in errors[0]
    assert exported(town.site) == []
    entry = last_entry(town.site)
    assert (entry["action"], entry["outcome"]) == ("export", "refused")
    assert entry["reason"] in errors[0]


BROKEN = {
    "an expired basis": (_expired, "no live legal basis"),
    "a signing key open to others": (_open_key, "signing key can be read by others"),
    "no signing key": (lambda town: (town.site.keys / "signing.key").unlink(), "no signing key"),
    "no vault key": (lambda town: (town.site.keys / "vault.key").unlink(), "no vault key"),
    "a vault key open to others": (
        lambda town: (town.site.keys / "vault.key").chmod(0o640),
        "can be read by others",
    ),
    "a corrupt vault": (
        lambda town: (town.site.state / "vault" / "identity.parquet.age").write_bytes(
            b"age-encryption.org/v1\n"
        ),
        "vault is damaged",
    ),
    "no vault": (
        lambda town: (town.site.state / "vault" / "identity.parquet.age").unlink(),
        "no identity vault",
    ),
    "no site key": (lambda town: (town.site.keys / "site.key").unlink(), "no site key"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_key_vault_or_basis_refuses_the_export(
    town: Town, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    damage, expected = BROKEN[kind]
    damage(town)
    _assert_refused(town, export(capsys, town, "gp_practice"), expected)


def test_refusal_of_one_recipient_leaves_no_file_of_another(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commissioner's export holds files for practices too, so a basis for direct care is asked for as well."""
    _expired(town)
    _assert_refused(town, export(capsys, town, "commissioner"), "direct_care")


@pytest.mark.parametrize("room", ["output", "state", "keys", "landing", "config"])
def test_nothing_is_exported_to_where_riskstrat_keeps_its_own(
    town: Town, capsys: pytest.CaptureFixture[str], room: str
) -> None:
    answer = export(capsys, town, "gp_practice", "--out", str(town.site.root / room / "deep" / "lists"))
    assert answer.code == 2
    assert f"lies in {room}/" in answer.err
    assert not (town.site.root / room / "deep").exists()


def test_one_recipient_may_be_written_to_a_file_and_several_may_not(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "list.age"
    assert paths(export(capsys, town, "gp_practice", "--area", PRACTICE, "--out", str(out))) == [out]
    assert rows_of(out, town.keys[PRACTICE])
    other = tmp_path / "other.age"
    assert export(capsys, town, "gp_practice", "--out", str(other)).code == 2
    assert not other.exists()


def test_full_disk_leaves_no_part_of_an_export(
    town: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, left = Path.replace, iter([True, True, False])

    def replace(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial") and "audit" not in path.parts and not next(left, False):
            raise OSError(28, "No space left on device")
        return whole(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    answer = export(capsys, town, "gp_practice")
    monkeypatch.undo()
    assert answer.code == 2
    assert "No space left" in answer.err
    assert exported(town.site) == []


def test_log_that_cannot_be_written_stops_the_export(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(town.site.state / "audit")
    (town.site.state / "audit").write_text("")
    answer = export(capsys, town, "gp_practice")
    assert answer.code == 1
    assert "nothing is done" in answer.err
    assert exported(town.site) == []
    (town.site.state / "audit").unlink()
