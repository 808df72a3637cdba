"""Rotation of the site key: every person_id changes, in the vault and in all that was published; and erasure.

The vault says whose old identifier is whose new one. Somebody it does not know (opted out or gone since a run was
published) gets a random identifier, the same in every run.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskstrat.audit import append, refusal
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import (
    key_fingerprint,
    new_site_key,
    person_id,
    read_site_key,
    read_vault_key,
    write_private_file,
)
from riskstrat.progress import Progress
from riskstrat.replacing import being_built, decide, finish, next_key, next_vault, undecided
from riskstrat.rewriting import Replacement, Rewriter
from riskstrat.runs import Run, damage, list_runs, verify_run
from riskstrat.site import Site
from riskstrat.vault import NHS_NUMBER, PERSON_ID, Vault, vault_of

if TYPE_CHECKING:
    import pyarrow as pa

ROTATION, ERASURE = "rotation", "erasure"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did. ``runs`` are old run -> new run; ``strangers`` are people whom the vault did not know."""

    runs: dict[str, str]
    people: int = 0
    strangers: int = 0
    was_finished: bool = False


@dataclass(frozen=True)
class Erased:
    """What an erasure did: runs replaced, people found, and rows that went from the runs and from the vault."""

    runs: dict[str, str]
    people_given: int
    rows: int
    vault_rows: int


def rotate(site: Site, progress: Progress | None = None) -> Rotated:
    """Give everybody a new identifier, in the vault and in every published run, under a new site key.

    What an interrupted rotation or erasure had decided is finished instead, and nothing more is done. Raises
    RunLockedError while a run goes on, NotPermittedError without the keys or the vault, and RiskstratError when a
    published run is damaged.
    """
    progress = progress or Progress()
    with refusal(site, "keys rotate"), translated(site), private_files(), locked(site):
        if (finished := finish(site)) is not None:
            append(site, "keys rotate", count=len(finished), reason="an interrupted replacement was finished")
            return Rotated(finished, was_finished=True)
        read_site_key(site.keys)
        read_vault_key(site.keys)
        runs = _sound_runs(site, progress)
        vault, key = vault_of(site), new_site_key()
        known = vault.read() if runs or vault.path.exists() else None
        new_ids = _new_ids(known, key)
        with undecided(site):
            with _rewriter(site, _chance()) as rewriter:
                rewriter.know(new_ids.items())
                strangers = rewriter.find_all(runs)
                made = [_rewritten(site, rewriter, run, key, ROTATION, progress) for run in runs]
            if known is not None and (day := vault.known_on()) is not None:
                write_private_file(next_vault(site), vault.sealed(_renamed(known, new_ids), day))
            write_private_file(next_key(site), key)
            append(site, "keys rotate", count=len(new_ids) + strangers)
            decide(site, made)
        return Rotated(finish(site) or {}, len(new_ids), strangers)


def erase(
    site: Site,
    nhs_numbers: Sequence[str],
    certify: Callable[[Erased], None],
    progress: Progress | None = None,
) -> Erased:
    """Take people out of every published run and the vault; cohort definitions, counts and aggregates stay.

    Runs that name none of them stay as they are. The caller holds the site's lock and has finished what was decided
    before; ``certify`` is told what will be done, last before it is. Raises as ``rotate``.
    """
    progress = progress or Progress()
    key = read_site_key(site.keys)
    vault = vault_of(site)
    known = vault.read() if vault.path.exists() else None
    erased = {person_id(key, number) for number in nhs_numbers}
    with undecided(site):
        with _rewriter(site, None) as rewriter:
            rewriter.know((one, None) for one in sorted(erased))
            touched = [run for run in _sound_runs(site, progress) if rewriter.touches(run)]
            made = [_rewritten(site, rewriter, run, key, ERASURE, progress) for run in touched]
        vault_rows = _leave_out(site, vault, known, erased)
        rows = sum(one.rows_removed for one in made)
        done = Erased({one.old.id: one.run for one in made}, len(erased), rows, vault_rows)
        certify(done)
        if made or vault_rows:
            decide(site, made)
    finish(site)
    return done


def _leave_out(site: Site, vault: Vault, known: pa.Table | None, erased: set[str]) -> int:
    """Write the next vault without these people, where it knows one of them; how many it loses."""
    day = vault.known_on()
    if known is None or day is None:
        return 0
    kept = known.filter([one not in erased for one in known[PERSON_ID].to_pylist()])
    if kept.num_rows < known.num_rows:
        write_private_file(next_vault(site), vault.sealed(kept, day))
    return int(known.num_rows - kept.num_rows)


def _sound_runs(site: Site, progress: Progress) -> list[Run]:
    """Every published run, none of them damaged: rewriting a changed file would make its change look published."""
    runs = list_runs(site.output)
    for run in runs:
        progress.step(f"verify {run.id}")
        if problems := verify_run(run):
            raise damage(run, problems)
    return runs


def _rewritten(
    site: Site, rewriter: Rewriter, run: Run, key: bytes, because: str, progress: Progress
) -> Replacement:
    progress.step(f"rewrite {run.id}")
    return rewriter.rewrite(run, being_built(site), key_fingerprint(key), because)


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


@contextmanager
def _rewriter(site: Site, find_new: Callable[[str], str] | None) -> Iterator[Rewriter]:
    """A rewriter with a work folder, which goes with it."""
    work = site.state / "scratch" / "replacing"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    engine = DuckDBEngine(work / "replacing.duckdb", threads=site.threads, memory_limit=site.memory_limit)
    try:
        engine.allow_spilling()  # identifiers alone are in it, and they go with the folder
        yield Rewriter(engine, find_new)
    finally:
        engine.close()
        shutil.rmtree(work.parent, ignore_errors=True)
