"""Who gets a file of an export: deny by default, and nobody the people of another area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from riskstrat.definitions.audiences import Audience, Audiences
from riskstrat.errors import NotPermittedError
from riskstrat.exports.areas import Areas
from riskstrat.exports.recipients import FILE as RECIPIENTS_FILE
from riskstrat.exports.recipients import Recipient, check_area

ADD_REMEDY = "add one with: riskstrat keys recipient add NAME PUBLIC_KEY --audience NAME --area CODE"


@dataclass(frozen=True)
class Parcel:
    """A file for one recipient: its audience says what may be in it, ``kind`` and ``area`` whose people.

    ``kind`` None means everybody. ``practices`` are those of the area.
    """

    recipient: Recipient
    audience: Audience
    kind: str | None
    area: str | None
    practices: frozenset[str] = frozenset()


def choose_parcels(
    audience: Audience,
    audiences: Audiences,
    recipients: Mapping[str, Recipient],
    areas: Areas,
    *,
    area: str | None,
    name: str | None,
) -> list[Parcel]:
    """The files that an export for ``audience`` writes, in the order of the recipients' names.

    Raises NotPermittedError for an unknown recipient, for one that may not have the area, and where there is nobody.
    """
    if area is not None:
        if audience.scope:
            check_area(audience, area, areas, audiences.file)
        elif areas.kind(area) is None:
            raise NotPermittedError(
                f"'{area}' is no practice, neighbourhood or PCN of this site.",
                remedy="use a code of config/geography/practices.csv (riskstrat worklist list).",
            )
    served = {audience.name, *audience.passes_on} if audience.passes_on else {audience.name}
    mine = [
        one for one in recipients.values() if one.audience in served and audiences.named(one.audience).columns
    ]
    if name is not None:
        mine = [_named(name, recipients, mine, audience)]
    parcels = [_parcel(one, audiences.named(one.audience), areas, area) for one in sorted(mine, key=_by_name)]
    if area is not None:
        parcels = [parcel for parcel in parcels if _is_asked(parcel, area, areas)]
    if not parcels and (area is not None or name is not None or audience.columns):
        where = f" for the area {area}" if area is not None else ""
        raise NotPermittedError(
            f"the audience {audience.name} has no recipient{f' {name}' if name else ''}{where}.",
            file=audiences.file,
            column=audience.name,
            remedy=ADD_REMEDY,
        )
    return parcels


def unserved_practices(
    audience: Audience, parcels: Iterable[Parcel], areas: Areas, area: str | None
) -> list[str]:
    """The practices that whoever exports for everybody should know are left without a file."""
    if not audience.passes_on:
        return []
    served = {
        code for parcel in parcels if parcel.area is not None for code in areas.practices_of(parcel.area)
    }
    wanted = areas.practices["practice"] if area is None else areas.practices_of(area)
    return sorted(set(wanted) - served)


def _by_name(recipient: Recipient) -> str:
    return recipient.name


def _named(
    name: str, recipients: Mapping[str, Recipient], mine: Iterable[Recipient], audience: Audience
) -> Recipient:
    if name not in recipients:
        raise NotPermittedError(
            f"there is no recipient '{name}'.", remedy="see: riskstrat keys recipient list"
        )
    if recipients[name] not in mine:
        raise NotPermittedError(
            f"the recipient {name} is none of the audience {audience.name}.",
            remedy=f"export for its own audience: --audience {recipients[name].audience}",
        )
    return recipients[name]


def _parcel(recipient: Recipient, audience: Audience, areas: Areas, area: str | None) -> Parcel:
    """Whose people a recipient gets: its own area's; where its audience is everywhere, those of the area asked for."""
    if audience.scope:
        check_area(audience, recipient.area, areas, Path("keys") / RECIPIENTS_FILE)
        own = str(recipient.area)
        return Parcel(recipient, audience, areas.kind(own), own, areas.practices_of(own))
    return Parcel(recipient, audience, None if area is None else areas.kind(area), area)


def _is_asked(parcel: Parcel, area: str, areas: Areas) -> bool:
    return parcel.area == area or (parcel.area is not None and areas.is_within(parcel.area, area))
