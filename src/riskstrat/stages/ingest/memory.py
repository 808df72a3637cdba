"""What a site remembers of delivered files, so that a night reads only those that arrived.

``state/read/`` has an entry for each file of which that may be kept. Its name is a hash of everything that decides the
rows: the file's bytes and those it is joined to, code, definitions and key. What changed has another name, and is read.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from riskstrat.definitions.contracts import Contract
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.keys import PRIVATE_FOLDER
from riskstrat.stages.ingest.deliveries import Feed
from riskstrat.stages.ingest.entries import Entry, delivered_on, open_entry
from riskstrat.stages.ingest.pseudonyms import Pseudonyms, known_tonight
from riskstrat.stages.ingest.staging import Staging

FOLDER = "read"
LEAST_BYTES = 100_000  # a smaller file is read as fast as what it left
BASIS_DIGITS, NAME_DIGITS = 12, 32


@dataclass
class Memory:
    """The entries of a site, for one run.

    ``folder`` is where they lie, ``work`` where new ones are written until ``settle``; ``hashes`` are those of the
    delivered files. With ``is_cold`` nothing is taken from it, and everything is written anew. ``read``, ``known`` and
    ``passed_over`` count files: those that were read tonight, that were not, and that nothing may be kept of.
    """

    folder: Path
    work: Path
    basis: str
    hashes: Mapping[Path, str]
    key: bytes
    as_of: date
    is_cold: bool = False
    read: int = 0
    known: int = 0
    passed_over: int = 0
    is_given_up: bool = False
    _used: set[str] = field(default_factory=set, init=False)
    _people: Pseudonyms | None = field(default=None, init=False)

    def name_of(self, feed: Feed, contract: Contract) -> str | None:
        """The name of the feed's entry; None where none may be kept, or none is worth it."""
        if sum(path.stat().st_size for path in feed.paths) < LEAST_BYTES:
            return None
        if not _can_be_kept(feed, contract):
            self.passed_over += 1
            return None
        mapping = None
        if feed.layout is not None and feed.mapping is not None:
            mapping = [feed.layout.name, feed.layout.extracts[feed.extract].index(feed.mapping)]
        files = [[name, path.suffix, self.hashes[path]] for name, path in _files(feed)]
        digest = hashlib.sha256(json.dumps([feed.extract, mapping, files]).encode()).hexdigest()
        return f"{self.basis}-{feed.extract}-{digest[:NAME_DIGITS]}"

    def find(self, name: str | None) -> Entry | None:
        """The entry of that name, if it is there and sound."""
        if name is None or self.is_cold:
            return None
        return open_entry(self.folder / name, self.key)

    def people(self, engine: DuckDBEngine) -> Pseudonyms:
        """Tonight's people by pseudonym; worked out once."""
        if self._people is None:
            self._people = known_tonight(engine)
        return self._people

    def begin(self, name: str) -> Path | None:
        """An empty folder to write a new entry into; None where it is written already, or nothing can be."""
        self._used.add(name)
        folder = self.work / name
        if self.is_given_up or folder.exists():
            return None
        try:
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
        except OSError:
            self.give_up()
            return None
        return folder

    def use(self, entry: Entry) -> None:
        """Note that tonight's rows come from an entry, which therefore stays."""
        self.known += 1
        self._used.add(entry.folder.name)

    def forget(self, name: str) -> None:
        """Remove an entry that could not be used."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def give_up(self) -> None:
        """Write no more: the disk is full, or may not be written to. What was written so far makes room."""
        self.is_given_up = True
        shutil.rmtree(self.work, ignore_errors=True)

    def settle(self) -> None:
        """Let the new entries take their places, and remove those that no longer belong to a delivered file.

        What a later delivery than tonight's left stays: a run of the past does not need it, and the next will.
        """
        self._people = None
        for folder in sorted(self.work.glob("*")):
            self.forget(folder.name)
            try:
                folder.rename(self.folder / folder.name)
            except OSError:
                self.give_up()
                break
        for folder in self.folder.glob("*"):
            if folder.name in self._used:
                continue
            delivered = delivered_on(folder)
            if delivered is None or delivered < self.as_of:
                self.forget(folder.name)

    def account(self) -> str:
        """How many files were read tonight and how many were known, in one line."""
        again = f"; {self.passed_over} cannot be remembered" if self.passed_over else ""
        full = "; there was no room to remember what was read" if self.is_given_up else ""
        return f"{'files':<10} {self.read} read, {self.known} known from an earlier night{again}{full}"


def open_memory(
    state: Path,
    work: Path,
    landing: Path,
    identity: Mapping[str, Any],
    key: bytes,
    *,
    as_of: date,
    is_cold: bool = False,
) -> Memory:
    """What the site remembers, for a run of that identity; what other code, definitions or keys left is removed."""
    decides = [1, duckdb.__version__, identity["code_version"], identity["key"], identity["definitions"]]
    basis = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:BASIS_DIGITS]
    hashes = {landing / name: str(value) for name, value in identity["inputs"].items()}
    memory = Memory(state / FOLDER, work / FOLDER, basis, hashes, key, as_of, is_cold)
    try:
        memory.folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        memory.folder.chmod(PRIVATE_FOLDER)
        memory.work.mkdir(mode=PRIVATE_FOLDER, parents=True)
    except OSError:
        memory.give_up()
    for folder in memory.folder.glob("*"):
        if not folder.name.startswith(f"{basis}-"):
            memory.forget(folder.name)
    return memory


def remembered_files(state: Path) -> list[Path]:
    """Every file of every entry."""
    return [path for path in sorted((state / FOLDER).rglob("*")) if path.is_file()]


def _can_be_kept(feed: Feed, contract: Contract) -> bool:
    """Whether a feed's rows depend on nothing but its own files, and whose they are can be told again tomorrow.

    A file with a key is looked up over all deliveries, and numbers of synthetic people are given anew each night. A
    row whose key is the person is a version of another one by tonight's number, which is no pseudonym.
    """
    if Staging(contract).is_keyed_by_person:
        return False
    if feed.layout is None or feed.mapping is None:
        return True
    joined = [feed.layout.files[name] for name in feed.mapping.files[1:]]
    return not feed.layout.synthetic_numbers_for and not any(file.key for file in joined)


def _files(feed: Feed) -> list[tuple[str, Path]]:
    """Every file that reading the feed opens, with its name in the layout, in the order in which they are joined."""
    if feed.mapping is None:
        return [("", feed.path)]
    beside = feed.beside or {}
    joined = [(name, path) for name in feed.mapping.files[1:] for path in beside.get(name, ())]
    return [(feed.mapping.main, feed.path), *joined]
