"""The performative loop: offers are found in what teams sent back, treated time is marked, a naive refit is refused."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from riskstrat.definitions.model_outcome import FILE, load_outcome
from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.model.offers import first_offer, marked, read_offers, refuse_naive_refit, treated_rows
from riskstrat.returns.store import CONTENT, write_return
from riskstrat.site import Site, load_site, write_default_site
from tests.fake_models import ROOT

OUTCOME = load_outcome(ROOT / "config" / FILE)
THEN, SINCE = date(2025, 4, 1), date(2025, 10, 1)


@pytest.fixture
def site(tmp_path) -> Site:
    write_default_site(tmp_path / "site")
    return load_site(tmp_path / "site")


def send_back(site: Site, number: int, *rows: tuple[str, str, date]) -> None:
    """A list that came back: person, outcome and its day."""
    content = [
        {
            **dict.fromkeys(CONTENT),
            **{"list": "weekly_mdt", "list_as_of": day, "area_code": "N1", "person_id": person},
            **{"outcome": outcome, "outcome_date": day, "row_number": place},
        }
        for place, (person, outcome, day) in enumerate(rows)
    ]
    write_return(site.state, f"20260401-{number:010x}", content)


def offers(*rows: tuple[str, date]) -> pa.Table:
    people, days = zip(*rows, strict=True) if rows else ((), ())
    return pa.table({"person_id": pa.array(people, pa.string()), "offered_on": pa.array(days, pa.date32())})


def frame(*rows: tuple[str, date]) -> pa.Table:
    return offers(*rows).rename_columns(["person_id", "index_date"])


def test_offers_are_what_the_policy_names_and_corrections_hold(site):
    assert first_offer(read_offers(site)) is None
    send_back(site, 1, ("a", "seen", SINCE), ("b", "no_action", date(2025, 9, 1)), ("c", "declined", SINCE))
    assert sorted(read_offers(site)["person_id"].to_pylist()) == ["a", "c"]
    assert first_offer(read_offers(site)) == SINCE
    send_back(site, 2, ("a", "no_action", SINCE))
    assert read_offers(site)["person_id"].to_pylist() == ["c"]


@pytest.mark.parametrize(
    ("index_date", "is_refused"),
    [(date(2024, 10, 1), False), (date(2024, 10, 2), True), (THEN, True), (date(2026, 1, 1), True)],
)
def test_a_refit_is_refused_where_a_horizon_reaches_beyond_the_first_offer(index_date, is_refused):
    made = offers(("a", date(2025, 12, 1)), ("b", SINCE))
    if not is_refused:
        refuse_naive_refit(made, OUTCOME, [index_date], None)
        return
    with pytest.raises(NotPermittedError) as problem:
        refuse_naive_refit(made, OUTCOME, [date(2024, 1, 1), index_date], None)
    assert f"since {SINCE}" in problem.value.what
    assert f"the horizon of {index_date}" in problem.value.what
    assert "no index date after 2024-10-01" in str(problem.value.remedy)
    assert "--despite-offers" in str(problem.value.remedy)
    refuse_naive_refit(made, OUTCOME, [index_date], "Offers went to a random half")


def test_a_reason_is_a_reason_and_no_offers_refuse_nothing():
    refuse_naive_refit(offers(), OUTCOME, [THEN], None)
    with pytest.raises(MisuseError, match="--despite-offers is empty"):
        refuse_naive_refit(offers(("a", SINCE)), OUTCOME, [THEN], " ")


def test_treated_time_runs_from_the_first_offer_to_the_end_of_the_horizon():
    table = frame(("a", THEN), ("b", THEN), ("c", THEN), ("d", THEN), ("a", date(2024, 4, 1)))
    made = offers(
        ("a", SINCE),
        ("a", date(2025, 5, 1)),  # the first of two
        ("b", date(2025, 3, 31)),  # before the index date
        ("c", date(2026, 4, 1)),  # after the last day of the horizon
        ("d", THEN),
    )
    assert treated_rows(table, made, OUTCOME).to_pylist() == [335, 0, 0, 365, 0]
    assert marked(table, made, OUTCOME) == {
        "first": "2025-03-31",
        "treated": {
            "2024-04-01": {"rows": 0, "person_days": 0},
            "2025-04-01": {"rows": 2, "person_days": 700},
        },
    }
    assert marked(table, offers(), OUTCOME) == {}
