"""Erasure: people leave every layer, and what is written down of them is a keyed hash by which later runs skip them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from riskstrat.definitions.everything import load_definitions
from riskstrat.erased import begin_list, erased_file, list_of, with_people
from riskstrat.erasing import Left, Numbers, UnreadableFileError, holds, why_not, write_without
from riskstrat.keys import person_id, write_private_file
from riskstrat.places import delivered_files, exports_of, frames, name_of, remembered
from riskstrat.progress import Progress
from riskstrat.replacing import (
    Beside,
    building_place,
    decide,
    finish,
    next_vault,
    rewrite,
    rewriter_of,
    sound_runs,
    undecided,
)
from riskstrat.returns.store import write_next as write_next_returns
from riskstrat.site import Site
from riskstrat.vault import PERSON_ID, own_site_key, vault_of

if TYPE_CHECKING:
    from riskstrat.rewriting import Replacement

ERASURE = "erasure"


@dataclass(frozen=True)
class Erased:
    """What an erasure did: runs replaced, and rows that went from the runs, the vault, returns and deliveries.

    ``deliveries`` are the files that were rewritten, ``untouched`` those that may still hold the people, with the
    reason. ``exports``, ``frames`` and ``remembered`` count files that were deleted: they were made of what went.
    """

    runs: dict[str, str]
    people_given: int
    rows: int
    vault_rows: int
    returned_rows: int = 0
    deliveries: dict[str, Left] = field(default_factory=dict)
    untouched: dict[str, str] = field(default_factory=dict)
    exports: int = 0
    frames: int = 0
    remembered: int = 0

    @property
    def delivered_rows(self) -> int:
        """Rows that went from deliveries."""
        return sum(left.rows for left in self.deliveries.values())


def erase(
    site: Site,
    nhs_numbers: Sequence[str],
    certify: Callable[[Erased], Path],
    progress: Progress | None = None,
) -> Erased:
    """Take people out of every layer; cohort definitions, counts and aggregates stay.

    Runs that name none of them stay as they are. The caller holds the site's lock and has finished what was decided
    before; ``certify`` is told what will be done, last before it is, and gives the certificate's file. Raises as
    ``rotate``, and DefinitionError where the site's definitions do not say what a delivered file is.
    """
    progress = progress or Progress()
    key, numbers = own_site_key(site), frozenset(nhs_numbers)
    ids = {person_id(key, number) for number in numbers}
    listed = begin_list(site)
    with undecided(site):
        made = _rewritten_runs(site, key, ids, progress)
        replaced = {one.old.id: one.run for one in made}
        vault_rows = _leave_out(site, ids)
        returned_rows = write_next_returns(site.state, dict.fromkeys(ids))
        files, deliveries, untouched = _deliveries(site, numbers, progress)
        exports, kept_frames, known = exports_of(site, replaced), frames(site), remembered(site)
        next_list = building_place(site.state) / erased_file(site).name
        write_private_file(next_list, list_of(with_people(listed, numbers)))
        done = Erased(
            *(replaced, len(numbers), sum(one.rows_removed for one in made), vault_rows, returned_rows),
            *(deliveries, untouched, len(exports), len(kept_frames), len(known)),
        )
        beside = Beside(
            files | {erased_file(site): next_list}, [*exports, *kept_frames, *known], certify(done)
        )
        decide(site, made, beside)
    finish(site)
    return done


def _rewritten_runs(site: Site, key: bytes, ids: set[str], progress: Progress) -> list[Replacement]:
    with rewriter_of(site, None) as rewriter:
        rewriter.know((one, None) for one in sorted(ids))
        return rewrite(site, rewriter, sound_runs(site, key, progress), key, ERASURE, progress)


def _leave_out(site: Site, ids: set[str]) -> int:
    """Write the next vault without these people, where it knows one of them; how many it loses."""
    vault = vault_of(site)
    if not vault.path.exists():
        return 0
    known, day = vault.read_dated()
    kept = known.filter([one not in ids for one in known[PERSON_ID].to_pylist()])
    if kept.num_rows < known.num_rows:
        write_private_file(next_vault(site), vault.sealed(kept, day, own_site_key(site)))
    return int(known.num_rows - kept.num_rows)


def _deliveries(
    site: Site, numbers: Numbers, progress: Progress
) -> tuple[dict[Path, Path], dict[str, Left], dict[str, str]]:
    """Every delivered file that holds one of the numbers, built anew without it; or why it stays as it is."""
    definitions = load_definitions(site.root)
    built: dict[Path, Path] = {}
    rewritten: dict[str, Left] = {}
    untouched: dict[str, str] = {}
    for path in delivered_files(site):
        name = name_of(site, path)
        progress.step(f"search {name}")
        target = building_place(site.landing) / path.relative_to(site.landing)
        try:
            if not holds(path, numbers):
                continue
            if reason := why_not(path, definitions.extract_names, definitions.layouts):
                untouched[name] = reason
                continue
            if not os.access(path.parent, os.W_OK):
                raise PermissionError(errno.EACCES, "the folder is not ours")
            target.parent.mkdir(parents=True, exist_ok=True)
            rewritten[name] = write_without(path, target, numbers)
        except UnreadableFileError as problem:
            untouched[name] = str(problem)
            continue
        except OSError as problem:
            if problem.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            untouched[name] = "it may not be changed"
            continue
        _give_like(path, target)
        built[path] = target
    return built, rewritten, untouched


def _give_like(path: Path, target: Path) -> None:
    """The same owner, where that may be given, and the same mode."""
    about = path.stat()
    with suppress(PermissionError):
        os.chown(target, about.st_uid, about.st_gid)
    target.chmod(about.st_mode & 0o777)
