"""Nothing leaves of a run that was changed, with a key that is not the site's, or after its legal basis is over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from riskstrat.audit import read_entries, verify
from riskstrat.definitions.audiences import load_audiences
from riskstrat.errors import DefinitionError
from riskstrat.exports.exporting import Order, export
from riskstrat.exports.manifests import signed_manifest
from riskstrat.keys import init_keys, key_fingerprint, read_signing_key, read_site_key
from riskstrat.runs import Run
from riskstrat.vault import vault_of
from tests.end_to_end.command import Answer, riskstrat
from tests.fake_exports import COHORT, PRACTICE, Town, write_town
from tests.fake_run import RUN

pytestmark = pytest.mark.usefixtures("usual_terminal")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return write_town(tmp_path)


def _refused(
    capsys: pytest.CaptureFixture[str], town: Town, audience: str, expected: str, *more: str
) -> Answer:
    answer = riskstrat(capsys, town.site.root, "worklist", "export", COHORT, "--audience", audience, *more)
    assert answer.code == 5, answer.err
    assert expected in answer.err.splitlines()[-1]
    assert not (town.site.root / "exports").exists()
    entry = read_entries(town.site)[-1].facts
    assert (entry["action"], entry["outcome"]) == ("export", "refused")
    return answer


def _everybody_on_the_list(town: Town) -> None:
    shutil.copy(town.run_folder / "features.parquet", town.run_folder / "cohorts" / f"{COHORT}.parquet")


def _everybody_of_one_practice(town: Town) -> None:
    path = town.run_folder / "features.parquet"
    select = f"SELECT * REPLACE ('{PRACTICE}' AS practice_code) FROM '{path}'"
    pq.write_table(duckdb.sql(select).to_arrow_table(), path)


def _another_definition(town: Town) -> None:
    path = town.run_folder / "cohorts" / f"{COHORT}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"title": "Everybody"}))


@pytest.mark.parametrize("change", [_everybody_on_the_list, _everybody_of_one_practice, _another_definition])
@pytest.mark.parametrize("audience", ["gp_practice", "analyst", "commissioner"])
def test_run_that_was_changed_is_not_exported(
    town: Town, capsys: pytest.CaptureFixture[str], audience: str, change: Callable[[Town], None]
) -> None:
    change(town)
    _refused(capsys, town, audience, "is not what was published")


@pytest.mark.parametrize("audience", ["gp_practice", "analyst"])
@pytest.mark.parametrize("key", ["site.key", "signing.key"])
def test_key_of_another_site_is_refused(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, audience: str
) -> None:
    manifest = town.run_folder / "manifest.json"
    told = json.loads(manifest.read_text()) | {"key": key_fingerprint(read_site_key(town.site.keys))}
    manifest.write_text(json.dumps(told))
    init_keys(tmp_path / "other")
    shutil.copy(tmp_path / "other" / key, town.site.keys / key)
    _refused(capsys, town, audience, "key")


def test_old_run_does_not_leave_under_a_basis_that_is_over(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest run says what day it is: no clock decides, and no old run is a way round."""
    path = town.site.config / "legal_basis.yaml"
    before, _, after = path.read_text().partition("  direct_care:\n    extracts:")
    path.write_text(f"{before}  direct_care:\n    extracts:{after.replace('9999-12-31', '2026-04-02', 1)}")
    newer = town.run_folder.with_name("20260402-ffff")
    shutil.copytree(town.run_folder, newer)
    manifest = newer / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"run": newer.name}))
    vault_of(town.site).write(vault_of(town.site).read(), date(2026, 4, 2))
    _refused(capsys, town, "gp_practice", "direct_care expired on 2026-04-02", "--run", RUN)


def test_person_key_is_given_to_no_audience(town: Town) -> None:
    path = town.site.config / "audiences.yaml"
    path.write_text(
        path.read_text().replace("      - pseudonym\n", "      - pseudonym\n      - person_id\n", 1)
    )
    with pytest.raises(DefinitionError, match="person_id is the same for everybody"):
        load_audiences(path)


def test_manifest_that_somebody_else_signed_opens_nothing_at_the_site(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has a recipient's public key can seal a list of their own making and sign for it."""
    order = Order(COHORT, "gp_practice", recipient=PRACTICE, out=tmp_path / "sent")
    file = export(town.site, Run(RUN, town.run_folder), order).files[0].path
    manifest = file.with_name(file.name.removesuffix(".age") + ".manifest.json")
    init_keys(tmp_path / "other")
    document = json.loads(manifest.read_text())
    facts = {
        name: value
        for name, value in document.items()
        if name not in ("format", "note", "signer", "signature")
    }
    manifest.write_bytes(
        signed_manifest(facts | {"expires": "2999-01-01"}, read_signing_key(tmp_path / "other"))
    )
    asked = ("reidentify", str(file), "--recipient-key", str(town.keys[PRACTICE]), "--reason", "weekly MDT")
    answer = riskstrat(capsys, town.site.root, *asked)
    assert (answer.code, answer.out) == (5, "")
    assert "not by the sender" in answer.err
    entry = read_entries(town.site)[-1].facts
    assert (entry["action"], entry["outcome"]) == ("reidentify", "refused")
    sender = tmp_path / "other" / "signing.pub"
    answer = riskstrat(capsys, town.site.root, *asked, "--signer", str(sender))
    assert answer.code == 0, answer.err
    assert verify(town.site) == []


def test_reason_with_a_number_in_dots_is_refused(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = Order(COHORT, "gp_practice", recipient=PRACTICE, out=tmp_path / "sent")
    file = export(town.site, Run(RUN, town.run_folder), order).files[0].path
    number = next(iter(town.people.values()))["nhs_number"]
    dotted = f"{number[:3]}.{number[3:6]}.{number[6:]}"
    asked = (
        "reidentify",
        str(file),
        "--recipient-key",
        str(town.keys[PRACTICE]),
        "--reason",
        f"for {dotted}",
    )
    answer = riskstrat(capsys, town.site.root, *asked)
    assert answer.code == 5
    assert dotted not in (town.site.state / "audit" / "log.jsonl").read_text()


def test_place_below_a_file_is_refused_in_one_line(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    place = str(tmp_path / "file" / "below")
    answer = riskstrat(
        capsys, town.site.root, "worklist", "export", COHORT, "--audience", "analyst", "--out", place
    )
    assert answer.code == 2
    assert "cannot be written" in answer.err.splitlines()[-1]
