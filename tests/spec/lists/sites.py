"""A made-up site whose lists are written for tests: short conditions, few places, two neighbourhoods."""

from __future__ import annotations

import shutil
from pathlib import Path

from riskstrat.site import write_default_site
from tests import factories
from tests.small_town import use_one_thread

COHORTS = {
    "everybody": "include: ['age >= 0']",
    "ill": "include: [has_copd]",
}
USUAL = """
title: A list
why: A list for tests.
cadence: daily
columns: [rank, change, dropped_because, person_id, event, event_date, age, is_known_to_team, case_manager, gaps, score]
source: These tests
review: {author: riskstrat, signed_off_by: null, next_review: 2027-04-01}
"""
LISTS = {
    # everybody, so that what is known of anybody can be looked at
    "everybody": """
cohorts: [everybody]
area: neighbourhood
order_by: [person_id]
compare_days: 1
rest_days: 0
sections: [{name: all, title: All}]
""",
    "huddle": """
cohorts: [ill]
area: neighbourhood
include: [event IS NOT NULL]
capacity: 2
allocation: per_head
order_by: [is_known_to_team ASC NULLS FIRST, review_days_overdue DESC, score DESC]
compare_days: 1
rest_days: 3
sections:
  - {name: not_known, title: Not known, when: is_known_to_team IS NULL OR NOT is_known_to_team}
  - {name: overdue, title: Review overdue, when: review_days_overdue > 0}
  - {name: known, title: Known}
""",
    "needy": """
cohorts: [ill]
area: neighbourhood
capacity: 4
allocation: need
need_feature: unplanned_admissions_12m
order_by: [score DESC]
compare_days: 1
rest_days: 1
sections: [{name: all, title: All}]
""",
    "unsure": """
cohorts: [ill]
area: neighbourhood
capacity: 3
allocation: need
need_feature: agencies_90d
order_by: [score DESC]
compare_days: 1
rest_days: 1
sections: [{name: all, title: All}]
""",
    "falling": """
cohorts: [ill]
area: neighbourhood
capacity: 3
allocation: need
need_feature: falls_12m
order_by: [score DESC]
compare_days: 1
rest_days: 1
sections: [{name: all, title: All}]
""",
    "wide": """
cohorts: [ill]
area: practice
capacity: 2
allocation: city_wide
order_by: [age ASC]
compare_days: 3
rest_days: 10
sections:
  - {name: back, title: Back, when: change = 'BACK'}
  - {name: others, title: Others}
""",
    "monthly": """
cohorts: [ill]
area: practice
order_by: [score DESC]
compare_days: 2
rest_days: 0
sections:
  - {name: new, title: New, when: "change IN ('NEW', 'BACK')"}
  - {name: unchanged, title: As before}
""",
}


def write_list_site(folder: Path) -> Path:
    """The shipped definitions with the cohorts and lists of this module, in a made-up geography."""
    write_default_site(folder)
    use_one_thread(folder)
    config = folder / "config"
    factories.write_geography(config / "geography")
    for name in ("cohorts", "lists"):
        shutil.rmtree(config / name)
        (config / name).mkdir()
    for name, include in COHORTS.items():
        write_cohort(folder, name, include)
    for name, text in LISTS.items():
        write_list(folder, name, text)
    return folder


def write_cohort(site: Path, name: str, include: str) -> None:
    about = "title: A cohort\nwhy: For tests.\nrank_by: [risk_score DESC]\nsource: These tests\n"
    review = "review: {author: riskstrat, signed_off_by: null, next_review: 2027-04-01}\n"
    (site / "config" / "cohorts" / f"{name}.yaml").write_text(f"{about}{include}\n{review}", encoding="utf-8")


def write_list(site: Path, name: str, text: str) -> None:
    (site / "config" / "lists" / f"{name}.yaml").write_text(
        f"{USUAL.strip()}\n{text.strip()}\n", encoding="utf-8"
    )
