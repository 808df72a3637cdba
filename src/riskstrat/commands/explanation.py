"""One person's evidence as text: deficits, diagnoses, conditions, states, contacts, services, and why what counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from riskstrat.commands.printing import aligned, as_text
from riskstrat.reading.explaining import Explanation, Records

Terms = Mapping[tuple[str, str], str]

PERSON = ("age", "sex", "practice_code", "neighbourhood_code", "is_inpatient", "is_known_to_team")
LONGEST_TERM = 48
VERDICTS = {
    "counted": "counted: unplanned, in the last 12 months",
    "outside 12 months": "not in 12 months, counted in 24: admitted earlier",
    "outside 24 months": "not counted: admitted more than 24 months ago",
    "transfer": "not counted: a transfer, it continues a stay",
    "planned": "not counted: planned",
    "maternity": "not counted: maternity",
    "birth": "not counted: a birth",
    "regular attender": "not counted: regular day or night attender",
    "unknown admission method": "not counted: the admission method is not known",
    "before birth": "not used: dated before birth",
    "on or after as_of": "not used: on or after as_of",
    "recorded on or after as_of": "not used: recorded on or after as_of",
}
ATTENDANCE_VERDICTS = {
    "counted": "counted: first and unplanned",
    "same day emergency care": "counted apart: same day emergency care",
    "not first and unplanned": "not counted: not first and unplanned",
    "before birth": "not used: dated before birth",
    "on or after as_of": "not used: on or after as_of",
}


def explanation_lines(found: Explanation, terms: Terms) -> Iterator[str]:
    """The lines to print; ``terms`` are (code system, code) to what the code means."""
    features = found.features
    yield f"person_id    {found.person_id}"
    yield "             " + ", ".join(f"{name} {as_text(features[name])}" for name in PERSON)
    yield from _deficits(found, terms)
    yield from _diagnoses(
        f"Hospital Frailty Risk Score {as_text(features['hfrs'])}, {as_text(features['hfrs_category'])}"
        + ("" if features["hfrs_validated_age"] else " (published for people of 75 and over)"),
        found.evidence["hfrs"],
        ("icd10_3char", "points", "icd10", "first_admission_date", "episode_id"),
    )
    yield from _diagnoses(
        f"Charlson index {as_text(features['charlson'])}",
        found.evidence["charlson"],
        ("concept", "points", "icd10", "first_admission_date", "episode_id"),
    )
    yield from _section(
        f"Cambridge Multimorbidity Score {as_text(features['cambridge_multimorbidity'])}",
        ("item", "points"),
        [(row["item"], row["points"]) for row in found.evidence["cambridge"].as_dicts()],
    )
    yield from _section(
        "States and events, each as it was last recorded",
        ("concept", "latest_date", "code", "term", "value", "source_row"),
        [
            (
                row["concept"],
                row["latest_date"],
                row["code"],
                _term(row, terms),
                row["value"],
                row["event_id"],
            )
            for row in found.evidence["flags"].as_dicts()
        ],
    )
    yield from _stays(found)
    yield from _attendances(found)
    yield from _contacts(found)
    yield from _services(found)


def _deficits(found: Explanation, terms: Terms) -> Iterator[str]:
    features = found.features
    sources = ", ".join(
        f"{name} {as_text(features[column])}"
        for name, column in (
            ("computed", "efi_category"),
            ("coded", "frailty_coded"),
            ("supplied", "frailty_supplied"),
        )
    )
    heading = f"eFI {as_text(features['efi_deficits'])} of 36 deficits; frailty {as_text(features['frailty_category'])}"
    rows = [
        (
            row["deficit"],
            row["first_date"],
            row["code"],
            _term(row, terms) if row["code"] else "different medicines in 12 months",
            row["value"],
            row["event_id"],
        )
        for row in found.evidence["efi"].as_dicts()
    ]
    yield from _section(
        f"{heading} ({sources})", ("deficit", "first_date", "code", "term", "value", "source_row"), rows
    )


def _diagnoses(heading: str, records: Records, columns: tuple[str, ...]) -> Iterator[str]:
    names = tuple("source_row" if name == "episode_id" else name for name in columns)
    yield from _section(heading, names, [tuple(row[name] for name in columns) for row in records.as_dicts()])


def _stays(found: Explanation) -> Iterator[str]:
    features = found.features
    heading = (
        f"Hospital stays; unplanned admissions: {as_text(features['unplanned_admissions_12m'])} in 12 months, "
        f"{as_text(features['unplanned_admissions_24m'])} in 24"
    )
    rows = [
        (
            row["admission_date"],
            row["discharge_date"],
            row["provider_code"],
            row["admission_method"],
            VERDICTS.get(row["verdict"], row["verdict"]) + _remarks(row),
            row["episode_id"],
        )
        for row in found.evidence["stays"].as_dicts()
    ]
    columns = (
        "admission_date",
        "discharge_date",
        "provider_code",
        "admission_method",
        "verdict",
        "source_row",
    )
    yield from _section(heading, columns, rows)


def _attendances(found: Explanation) -> Iterator[str]:
    records = found.evidence.get("attendances")
    if records is None:  # a run that is older than this kind of evidence
        return
    features = found.features
    heading = (
        f"Emergency care of the last 12 months; A&E attendances: {as_text(features['ae_attendances_12m'])}, "
        f"{as_text(features['ambulance_arrivals_12m'])} of them by ambulance; "
        f"same day emergency care: {as_text(features['sdec_attendances_12m'])}"
    )
    rows = [
        (
            f"{row['arrival_at']:%Y-%m-%d %H:%M}",
            row["provider_code"],
            row["department_type"],
            row["attendance_category"],
            row["arrived_by_ambulance"],
            ATTENDANCE_VERDICTS.get(row["verdict"], row["verdict"]),
            row["attendance_id"],
        )
        for row in records.as_dicts()
    ]
    columns = ("arrival_at", "provider_code", "department", "category", "ambulance", "verdict", "source_row")
    yield from _section(heading, columns, rows)


def _contacts(found: Explanation) -> Iterator[str]:
    records = found.evidence.get("contacts")
    if records is None:
        return
    features = found.features
    heading = (
        f"Contacts of the last 12 months; community {as_text(features['community_contacts_12m'])}, "
        f"practice {as_text(features['gp_contacts_12m'])}, agencies {as_text(features['agency_contacts_12m'])}; "
        f"unscheduled in 90 days: {as_text(features['unscheduled_contacts_90d'])}, "
        f"usually {as_text(features['unscheduled_contacts_usual_90d'])}"
    )
    rows = [
        (
            row["contact_date"],
            row["extract"],
            row["contact_type"],
            ("unscheduled" if row["is_unscheduled"] else "")
            if row["is_counted"]
            else "not counted: did not take place",
            row["contact_id"],
        )
        for row in records.as_dicts()
    ]
    yield from _section(heading, ("contact_date", "extract", "kind", "remark", "source_row"), rows)


def _services(found: Explanation) -> Iterator[str]:
    records = found.evidence.get("services")
    if records is None:
        return
    heading = (
        f"Services, plans, questions and caseloads; home care: {as_text(found.features['receives_homecare'])}, "
        f"care plan: {as_text(found.features['has_care_plan'])}"
    )
    columns = ("kind", "start_date", "end_date", "last_review_date", "is_open", "description", "source_row")
    yield from _section(
        heading, columns, [tuple(row[name] for name in columns) for row in records.as_dicts()]
    )


def _remarks(row: Mapping[str, Any]) -> str:
    remarks = [f"ACSC {row['acsc_condition']}"] if row["acsc_condition"] else []
    gap = row["days_since_previous_cips"]
    if row["is_counted_24m"] and gap is not None and 0 <= gap <= 29:
        remarks.append(f"readmission after {gap} days")
    return f" ({'; '.join(remarks)})" if remarks else ""


def _term(row: Mapping[str, Any], terms: Terms) -> str:
    term = terms.get((row["code_system"], row["code"]), "")
    return term if len(term) <= LONGEST_TERM else term[: LONGEST_TERM - 3].rstrip() + "..."


def _section(heading: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield ""
    yield heading
    if not rows:
        yield "  nothing recorded"
        return
    for line in aligned(columns, rows):
        yield f"  {line.rstrip()}"
