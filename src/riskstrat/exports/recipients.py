"""``keys/recipients.yaml``: to whose public keys files are sealed, and whose people each of them may be given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from riskstrat.audit import append, refusal
from riskstrat.definitions.audiences import FILE as AUDIENCES_FILE
from riskstrat.definitions.audiences import Audience, load_audiences
from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError, MisuseError, NotPermittedError
from riskstrat.exports.areas import Areas, load_areas
from riskstrat.keys import write_private_file
from riskstrat.site import Site

FILE = "recipients.yaml"
KEYS = ("public_key", "audience", "area")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
PRIVATE_KEY = "AGE-SECRET-KEY-"
HEADER = (
    "# To whom files may be sealed. Written by riskstrat keys recipient add and remove; public keys only.\n"
)
USUAL_AUDIENCE = {"practice": "gp_practice", "neighbourhood": "direct_care_team", "pcn": "direct_care_team"}


@dataclass(frozen=True)
class Recipient:
    """One who opens files with a private key of their own. ``area`` is None where the audience is everywhere."""

    name: str
    public_key: str
    audience: str
    area: str | None


def recipients_file(site: Site) -> Path:
    """Where the recipients are kept."""
    return site.keys / FILE


def load_recipients(site: Site) -> dict[str, Recipient]:
    """Every recipient by name; none where there is no file. Raises DefinitionError."""
    path = recipients_file(site)
    if not path.is_file():
        return {}
    document = read_mapping(path)
    found = {}
    for name, entry in document.items():
        check_keys(entry, allowed=KEYS, required=KEYS, file=path, where=str(name))
        area = entry["area"]
        found[str(name)] = Recipient(
            str(name), str(entry["public_key"]), str(entry["audience"]), None if area is None else str(area)
        )
        check_public_key(found[str(name)].public_key, path)
    return found


def add_recipient(
    site: Site, name: str, public_key: str, audience: str | None = None, area: str | None = None
) -> Recipient:
    """Add a recipient and return it. Without an audience the name must be the code of an area, which says both.

    Raises MisuseError, or NotPermittedError for an audience or an area that it may not be given.
    """
    if not NAME.fullmatch(name):
        raise MisuseError(
            "the name of a recipient is 1 to 60 letters, digits, dashes and underscores.",
            remedy="choose a short name, such as the practice's code.",
        )
    check_public_key(public_key)
    known = load_recipients(site)
    for other in known.values():
        if name == other.name or public_key == other.public_key:
            same = "name" if name == other.name else "key"
            raise MisuseError(
                f"there is a recipient of this {same} already: {other.name}.",
                file=recipients_file(site),
                remedy=f"remove it first: riskstrat keys recipient remove {other.name}",
            )
    areas = load_areas(site.config)
    if audience is None:
        audience, area = _from_name(name, area, areas)
    audiences = load_audiences(site.config / AUDIENCES_FILE)
    with refusal(site, "recipient added", recipient=name, audience=audience, area=area):
        check_area(audiences.named(audience), area, areas, audiences.file)
    recipient = Recipient(name, public_key, audience, area)
    append(site, "recipient added", recipient=name, audience=audience, area=area, public_key=public_key)
    _write(site, known | {name: recipient})
    return recipient


def remove_recipient(site: Site, name: str) -> None:
    """Forget a recipient: nothing more is sealed for it. Raises MisuseError where there is none of this name."""
    known = load_recipients(site)
    if name not in known:
        raise MisuseError(
            f"there is no recipient '{name}'.",
            file=recipients_file(site),
            remedy=f"use one of {', '.join(known) or 'none'} (riskstrat keys recipient list).",
        )
    append(site, "recipient removed", recipient=name)
    _write(site, {other: one for other, one in known.items() if other != name})


def check_public_key(text: str, file: Path | None = None) -> None:
    """Raise MisuseError for what is no age public key; a private key is never repeated."""
    import pyrage

    if PRIVATE_KEY in text.upper():
        raise MisuseError(
            "this is a private key; it belongs to the recipient alone.",
            file=file,
            remedy="treat it as lost, have the recipient make a new pair, and give the public key (age1...).",
        )
    try:
        pyrage.x25519.Recipient.from_str(text)
    except (pyrage.RecipientError, ValueError):
        raise MisuseError(
            "the public key is no age key.", file=file, remedy="it begins with age1 and has 62 characters."
        ) from None


def check_area(audience: Audience, area: str | None, areas: Areas, file: Path) -> None:
    """Raise NotPermittedError for an area whose people the audience may not be given."""
    if not audience.scope:
        if area is not None:
            raise NotPermittedError(
                f"the audience {audience.name} is everywhere and has no area of its own.",
                file=file,
                column=audience.name,
                remedy="leave out --area.",
            )
        return
    kind = None if area is None else areas.kind(area)
    if kind not in audience.scope:
        what = (
            "no area" if area is None else f"'{area}', which is {f'a {kind}' if kind else 'no known area'},"
        )
        raise NotPermittedError(
            f"the audience {audience.name} is given the people of a {' or '.join(audience.scope)}, "
            f"and {what} was named.",
            file=file,
            column=audience.name,
            remedy="name a code of config/geography/practices.csv: --area CODE",
        )


def _from_name(name: str, area: str | None, areas: Areas) -> tuple[str, str]:
    kind = areas.kind(name)
    if kind is None or area not in (None, name):
        raise MisuseError(
            "for whom is not said.",
            remedy="name an audience and its area: --audience gp_practice --area CODE "
            "(a recipient called like a practice, neighbourhood or PCN needs neither).",
        )
    return USUAL_AUDIENCE[kind], name


def _write(site: Site, recipients: Mapping[str, Recipient]) -> None:
    import yaml

    document = {
        name: {"public_key": one.public_key, "audience": one.audience, "area": one.area}
        for name, one in sorted(recipients.items())
    }
    if not (site.keys.is_dir() or site.keys.parent.is_dir()):
        raise DefinitionError(
            "the folder of keys is not there.", file=site.keys, remedy="riskstrat keys init"
        )
    text = HEADER + yaml.safe_dump(document, sort_keys=False) if document else HEADER + "{}\n"
    write_private_file(recipients_file(site), text.encode())
