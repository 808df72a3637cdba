"""The rows of a sealed file: members of a cohort in one area, with the columns that their recipient may have."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from riskstrat.definitions.audiences import IDENTIFIERS, PSEUDONYM, Audience
from riskstrat.exports.choosing import Parcel
from riskstrat.reading.decision import members_of
from riskstrat.reading.failures import reading
from riskstrat.reading.published import PublishedCohort
from riskstrat.reading.selection import MEMBER_COLUMNS
from riskstrat.runs import Run, feature_types
from riskstrat.site import Site
from riskstrat.sqltext import literal, quoted
from riskstrat.vault import own_site_key

PERSON = "person_id"
LISTED = ("rank", "within_capacity", "cohort_rank")
Identities = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Rows:
    """A table for one recipient. ``unknown`` counts members who have left since the run, and are left out."""

    columns: tuple[str, ...]
    rows: list[list[Any]]
    unknown: int

    @property
    def count(self) -> int:
        """How many people it is about."""
        return len(self.rows)


def columns_for(
    audience: Audience, cohort: PublishedCohort, worklist_columns: Iterable[str]
) -> tuple[str, ...]:
    """Of what the audience may have: identifiers, and what the worklists or the cohort show.

    ``gaps`` stands in the files of cohorts that define some.
    """
    shown = {*worklist_columns, *cohort.columns, *LISTED, *IDENTIFIERS, PSEUDONYM}
    if not cohort.criteria.gaps:
        shown.discard("gaps")
    return tuple(column for column in audience.columns if column in shown)


def members_by_area(
    connection: duckdb.DuckDBPyConnection, run: Run, cohort: PublishedCohort, parcel: Parcel
) -> list[dict[str, Any]]:
    """The members of the parcel's area in the order of the cohort, with every feature."""
    name = str(cohort.about["name"])
    features = [column for column in feature_types(connection) if column not in MEMBER_COLUMNS]
    capacity = cohort.about.get("capacity")
    place = (
        "row_number() OVER (PARTITION BY features.neighbourhood_code, members.is_manual_addition "
        "ORDER BY members.rank)"
    )
    within = f"members.is_manual_addition OR {place} <= {int(capacity)}" if capacity else "TRUE"
    own = ", ".join(f"members.{column}" for column in MEMBER_COLUMNS if column != "rank")
    where = f" WHERE {quoted(f'{parcel.kind}_code')} = {literal(str(parcel.area))}" if parcel.kind else ""
    query = (
        f"WITH listed AS (SELECT {', '.join(f'features.{quoted(column)}' for column in features)}, {own}, "
        f"members.rank AS cohort_rank, {within} AS within_capacity "
        f"FROM {members_of(run, name)} AS members JOIN features USING ({PERSON})) "
        f"SELECT * FROM listed{where} ORDER BY cohort_rank"
    )
    with reading(run, None):
        result = connection.execute(query)
        names = [str(entry[0]) for entry in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def identities_of(site: Site, person_ids: Iterable[str]) -> Identities:
    """person_id to who that is, from the vault. Raises NotPermittedError."""
    from riskstrat.vault import read_people

    people = read_people(site, person_ids).to_pylist()
    return {person[PERSON]: person for person in people}


def rows_for(
    members: Sequence[Mapping[str, Any]],
    columns: tuple[str, ...],
    identities: Identities | None,
    secret: bytes,
    practices: Container[str] = (),
) -> Rows:
    """The members with these columns, ranked from 1; ``identities`` None where nobody may be named.

    Somebody who may be named is left out where the vault does not know them any more, or knows them to be registered
    outside ``practices`` by now.
    """
    known = [
        one
        for one in members
        if identities is None or identities.get(one[PERSON], {}).get("practice_code") in practices
    ]
    rows = []
    for rank, member in enumerate(known, start=1):
        person = str(member[PERSON])
        named = identities[person] if identities is not None else {}
        told = {**member, **{name: named.get(name) for name in IDENTIFIERS}, "rank": rank}
        told[PSEUDONYM] = pseudonym(secret, person) if PSEUDONYM in columns else None
        rows.append([told[column] for column in columns])
    return Rows(columns, rows, len(members) - len(known))


def recipient_secret(site: Site, recipient: str) -> bytes:
    """32 bytes that make one recipient's pseudonyms (HKDF of the site key). Raises NotPermittedError."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = b"riskstrat recipient pseudonym " + recipient.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(own_site_key(site))


def pseudonym(secret: bytes, person_id: str) -> str:
    """The first 32 hex digits of HMAC-SHA-256: two recipients cannot put their files together by it."""
    return hmac.digest(secret, person_id.encode("ascii"), hashlib.sha256).hex()[:32]
