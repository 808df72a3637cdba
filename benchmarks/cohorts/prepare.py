"""Makes everything that the turns read, in a process of its own so that the one that measures stays small.

python -m benchmarks.cohorts.prepare FOLDER --people 1000000 --seed 1 --whole
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.cohorts.inputs import write_omop
from benchmarks.cohorts.meds import write_meds
from benchmarks.cohorts.people import AS_OF, TODAY, Numbers, People, last_birth_day_aged, make_people
from benchmarks.cohorts.published import write_published_run
from benchmarks.cohorts.question import CUT_DOWN, WHOLE
from benchmarks.cohorts.records import Records, make_records

AGE, ADMISSIONS, WINDOW_DAYS = 65, 2, 365


def main() -> None:
    """Write the site, the peers' inputs and ``answers.json`` into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help="the peers' inputs as whole records too")
    options = parser.parse_args()
    people = make_people(options.people, options.seed)
    write_published_run(options.folder / "site", people, options.seed)
    rows = {CUT_DOWN: _inputs(options.folder / CUT_DOWN, people)}
    if options.whole:
        rows[WHOLE] = _inputs(options.folder / WHOLE, people, make_records(people, options.seed))
    about = {"people": len(people), "rows": rows, "answers": answers(people)}
    (options.folder / "answers.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


def _inputs(folder: Path, people: People, records: Records | None = None) -> dict[str, int]:
    return write_omop(folder / "omop", people, records) | write_meds(folder / "meds", people, records)


def answers(people: People) -> dict[str, int]:
    """How many people match, worked out from the events without SQL; and with the ages as peers reckon them."""
    born = people.birth_day.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    return {
        "completed years": _matching(people, people.birth_day <= last_birth_day_aged(AGE)),
        "calendar years": _matching(people, AS_OF.year - born >= AGE),
        "years of 365 days": _matching(people, (TODAY - people.birth_day) // 365 >= AGE),
    }


def _matching(people: People, is_old_enough: Numbers) -> int:
    frail = (people.frailty() == "moderate") | (people.frailty() == "severe")
    admitted = people.unplanned.counted(len(people), TODAY - WINDOW_DAYS) >= ADMISSIONS
    return int((is_old_enough & frail & admitted).sum())


if __name__ == "__main__":
    main()
