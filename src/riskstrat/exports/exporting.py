"""``worklist export``: from a published cohort to sealed files, one a recipient, or to nothing at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.audit import append, refusal
from riskstrat.definitions.audiences import FILE as AUDIENCES_FILE
from riskstrat.definitions.audiences import Audience, load_audiences
from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.legal_basis import FILE as LEGAL_BASIS_FILE
from riskstrat.definitions.legal_basis import Basis, load_legal_basis
from riskstrat.definitions.policies import load_worklist_layout
from riskstrat.disclosure.counts import HIDDEN
from riskstrat.errors import MisuseError
from riskstrat.exports.areas import load_areas
from riskstrat.exports.choosing import Parcel, choose_parcels, unserved_practices
from riskstrat.exports.counts import policy_of, shown_counts
from riskstrat.exports.formats import CSV, S1_LIST, XLSX, as_csv, as_number_list, as_xlsx, load_number_list
from riskstrat.exports.legends import legend_of
from riskstrat.exports.manifests import SEALED_SUFFIX, manifest_path, signed_manifest
from riskstrat.exports.people import (
    Rows,
    columns_for,
    identities_of,
    members_by_area,
    recipient_secret,
    rows_for,
)
from riskstrat.exports.permission import extracts_used, is_identifying, load_knowledge, require_bases
from riskstrat.exports.recipients import load_recipients
from riskstrat.exports.sealing import sealed, sealed_count
from riskstrat.exports.writing import FOLDER, check_place, write_together
from riskstrat.keys import read_signing_key
from riskstrat.reading.published import PublishedCohort, read_cohort
from riskstrat.runs import Run, open_run
from riskstrat.site import Site
from riskstrat.vault import refuse_half_rotated

if TYPE_CHECKING:
    import duckdb
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COUNTS = "counts"


@dataclass(frozen=True)
class Order:
    """What was asked for. ``out`` is a folder, or for one recipient a file whose name ends with .age."""

    cohort: str
    audience: str
    area: str | None = None
    recipient: str | None = None
    form: str = CSV
    out: Path | None = None


@dataclass(frozen=True)
class Written:
    """One file of an export. ``rows`` None: a count that whoever exported may not see."""

    path: Path
    recipient: str | None
    audience: str
    area: str | None
    rows: int | None
    unknown: int = 0


@dataclass(frozen=True)
class Done:
    """The files of an export, and the practices of its area for which there is no recipient."""

    files: list[Written]
    unserved: list[str]


@dataclass
class _Export:
    """One export while it is made: what it was asked, what it may use, and the files so far."""

    site: Site
    run: Run
    order: Order
    audience: Audience
    policy: Policy | None
    cohort: PublishedCohort
    bases: Sequence[Basis]
    connection: duckdb.DuckDBPyConnection
    written_at: datetime
    files: dict[Path, bytes] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    audited: list[dict[str, Any]] = field(default_factory=list)


def export(site: Site, run: Run, order: Order) -> Done:
    """Write the files of an order, all or none, and log each.

    Raises NotPermittedError, and logs the refusal, for an audience, an area, a recipient, a format, a legal basis or
    a key that does not allow it.
    """
    cohort = read_cohort(run, order.cohort)
    facts = {"cohort": order.cohort, "audience": order.audience, "area": order.area, "run": run.id}
    with refusal(site, "export", recipient=order.recipient, **facts):
        refuse_half_rotated(site)
        audiences = load_audiences(site.config / AUDIENCES_FILE)
        audience = audiences.named(order.audience)
        audience.check_format(order.form, audiences.file)
        areas = load_areas(site.config, run.as_of)
        parcels = choose_parcels(
            *(audience, audiences, load_recipients(site), areas), area=order.area, name=order.recipient
        )
        for parcel in parcels:
            parcel.audience.check_format(order.form, audiences.file)
        folder = _folder(site, order, parcels, audience)
        with _begun(site, run, order, audience, cohort, parcels) as begun:
            _add_parcels(begun, parcels, folder)
            if audience.passes_on:
                _add_counts(begun, folder)
            write_together(begun.files, lambda: _log(begun))
            return Done(begun.written, unserved_practices(audience, parcels, areas, order.area))


@contextmanager
def _begun(
    site: Site, run: Run, order: Order, audience: Audience, cohort: PublishedCohort, parcels: Sequence[Parcel]
) -> Iterator[_Export]:
    """The export with its legal bases, before any row is read."""
    policy = policy_of(site, audience) if audience.passes_on else None
    layout = load_worklist_layout(site.config / "worklists.yaml").columns
    columns = {column for parcel in parcels for column in columns_for(parcel.audience, cohort, layout)}
    used = extracts_used(run, cohort, columns, load_knowledge(site))
    purposes = [audience.purpose, *(parcel.audience.purpose for parcel in parcels)]
    bases = require_bases(load_legal_basis(site.config / LEGAL_BASIS_FILE), used, purposes, run, cohort)
    connection = open_run(run, site.threads)
    try:
        now = datetime.now(UTC)
        yield _Export(site, run, order, audience, policy, cohort, bases, connection, now)
    finally:
        connection.close()


def _add_parcels(begun: _Export, parcels: Sequence[Parcel], folder: Path) -> None:
    """A sealed file for every recipient; the vault is opened once, and not at all where nobody is named."""
    key = read_signing_key(begun.site.keys)
    layout = load_worklist_layout(begun.site.config / "worklists.yaml").columns
    columns = {parcel: columns_for(parcel.audience, begun.cohort, layout) for parcel in parcels}
    members = {
        parcel: members_by_area(begun.connection, begun.run, begun.cohort, parcel) for parcel in parcels
    }
    named = [parcel for parcel in parcels if is_identifying(columns[parcel])]
    wanted = {str(one["person_id"]) for parcel in named for one in members[parcel]}
    identities = identities_of(begun.site, wanted) if named else None
    for parcel in parcels:
        secret = recipient_secret(begun.site, parcel.recipient.name)
        known = identities if parcel in named else None
        rows = rows_for(members[parcel], columns[parcel], known, secret, parcel.practices)
        _add_parcel(begun, parcel, rows, folder, key)


def _add_parcel(begun: _Export, parcel: Parcel, rows: Rows, folder: Path, key: Ed25519PrivateKey) -> None:
    form, recipient, count = begun.order.form, parcel.recipient, len(rows.rows)
    content, extension = _content(begun, rows, form, parcel)
    stem = f"{begun.run.id}-{begun.order.cohort}-{recipient.name}.{extension}"
    out = begun.order.out
    path = out if out is not None and _is_file(out) else folder / f"{stem}{SEALED_SUFFIX}"
    is_hidden = begun.policy is not None and begun.policy.hides
    facts = {
        **_facts(begun, parcel.audience, recipient.name, parcel.area),
        "public_key": recipient.public_key,
        "content": form,
        "rows": HIDDEN if is_hidden else count,
        **({"sealed_rows": sealed_count(count, recipient.public_key)} if is_hidden else {}),
        "columns": list(rows.columns),
    }
    _add(begun, path, sealed(content, recipient.public_key, form), facts, key)
    audience = parcel.audience
    shown = None if is_hidden else count
    begun.written.append(Written(path, recipient.name, audience.name, parcel.area, shown, rows.unknown))
    told = {"audience": audience.name, "area": parcel.area, "recipient": recipient.name, "count": count}
    begun.audited.append({"purpose": audience.purpose, **told})


def _add_counts(begun: _Export, folder: Path) -> None:
    """The counts for the audience itself, in a file that it can read: nothing in it points at a person."""
    if begun.policy is None:
        return
    rows = shown_counts(begun.site, begun.connection, begun.run, begun.order.cohort, begun.policy)
    form = XLSX if begun.order.form == XLSX else CSV
    content, extension = _content(begun, rows, form, None)
    path = folder / f"{begun.run.id}-{begun.order.cohort}-{begun.audience.name}-{COUNTS}.{extension}"
    facts = {
        **_facts(begun, begun.audience, None, None),
        "content": form,
        "policy": begun.policy.name,
        "rows": len(rows.rows),
        "columns": list(rows.columns),
    }
    _add(begun, path, content, facts, read_signing_key(begun.site.keys))
    begun.written.append(Written(path, None, begun.audience.name, None, len(rows.rows)))
    begun.audited.append({"purpose": begun.audience.purpose, "audience": begun.audience.name})


def _content(begun: _Export, rows: Rows, form: str, parcel: Parcel | None) -> tuple[bytes, str]:
    """The bytes of a table in the format asked for, and the ending of its name."""
    if form == S1_LIST:
        template = load_number_list(begun.site.config / "exports" / "s1_list.yaml")
        return as_number_list(rows, template), template.extension
    if form == XLSX:
        audience = begun.audience if parcel is None else parcel.audience
        for_whom = audience.title if parcel is None else f"{parcel.recipient.name}: {audience.title}"
        expires = _expires(begun, audience)
        return as_xlsx(rows, legend_of(begun.site, begun.run, begun.cohort, rows, for_whom, expires)), XLSX
    return as_csv(rows), CSV


def _facts(begun: _Export, audience: Audience, recipient: str | None, area: str | None) -> dict[str, Any]:
    about = begun.cohort.about
    used = [
        basis
        for basis in begun.bases
        if basis.purpose in (audience.purpose, *about["requires"]["legal_basis"])
    ]
    return {
        "what": f"{about['name']}: {about['title']}",
        "cohort": about["name"],
        "cohort_definition_sha256": about["sha256"],
        "run": begun.run.id,
        "as_of": begun.run.as_of.isoformat(),
        "for": {"recipient": recipient, "audience": audience.name, "area": area},
        "exported_by": begun.audience.name,
        "purpose": audience.purpose,
        "legal_basis": [
            {"name": one.name, "reference": one.reference, "example": one.example} for one in used
        ],
        "written_at": begun.written_at.isoformat(timespec="seconds"),
        "expires": _expires(begun, audience),
    }


def _expires(begun: _Export, audience: Audience) -> str:
    return (begun.written_at.date() + timedelta(days=audience.expires_after_days)).isoformat()


def _add(
    begun: _Export, path: Path, content: bytes, facts: Mapping[str, Any], key: Ed25519PrivateKey
) -> None:
    hashed = hashlib.sha256(content).hexdigest()
    begun.files[path] = content
    begun.files[manifest_path(path)] = signed_manifest(
        {**facts, "file": path.name, "file_sha256": hashed}, key
    )


def _log(begun: _Export) -> None:
    for entry, written in zip(begun.audited, begun.written, strict=True):
        hashed = hashlib.sha256(begun.files[written.path]).hexdigest()
        append(begun.site, "export", cohort=begun.order.cohort, run=begun.run.id, file_sha256=hashed, **entry)


def _is_file(out: Path | None) -> bool:
    return out is not None and out.suffix == SEALED_SUFFIX


def _folder(site: Site, order: Order, parcels: Sequence[Parcel], audience: Audience) -> Path:
    """The folder to write to. Raises MisuseError for a place that cannot hold the files."""
    out = order.out or site.root / FOLDER
    check_place(out, site)
    if _is_file(order.out):
        if len(parcels) != 1 or audience.passes_on:
            raise MisuseError(
                f"one file cannot hold what is for {len(parcels)} recipients.",
                file=out,
                remedy="name a folder, or one recipient: --recipient NAME",
            )
        return out.parent
    if out.is_file() or out.suffix in (".csv", ".xlsx", ".txt"):
        raise MisuseError(
            "is no folder.", file=out, remedy=f"name a folder, or a file that ends with {SEALED_SUFFIX}."
        )
    return out
