"""Who a person_id is stands in the sealed vault, which its own key alone opens."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyrage
import pytest

from riskstrat.audit import read_entries
from riskstrat.errors import NotPermittedError
from riskstrat.keys import init_keys, person_id, read_site_key
from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.rotation import rotate
from riskstrat.runs import list_runs
from riskstrat.site import Site, load_site
from riskstrat.vault import read_people, vault_of
from tests import factories, small_town
from tests.end_to_end.command import riskstrat

QUIET = Progress(quiet=True)
OPTED_OUT, MOVED_AWAY, MOVED_HOUSE = (factories.nhs_number(index) for index in (2, 5, 6))
ANNA, ELSEWHERE = {"given_name": "Anna", "family_name": "Oldname", "postcode": "ZZ1 1AA"}, "ZZ2 2BB"


def _town() -> dict[str, list[dict]]:
    """The small town with names; somebody opted out, somebody moved away, somebody moved house and practice."""
    extracts = small_town.town()
    for place, row in enumerate(extracts["gp_patients"]):
        row.update(
            {"given_name": f"Given{place}", "family_name": f"Family{place}", "postcode": f"ZZ9 {place}AA"}
        )
        if row["nhs_number"] == MOVED_AWAY:
            row["registered_to"] = date(2026, 1, 1)
        if row["nhs_number"] == MOVED_HOUSE:
            row |= {**ANNA, "registered_to": date(2025, 6, 30)}
            moved = {**row, "registered_from": date(2025, 7, 1), "registered_to": None, "postcode": ELSEWHERE}
    extracts["gp_patients"].append(
        {**moved, "practice_code": factories.PRACTICES[0], "family_name": "Newname"}
    )
    extracts["national_opt_out"] = [{"nhs_number": OPTED_OUT, "checked_on": date(2026, 3, 30)}]
    return extracts


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = small_town.write_site(tmp_path_factory.mktemp("vault") / "site")
    small_town.write_landing(site, _town())
    run(load_site(site), small_town.AS_OF, progress=QUIET)
    return site


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def _people(site: Path) -> dict[str, dict]:
    return {row["nhs_number"]: row for row in read_people(load_site(site)).to_pylist()}


def test_vault_knows_everybody_on_the_register_but_those_who_opted_out(published: Path):
    people = _people(published)
    key = read_site_key(published / "keys")
    assert people.keys() == {factories.nhs_number(index) for index in (1, 3, 4, 5, 6)}
    assert all(row["person_id"] == person_id(key, number) for number, row in people.items())
    first = people[factories.nhs_number(1)]
    assert first == {
        "person_id": person_id(key, factories.nhs_number(1)),
        "nhs_number": factories.nhs_number(1),
        "given_name": "Given0",
        "family_name": "Family0",
        "postcode": "ZZ9 0AA",
        "usual_gp": None,
        "date_of_birth": date(1940, 1, 1),
        "sex": "1",
        "practice_code": factories.PRACTICES[0],
    }


def test_the_registration_that_counts_says_who_somebody_is(published: Path):
    moved = _people(published)[MOVED_HOUSE]
    assert (moved["family_name"], moved["postcode"]) == ("Newname", ELSEWHERE)
    assert moved["practice_code"] == factories.PRACTICES[0]


def test_somebody_without_an_open_registration_has_a_name_and_no_practice(published: Path):
    away = _people(published)[MOVED_AWAY]
    assert away["family_name"] == "Family4"
    assert away["practice_code"] is None


def test_people_are_read_by_their_identifiers(published: Path):
    key = read_site_key(published / "keys")
    wanted = [person_id(key, factories.nhs_number(index)) for index in (3, 1, 2)]
    found = read_people(load_site(published), [*wanted, "f" * 32])
    assert found["person_id"].to_pylist() == sorted(wanted[:2])
    assert read_people(load_site(published), []).num_rows == 0


def test_vault_is_for_its_owner_alone_and_sealed(published: Path):
    path = vault_of(load_site(published)).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes().startswith(b"age-encryption.org/v1")
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    for name in (b"Family", b"9990000", b"PAR1"):
        assert name not in path.read_bytes()


def test_run_has_the_same_bytes_with_and_without_a_vault_before_it(site: Path):
    before = {path.name: path.read_bytes() for path in (site / "output" / "latest").glob("*.parquet")}
    shutil.rmtree(site / "state" / "vault")
    outcome = run(load_site(site), small_town.AS_OF, force=True, progress=QUIET)
    assert {path.name: path.read_bytes() for path in outcome.folder.glob("*.parquet")} == before
    assert len(_people(site)) == 5


def test_run_of_the_past_does_not_put_back_who_has_opted_out_since(site: Path):
    earlier = site / "landing" / (small_town.DELIVERY - timedelta(days=30)).isoformat()
    for name, rows in small_town.town().items():
        small_town.write_rows(earlier / f"{name}.csv", rows)
    run(load_site(site), small_town.DELIVERY - timedelta(days=29), progress=QUIET)
    assert OPTED_OUT not in _people(site)


def _turned(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def _sealed_otherwise(site: Site) -> None:
    identity = pyrage.x25519.Identity.from_str((site.keys / "vault.key").read_text().strip())
    vault_of(site).path.write_bytes(pyrage.encrypt(b"nhs_number\n", [identity.to_public()]))


def _as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _another_site(site: Site, key: str, *, with_vault: bool = False) -> None:
    """Put a key of another site in place of this one's, and with it that site's vault."""
    other = load_site(small_town.write_site(site.root.parent / "other"))
    shutil.copy(other.keys / key, site.keys / key)
    if with_vault:
        people = pa.table({"person_id": ["ab" * 16], "nhs_number": [factories.nhs_number(1)]})
        vault_of(other).write(people, small_town.AS_OF)
        shutil.copy(vault_of(other).path, vault_of(site).path)


SPOILT: dict[str, Callable[[Site], object]] = {
    "missing key": lambda site: (site.keys / "vault.key").unlink(),
    "open key": lambda site: (site.keys / "vault.key").chmod(0o640),
    "wrong key": lambda site: (site.keys / "vault.key").write_text(f"{pyrage.x25519.Identity.generate()}\n"),
    "no key": lambda site: (site.keys / "vault.key").write_text("AGE-SECRET-KEY-1NOTONE\n"),
    "folder for a key": lambda site: _as_folder(site.keys / "vault.key"),
    "cut vault": lambda site: vault_of(site).path.write_bytes(vault_of(site).path.read_bytes()[:-20]),
    "changed vault": lambda site: _turned(vault_of(site).path),
    "empty vault": lambda site: vault_of(site).path.write_bytes(b""),
    "folder for a vault": lambda site: _as_folder(vault_of(site).path),
    "another sealed file": _sealed_otherwise,
    "vault and key of another site": lambda site: _another_site(site, "vault.key", with_vault=True),
    "site key of another site": lambda site: _another_site(site, "site.key"),
}
UNSIGNED: dict[str, Callable[[Site], object]] = {
    "signing key of another site": lambda site: _another_site(site, "signing.key"),
    "no signing key": lambda site: (site.keys / "signing.key").unlink(),
    "open signing key": lambda site: (site.keys / "signing.key").chmod(0o644),
}


@pytest.mark.parametrize("how", SPOILT)
def test_bad_key_or_vault_is_refused_in_one_line_and_nothing_is_written(
    site: Path, capsys: pytest.CaptureFixture[str], how: str
):
    SPOILT[how](load_site(site))
    before = {
        path: path.read_bytes() for path in site.rglob("*") if path.is_file() and "audit" not in path.parts
    }
    with pytest.raises(NotPermittedError) as refused:
        read_people(load_site(site))
    assert refused.value.remedy
    for arguments in (("run", "--as-of", small_town.AS_OF.isoformat(), "--force"), ("keys", "rotate")):
        answer = riskstrat(capsys, site, *arguments)
        assert answer.code == 5, (how, arguments, answer.err)
        assert answer.err.startswith("error: ")
        assert len(answer.err.splitlines()) == 1
    after = {
        path: path.read_bytes() for path in site.rglob("*") if path.is_file() and "audit" not in path.parts
    }
    assert after == before


@pytest.mark.parametrize("how", UNSIGNED)
def test_what_cannot_be_put_on_record_is_not_done(site: Path, capsys: pytest.CaptureFixture[str], how: str):
    listed = site.parent / "erase.txt"
    listed.write_text(factories.nhs_number(1))
    UNSIGNED[how](load_site(site))
    runs, key = [one.id for one in list_runs(site / "output")], (site / "keys" / "site.key").read_bytes()
    for arguments in (
        ("run", "--as-of", small_town.AS_OF.isoformat(), "--force"),
        ("keys", "rotate"),
        ("purge", "--layer", "runs", "--before", "2099-01-01"),
        ("purge", "--person-erased", str(listed)),
        ("purge", "--person-readmitted", str(listed)),
    ):
        answer = riskstrat(capsys, site, *arguments)
        assert (answer.code, len(answer.err.splitlines())) == (5, 1), (how, arguments, answer.err)
        assert "signing key" in answer.err
        entry = read_entries(load_site(site))[-1].facts
        assert entry["outcome"] == "refused"
    assert [one.id for one in list_runs(site / "output")] == runs
    assert (site / "keys" / "site.key").read_bytes() == key
    assert not (site / "state" / "certificates").exists()


def test_vault_that_was_put_back_from_before_the_newest_run_names_nobody(site: Path):
    """It would name people who have opted out since."""
    older = vault_of(load_site(site)).path.read_bytes()
    later = small_town.AS_OF + timedelta(days=1)
    small_town.write_rows(
        site / "landing" / small_town.AS_OF.isoformat() / "gp_patients.csv", _town()["gp_patients"]
    )
    run(load_site(site), later, progress=QUIET)
    assert read_people(load_site(site)).num_rows
    vault_of(load_site(site)).path.write_bytes(older)
    with pytest.raises(NotPermittedError, match="an older copy was put back"):
        read_people(load_site(site))
    with pytest.raises(NotPermittedError, match="an older copy was put back"):
        rotate(load_site(site), QUIET)


def test_no_vault_says_how_to_write_it(site: Path):
    vault_of(load_site(site)).path.unlink()
    with pytest.raises(NotPermittedError, match="no identity vault yet"):
        read_people(load_site(site))


def test_site_that_has_only_its_site_key_is_given_the_others(tmp_path: Path):
    keys = tmp_path / "keys"
    init_keys(keys)
    site_key = (keys / "site.key").read_bytes()
    for name in ("vault.key", "signing.key", "signing.pub"):
        (keys / name).unlink()
    assert [path.name for path in init_keys(keys)] == ["vault.key", "signing.key", "signing.pub"]
    assert (keys / "site.key").read_bytes() == site_key
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
