"""Dates, keys, site, errors, deliveries: the lowest floors."""

from __future__ import annotations

import hashlib
import hmac
import stat
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskstrat.dates import Windows, days_before, months_before
from riskstrat.definitions.geography import load_geography
from riskstrat.definitions.layouts import load_layouts
from riskstrat.definitions.sources import load_sources
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.errors import (
    ContractBrokenError,
    DefinitionError,
    MisuseError,
    NotPermittedError,
    RiskstratError,
)
from riskstrat.keys import init_site_key, key_fingerprint, person_id, read_site_key
from riskstrat.site import default_site, find_site, is_site, write_default_site
from riskstrat.stages.ingest.deliveries import extract_of
from riskstrat.stages.ingest.identity import IDENTITY, close_identity, open_identity, register_people

KEY = bytes(range(32))


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 1, 1)), st.integers(0, 120))
def test_months_before_keeps_the_day_or_takes_the_last_of_the_month(day: date, months: int):
    earlier = months_before(day, months)
    assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
    assert earlier.day == day.day or (earlier.day < day.day and days_before(earlier, -1).day == 1)


def test_windows_of_a_leap_day():
    windows = Windows.ending_before(date(2024, 2, 29))
    assert windows.start_12m == date(2023, 2, 28)
    assert windows.start_90d == date(2023, 12, 1)
    assert (windows.last_calendar_year_start, windows.last_calendar_year_end) == (
        date(2023, 1, 1),
        date(2024, 1, 1),
    )


def test_person_id_is_half_of_the_hmac():
    number = "9990000018"
    assert person_id(KEY, number) == hmac.new(KEY, number.encode(), hashlib.sha256).hexdigest()[:32]


def test_sql_and_python_make_the_same_person_id_and_valid_numbers_only(tmp_path: Path):
    engine = DuckDBEngine(tmp_path / "x.duckdb", threads=1, memory_limit="1GB")
    open_identity(engine, KEY)
    given_numbers = [
        "999 000 0018",
        "999-000-0026",
        "9990000019",
        "1111111111",
        "99900000",
        "not a number",
        "",
    ]
    listed = " UNION ALL ".join(f"SELECT '{number}' AS nhs_number" for number in given_numbers)
    register_people(engine, [listed])
    assert engine.rows(f"SELECT nhs_number, person, person_id FROM {IDENTITY}.numbers ORDER BY person") == [
        (number, place, person_id(KEY, number))
        for place, number in enumerate(("9990000018", "9990000026"), start=1)
    ]
    close_identity(engine)
    assert engine.rows("SELECT person FROM person_keys ORDER BY person") == [(1,), (2,)]
    assert not engine.rows(f"SELECT 1 FROM duckdb_databases() WHERE database_name = '{IDENTITY}'")


@given(st.text("0123456789", min_size=9, max_size=9))
def test_check_digit_macro_equals_the_rule_by_hand(stem: str):
    total = sum((10 - place) * int(digit) for place, digit in enumerate(stem))
    check = (11 - total % 11) % 11
    engine = _macros()
    found = [
        digit for digit in range(10) if engine.rows(f"SELECT is_valid_nhs_number('{stem}{digit}')")[0][0]
    ]
    equal = len({*stem, str(check)}) == 1
    assert found == ([check] if check < 10 and not equal else [])


_engines: list[DuckDBEngine] = []


def _macros() -> DuckDBEngine:
    if not _engines:
        import tempfile

        _engines.append(DuckDBEngine(Path(tempfile.mkdtemp()) / "x.duckdb", threads=1, memory_limit="1GB"))
        open_identity(_engines[0], KEY)
    return _engines[0]


def test_key_is_made_once_and_only_for_its_owner(tmp_path: Path):
    path = init_site_key(tmp_path / "keys")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read_site_key(tmp_path / "keys")) == 32
    with pytest.raises(MisuseError, match="has its key already"):
        init_site_key(tmp_path / "keys")
    path.chmod(0o640)
    with pytest.raises(NotPermittedError, match="read by others"):
        read_site_key(tmp_path / "keys")
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(NotPermittedError, match="must be 32 bytes"):
        read_site_key(tmp_path / "keys")


def test_fingerprint_tells_keys_apart_and_is_not_the_key():
    assert key_fingerprint(KEY) != key_fingerprint(KEY[::-1])
    assert key_fingerprint(KEY) not in KEY.hex()


def test_error_says_where_what_and_remedy():
    error = ContractBrokenError("is bad.", file="a.csv", row=3, column="code", remedy="mend it.")
    assert str(error) == "a.csv, row 3, column code: is bad. Remedy: mend it."
    assert str(RiskstratError("just this.")) == "just this."


def test_fresh_site_is_found_from_below_and_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RISKSTRAT_SITE", raising=False)
    site = tmp_path / "luton"
    write_default_site(site)
    assert is_site(site)
    below = site / "landing" / "2026-03-31"
    below.mkdir(parents=True)
    assert find_site(below).root == site.resolve()
    with pytest.raises(MisuseError, match="never overwritten"):
        write_default_site(site)
    with pytest.raises(MisuseError, match="no site here"):
        find_site(tmp_path)
    monkeypatch.setenv("RISKSTRAT_SITE", str(site))
    assert find_site(tmp_path).root == site.resolve()


def test_site_settings_move_folders_and_refuse_unknown_ones(tmp_path: Path):
    write_default_site(tmp_path / "site")
    settings = tmp_path / "site" / "config" / "site.yaml"
    settings.write_text("landing: ../drop\nthreads: 1\n")
    site = find_site(explicit=tmp_path / "site")
    assert site.landing == tmp_path / "site" / ".." / "drop"
    assert site.threads == 1
    settings.write_text("lnding: x\n")
    with pytest.raises(DefinitionError, match="unknown setting 'lnding'"):
        find_site(explicit=tmp_path / "site")


@pytest.mark.parametrize(
    ("name", "extract"),
    [
        ("gp_events.csv", "gp_events"),
        ("gp_events_Z90001.csv.gz", "gp_events"),
        ("gp_events_2026_part_2.parquet", "gp_events"),
        ("gp_eventsx.csv", None),
        ("gp_events.txt", None),
        ("events.csv", None),
    ],
)
def test_file_name_says_its_extract(name: str, extract: str | None):
    assert extract_of(name, ("gp_events", "gp_patients")) == extract


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("practices.csv", "valid_from", "valid_form", "row 1"),
        ("areas.csv", ",1\n", ",11\n", "column imd_decile: must be 1 to 10"),
    ],
)
def test_wrong_geography_is_named(tmp_path: Path, file: str, old: str, new: str, part: str):
    write_default_site(tmp_path / "site")
    path = tmp_path / "site" / "config" / "geography" / file
    path.write_text(path.read_text().replace("\r\n", "\n").replace(old, new, 1))
    with pytest.raises(DefinitionError, match=part):
        load_geography(path.parent)


def test_neighbourhood_that_could_leave_its_folder_is_refused(tmp_path: Path):
    write_default_site(tmp_path / "site")
    path = tmp_path / "site" / "config" / "geography" / "practices.csv"
    lines = path.read_text().splitlines()
    fields = lines[1].split(",")
    fields[4] = "../../etc"
    path.write_text("\n".join((lines[0], ",".join(fields))) + "\n")
    with pytest.raises(DefinitionError, match="column neighbourhood_code"):
        load_geography(path.parent)


def test_declared_gap_names_every_month(tmp_path: Path):
    path = tmp_path / "sources.yaml"
    text = (default_site() / "config" / "sources.yaml").read_text()
    gap = '[{extract: gp_events, provider: "*", from: "2024-11", to: "2025-01", reason: moved house}]'
    path.write_text(text.replace("declared_gaps: []", f"declared_gaps: {gap}"))
    (found,) = load_sources(path).declared_gaps
    assert found.months == (date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1))


def test_shipped_layouts_parse():
    assert "synthea" in load_layouts(default_site() / "config" / "sources")


def test_message_stays_on_one_line_whatever_a_file_is_called() -> None:
    problem = ContractBrokenError("is damaged.", file=Path("landing/gp_events_\n\x1b[31m.csv"))
    assert str(problem) == r"landing/gp_events_\n\x1b[31m.csv: is damaged."


@pytest.mark.parametrize(
    "written",
    ["0xFFFFFFFF", "0XFFFFFFFF", "4294967.e3", "+429496729", "429496729.", "4_29496729", "429496729 "],
)
def test_only_ten_digits_are_looked_up(tmp_path: Path, written: str) -> None:
    engine = DuckDBEngine(tmp_path / "run.duckdb", threads=2, memory_limit="1GB")
    open_identity(engine, bytes(32))
    number = "9990000018"
    register_people(engine, [f"SELECT '{number}' AS nhs_number"])
    near = f"0x{int(number):X}"  # the registered number itself, in hexadecimal
    try:
        assert engine.rows(f"SELECT person_of('{number}')") == [(1,)]
        assert engine.rows(f"SELECT person_of('{written}'), person_of('{near}')") == [(None, None)]
    finally:
        engine.close()
