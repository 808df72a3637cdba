"""Rotation of the site key: every person_id changes, in the vault and in all that was published.

The vault says whose old identifier is whose new one. Somebody it does not know (opted out or gone since a run was
published) gets a random identifier, the same in every run.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskstrat.audit import append, refusal
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import check_signing_keys, new_site_key, person_id, read_vault_key, write_private_file
from riskstrat.places import frames, remembered
from riskstrat.progress import Progress
from riskstrat.replacing import (
    Beside,
    decide,
    finish,
    next_key,
    next_vault,
    rewrite,
    rewriter_of,
    sound_runs,
    undecided,
)
from riskstrat.returns.store import people as people_of_returns
from riskstrat.returns.store import write_next as write_next_returns
from riskstrat.site import Site
from riskstrat.vault import NHS_NUMBER, PERSON_ID, own_site_key, read_current, vault_of

if TYPE_CHECKING:
    import pyarrow as pa

ROTATION = "rotation"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did. ``runs`` are old run -> new run; ``strangers`` are people whom the vault did not know."""

    runs: dict[str, str]
    people: int = 0
    strangers: int = 0
    was_finished: bool = False


def rotate(site: Site, progress: Progress | None = None) -> Rotated:
    """Give everybody a new identifier, in the vault and in every published run, under a new site key.

    What an interrupted rotation or erasure had decided is finished instead, and nothing more is done. Raises
    RunLockedError while a run goes on, NotPermittedError without the site's own keys or the vault, and RiskstratError
    when a published run is damaged.
    """
    progress = progress or Progress()
    with refusal(site, "keys rotate"), translated(site), private_files(), locked(site):
        check_signing_keys(site.keys)
        if (finished := finish(site)) is not None:
            append(site, "keys rotate", count=len(finished), reason="an interrupted replacement was finished")
            return Rotated(finished, was_finished=True)
        old_key = own_site_key(site)
        read_vault_key(site.keys)
        runs = sound_runs(site, old_key, progress)
        vault, key = vault_of(site), new_site_key()
        known, day = read_current(site) if runs or vault.path.exists() else (None, None)
        new_ids = _new_ids(known, key)
        with undecided(site):
            with rewriter_of(site, _chance()) as rewriter:
                rewriter.know(new_ids.items())
                returned = people_of_returns(site.state)
                strangers = rewriter.find_all(runs, returned)
                made = rewrite(site, rewriter, runs, key, ROTATION, progress)
                write_next_returns(site.state, rewriter.new_ids(returned))
            if known is not None and day is not None:
                write_private_file(next_vault(site), vault.sealed(_renamed(known, new_ids), day, key))
            write_private_file(next_key(site), key)
            append(site, "keys rotate", count=len(new_ids) + strangers)
            decide(site, made, Beside(deleted=[*frames(site), *remembered(site)]))
        return Rotated(finish(site) or {}, len(new_ids), strangers)


def _new_ids(known: pa.Table | None, key: bytes) -> dict[str, str]:
    if known is None:
        return {}
    pairs = zip(known[PERSON_ID].to_pylist(), known[NHS_NUMBER].to_pylist(), strict=True)
    return {old: person_id(key, number) for old, number in pairs}


def _chance() -> Callable[[str], str]:
    """A random identifier for an old one, the same whenever it is asked for; nobody can ask later."""
    salt = os.urandom(32)
    return lambda old: hmac.digest(salt, old.encode(), hashlib.sha256).hex()[:32]


def _renamed(known: pa.Table, new_ids: dict[str, str]) -> pa.Table:
    """The vault's people under their new identifiers, in the order of these."""
    import pyarrow as pa

    renamed = pa.array([new_ids[old] for old in known[PERSON_ID].to_pylist()], pa.string())
    place = known.schema.get_field_index(PERSON_ID)
    return known.set_column(place, PERSON_ID, renamed).sort_by(PERSON_ID)
