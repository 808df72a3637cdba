"""The profile of a place, held against the figures that the Leeds demonstrator sites published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from riskstrat.definitions.disclosure import Policy
from riskstrat.documents.page import Page, Part, as_html, as_markdown
from riskstrat.documents.profile import Profile, profile_of
from riskstrat.errors import MisuseError
from riskstrat.runs import Run
from riskstrat.site import Site
from tests.fake_run import RUN

OPEN = Policy("none", "everything")
HES = Policy("hes", "1 to 7 hidden", smallest_shown=8, rounded_to=5)
# Practices, registered people, and those of 65 and over, as printed (seed row 64).
LEEDS = {
    "KG": ("Kippax/Garforth", 7, 41_775, 8_205),
    "PU": ("Pudsey", 6, 51_049, 7_961),
    "ME": ("Meanwood", 15, 101_342, 14_071),
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folders = {name: tmp_path / name for name in ("landing", "state", "output", "keys")}
    return Site(root=tmp_path, **folders)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(
            "CREATE TABLE features (practice_code VARCHAR, neighbourhood_code VARCHAR, pcn_code VARCHAR, age INTEGER)"
        )
        yield made


@pytest.fixture
def profile(
    site: Site, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> Callable[[Policy, dict[str, str]], Profile]:
    def made(policy: Policy, names: dict[str, str]) -> Profile:
        run = Run(RUN, tmp_path)
        return profile_of(
            *(site, run, connection, policy), kind="neighbourhood", ages_from=(65, 85), names=names
        )

    return made


def put(
    connection: duckdb.DuckDBPyConnection, area: str, practices: int, people: int, age: int | None
) -> None:
    connection.execute(
        f"INSERT INTO features SELECT '{area}' || number % {practices}, '{area}', 'P', "
        f"{'NULL' if age is None else age} FROM range({people}) AS people(number)"
    )


def test_the_published_table_comes_out(
    connection: duckdb.DuckDBPyConnection, profile: Callable[[Policy, dict[str, str]], Profile]
) -> None:
    for code, (_, practices, people, older) in LEEDS.items():
        put(connection, code, practices, older, 65)
        put(connection, code, practices, people - older, 64)
    found = profile(OPEN, {code: row[0] for code, row in LEEDS.items()})
    shown = {row[0]: row[1:5] for row in found.table("", "").rows}
    assert shown == {
        "Kippax/Garforth (KG)": ("7", "41,775", "8,205", "19.6%"),
        "Pudsey (PU)": ("6", "51,049", "7,961", "15.6%"),
        "Meanwood (ME)": ("15", "101,342", "14,071", "13.9%"),
        "All": ("28", "194,166", "30,237", "15.6%"),
    }
    assert [area.code for area in found.areas] == ["KG", "ME", "PU"]


def test_ages_overlap_and_an_unknown_age_counts_as_a_person_alone(
    connection: duckdb.DuckDBPyConnection, profile: Callable[[Policy, dict[str, str]], Profile]
) -> None:
    for age, people in ((84, 20), (85, 30), (None, 9)):
        put(connection, "A", 1, people, age)
    found = profile(OPEN, {"A": "Area", "B": "Nobody there yet"})
    assert (found.whole.people, found.whole.older) == (59, (50, 30))
    assert (found.areas[1].people, found.areas[1].practices) == (0, 0)
    assert found.table("", "").rows[1][3:5] == ("0", "-")


def test_small_numbers_are_hidden_and_shares_come_from_what_is_shown(
    connection: duckdb.DuckDBPyConnection, profile: Callable[[Policy, dict[str, str]], Profile]
) -> None:
    for area, older in (("A", 3), ("B", 203), ("C", 301)):
        put(connection, area, 1, older, 90)
        put(connection, area, 1, 1_001, 30)
    found = profile(HES, {"A": "A", "B": "B", "C": "C"})
    assert found.areas[0].older == (None, None)
    known = [area.older[1] for area in (*found.areas, found.whole)]
    assert known.count(None) >= 2, "one hidden number alone follows from the total"
    rows = {row[0]: row for row in found.table("", "").rows}
    assert rows["A (A)"][3:] == ("*", "*", "*", "*")
    for area in (*found.areas, found.whole):
        assert area.people is None or area.people % 5 == 0


def test_an_unknown_kind_of_area_is_refused(
    site: Site, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(MisuseError, match="neighbourhood or pcn"):
        profile_of(*(site, Run(RUN, tmp_path), connection, OPEN), kind="ward", ages_from=(65,), names={})


def test_a_name_cannot_break_a_page(
    connection: duckdb.DuckDBPyConnection, profile: Callable[[Policy, dict[str, str]], Profile]
) -> None:
    put(connection, "A", 1, 10, 70)
    table = profile(OPEN, {"A": "<b>North | South</b>"}).table("Profile", "note")
    page = Page("Title", "as of", (Part(tables=(table,)),), ("footer",))
    assert "<b>North" not in as_html(page)
    assert "&lt;b&gt;North | South&lt;/b&gt; (A)" in as_html(page)
    assert "North \\| South" in as_markdown(page)
