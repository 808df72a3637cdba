"""What a feed covers: the calendar of silent months, and which features an unheard month makes unknown.

Source: the project's rules, Unknown is not zero. A month is silent when a provider that averages 20 or more
rows a month between its first and its last row has none in it. Where the rules are silent: a month that is not
over when the window ends is not judged; rows that could not be known before ``as_of`` are not heard, rows of
people who died or opted out are; what was unknown a year ago is judged by today's calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.oracle.knowledge import Knowledge
from tests.oracle.people import registration_on
from tests.oracle.windows import Row, as_date, flu_season_start, is_known, months_before, rows_that_count

SILENT_MONTH_AVERAGE = 20
EVERYBODY = "*"
DATE_COLUMNS = {
    "gp_events": "event_date",
    "gp_medications": "issue_date",
    "gp_contacts": "contact_date",
    "acute_episodes": "admission_date",
    "acute_attendances": "arrival_at",
    "community_contacts": "contact_date",
}
OF_PRACTICES = ("gp_events", "gp_medications", "gp_contacts")

Month = tuple[int, int]
Window = tuple[date, date]
Covers = Callable[[str, date, date], bool]  # extract, start and end of a window -> whether it was heard


def windows(as_of: date) -> dict[str, Window]:
    return {
        "90 days": (as_of - timedelta(days=90), as_of),
        "12 months": (months_before(as_of, 12), as_of),
        "24 months": (months_before(as_of, 24), as_of),
        "last calendar year": (date(as_of.year - 1, 1, 1), date(as_of.year, 1, 1)),
        "flu season": (flu_season_start(as_of), as_of),
    }


# Feature -> the windows of the feeds without which it is unknown. eFI follows medicines_12m by itself.
NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "hfrs": (("acute_episodes", "24 months"),),
    "hfrs_category": (("acute_episodes", "24 months"),),
    "charlson": (("acute_episodes", "24 months"),),
    "unplanned_admissions_12m": (("acute_episodes", "12 months"),),
    "unplanned_admissions_24m": (("acute_episodes", "24 months"),),
    "unplanned_admissions_90d": (("acute_episodes", "90 days"),),
    "unplanned_admissions_last_calendar_year": (("acute_episodes", "last calendar year"),),
    "acsc_admissions_12m": (("acute_episodes", "12 months"),),
    "unplanned_bed_days_12m": (("acute_episodes", "12 months"),),
    "emergency_readmissions_30d_12m": (("acute_episodes", "12 months"),),
    "ae_attendances_12m": (("acute_attendances", "12 months"),),
    "ae_attendances_90d": (("acute_attendances", "90 days"),),
    "sdec_attendances_12m": (("acute_attendances", "12 months"),),
    "ambulance_arrivals_12m": (("acute_attendances", "12 months"),),
    "community_contacts_12m": (("community_contacts", "12 months"),),
    "gp_contacts_12m": (("gp_contacts", "12 months"),),
    "unscheduled_contacts_90d": (("acute_attendances", "90 days"), ("gp_contacts", "90 days")),
    "unscheduled_contacts_usual_90d": (("acute_attendances", "12 months"), ("gp_contacts", "12 months")),
    "falls_12m": (("gp_events", "12 months"),),
    "copd_rescue_medicine_12m": (("gp_events", "12 months"),),
    "medication_reviewed_12m": (("gp_events", "12 months"),),
    "unplanned_discharge_14d": (("acute_episodes", "90 days"),),
    "flu_vaccine_this_season": (("gp_events", "flu season"),),
    "cambridge_multimorbidity": (("gp_events", "12 months"), ("gp_medications", "12 months")),
}
# What happened is known in a silent month too; only that nothing did is not.
SEEN_IS_KNOWN = {"medication_reviewed_12m", "unplanned_discharge_14d"}


def everything(extract: str, start: date, end: date) -> bool:
    """Feeds without a gap."""
    return True


def is_heard(feature: str, as_of: date, covers: Covers) -> bool:
    every = windows(as_of)
    return all(covers(extract, *every[window]) for extract, window in NEEDED.get(feature, ()))


def is_decided(feature: str, value: object, as_of: date, covers: Covers) -> bool:
    return is_heard(feature, as_of, covers) or (feature in SEEN_IS_KNOWN and value is True)


def whole_months(start: date, end: date) -> list[Month]:
    """The calendar months that [start, end) touches and that are over when it ends."""
    months = []
    first = start.replace(day=1)
    while first < end:
        following = (first + timedelta(days=31)).replace(day=1)
        if following <= end:
            months.append((first.year, first.month))
        first = following
    return months


def month_number(month: Month) -> int:
    return month[0] * 12 + month[1]


@dataclass
class Calendar:
    """Who sent how many rows of each extract in each month; ``declared`` are the gaps that the site accepts."""

    declared: Sequence[Mapping[str, str]] = ()
    rows: dict[tuple[str, str], Counter[Month]] = field(default_factory=dict)
    _answers: dict[tuple[str, str, date, date], bool] = field(default_factory=dict)

    def hear(self, extract: str, provider: str, day: date) -> None:
        self.rows.setdefault((extract, provider), Counter())[day.year, day.month] += 1

    def speaks_often(self, extract: str, provider: str) -> bool:
        heard = self.rows[extract, provider]
        span = month_number(max(heard)) - month_number(min(heard)) + 1
        return sum(heard.values()) / span >= SILENT_MONTH_AVERAGE

    def is_declared(self, extract: str, provider: str, month: Month) -> bool:
        text = f"{month[0]:04d}-{month[1]:02d}"
        return any(
            gap["extract"] == extract
            and gap["provider"] in (EVERYBODY, provider)
            and gap["from"] <= text <= gap["to"]
            for gap in self.declared
        )

    def covers_provider(self, extract: str, provider: str, start: date, end: date) -> bool:
        if (extract, provider) not in self.rows or not self.speaks_often(extract, provider):
            return True
        return all(
            month in self.rows[extract, provider] or self.is_declared(extract, provider, month)
            for month in whole_months(start, end)
        )

    def covers(self, extract: str, practice: str, start: date, end: date) -> bool:
        """Acute and community feeds: every provider was heard; GP feeds: the person's practice was."""
        provider = practice if extract in OF_PRACTICES else EVERYBODY
        question = (extract, provider, start, end)
        if question not in self._answers:
            self._answers[question] = all(
                self.covers_provider(extract, heard, start, end)
                for name, heard in self.rows
                if name == extract and provider in (EVERYBODY, heard)
            )
        return self._answers[question]

    def of_practice(self, practice: str) -> Covers:
        """What was heard of the people of one practice."""
        return lambda extract, start, end: self.covers(extract, practice, start, end)


def calendar_of(
    histories: Iterable[Mapping[str, Sequence[Row]]],
    as_of: date,
    knowledge: Knowledge,
    declared: Sequence[Mapping[str, str]] = (),
) -> Calendar:
    """The calendar of a town: every known row of everybody on the register, in or out of the population."""
    calendar = Calendar(declared)
    for history in histories:
        registration = registration_on(history["gp_patients"], as_of, knowledge)
        for extract, column in DATE_COLUMNS.items():
            for row in rows_that_count(history.get(extract, ())):
                day = as_date(row[column])
                if not is_known(row, day, as_of):
                    continue
                if extract not in OF_PRACTICES:
                    calendar.hear(extract, row["provider_code"], day)
                elif registration is not None:
                    calendar.hear(extract, registration["practice_code"], day)
    return calendar
