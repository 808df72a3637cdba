"""Nobody is judged by a model that saw them, their future, or their place."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskstrat.definitions.model_evaluation import Comparator, Group
from riskstrat.definitions.model_outcome import Horizon
from riskstrat.errors import DefinitionError, MisuseError
from riskstrat.model.evaluation.decay import aged_scores
from riskstrat.model.evaluation.people import People, level_order, people_of
from riskstrat.model.evaluation.splits import (
    RANDOM,
    TEMPORAL,
    Split,
    cross_fit,
    leave_each_out,
    person_folds,
    split_by_time,
)

YEAR, QUARTER = Horizon("12m", 12, None), Horizon("90d", None, 90)
DATES = (date(2023, 4, 1), date(2024, 4, 1), date(2024, 10, 1), date(2025, 4, 1))


def frame(people: int = 60, unknown: tuple[date, ...] = ()) -> pa.Table:
    """A row a person and date; ``unknown`` dates have no label. Person 3 moves from the first PCN to the second."""
    rows = []
    for day in DATES:
        for person in range(people):
            pcn = None if person == 5 else f"U{person % 3}"
            pcn = "U1" if person == 3 and day == DATES[-1] else pcn
            label = None if day in unknown or (person == 7 and day == DATES[-1]) else person % 4 == 0
            rows.append((f"{person:032x}", day, pcn, person, label, label))
    columns = list(zip(*rows, strict=True))
    return pa.table(
        {
            "person_id": columns[0],
            "index_date": pa.array(columns[1], pa.date32()),
            "pcn_code": columns[2],
            "number": columns[3],
            "label_12m": pa.array(columns[4], pa.bool_()),
            "label_90d": pa.array(columns[5], pa.bool_()),
        }
    )


class Witness:
    """A model that only remembers whom it saw; its risk of a person is the person's number over 100."""

    def __init__(self, table: pa.Table) -> None:
        self.people = set(table["person_id"].to_pylist())
        self.places = set(table["pcn_code"].to_pylist())
        self.dates = set(table["index_date"].to_pylist())

    def predict(self, table: pa.Table) -> np.ndarray:
        assert not self.people & set(table["person_id"].to_pylist())
        return table["number"].to_numpy() / 100


def test_training_dates_lie_a_whole_horizon_before_the_newest_date_that_is_known() -> None:
    split = split_by_time(frame(), YEAR)
    assert split == Split(TEMPORAL, DATES[:2], DATES[3:], "label_12m")
    assert split_by_time(frame(), QUARTER).training_dates == DATES[:3]


def test_date_without_complete_outcomes_is_not_judged_on() -> None:
    assert split_by_time(frame(unknown=DATES[3:]), YEAR).test_dates == (DATES[2],)
    with pytest.raises(MisuseError, match="no frame of 2025-04-01 has outcomes that are complete over 12m"):
        split_by_time(frame(unknown=DATES[3:]), YEAR, [DATES[3]])
    with pytest.raises(MisuseError, match="no frame has outcomes that are complete over 12m"):
        split_by_time(frame(unknown=DATES), YEAR)


def test_several_test_dates_learn_from_what_the_first_of_them_could_know() -> None:
    split = split_by_time(frame(), YEAR, [DATES[3], DATES[2]])
    assert (split.training_dates, split.test_dates) == (DATES[:1], DATES[2:])


def test_random_split_needs_to_be_asked_for() -> None:
    with pytest.raises(MisuseError, match="a test by time is not possible"):
        split_by_time(frame(), YEAR, [DATES[0]])
    split = split_by_time(frame(), YEAR, [DATES[0]], allow_random=True)
    assert (split.kind, split.training_dates) == (RANDOM, split.test_dates)


@pytest.mark.parametrize("asked", [(), (DATES[0],)], ids=["temporal", "random"])
def test_everybody_is_scored_by_a_model_that_saw_neither_them_nor_their_time(asked: tuple[date, ...]) -> None:
    table = frame()
    split = split_by_time(table, YEAR, asked, allow_random=bool(asked))
    fitted = cross_fit(table, split, 4, Witness)
    test = people_of(table, split.test_dates, split.label)
    assert fitted.risk(test.table).tolist() == (test.number("number") / 100).tolist()
    assert all(model.dates == set(split.training_dates) for model in fitted.models)
    seen = [model.people for model in fitted.models]
    assert set.union(*seen) == set(table["person_id"].to_pylist())


def test_fold_of_a_person_depends_on_nobody_else() -> None:
    table = frame()
    folds = dict(zip(table["person_id"].to_pylist(), person_folds(table, 5).tolist(), strict=True))
    few = table.slice(17, 9)
    assert person_folds(few, 5).tolist() == [folds[key] for key in few["person_id"].to_pylist()]
    assert set(folds.values()) == set(range(5))


def test_place_left_out_is_judged_by_a_model_without_the_place_and_its_people() -> None:
    table = frame()
    split = split_by_time(table, YEAR)
    test = people_of(table, split.test_dates, split.label)
    models = []

    def fit(training: pa.Table) -> Witness:
        models.append(Witness(training))
        return models[-1]

    found = leave_each_out(table, split, test, "pcn_code", fit)
    assert [one.place for one in found] == ["U0", "U1", "U2"]
    mover = f"{3:032x}"
    for one, model in zip(found, models, strict=True):
        assert one.place not in model.places
        assert one.risk.tolist() == (test.number("number")[one.chosen] / 100).tolist()
    assert mover not in models[1].people
    assert mover in models[2].people
    assert sum(one.chosen.sum() for one in found) == len(test) - 1  # the person without a PCN is in none


def test_rows_stand_in_the_order_of_date_and_person_whatever_the_file_has() -> None:
    table = frame()
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
    for dates in (DATES[3:], DATES[2:]):
        assert people_of(shuffled, dates, "label_12m").table.equals(
            people_of(table, dates, "label_12m").table
        )
    both = people_of(table, DATES[2:], "label_12m")
    assert len(both) == 119
    assert both.person.max() == 59
    assert both.table["person_id"].to_pylist()[60] == f"{0:032x}"
    assert both.person[60] == both.person[0]


def test_old_scores_belong_to_the_same_people_and_the_date_that_many_months_earlier() -> None:
    table = frame().filter(pc.not_equal(frame()["person_id"], f"{9:032x}"))
    gone = pc.and_(pc.equal(table["index_date"], DATES[2]), pc.equal(table["number"], 11))
    table = table.filter(pc.invert(gone))
    test = people_of(table, DATES[3:], "label_12m")
    found = aged_scores(
        table, test, test.number("number"), 6, lambda rows: rows["number"].to_numpy() + 1000.0
    )
    assert found is not None
    assert 11 not in found.people.number("number")
    assert len(found.people) == len(test) - 1
    assert (found.aged == found.people.number("number") + 1000).all()
    assert (found.fresh == found.people.number("number")).all()
    assert aged_scores(table, test, test.number("number"), 3, lambda rows: np.zeros(rows.num_rows)) is None


def test_comparator_keeps_unknown_apart_from_no() -> None:
    table = pa.table({"admissions": pa.array([0, 2, None, 5], pa.int32())})
    rule = Comparator("rule", "Rule", "admissions", 2)
    assert np.array_equal(People(table).score(rule), [0.0, 1.0, np.nan, 1.0], equal_nan=True)
    count = Comparator("count", "Count", "admissions", None)
    assert np.array_equal(People(table).score(count), [0.0, 2.0, np.nan, 5.0], equal_nan=True)
    with pytest.raises(DefinitionError, match="the frames have no column 'other'"):
        People(table).number("other")


def test_groups_keep_unknown_and_codes_that_are_not_listed() -> None:
    group = Group("decile", "Decile", "decile", {"2": "low", "9": "high", "1": "low"}, None)
    table = pa.table({"decile": pa.array([9, 1, None, 2, 77], pa.int32())})
    labels = People(table).labels(group)
    assert labels == ["high", "low", "unknown", "low", "77"]
    assert level_order(labels, group) == ["low", "high", "77", "unknown"]
