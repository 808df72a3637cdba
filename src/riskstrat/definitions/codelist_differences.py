"""What changed between two folders of code lists, or two lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from riskstrat.definitions.codelists import CodeEntry, examine_codelist, holds_value_rules, list_files
from riskstrat.errors import MisuseError

LISTS_OF_A_SITE = Path("config") / "codelists"
Entries = Mapping[str, tuple[CodeEntry, ...]]


@dataclass(frozen=True)
class Difference:
    """One change. For a whole concept ``code_system`` and ``code`` are None; its codes follow one by one."""

    codelist: str
    concept: str
    change: str
    code_system: str | None
    code: str | None
    term: str


def read_entries(path: Path) -> dict[str, tuple[CodeEntry, ...]]:
    """The codes of each list in a folder of lists, in a site, or in one CSV file; metadata are not asked for.

    Raises MisuseError where there is no list, DefinitionError for a row that cannot be right.
    """
    if path.is_dir():
        folder = path / LISTS_OF_A_SITE if (path / LISTS_OF_A_SITE).is_dir() else path
        files = [file for file in list_files(folder) if not holds_value_rules(file)]
    else:
        files = [path] if path.is_file() else []
    if not files:
        raise MisuseError(
            "holds no code lists.", file=path, remedy="name a folder of lists, a site or a list."
        )
    found = {}
    for file in files:
        entries, problems = examine_codelist(file)
        if problems:
            raise problems[0]
        found[file.stem] = tuple(entries)
    return found


def comparable(
    before: Entries, after: Entries, before_path: Path, after_path: Path
) -> tuple[Entries, Entries]:
    """Both sides with the lists that can be compared: two files whatever their names, a file with its namesake."""
    if before_path.is_file() and after_path.is_file():
        (name,) = after
        return {name: next(iter(before.values()))}, after
    if before_path.is_file():
        return before, {name: _namesake(after, after_path, before_path) for name in before}
    if after_path.is_file():
        return {name: _namesake(before, before_path, after_path) for name in after}, after
    return before, after


def differences(before: Entries, after: Entries) -> list[Difference]:
    """Concepts and codes that came or went, by list, concept, code system and code."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        was, now = _by_key(before.get(name, ())), _by_key(after.get(name, ()))
        for change, here, there in (("added", now, was), ("removed", was, now)):
            others = {concept for concept, _, _ in there}
            fresh = {concept for concept, _, _ in here if concept not in others}
            for concept in fresh:
                count = sum(key[0] == concept for key in here)
                found.append(Difference(name, concept, f"concept {change}", None, None, _codes(count)))
            for key in here.keys() - there.keys():
                concept, system, code = key
                found.append(Difference(name, concept, f"code {change}", system, code, here[key]))
    return sorted(found, key=_order)


def reworded(before: Entries, after: Entries) -> int:
    """How many codes that stayed have another term."""
    return sum(
        was[key] != now[key]
        for name in before.keys() & after.keys()
        for was, now in [(_by_key(before[name]), _by_key(after[name]))]
        for key in was.keys() & now.keys()
    )


def _namesake(entries: Entries, path: Path, file: Path) -> tuple[CodeEntry, ...]:
    if file.stem not in entries:
        raise MisuseError(
            f"holds no list {file.stem}.", file=path, remedy=f"name the list to compare {file.name} with."
        )
    return entries[file.stem]


def _by_key(entries: Iterable[CodeEntry]) -> dict[tuple[str, str, str], str]:
    return {(entry.concept, entry.code_system, entry.code): entry.term for entry in entries}


def _codes(count: int) -> str:
    return "1 code" if count == 1 else f"{count:,} codes"


def _order(difference: Difference) -> tuple[str, ...]:
    listed = (
        difference.codelist,
        difference.concept,
        difference.code_system,
        difference.code,
        difference.change,
    )
    return tuple(part or "" for part in listed)


def as_rows(found: Iterable[Difference]) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows for every format."""
    columns = ["list", "concept", "change", "code_system", "code", "term"]
    return columns, [astuple(difference) for difference in found]
