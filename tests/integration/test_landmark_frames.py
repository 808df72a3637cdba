"""Landmark frames of the synthetic town: what a run said then, what really happened, and the same bytes again."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from riskstrat import pipeline
from riskstrat.definitions.contracts import load_contracts
from riskstrat.errors import RiskstratError
from riskstrat.keys import person_id, read_site_key
from riskstrat.model.frame_files import ABOUT
from riskstrat.model.frames import Frames, open_frames, read_frames
from riskstrat.progress import Progress
from riskstrat.site import Site
from tests.earlier_deliveries import split_delivery, write_whole
from tests.landmark_town import (
    AS_OF,
    DELIVERY,
    LABELS,
    THEN,
    copied,
    delivered,
    features_at,
    write_demo_site,
)
from tests.landmarks import RUN_TABLE, change_outcome, frame_rows, frames_of, listed
from tests.later_events import LATER, later_row

LATER_DATE = date(2025, 10, 1)
TYPE_1_DISSENT, TYPE_1_WITHDRAWN = ("827241000000103", "9Nu0.", "XaZ89"), ("9Nu1.", "XaZ8A")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The town in one delivery of the day before AS_OF; nobody may change it."""
    return write_demo_site(tmp_path_factory.mktemp("town") / "site")


@pytest.fixture(scope="module")
def frames(site: Site) -> Frames:
    return frames_of(site.root, [THEN])


# --- what a run said then --------------------------------------------------------------------------------------------


def test_features_of_an_index_date_are_those_that_its_run_published(site: Site, tmp_path: Path) -> None:
    """Two deliveries, one from before the index date: open stays, unreviewed plans and living people as they were."""
    nightly = copied(site, tmp_path / "site")
    split_delivery(nightly.landing, THEN)
    published = pipeline.run(nightly, THEN, progress=Progress(quiet=True))
    live = pq.read_table(published.folder / "features.parquet")
    looked_back = features_at(frames_of(nightly.root, [THEN]), THEN)
    assert pc.sum(live["is_inpatient"]).as_py() > 0
    assert live.num_rows - pc.sum(pc.is_null(live["care_plan_last_reviewed_date"])).as_py() > 0
    gone = set(live["person_id"].to_pylist()) & opted_out_since(nightly)
    assert gone
    stayed = live.filter(pc.invert(pc.is_in(live["person_id"], pa.array(sorted(gone)))))
    assert changed_columns(stayed, looked_back) == set()


def changed_columns(before: pa.Table, after: pa.Table) -> set[str]:
    """The columns in which two tables of the same rows differ."""
    assert before.column_names == after.column_names
    return {
        name
        for name in before.column_names
        if not before[name].combine_chunks().equals(after[name].combine_chunks())
    }


def opted_out_since(site: Site) -> set[str]:
    """Those whose latest word in the newest delivery is a dissent."""
    key, latest = read_site_key(site.keys), {}
    for row in sorted(delivered(site, "gp_events"), key=lambda row: row["event_date"]):
        if row["code"] in (*TYPE_1_DISSENT, *TYPE_1_WITHDRAWN):
            latest[row["nhs_number"]] = row["code"] in TYPE_1_DISSENT
    return {person_id(key, number) for number, is_dissent in latest.items() if is_dissent}


def test_one_delivery_of_everything_tells_the_same_but_for_what_it_has_overwritten(
    site: Site, frames: Frames, tmp_path: Path
) -> None:
    """A supplier who sends history only once sends each row as it stands now."""
    nightly = copied(site, tmp_path / "site")
    split_delivery(nightly.landing, THEN)
    looked_back, then = features_at(frames, THEN), features_at(frames_of(nightly.root, [THEN]), THEN)
    changed = changed_columns(then, looked_back)
    assert "is_inpatient" in changed
    assert changed <= OF_ONE_DELIVERY


# docs/model-frames.md, Where no delivery reaches back to T: stays that were open then, and reviews since.
OF_ONE_DELIVERY = {
    *("is_inpatient", "unplanned_admissions_12m", "unplanned_admissions_24m", "unplanned_admissions_90d"),
    *("unplanned_bed_days_12m", "care_plan_last_reviewed_date", "homecare_last_review_date"),
}


@pytest.mark.slow
def test_nights_of_the_town_differ_in_what_the_page_lists_alone(tmp_path: Path) -> None:
    """Real nightly deliveries: corrections, late rows, deaths learnt late. Each night's own run is looked back at."""
    nights, last = 20, AS_OF + timedelta(days=6)
    nightly = write_demo_site(tmp_path / "site", nights=nights)
    change_outcome(nightly.root, horizons=[{"name": "7d", "days": 7}], survivors_from=None)
    frames = frames_of(nightly.root, [AS_OF, last])
    table = read_frames(frames.path)
    for day in (AS_OF, last):
        published = pipeline.run(nightly, day, progress=Progress(quiet=True))
        live = pq.read_table(published.folder / "features.parquet")
        looked_back = table.filter(pc.equal(table["index_date"], day)).select(live.column_names)
        both = set(live["person_id"].to_pylist()) & set(looked_back["person_id"].to_pylist())
        assert live.num_rows - 10 < len(both) <= looked_back.num_rows < live.num_rows + 10
        shared = pa.array(sorted(both))
        kept = [one.filter(pc.is_in(one["person_id"], shared)) for one in (live, looked_back)]
        assert changed_columns(*kept) <= set().union(*dict(listed(RUN_TABLE)).values())


# --- what really happened --------------------------------------------------------------------------------------------


def test_labels_agree_with_the_truth_of_the_town(site: Site, frames: Frames) -> None:
    key = read_site_key(site.keys)
    truth = {
        person_id(key, row["nhs_number"]): row["unplanned_admissions_12m"]
        for row in pq.read_table(
            site.landing / "truth" / "people.parquet", columns=["nhs_number", "unplanned_admissions_12m"]
        ).to_pylist()
    }
    followed = [row for row in read_frames(frames.path).to_pylist() if row["follow_up_days_12m"] == 365]
    assert len(followed) > 1_000
    assert sum(row["label_12m"] for row in followed) > 80
    for row in followed:
        assert row["label_12m"] == (truth[row["person_id"]] > 0)
        assert row["admissions_12m"] == truth[row["person_id"]]


def test_people_who_died_or_left_since_are_in_the_frame(frames: Frames) -> None:
    rows = read_frames(frames.path).to_pylist()
    assert sum(row["died_12m"] for row in rows) > 3
    assert sum(row["left_12m"] for row in rows) > 1
    assert {row["label_12m"] for row in rows} == {True, False, None}


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_frame_has_every_feature_and_the_labels_in_order(site: Site, frames: Frames) -> None:
    table = read_frames(frames.path)
    features = load_contracts(site.data_contracts)["features"].columns
    names = [column.name for column in features if column.name != "person_id"]
    assert table.column_names == ["person_id", "index_date", *names, *LABELS]
    kinds = dict.fromkeys(("label_12m", "label_90d", "died_12m", "left_12m"), pa.bool_())
    kinds |= dict.fromkeys(("follow_up_days_12m", "follow_up_days_90d", "admissions_12m"), pa.int32())
    kinds |= dict.fromkeys(("index_date", "first_admission_date"), pa.date32())
    assert {name: table.schema.field(name).type for name in kinds} == kinds


@pytest.fixture(scope="module")
def several(site: Site) -> Frames:
    """Three index dates, the last of which has a horizon that is not over."""
    return frames_of(site.root, [LATER_DATE, THEN, THEN + timedelta(days=1), THEN], AS_OF)


def test_rows_of_several_index_dates_are_in_order_and_counted(several: Frames) -> None:
    table = read_frames(several.path)
    order = list(zip(table["index_date"].to_pylist(), table["person_id"].to_pylist(), strict=True))
    assert order == sorted(set(order))
    assert several.index_dates == (THEN, THEN + timedelta(days=1), LATER_DATE)
    for day, counts in several.counts.items():
        rows = [row for row in table.to_pylist() if f"{row['index_date']}" == day]
        assert counts["people"] == len(rows) > 1_000
        assert counts["labelled_90d"] == sum(row["label_90d"] is not None for row in rows) > 1_000
        assert counts["events_90d"] == sum(row["label_90d"] is True for row in rows) > 5
    counts, rows = several.counts[f"{THEN}"], [row for row in table.to_pylist() if row["index_date"] == THEN]
    assert counts["labelled_12m"] == sum(row["label_12m"] is not None for row in rows)
    assert counts["events_12m"] == sum(row["label_12m"] is True for row in rows) > 50
    assert counts["died_12m"] == sum(row["died_12m"] for row in rows)
    assert counts["left_12m"] == sum(row["left_12m"] for row in rows)


def test_labels_of_a_horizon_that_is_not_over_are_unknown_and_said_to_be(several: Frames) -> None:
    unfinished = [row for row in read_frames(several.path).to_pylist() if row["index_date"] != THEN]
    assert {row["label_12m"] for row in unfinished} == {None} == {row["died_12m"] for row in unfinished}
    assert not {"labelled_12m", "events_12m", "died_12m"} & several.counts[f"{LATER_DATE}"].keys()
    assert several.warnings == (
        "The 12m labels of 2025-04-02 are unknown: outcomes end at 2026-04-01.",
        "The 12m labels of 2025-10-01 are unknown: outcomes end at 2026-04-01.",
    )


def test_one_person_on_two_index_dates_has_the_features_of_each(frames: Frames, several: Frames) -> None:
    """What an earlier index date left in the database must not reach the next one."""
    assert bytes_of(features_at(several, THEN)) == bytes_of(features_at(frames, THEN))
    assert changed_ages(several) > 100


def changed_ages(several: Frames) -> int:
    rows = frame_rows(several)
    people = {person for person, day in rows if day == THEN and (person, LATER_DATE) in rows}
    return sum(rows[person, THEN]["age"] < rows[person, LATER_DATE]["age"] for person in people)


def test_a_frame_is_for_its_owner_alone_and_leaves_nothing_behind(site: Site, frames: Frames) -> None:
    for path in (frames.path, frames.path.parent / ABOUT):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(frames.path.parent.stat().st_mode) == 0o700
    assert not (site.state / "scratch").exists()
    assert not [path for path in frames.path.parent.parent.iterdir() if path.name.startswith(".")]


def test_a_frame_says_what_it_was_made_of(site: Site, frames: Frames) -> None:
    about = json.loads((frames.path.parent / ABOUT).read_text(encoding="utf-8"))
    assert f"{DELIVERY}/gp_events.csv" in about["identity"]["inputs"]
    assert {"config/model/outcome.yaml", "pipelines/70_outcomes/outcomes.sql"} <= about["identity"][
        "definitions"
    ].keys()
    assert about["outcome"]["death"] == "no_event"
    assert about["unknown_features"].keys() == {f"{THEN}"}
    text = (frames.path.parent / ABOUT).read_text(encoding="utf-8")
    assert not any(row["nhs_number"] in text for row in delivered(site, "gp_patients"))


def test_the_same_inputs_give_the_same_bytes(site: Site, frames: Frames, tmp_path: Path) -> None:
    again = frames_of(copied(site, tmp_path / "site").root, [THEN])
    assert again.id == frames.id
    for name in (frames.path.name, ABOUT):
        assert (again.path.parent / name).read_bytes() == (frames.path.parent / name).read_bytes()


def test_a_frame_that_is_there_is_not_made_again(
    site: Site, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskstrat.model.frames.ingest", lambda context: pytest.fail("it was made again"))
    assert frames_of(site.root, [THEN]) == frames


def test_a_damaged_frame_is_not_read(site: Site, frames: Frames, tmp_path: Path) -> None:
    folder = tmp_path / frames.id
    shutil.copytree(frames.path.parent, folder)
    assert open_frames(folder).id == frames.id
    (folder / frames.path.name).write_bytes(b"other bytes")
    with pytest.raises(RiskstratError, match="damaged"):
        open_frames(folder)


# --- what features may know ------------------------------------------------------------------------------------------


def test_later_events_and_another_order_of_rows_change_no_feature(
    site: Site, frames: Frames, tmp_path: Path
) -> None:
    """Every person gets more of everything from the index date on, and every file is shuffled."""
    busier = copied(site, tmp_path / "site")
    dice = Random("later events")
    for path in sorted((busier.landing / DELIVERY.isoformat()).glob("*.csv")):
        rows = delivered(busier, path.stem)
        header = list(rows[0])
        if path.stem in LATER:
            rows += [later_row(path.stem, row, dice, THEN) for row in dice.sample(rows, min(400, len(rows)))]
        dice.shuffle(rows)
        write_whole(path, header, rows)
    looked_back = frames_of(busier.root, [THEN])
    assert bytes_of(features_at(looked_back, THEN)) == bytes_of(features_at(frames, THEN))
    assert looked_back.counts[f"{THEN}"]["events_12m"] > 2 * frames.counts[f"{THEN}"]["events_12m"]


def bytes_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())
