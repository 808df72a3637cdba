"""People whom this site erased: a keyed hash of each NHS number, by which every later run leaves them out.

Suppliers go on sending somebody who was erased here. ``state/erased/erased.json`` holds the hashes under
``keys/erasure.key``, which key rotation does not change, and a seal under the same key: a list that was changed or is
gone stops a run, for it would bring these people back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from riskstrat.errors import NotPermittedError
from riskstrat.keys import KEY_BYTES, new_site_key, person_id, read_private_file, write_private_file
from riskstrat.site import Site

FOLDER, FILE, KEY_FILE = "erased", "erased.json", "erasure.key"
RESTORE = "restore it from its backup; without it people who were erased would come back."


@dataclass(frozen=True)
class ErasedPeople:
    """The hashes of those who were erased, and the key that makes them."""

    key: bytes
    hashes: frozenset[str]

    def hash_of(self, nhs_number: str) -> str:
        """The hash by which a person is known here; made as a person_id is, with another key."""
        return person_id(self.key, nhs_number)

    def digest(self) -> str:
        """A hash of the whole list: a run that leaves out other people is another run."""
        return hashlib.sha256("\n".join(sorted(self.hashes)).encode()).hexdigest()


def erased_file(site: Site) -> Path:
    """Where the list lies."""
    return site.state / FOLDER / FILE


def read_erased(site: Site) -> ErasedPeople | None:
    """Who was erased at this site; None where nobody was.

    Raises NotPermittedError where the list or its key is gone, changed or open to others.
    """
    path = erased_file(site)
    if not path.exists():
        if (site.keys / KEY_FILE).exists():
            raise NotPermittedError("the list of erased people is gone.", file=path, remedy=RESTORE)
        return None
    try:
        document = json.loads(path.read_bytes())
        hashes = frozenset(map(str, document["erased"]))
        seal = str(document["seal"])
    except (OSError, ValueError, KeyError, TypeError):
        raise NotPermittedError(
            "the list of erased people cannot be read.", file=path, remedy=RESTORE
        ) from None
    if not hashes:
        return None
    key = _read_key(site)
    if not hmac.compare_digest(seal, _seal(key, hashes)):
        raise NotPermittedError(
            f"the list of erased people was changed, or is of another {KEY_FILE}.", file=path, remedy=RESTORE
        )
    return ErasedPeople(key, hashes)


def begin_list(site: Site) -> ErasedPeople:
    """Who was erased, with an empty list and a key where there was none yet."""
    known = read_erased(site)
    if known is not None:
        return known
    path = site.keys / KEY_FILE
    if not path.exists():
        write_private_file(erased_file(site), list_of(ErasedPeople(b"", frozenset())))
        write_private_file(path, new_site_key())
    return ErasedPeople(_read_key(site), frozenset())


def with_people(known: ErasedPeople, nhs_numbers: Iterable[str]) -> ErasedPeople:
    """The list with these people on it."""
    return ErasedPeople(known.key, known.hashes | {known.hash_of(number) for number in nhs_numbers})


def without_people(known: ErasedPeople, nhs_numbers: Iterable[str]) -> ErasedPeople:
    """The list without these people, whom later runs read again."""
    return ErasedPeople(known.key, known.hashes - {known.hash_of(number) for number in nhs_numbers})


def list_of(people: ErasedPeople) -> bytes:
    """The list as it is written."""
    document = {"erased": sorted(people.hashes), "seal": _seal(people.key, people.hashes)}
    return (json.dumps(document, indent=1) + "\n").encode()


def _read_key(site: Site) -> bytes:
    path = site.keys / KEY_FILE
    key = read_private_file(path, "erasure key")
    if len(key) != KEY_BYTES:
        raise NotPermittedError(f"the erasure key must be {KEY_BYTES} bytes.", file=path, remedy=RESTORE)
    return key


def _seal(key: bytes, hashes: Iterable[str]) -> str:
    content = "riskstrat erased people\n" + "\n".join(sorted(hashes))
    return hmac.digest(key, content.encode(), hashlib.sha256).hex()
