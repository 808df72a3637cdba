"""``worklist export``: from a published cohort or list to sealed files, one a recipient, or to nothing at all."""

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
from riskstrat.disclosure.counts import HIDDEN
from riskstrat.errors import MisuseError, NotPermittedError
from riskstrat.exports.areas import load_areas
from riskstrat.exports.choosing import Parcel, choose_parcels, unserved_practices
from riskstrat.exports.cohort_subject import CohortSubject
from riskstrat.exports.counts import policy_of
from riskstrat.exports.formats import CSV
from riskstrat.exports.list_subject import ListSubject
from riskstrat.exports.manifests import SEALED_SUFFIX, manifest_path, signed_manifest
from riskstrat.exports.people import identities_of, recipient_secret
from riskstrat.exports.permission import is_identifying, require_bases
from riskstrat.exports.recipients import load_recipients
from riskstrat.exports.sealing import sealed, sealed_count
from riskstrat.exports.subjects import Reader, Subject, Table
from riskstrat.exports.writing import FOLDER, check_place, write_together
from riskstrat.keys import check_signing_keys, read_signing_key
from riskstrat.reading.published import read_cohort, unknown_cohort
from riskstrat.reading.published_lists import list_names, read_list
from riskstrat.runs import Run, list_runs, open_run, verify_run
from riskstrat.site import Site
from riskstrat.vault import refuse_half_rotated

if TYPE_CHECKING:
    import duckdb
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COUNTS = "counts"


@dataclass(frozen=True)
class Order:
    """What was asked for, of the cohort or list ``name``.

    ``out`` is a folder, or for one recipient a file whose name ends with .age.
    """

    name: str
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
    subject: Subject
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
    subject = subject_of(site, run, order.name)
    facts = {subject.kind: order.name, "audience": order.audience, "area": order.area, "run": run.id}
    with refusal(site, "export", recipient=order.recipient, **facts):
        refuse_half_rotated(site)
        check_signing_keys(site.keys)
        _refuse_changed(run)
        audiences = load_audiences(site.config / AUDIENCES_FILE)
        audience = audiences.named(order.audience)
        audience.check_format(order.form, audiences.file)
        areas = load_areas(site.config, run.as_of)
        parcels = choose_parcels(
            *(audience, audiences, load_recipients(site), areas), area=order.area, name=order.recipient
        )
        for parcel in parcels:
            parcel.audience.check_format(order.form, audiences.file)
        subject.check_form(order.form)
        folder = _folder(site, order, parcels, audience)
        with _begun(site, run, order, audience, subject, parcels) as begun:
            _add_parcels(begun, parcels, folder)
            if audience.passes_on:
                _add_counts(begun, folder)
            write_together(begun.files, lambda: _log(begun))
            return Done(begun.written, unserved_practices(audience, parcels, areas, order.area))


def _refuse_changed(run: Run) -> None:
    """Raise NotPermittedError where the run was changed since: a list could hold anybody under a signed name."""
    if problems := verify_run(run):
        more = f" ({len(problems) - 1} more)" if problems[1:] else ""
        raise NotPermittedError(
            f"the run is not what was published: {problems[0]}{more}",
            file=run.folder,
            remedy=f"see: riskstrat runs verify {run.id}; restore the folder from its backup, or publish again.",
        )


def subject_of(site: Site, run: Run, name: str) -> Subject:
    """The list or the cohort of that name. Raises DefinitionError where the run has neither."""
    lists = list_names(run)
    if name in lists:
        return ListSubject(site, read_list(run, name))
    if name not in run.cohorts():
        raise unknown_cohort(name, [*lists, *run.cohorts()], f"the run {run.id}")
    return CohortSubject(site, run, read_cohort(run, name))


@contextmanager
def _begun(
    site: Site, run: Run, order: Order, audience: Audience, subject: Subject, parcels: Sequence[Parcel]
) -> Iterator[_Export]:
    """The export with its legal bases, before any row is read."""
    policy = policy_of(site, audience) if audience.passes_on else None
    columns = {column for parcel in parcels for column in subject.columns(parcel.audience)}
    used = subject.extracts(columns)
    purposes = [audience.purpose, *(parcel.audience.purpose for parcel in parcels)]
    known = load_legal_basis(site.config / LEGAL_BASIS_FILE)
    # An old run may leave only under what is live by now; the newest run says what day it is.
    days = sorted({run.as_of, list_runs(site.output)[-1].as_of})
    bases = require_bases(known, used, purposes, days, subject.cohorts)
    connection = open_run(run, site.threads)
    try:
        now = datetime.now(UTC)
        yield _Export(site, run, order, audience, policy, subject, bases, connection, now)
    finally:
        connection.close()


def _add_parcels(begun: _Export, parcels: Sequence[Parcel], folder: Path) -> None:
    """A sealed file for every recipient; the vault is opened once, and not at all where nobody is named."""
    key = read_signing_key(begun.site.keys)
    members = {parcel: begun.subject.members(begun.connection, parcel) for parcel in parcels}
    named = [parcel for parcel in parcels if is_identifying(begun.subject.columns(parcel.audience))]
    wanted = {str(one["person_id"]) for parcel in named for one in members[parcel]}
    identities = identities_of(begun.site, wanted) if named else None
    for parcel in parcels:
        secret = recipient_secret(begun.site, parcel.recipient.name)
        known = identities if parcel in named else None
        table = begun.subject.table(members[parcel], parcel, known, secret)
        _add_parcel(begun, parcel, table, folder, key)


def _add_parcel(begun: _Export, parcel: Parcel, table: Table, folder: Path, key: Ed25519PrivateKey) -> None:
    form, recipient, count = begun.order.form, parcel.recipient, table.count
    reader = Reader(
        f"{recipient.name}: {parcel.audience.title}", _expires(begun, parcel.audience), parcel.area
    )
    content, extension = begun.subject.content(table, form, reader)
    stem = f"{begun.run.id}-{begun.order.name}-{recipient.name}.{extension}"
    out = begun.order.out
    path = out if out is not None and _is_file(out) else folder / f"{stem}{SEALED_SUFFIX}"
    is_hidden = begun.policy is not None and begun.policy.hides
    facts = {
        **_facts(begun, parcel.audience, recipient.name, parcel.area),
        "public_key": recipient.public_key,
        "content": form,
        "rows": HIDDEN if is_hidden else count,
        **({"sealed_rows": sealed_count(count, recipient.public_key)} if is_hidden else {}),
        "columns": list(table.columns),
    }
    _add(begun, path, sealed(content, recipient.public_key, form), facts, key)
    audience = parcel.audience
    shown = None if is_hidden else count
    begun.written.append(Written(path, recipient.name, audience.name, parcel.area, shown, table.unknown))
    told = {"audience": audience.name, "area": parcel.area, "recipient": recipient.name, "count": count}
    begun.audited.append({"purpose": audience.purpose, **told})


def _add_counts(begun: _Export, folder: Path) -> None:
    """The counts for the audience itself, in a file that it can read: nothing in it points at a person."""
    if begun.policy is None:
        return
    rows = begun.subject.counts(begun.connection, begun.policy)
    reader = Reader(begun.audience.title, _expires(begun, begun.audience), None)
    content, extension = begun.subject.counts_content(rows, begun.order.form, reader)
    path = folder / f"{begun.run.id}-{begun.order.name}-{begun.audience.name}-{COUNTS}.{extension}"
    facts = {
        **_facts(begun, begun.audience, None, None),
        "content": extension,
        "policy": begun.policy.name,
        "rows": len(rows.rows),
        "columns": list(rows.columns),
    }
    _add(begun, path, content, facts, read_signing_key(begun.site.keys))
    begun.written.append(Written(path, None, begun.audience.name, None, len(rows.rows)))
    begun.audited.append({"purpose": begun.audience.purpose, "audience": begun.audience.name})


def _facts(begun: _Export, audience: Audience, recipient: str | None, area: str | None) -> dict[str, Any]:
    required = {purpose for one in begun.subject.cohorts for purpose in one.about["requires"]["legal_basis"]}
    used = [basis for basis in begun.bases if basis.purpose in (audience.purpose, *required)]
    return {
        **begun.subject.facts(),
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
        named = {begun.subject.kind: begun.order.name}
        append(begun.site, "export", **named, run=begun.run.id, file_sha256=hashed, **entry)


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
