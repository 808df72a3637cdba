"""Every bad delivery gets one clear message and its exit code, and touches nothing that was published."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import factories, small_town
from tests.end_to_end.command import riskstrat

AS_OF = small_town.AS_OF


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with last night's run, and the same delivery again for tonight."""
    site = small_town.write_site(tmp_path_factory.mktemp("bad") / "site")
    small_town.write_landing(site)
    run(load_site(site), AS_OF, progress=Progress(quiet=True))
    return site


@pytest.fixture
def tonight(published: Path, tmp_path: Path) -> Path:
    site = tmp_path / "site"
    shutil.copytree(published, site, symlinks=True)
    return site


def _break(site: Path, change: Callable[[Path], None]) -> Path:
    delivery = site / "landing" / small_town.DELIVERY.isoformat()
    change(delivery)
    return delivery


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(delivery: Path) -> None:
        path = delivery / f"{name}.csv"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda delivery: (delivery / name).write_bytes(content) and None


def _gzip_cut_short(delivery: Path) -> None:
    path = delivery / "gp_events.csv"
    packed = gzip.compress(path.read_bytes() * 50)
    path.unlink()
    (delivery / "gp_events.csv.gz").write_bytes(packed[: len(packed) // 2])


def _not_gzip_at_all(delivery: Path) -> None:
    (delivery / "gp_events.csv").rename(delivery / "gp_events.csv.gz")


def _every_date_bad(delivery: Path) -> None:
    path = delivery / "gp_events.csv"
    path.write_text(path.read_text().replace("2020-05-04", "04/05/2020"))


def _without_header(path: Path) -> None:
    path.write_text("\n".join(path.read_text().splitlines()[1:]) + "\n")


def _long_quoted_field(delivery: Path) -> None:
    path = delivery / "gp_events.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    field = b'"' + b"line\n" * 8_000_000 + b'"'
    path.write_bytes(lines[0] + lines[1] + lines[2].replace(b"snomed", field) + b"".join(lines[3:]))


def _each_practice(path: Path) -> None:
    text = path.read_text()
    for practice in factories.PRACTICES[:3]:
        text = text.replace(practice, "Smith")
    path.write_text(text)


def _long_line(delivery: Path) -> None:
    path = delivery / "gp_events.csv"
    path.write_bytes(path.read_bytes() + b"1," * 200_000 + b"\n")


def _nul_bytes(delivery: Path) -> None:
    path = delivery / "gp_events.csv"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b"\0\n")


def _prefix_of_a_date(delivery: Path) -> None:
    path = delivery / "gp_events.csv"
    path.write_text(path.read_text().replace("2020-05-04", "2020-05-0x"))


STOPPING = {
    "missing extract": (
        lambda delivery: (delivery / "gp_events.csv").unlink(),
        4,
        ("gp_events", "missing", "Remedy"),
    ),
    "empty file": (_write("gp_events.csv", b""), 4, ("gp_events.csv", "row 1", "empty", "Remedy")),
    "wrong header": (
        _replace("gp_events", "event_date", "event_day"),
        4,
        ("gp_events.csv", "row 1", "column event_date", "event_day"),
    ),
    "column twice": (
        _replace("gp_events", "recorded_date", "code"),
        4,
        ("gp_events.csv", "row 1", "column code", "twice"),
    ),
    "semicolons": (
        _write("gp_events.csv", b"event_id;nhs_number;event_date\n1;2;3\n"),
        4,
        ("row 1", "semicolons"),
    ),
    "truncated gzip": (_gzip_cut_short, 4, ("gp_events.csv.gz", "cut short", "Remedy")),
    "no gzip": (_not_gzip_at_all, 4, ("gp_events.csv.gz", "cut short or damaged")),
    "no parquet": (_write("gp_events.parquet", b"PAR1 nonsense"), 4, ("gp_events.parquet", "Parquet")),
    "header not UTF-8": (
        _write("gp_events.csv", b"event_id,nhs_n\xfcmber\n"),
        4,
        ("gp_events.csv", "row 1", "UTF-8"),
    ),
    "every date bad": (_every_date_bad, 4, ("gp_events.csv", "row 2", "column event_date", "Remedy")),
    "quote that nothing closes": (
        _replace("gp_events", "snomed,38341003", 'snomed,"38341003'),
        4,
        ("gp_events.csv", "row 2", "double quote", "Remedy"),
    ),
    "field of 40 MB": (_long_quoted_field, 4, ("gp_events.csv", "row 3", "double quote", "Remedy")),
    "practices that nobody knows": (
        lambda delivery: _each_practice(delivery / "gp_patients.csv"),
        4,
        ("gp_patients.csv", "column practice_code", "practices.csv"),
    ),
    "line of 400 KB": (_long_line, 4, ("gp_events.csv", "longer than 128 KB", "Remedy")),
    "NUL bytes": (
        _nul_bytes,
        4,
        ("gp_events.csv", "row 2", "NUL", "Remedy"),
    ),
    "every date only begins like one": (
        _prefix_of_a_date,
        4,
        ("gp_events.csv", "row 2", "column event_date"),
    ),
    "no header": (
        lambda delivery: _without_header(delivery / "gp_patients.csv"),
        4,
        ("gp_patients.csv", "row 1", "header may be missing"),
    ),
    "nobody on the register": (
        lambda delivery: (delivery / "gp_patients.csv").write_text(
            (delivery / "gp_patients.csv").read_text().splitlines()[0] + "\n"
        ),
        4,
        ("gp_patients",),
    ),
}


@pytest.mark.parametrize("what", STOPPING)
def test_delivery_that_cannot_be_used_stops_the_run(
    tonight: Path, capsys: pytest.CaptureFixture[str], what: str
):
    change, code, parts = STOPPING[what]
    _break(tonight, change)
    pointer = (tonight / "output" / "latest").readlink()
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == code, answer.err
    message = answer.err.strip().splitlines()[-1]
    assert message.startswith("error: ")
    for part in parts:
        assert part in message
    assert "Traceback" not in answer.err
    assert answer.out == ""
    assert (tonight / "output" / "latest").readlink() == pointer
    assert (tonight / "output" / "latest" / "manifest.json").is_file()
    assert [path.name for path in (tonight / "output" / "runs").iterdir()] == [pointer.name]


QUARANTINED = {
    "bad date": (
        _replace("acute_episodes", "2025-05-03", "2025-31-05"),
        "acute_episodes",
        "column admission_date",
    ),
    "unknown code system": (
        _replace("gp_events", "snomed,38341003", "icpc,38341003"),
        "gp_events",
        "column code_system",
    ),
    "NHS number with a wrong check digit": (
        _replace("community_contacts", factories.nhs_number(2), factories.nhs_number(2)[:-1] + "0"),
        "community_contacts",
        "column nhs_number",
    ),
    "ten equal digits": (
        _replace("community_contacts", factories.nhs_number(2), "1111111111"),
        "community_contacts",
        "column nhs_number",
    ),
}


# A run each of rows that do not touch one another.
TOGETHER = (
    ("bad date", "unknown code system", "NHS number with a wrong check digit"),
    ("ten equal digits",),
)


def test_every_bad_row_is_in_the_test_below():
    assert sorted(what for together in TOGETHER for what in together) == sorted(QUARANTINED)


@pytest.mark.parametrize("together", TOGETHER, ids=", ".join)
def test_bad_row_is_quarantined_and_the_run_goes_on(
    tonight: Path, capsys: pytest.CaptureFixture[str], together: tuple[str, ...]
):
    for what in together:
        change, extract, _ = QUARANTINED[what]
        _break(tonight, change)
        # one of a few rows is a large share, so thresholds look at the number of rows as well; keep some good ones
        if extract == "community_contacts":
            path = tonight / "landing" / small_town.DELIVERY.isoformat() / f"{extract}.csv"
            header, bad = path.read_text().splitlines()
            good = bad.replace(bad.split(",")[1], factories.nhs_number(3))
            good = good.replace(bad.split(",")[0], "another")
            path.write_text("\n".join((header, bad, good)) + "\n")
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 0, answer.err
    for what in together:
        _, extract, column = QUARANTINED[what]
        (line,) = [line for line in answer.err.splitlines() if f"{extract}.csv" in line and column in line]
        assert ", row " in line
        assert "quarantined" in line
        assert "Remedy" in line


def test_byte_that_is_not_utf8_is_one_quarantined_row(tonight: Path, capsys: pytest.CaptureFixture[str]):
    def change(delivery: Path) -> None:
        path = delivery / "gp_events.csv"
        lines = path.read_bytes().splitlines()
        lines[3] = lines[3].replace(b"snomed", b"sn\xf6med")
        path.write_bytes(b"\n".join(lines) + b"\n")

    _break(tonight, change)
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 0, answer.err
    (line,) = [line for line in answer.err.splitlines() if "gp_events.csv" in line]
    assert "row 4, column code_system" in line
    assert "UTF-8" in line


@pytest.mark.parametrize(
    ("as_of", "part"),
    [
        (AS_OF + timedelta(days=1), "more than a day after the newest delivery"),
        (date(2030, 1, 1), "more than a day after the newest delivery"),
        (small_town.DELIVERY, "before the data"),
        (date(2001, 1, 1), "before the data"),
    ],
)
def test_as_of_outside_the_data_is_refused(
    tonight: Path, capsys: pytest.CaptureFixture[str], as_of: date, part: str
):
    answer = riskstrat(capsys, tonight, "run", "--as-of", as_of.isoformat())
    assert answer.code == 2
    assert part in answer.err
    assert f"use --as-of {AS_OF}" in answer.err


def test_value_in_a_header_that_is_missing_is_not_shown(tonight: Path, capsys: pytest.CaptureFixture[str]):
    path = tonight / "landing" / small_town.DELIVERY.isoformat() / "gp_patients.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([rows[0].replace("lsoa_code", factories.nhs_number(1)), *rows[1:]]) + "\n")
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert factories.nhs_number(1) not in answer.err
    assert "does not know number " in answer.err


def test_file_name_is_a_name_and_no_pattern(tonight: Path, capsys: pytest.CaptureFixture[str]):
    delivery = tonight / "landing" / small_town.DELIVERY.isoformat()
    events = delivery / "gp_events.csv"
    header, *rows = events.read_text().splitlines()
    (delivery / "gp_events_(1)[1].csv").write_text("\n".join([header, *rows[5:]]) + "\n")
    (delivery / "gp_events_(1)1.csv").write_text("\n".join([header, *rows[:5]]) + "\n")
    events.unlink()
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 0, answer.err
    assert re.search(r"^luton_core +2 ", answer.out, flags=re.MULTILINE), answer.out


def test_required_extract_without_a_row_is_warned_about(tonight: Path, capsys: pytest.CaptureFixture[str]):
    path = tonight / "landing" / small_town.DELIVERY.isoformat() / "acute_attendances.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 0, answer.err
    assert "acute_attendances was delivered without a row" in answer.err


def test_empty_delivery_folder_is_no_delivery(tonight: Path, capsys: pytest.CaptureFixture[str]):
    (tonight / "landing" / AS_OF.isoformat()).mkdir()
    answer = riskstrat(capsys, tonight, "run", "--as-of", (AS_OF + timedelta(days=1)).isoformat())
    assert answer.code == 2
    assert "more than a day after the newest delivery" in answer.err


def test_damaged_run_is_not_taken_for_the_published_one(tonight: Path, capsys: pytest.CaptureFixture[str]):
    path = (tonight / "output" / "latest").resolve() / "scores.parquet"
    path.chmod(0o640)
    path.write_bytes(path.read_bytes() + b"x")
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 1
    assert "damaged: scores.parquet" in answer.err


def test_as_of_that_is_no_date_is_refused(tonight: Path, capsys: pytest.CaptureFixture[str]):
    answer = riskstrat(capsys, tonight, "run", "--as-of", "2026-02-30")
    assert answer.code == 2
    assert "2026-02-30" in answer.err
    assert "YYYY-MM-DD" in answer.err


def test_missing_key_is_not_permitted(tonight: Path, capsys: pytest.CaptureFixture[str]):
    (tonight / "keys" / "site.key").unlink()
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 5
    assert "riskstrat keys init" in answer.err


def test_key_that_others_can_read_is_not_permitted(tonight: Path, capsys: pytest.CaptureFixture[str]):
    (tonight / "keys" / "site.key").chmod(0o644)
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 5
    assert "chmod 600" in answer.err


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("config/cohorts/luton_core.yaml", "include:", "inclde:", "did you mean 'include'?"),
        ("config/cohorts/luton_core.yaml", "age >= 65", "agee >= 65", "age"),
        ("config/sources.yaml", "mode: delta", "mode: sometimes", "full or delta"),
        ("config/ranking.yaml", "efi_deficits", "efi_deficit", "did you mean 'efi_deficits'?"),
        ("config/ranking.yaml", "efi_deficits", "efi", "no whole number"),
        ("config/cohorts/luton_core.yaml", "exclude: []", "include: [age >= 0]", "'include' stands twice"),
        ("config/cohorts/luton_core.yaml", "rank_by: [", "rank_by: [] #", "names no column"),
        ("config/cohorts/luton_core.yaml", "aged {age}", "aged {Age}", "no placeholder"),
        ("config/cohorts/luton_core.yaml", "review: {", "review: #", "must hold keys and values"),
        ("config/site.yaml", "# memory_limit: 4GB", "memory_limit: lots", "no amount of memory"),
        ("pipelines/40_features/features.sql", "SELECT", "SELEC", "features.sql"),
        ("data_contracts/gp_events.yaml", "logicalType: date", "logicalType: day", "gp_events.yaml"),
    ],
)
def test_wrong_definition_is_named_before_anything_is_read(
    tonight: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, part: str
):
    path = tonight / file
    path.write_text(path.read_text().replace(old, new, 1))
    answer = riskstrat(capsys, tonight, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 3, answer.err
    assert Path(file).name in answer.err
    assert part in answer.err


def test_no_site_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    answer = riskstrat(capsys, tmp_path, "run", "--as-of", AS_OF.isoformat())
    assert answer.code == 2
    assert "riskstrat init" in answer.err
