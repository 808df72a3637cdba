"""The truth about the town, beside the extracts: what models and features are held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riskstrat.demo.admissions import Stays
from riskstrat.demo.calibration import Booleans, Integers
from riskstrat.demo.health import Health
from riskstrat.demo.oracle import Exposure, best_probability, posterior_mean_rate
from riskstrat.demo.people import OPEN, Calendar, People
from riskstrat.demo.rows import NEVER

WHOLE_HISTORY = "unplanned_admissions_history"
# Categories of the frailty index by number of deficits (Clegg 2016).
EFI_CATEGORIES = ("fit", "mild", "moderate", "severe")
EFI_EDGES = (5, 9, 13)
FLAG_NAMES = {
    "has_dementia": "dementia",
    "has_copd": "copd",
    "lives_alone": "lives_alone",
    "is_housebound": "housebound",
    "is_care_home_resident": "care_home_resident",
    "is_end_of_life": "end_of_life",
    "type1_opt_out": "type1_opt_out",
}
TRUTH_SCHEMA = pa.schema(
    [
        ("nhs_number", pa.string()),
        ("person", pa.int64()),
        ("date_of_birth", pa.date32()),
        ("age", pa.int32()),
        ("female", pa.bool_()),
        ("imd_decile", pa.int32()),
        ("in_population", pa.bool_()),
        ("national_opt_out", pa.bool_()),
        ("frailty", pa.float64()),
        ("z", pa.float64()),
        ("mu", pa.float64()),
        ("history_expected", pa.float64()),
        ("expected_rate", pa.float64()),
        ("p_bayes", pa.float64()),
        ("p_bayes_24m", pa.float64()),
        ("efi_deficits", pa.int32()),
        ("efi_category", pa.string()),
        ("medicines_12m", pa.int32()),
        *((name, pa.bool_()) for name in FLAG_NAMES),
        ("unplanned_admissions_12m", pa.int32()),
        ("unplanned_admissions_24m", pa.int32()),
        ("unplanned_admissions_36m", pa.int32()),
        ("unplanned_admissions_next_12m", pa.int32()),
        ("first_admission_next_12m", pa.date32()),
        ("date_of_death", pa.date32()),
        ("date_of_death_next_12m", pa.date32()),
    ]
)


def truth_schema(calendar: Calendar) -> pa.Schema:
    """The columns of the truth; a longer history has its number of unplanned admissions, which ``p_bayes`` goes by."""
    return TRUTH_SCHEMA.append(pa.field(WHOLE_HISTORY, pa.int32())) if calendar.older else TRUTH_SCHEMA


@dataclass(frozen=True)
class Person:
    """All that the generator knows of a chunk of people."""

    people: People
    health: Health
    exposed: Exposure
    stays: Stays
    medicines: Integers
    national_opt_out: Booleans
    flags: dict[str, Booleans]


def truth_table(known: Person, first_person: int, calendar: Calendar) -> pa.Table:
    """One row a person, in the order of the draw.

    Risks are given for everybody; ``in_population`` says who counts. It leaves opt-outs in: they are policy.
    """
    people, exposed, stays = known.people, known.exposed, known.stays
    count = len(people)
    starts = calendar.starts
    history = [_counted(stays, (stays.day >= start) & (stays.window > 0), count) for start in starts]
    deficits = known.health.deficits(calendar.as_of)
    columns: dict[str, object] = {
        "nhs_number": [str(number) for number in people.nhs_number],
        "person": np.arange(first_person, first_person + count),
        "date_of_birth": dates(people.birth),
        "age": completed_years(people.birth, calendar.as_of),
        "female": people.female,
        "imd_decile": people.decile,
        "in_population": people.status == OPEN,
        "national_opt_out": known.national_opt_out,
        "frailty": known.health.frailty,
        "z": known.health.z,
        "mu": exposed.rate[0],
        "history_expected": exposed.expected[1:].sum(axis=0),
        "expected_rate": posterior_mean_rate(exposed, history[-1], calendar.years),
        "p_bayes": best_probability(exposed, history[-1], calendar.years),
        "p_bayes_24m": best_probability(exposed, history[1], 2),
        "efi_deficits": deficits,
        "efi_category": np.array(EFI_CATEGORIES)[np.digitize(deficits, EFI_EDGES)],
        "medicines_12m": known.medicines,
        **{name: known.flags[flag] for name, flag in FLAG_NAMES.items()},
        "unplanned_admissions_12m": history[0],
        "unplanned_admissions_24m": history[1],
        "unplanned_admissions_36m": history[2],
        WHOLE_HISTORY: history[-1],
        "unplanned_admissions_next_12m": _counted(stays, stays.window == 0, count),
        "first_admission_next_12m": _first_of_next_year(stays, count),
        "date_of_death": dates(people.death),
        "date_of_death_next_12m": dates(np.where(people.status == OPEN, exposed.next_death, NEVER)),
    }
    schema = truth_schema(calendar)
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _counted(stays: Stays, chosen: Booleans, count: int) -> Integers:
    return np.bincount(stays.person[chosen], minlength=count)


def _first_of_next_year(stays: Stays, count: int) -> pa.Array:
    first = np.full(count, NEVER, dtype=np.int64)
    future = stays.only(stays.window == 0)
    np.minimum.at(first, future.person, future.day)
    return dates(first)


def dates(day: Integers) -> pa.Array:
    """Days as dates; NEVER and later is no date."""
    return pa.array(day.astype(np.int32), pa.int32(), mask=day >= NEVER).cast(pa.date32())


def completed_years(birth: Integers, day: int) -> Integers:
    """Age on a day, by the calendar: the birthday itself completes a year."""
    born = birth.astype("datetime64[D]")
    today = np.datetime64(day, "D")
    years = today.astype("datetime64[Y]").astype(int) - born.astype("datetime64[Y]").astype(int)
    day_in_year = _month_and_day(born), _month_and_day(np.array([today]))[0]
    return np.asarray(years - (day_in_year[0] > day_in_year[1]), dtype=np.int64)


def _month_and_day(day: NDArray[np.datetime64]) -> Integers:
    month = day.astype("datetime64[M]")
    number = (day - month).astype(np.int64)
    combined: Integers = month.astype(np.int64) % 12 * 100 + number
    return combined
