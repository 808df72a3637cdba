"""Index dates, deliveries and sites of which no landmark frame is made, and labels that nobody can know."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from riskstrat.errors import ContractBrokenError, MisuseError, NotPermittedError
from riskstrat.model.frames import read_frames
from riskstrat.site import Site
from tests.earlier_deliveries import write_whole
from tests.landmark_town import DELIVERY, PEOPLE, THEN, copied, delivered, write_demo_site
from tests.landmarks import change_outcome, frames_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Nobody may change it."""
    return write_demo_site(tmp_path_factory.mktemp("town") / "site")


@pytest.mark.parametrize(
    ("days", "complete_to", "what", "remedy"),
    [
        ([], None, "no index date", "name at least one"),
        ([date(2026, 4, 1)], None, "not known yet", "no index date after 2026-01-01"),
        ([date(2026, 1, 2)], None, "not known yet", "no index date after 2026-01-01"),
        ([THEN, date(2025, 12, 2)], date(2026, 3, 1), "not known yet", "no index date after 2025-12-01"),
        ([THEN], date(2026, 4, 2), "delivered up to 2026-04-01", "use 2026-04-01 or an earlier day"),
    ],
    ids=["none", "future", "a day too late", "by complete_to", "not delivered"],
)
def test_dates_of_which_nothing_could_be_learnt_are_refused(
    site: Site, days: list[date], complete_to: date | None, what: str, remedy: str
) -> None:
    with pytest.raises(MisuseError, match=what) as refused:
        frames_of(site.root, days, complete_to)
    assert remedy in str(refused.value.remedy)


def test_index_date_before_the_history_that_features_need_is_refused(site: Site) -> None:
    with pytest.raises(
        MisuseError, match="look back to 2023-03-31, and the history of acute_episodes begins"
    ) as refused:
        frames_of(site.root, [THEN, date(2025, 3, 31)])
    assert refused.value.remedy == "name no index date before 2025-04-01."


def test_index_date_with_a_short_history_has_unknown_features_where_the_site_keeps_it(
    site: Site, tmp_path: Path
) -> None:
    keeping = copied(site, tmp_path / "site")
    change_outcome(keeping.root, short_history="keep")
    earlier = date(2024, 9, 1)
    short = frames_of(keeping.root, [THEN, earlier])
    unknown = short.about["unknown_features"]
    assert {"hfrs", "charlson", "unplanned_admissions_24m"} <= unknown[f"{earlier}"].keys() - unknown[
        f"{THEN}"
    ].keys()
    rows = [row for row in read_frames(short.path).to_pylist() if row["index_date"] == earlier]
    assert {row["hfrs"] for row in rows} == {None}
    assert sum(row["unplanned_admissions_12m"] for row in rows) > 50


def test_too_few_people_on_an_index_date_are_refused(site: Site, tmp_path: Path) -> None:
    small = copied(site, tmp_path / "site")
    change_outcome(small.root, minimum_people=PEOPLE + 1)
    with pytest.raises(
        MisuseError, match="people were registered and alive on 2025-04-01; a frame needs 1501"
    ):
        frames_of(small.root, [THEN])
    assert not (small.state / "scratch").exists()


def test_register_of_the_living_is_refused(site: Site, tmp_path: Path) -> None:
    living = copied(site, tmp_path / "site")
    path = living.landing / DELIVERY.isoformat() / "gp_patients.csv"
    rows = delivered(living, "gp_patients")
    write_whole(path, list(rows[0]), [row for row in rows if not row["date_of_death"]])
    with pytest.raises(ContractBrokenError, match="nobody died in the 12m from then on") as refused:
        frames_of(living.root, [THEN])
    assert refused.value.column == "date_of_death"
    assert "the dead" in str(refused.value.remedy)
    change_outcome(living.root, survivors_from=None)
    assert frames_of(living.root, [THEN]).counts[f"{THEN}"]["died_12m"] == 0


def test_silent_month_of_a_horizon_makes_its_labels_unknown(site: Site, tmp_path: Path) -> None:
    silent = copied(site, tmp_path / "site")
    folder = silent.landing / DELIVERY.isoformat()
    rows = delivered(silent, "acute_episodes")
    busiest = Counter(row["provider_code"] for row in rows).most_common(1)[0][0]
    repeated = [  # a hospital that sends enough for a month without a row to mean something
        row | {"episode_id": f"{row['episode_id']}-{copy}", "spell_id": f"{row['spell_id']}-{copy}"}
        for row in rows
        for copy in range(3)
        if not (row["provider_code"] == busiest and row["admission_date"].startswith("2025-09"))
    ]
    write_whole(folder / "acute_episodes.csv", list(rows[0]), repeated)
    frames = frames_of(silent.root, [THEN])
    table = read_frames(frames.path).to_pylist()
    assert {row["label_12m"] for row in table} == {None} == {row["admissions_12m"] for row in table}
    assert {row["label_90d"] for row in table} >= {True, False}
    assert {row["died_12m"] for row in table} == {True, False}
    assert frames.warnings == (
        f"The 12m labels of 2025-04-01 are unknown: provider {busiest} sent nothing for September 2025.",
    )
    sources = silent.config / "sources.yaml"
    gap = f'{{extract: acute_episodes, provider: {busiest}, from: "2025-09", to: "2025-09", reason: a test}}'
    sources.write_text(
        sources.read_text(encoding="utf-8").replace("declared_gaps: []", f"declared_gaps: [{gap}]"),
        encoding="utf-8",
    )
    assert frames_of(silent.root, [THEN]).counts[f"{THEN}"]["events_12m"] > 50


def test_index_date_of_which_no_label_is_known_is_refused(site: Site, tmp_path: Path) -> None:
    silent = copied(site, tmp_path / "site")
    folder = silent.landing / DELIVERY.isoformat()
    rows = delivered(silent, "acute_episodes")
    repeated = [
        row | {"episode_id": f"{row['episode_id']}-{copy}", "spell_id": f"{row['spell_id']}-{copy}"}
        for row in rows
        for copy in range(3)
        if not row["admission_date"].startswith("2025-05")
    ]
    write_whole(folder / "acute_episodes.csv", list(rows[0]), repeated)
    with pytest.raises(
        ContractBrokenError, match=r"no label of these index dates is known.*for May 2025"
    ) as refused:
        frames_of(silent.root, [THEN])
    assert "declare the gap" in str(refused.value.remedy)


def test_extract_that_labels_need_and_nobody_delivered_is_refused(site: Site, tmp_path: Path) -> None:
    other = copied(site, tmp_path / "site")
    change_outcome(other.root, extracts=["gp_patients", "acute_episodes", "acute_adt"])
    (other.landing / DELIVERY.isoformat() / "acute_adt.csv").unlink()
    with pytest.raises(MisuseError, match="labels are made of acute_adt, which was not delivered"):
        frames_of(other.root, [THEN])


def test_purpose_without_a_legal_basis_is_refused(site: Site, tmp_path: Path) -> None:
    other = copied(site, tmp_path / "site")
    bases = other.config / "legal_basis.yaml"
    bases.write_text(
        bases.read_text(encoding="utf-8").replace("expires: 9999-12-31", "expires: 2026-01-01"),
        encoding="utf-8",
    )
    with pytest.raises(NotPermittedError, match="a landmark frame has no live legal basis"):
        frames_of(other.root, [THEN])
