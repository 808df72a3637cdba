"""The identity vault: who a person_id is, sealed, and the one place beside the landing folder that knows it.

``state/vault/identity.parquet.age`` is a Parquet table, made in memory and sealed (age, X25519) to the vault's own
public key. Only ``keys/vault.key`` opens it; nothing unsealed is ever written. It says of which date and of which site
key it is: one that was put back from elsewhere, or from before, names nobody.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskstrat.errors import NotPermittedError
from riskstrat.keys import (
    KEY_FILE,
    VAULT_KEY_FILE,
    key_fingerprint,
    read_site_key,
    read_vault_key,
    write_private_file,
)
from riskstrat.runs import Run, list_runs
from riskstrat.site import Site

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, FILE = "vault", "identity.parquet.age"
PERSON_ID, NHS_NUMBER = "person_id", "nhs_number"
AS_OF, KEY = b"as_of", b"key"
LOST_REMEDY = "restore it from its backup, or remove it: riskstrat run --force writes it anew."


@dataclass(frozen=True)
class Vault:
    """The vault of one site: its folder in ``state``, and the folder of its key."""

    state: Path
    keys: Path

    @property
    def path(self) -> Path:
        """The sealed file."""
        return self.state / FOLDER / FILE

    def write(self, people: pa.Table, as_of: date) -> bool:
        """Replace the vault with the people known on ``as_of``, unless it holds those of a later date.

        A run of the past would put back who has opted out since. Says whether it was written; raises
        NotPermittedError when the vault that is there cannot be opened.
        """
        known = self.known_on()
        if known is not None and known > as_of:
            return False
        for left in self.path.parent.glob(f".{FILE}.*"):  # by a run that was killed while it wrote
            left.unlink()
        write_private_file(self.path, self.sealed(people, as_of, read_site_key(self.keys)))
        return True

    def sealed(self, people: pa.Table, as_of: date, key: bytes) -> bytes:
        """The bytes of a vault with these people, whose identifiers ``key`` made.

        Raises NotPermittedError without the vault's key.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq
        import pyrage

        identity = pyrage.x25519.Identity.from_str(read_vault_key(self.keys))
        stream = pa.BufferOutputStream()
        about = {AS_OF: as_of.isoformat().encode(), KEY: key_fingerprint(key).encode()}
        pq.write_table(people.replace_schema_metadata(about), stream, compression="zstd")
        content: bytes = pyrage.encrypt(stream.getvalue().to_pybytes(), [identity.to_public()])
        return content

    def known_on(self) -> date | None:
        """The date whose people the vault holds, None where there is no vault. Raises NotPermittedError."""
        if not self.path.exists():
            return None
        import pyarrow.parquet as pq

        content = self._opened()
        try:
            about = pq.read_schema(io.BytesIO(content)).metadata
        except (ValueError, OSError):
            raise self._corrupt() from None
        return self._dated(about)

    def read(self) -> pa.Table:
        """Everybody in the vault, in the order of person_id. Raises NotPermittedError."""
        return self.read_dated()[0]

    def read_dated(self) -> tuple[pa.Table, date]:
        """Everybody in the vault, and the date whose people they are. Raises NotPermittedError."""
        import pyarrow.parquet as pq

        content = self._opened()
        try:
            table = pq.read_table(io.BytesIO(content))
        except (ValueError, OSError):
            raise self._corrupt() from None
        return table, self._dated(table.schema.metadata)

    def _dated(self, about: dict[bytes, bytes] | None) -> date:
        """The date that the vault gives, if the identifiers in it are those of the site key."""
        try:
            day = date.fromisoformat((about or {})[AS_OF].decode())
            key = (about or {})[KEY].decode()
        except (ValueError, KeyError):
            raise self._corrupt() from None
        if key != key_fingerprint(read_site_key(self.keys)):
            raise NotPermittedError(
                f"the identity vault holds identifiers of another {KEY_FILE} than the site's.",
                file=self.path,
                remedy=f"restore the vault or the key that belong together. {LOST_REMEDY.capitalize()}",
            )
        return day

    def _opened(self) -> bytes:
        import pyrage

        identity = pyrage.x25519.Identity.from_str(read_vault_key(self.keys))
        try:
            content: bytes = pyrage.decrypt(self.path.read_bytes(), [identity])
        except FileNotFoundError:
            raise NotPermittedError(
                "there is no identity vault yet.",
                file=self.path,
                remedy="write it with: riskstrat run --force",
            ) from None
        except OSError as problem:
            raise NotPermittedError(
                f"the identity vault cannot be read ({problem.strerror}).",
                file=self.path,
                remedy=f"run as its owner. Where it is no file, {LOST_REMEDY}",
            ) from None
        except pyrage.DecryptError:
            raise NotPermittedError(
                f"the identity vault is damaged, or {VAULT_KEY_FILE} is not its key.",
                file=self.path,
                remedy=LOST_REMEDY,
            ) from None
        return content

    def _corrupt(self) -> NotPermittedError:
        return NotPermittedError("the identity vault is damaged.", file=self.path, remedy=LOST_REMEDY)


def vault_of(site: Site) -> Vault:
    """The vault of a site."""
    return Vault(site.state, site.keys)


def read_people(site: Site, person_ids: Iterable[str] | None = None) -> pa.Table:
    """Who these people are: person_id, nhs_number, names, postcode, date_of_birth, sex, practice_code and what else
    the register gives; one row a person, in the order of person_id.

    Without ``person_ids`` everybody. People whom the vault does not know have no row: those who opted out, and those
    whom the newest register no longer has. Raises NotPermittedError when the vault or its key is missing, wrong,
    damaged or open to others, when the vault is older than the newest run, or while an interrupted rotation of the keys
    is not finished.
    """
    refuse_half_rotated(site)
    people, _ = read_current(site)
    if person_ids is None:
        return people
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(set(person_ids)), pa.string())
    return people.filter(pc.is_in(people[PERSON_ID], value_set=wanted))


def read_current(site: Site) -> tuple[pa.Table, date]:
    """Everybody in the vault and the date whose people they are, which is that of the newest run or later.

    Raises NotPermittedError.
    """
    people, day = vault_of(site).read_dated()
    newest = _newest(site)
    if newest is not None and day < newest.as_of:
        raise NotPermittedError(
            f"the identity vault is of {day} and the newest run of {newest.as_of}: an older copy was put back, which "
            "names people who have opted out since.",
            file=vault_of(site).path,
            remedy=f"write it anew with: riskstrat run --as-of {newest.as_of} --force",
        )
    return people, day


def own_site_key(site: Site) -> bytes:
    """The site key, if it is the one whose identifiers the newest published run has.

    Another one would give everybody a new identifier, break the history and find nobody who is to be erased. Raises
    NotPermittedError.
    """
    key = read_site_key(site.keys)
    newest = _newest(site)
    made_with = newest.manifest.get("key") if newest is not None else None
    if newest is not None and made_with is not None and made_with != key_fingerprint(key):
        raise NotPermittedError(
            f"the site key is not the one that run {newest.id} was made with.",
            file=site.keys / KEY_FILE,
            remedy="restore the site's own key. Where it is lost for good, delete the runs that no key fits (riskstrat "
            "purge --layer runs) and state/vault/, and begin anew.",
        )
    return key


def _newest(site: Site) -> Run | None:
    runs = list_runs(site.output)
    return runs[-1] if runs else None


def half_rotated(site: Site) -> Path:
    """The folder that is there while a rotation or an erasure was decided and is not finished."""
    return site.output / "runs" / ".replacing"


def refuse_half_rotated(site: Site) -> None:
    """Raise NotPermittedError while published runs, vault and key may not belong together."""
    if half_rotated(site).exists():
        raise NotPermittedError(
            "replacing the published runs was interrupted, and they may not fit the vault.",
            file=half_rotated(site),
            remedy="finish it with: riskstrat keys rotate (it finishes this, and does no more).",
        )
