"""The identity vault: who a person_id is, sealed, and the one place beside the landing folder that knows it.

``state/vault/identity.parquet.age`` is a Parquet table, made in memory and sealed (age, X25519) to the vault's own
public key. Only ``keys/vault.key`` opens it; nothing unsealed is ever written.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.errors import NotPermittedError
from riskstrat.keys import VAULT_KEY_FILE, read_vault_key, write_private_file
from riskstrat.site import Site

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, FILE = "vault", "identity.parquet.age"
PERSON_ID, NHS_NUMBER = "person_id", "nhs_number"
AS_OF = b"as_of"
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
        write_private_file(self.path, self.sealed(people, as_of))
        return True

    def sealed(self, people: pa.Table, as_of: date) -> bytes:
        """The bytes of a vault with these people. Raises NotPermittedError without the vault's key."""
        import pyarrow as pa
        import pyarrow.parquet as pq
        import pyrage

        identity = pyrage.x25519.Identity.from_str(read_vault_key(self.keys))
        stream = pa.BufferOutputStream()
        dated = people.replace_schema_metadata({AS_OF: as_of.isoformat().encode()})
        pq.write_table(dated, stream, compression="zstd")
        content: bytes = pyrage.encrypt(stream.getvalue().to_pybytes(), [identity.to_public()])
        return content

    def known_on(self) -> date | None:
        """The date whose people the vault holds, None where there is no vault. Raises NotPermittedError."""
        if not self.path.is_file():
            return None
        import pyarrow.parquet as pq

        content = self._opened()
        try:
            return _dated(pq.read_schema(io.BytesIO(content)).metadata)
        except (ValueError, OSError, KeyError):
            raise self._corrupt() from None

    def read(self) -> pa.Table:
        """Everybody in the vault, in the order of person_id. Raises NotPermittedError."""
        import pyarrow.parquet as pq

        content = self._opened()
        try:
            table = pq.read_table(io.BytesIO(content))
            _dated(table.schema.metadata)
        except (ValueError, OSError, KeyError):
            raise self._corrupt() from None
        return table

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
        except PermissionError:
            raise NotPermittedError(
                "the identity vault cannot be read.", file=self.path, remedy="run as its owner."
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
    damaged or open to others, or while an interrupted rotation of the keys is not finished.
    """
    refuse_half_rotated(site)
    people = vault_of(site).read()
    if person_ids is None:
        return people
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(set(person_ids)), pa.string())
    return people.filter(pc.is_in(people[PERSON_ID], value_set=wanted))


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


def _dated(metadata: dict[bytes, bytes] | Any) -> date:
    return date.fromisoformat((metadata or {})[AS_OF].decode())
