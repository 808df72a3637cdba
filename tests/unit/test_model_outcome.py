"""config/model/outcome.yaml is parsed strictly: a mistake is named with its key and remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskstrat.definitions.model_outcome import FILE, Horizon, Outcome, load_outcome
from riskstrat.errors import DefinitionError
from riskstrat.site import default_site

SHIPPED = default_site() / "config" / FILE


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Outcome:
    document = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    change(document)
    path = folder / "outcome.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_outcome(path)


def test_shipped_outcome_is_an_admission_within_a_year_with_deaths_as_no_event() -> None:
    outcome = load_outcome(SHIPPED)
    assert outcome.main == Horizon("12m", 12, None)
    assert outcome.horizons[1:] == (Horizon("90d", None, 90),)
    assert (outcome.death, outcome.leaving, outcome.gap_days) == ("no_event", "exclude_without_event", 30)
    assert outcome.extracts == ("gp_patients", "acute_episodes")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda given: given.update(horizon=[]), "unknown key 'horizon'"),
        (lambda given: given.pop("death"), "the key 'death' is missing"),
        (lambda given: given["death"].update(rule="ignore"), "rule is none of the words"),
        (lambda given: given["leaving"].update(rule="unknown"), "rule is none of the words"),
        (lambda given: given["leaving"].update(gap_days=-1), "gap_days must be a whole number of 0 or more"),
        (lambda given: given["leaving"].update(gap_days=True), "gap_days must be a whole number"),
        (lambda given: given["death"].pop("why"), "the key 'why' is missing in death"),
        (lambda given: given["leaving"].update(why=" "), "why must be text"),
        (lambda given: given.update(horizons=[]), "at least one horizon"),
        (lambda given: given.update(horizons=[{"name": "12m", "days": 365}]), "must have months or days"),
        (lambda given: given.update(horizons=[{"name": "12m"}]), "must have months or days"),
        (lambda given: given.update(horizons=[{"name": "1m", "months": 1, "days": 30}]), "months or days"),
        (lambda given: given["horizons"].append({"name": "90d", "days": 90}), "a horizon stands twice"),
        (lambda given: given.update(extracts=[]), "names no extract"),
        (lambda given: given.update(short_history="drop"), "short_history is none of the words"),
        (lambda given: given.update(minimum_people=0), "minimum_people must be a whole number of 1 or more"),
        (lambda given: given["review"].update(next_review="soon"), "next_review is no date"),
    ],
)
def test_mistake_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object], what: str) -> None:
    with pytest.raises(DefinitionError, match=what) as refused:
        changed(tmp_path, change)
    assert refused.value.file == str(tmp_path / "outcome.yaml")


def test_site_may_leave_survivors_unjudged(tmp_path: Path) -> None:
    assert changed(tmp_path, lambda given: given.update(survivors_from=None)).survivors_from is None


@pytest.mark.parametrize(
    ("horizon", "day", "end"),
    [
        (Horizon("12m", 12, None), date(2025, 4, 1), date(2026, 4, 1)),
        (Horizon("12m", 12, None), date(2024, 2, 29), date(2025, 2, 28)),
        (Horizon("1m", 1, None), date(2026, 1, 31), date(2026, 2, 28)),
        (Horizon("90d", None, 90), date(2026, 1, 1), date(2026, 4, 1)),
        (Horizon("14m", 14, None), date(2025, 11, 30), date(2027, 1, 30)),
    ],
)
def test_horizon_ends_so_many_calendar_months_or_days_later(horizon: Horizon, day: date, end: date) -> None:
    assert horizon.end(day) == end
    assert horizon.end(horizon.latest_start(end)) <= end
