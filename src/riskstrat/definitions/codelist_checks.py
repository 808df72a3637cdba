"""What a reader of code lists should know before relying on them: mistakes, contradictions, missing sign-offs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from riskstrat.definitions.code_forms import CONCEPT_PARTITIONS
from riskstrat.definitions.codelists import (
    CODE_SYSTEMS,
    CodeEntry,
    ValueRule,
    examine_codelist,
    holds_value_rules,
    load_value_rules,
)
from riskstrat.definitions.contradictions import Contradiction, contradiction_error, contradictory_entries
from riskstrat.definitions.metadata import load_metadata
from riskstrat.errors import DefinitionError

Level = Literal["error", "warning", "notice"]
# Policy hes: counts from 1 to 7 are not shown.
LARGEST_HIDDEN = 7
HIDDEN = "*"


@dataclass(frozen=True)
class Finding:
    """Something about a list; an error makes it unfit for use."""

    level: Level
    problem: DefinitionError


@dataclass(frozen=True)
class Examined:
    """The files that were read: their sound codes and rules, and what was wrong with the others."""

    entries: Mapping[str, tuple[CodeEntry, ...]]
    rules: Mapping[str, tuple[ValueRule, ...]]
    findings: tuple[Finding, ...]

    @property
    def rows(self) -> int:
        """Rows of codes and of rules that are sound."""
        return sum(map(len, self.entries.values())) + sum(map(len, self.rules.values()))


@dataclass(frozen=True)
class CodeUse:
    """Rows of one code system in one extract of a run, how many of them a list knew, and which listed codes came."""

    extract: str
    code_system: str
    rows: int
    mapped_rows: int
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UnmappedCode:
    """A code that no list of the run knew; ``rows`` is ``*`` where there are few."""

    extract: str
    code_system: str
    code: str
    rows: int | str


def examine(files: Iterable[Path]) -> Examined:
    """Read lists and rules to their end, whatever is wrong with single rows."""
    entries, rules, findings = {}, {}, []
    for path in files:
        if holds_value_rules(path):
            try:
                rules[path.stem] = load_value_rules(path)
            except DefinitionError as problem:
                findings.append(Finding("error", problem))
            continue
        found, problems = examine_codelist(path)
        entries[path.stem] = tuple(found)
        findings += [Finding("error", problem) for problem in problems]
        findings += [Finding("error", problem) for problem in _no_concepts(path, found)]
    return Examined(entries, rules, tuple(findings))


def contradictions(folder: Path, examined: Examined, pairs: Sequence[Contradiction]) -> Iterator[Finding]:
    """Codes that say two things which cannot both be true."""
    for name, entries in examined.entries.items():
        for earlier, later in contradictory_entries(entries, pairs):
            yield Finding("error", contradiction_error(folder / f"{name}.csv", earlier, later))


def unknown_concepts(
    path: Path, concepts: Iterable[str], pairs: Sequence[Contradiction]
) -> Iterator[Finding]:
    """Contradictions of a concept that no list has: they hold for nothing."""
    known = set(concepts)
    for pair in pairs:
        for column, concept in (("concept", pair.concept), ("contradicts", pair.contradicts)):
            if concept not in known:
                problem = DefinitionError(
                    f"no list has the concept {concept}.",
                    file=path,
                    row=pair.row,
                    column=column,
                    remedy="correct the name, or delete the row.",
                )
                yield Finding("warning", problem)


def shared_codes(folder: Path, examined: Examined) -> Iterator[Finding]:
    """Codes that stand under several concepts of one list: allowed, and worth knowing."""
    for name, entries in examined.entries.items():
        by_code: dict[tuple[str, str], list[CodeEntry]] = {}
        for entry in entries:
            by_code.setdefault((entry.code_system, entry.code), []).append(entry)
        by_concepts: dict[tuple[str, ...], list[list[CodeEntry]]] = {}
        for found in by_code.values():
            if len(found) > 1:
                by_concepts.setdefault(tuple(sorted(entry.concept for entry in found)), []).append(found)
        for concepts, shared in sorted(by_concepts.items()):
            codes = ", ".join(
                f"{found[0].code_system} {found[0].code} (rows {_joined(str(entry.row) for entry in found)})"
                for found in shared
            )
            single = len(shared) == 1
            what = "1 code stands" if single else f"{len(shared)} codes stand"
            problem = DefinitionError(
                f"{what} under {_joined(concepts)} and count{'s' if single else ''} for each: {codes}.",
                file=folder / f"{name}.csv",
            )
            yield Finding("notice", problem)


def numeric_codes(folder: Path, examined: Examined, rules: Iterable[ValueRule]) -> Iterator[Finding]:
    """Codes that count by their value for a concept and, listed, by their mere presence too."""
    numeric = {(rule.concept, rule.code_system, rule.code) for rule in rules}
    for name, entries in examined.entries.items():
        for entry in entries:
            if (entry.concept, entry.code_system, entry.code) in numeric:
                problem = DefinitionError(
                    f"{entry.code} ({entry.code_system}) has a value rule for {entry.concept} as well: here it counts "
                    "whatever its value.",
                    file=folder / f"{name}.csv",
                    row=entry.row,
                    column="code",
                    remedy="delete the row where only an abnormal value shall count.",
                )
                yield Finding("notice", problem)


def sign_offs(files: Iterable[Path], on: date | None, *, strict: bool) -> Iterator[Finding]:
    """Lists that nobody signed, and lists whose review was due before ``on``; errors where ``strict``."""
    level: Level = "error" if strict else "warning"
    for path in files:
        try:
            metadata = load_metadata(path)
        except DefinitionError as problem:
            yield Finding("error", problem)
            continue
        beside = path.with_suffix(".yaml")
        if not metadata.is_reviewed:
            what = f"nobody has reviewed the list ('{metadata.reviewed_by}')."
            remedy = "let a clinician read the list and write name, role and date there."
            yield Finding(level, DefinitionError(what, file=beside, column="reviewed_by", remedy=remedy))
        if on is not None and metadata.next_review < on:
            what = f"the review was due on {metadata.next_review}, before {on}."
            remedy = "review the list and set the next date."
            yield Finding(level, DefinitionError(what, file=beside, column="next_review", remedy=remedy))


def code_use(stored: Mapping[str, Any]) -> tuple[list[CodeUse], list[tuple[str, str, str, int]]]:
    """What a run kept in ``quality/EXTRACT/codes.json``, by extract: use of systems, and codes that no list knew."""
    use = [
        CodeUse(
            extract,
            found["code_system"],
            found["rows"],
            found["mapped_rows"],
            frozenset(found.get("listed_codes_seen", ())),
        )
        for extract, kept in stored.items()
        for found in kept["systems"]
    ]
    unmapped = [
        (extract, found["code_system"], found["code"], found["rows"])
        for extract, kept in stored.items()
        for found in kept["unmapped"]
    ]
    return use, unmapped


def unused_systems(folder: Path, examined: Examined, use: Sequence[CodeUse], run: str) -> Iterator[Finding]:
    """Code systems of a list of which the run saw no row, or no row that any list knew."""
    for name, entries in examined.entries.items():
        for system in CODE_SYSTEMS:
            codes = sum(entry.code_system == system for entry in entries)
            rows = sum(found.rows for found in use if found.code_system == system)
            mapped = sum(found.mapped_rows for found in use if found.code_system == system)
            if codes and not mapped:
                seen = "has no row with a code of it" if not rows else "has no row whose code is on any list"
                problem = DefinitionError(
                    f"none of its {codes:,} {system} codes was ever seen: run {run} {seen}.",
                    file=folder / f"{name}.csv",
                    column="code_system",
                )
                yield Finding("notice", problem)


def never_seen(examined: Examined, use: Sequence[CodeUse]) -> dict[str, list[CodeEntry]]:
    """By list, the codes that no extract of the run holds, of the systems of which it holds any listed code."""
    seen = {(found.code_system, code) for found in use for code in found.seen}
    systems = {system for system, _ in seen}
    return {
        name: [
            entry
            for entry in entries
            if entry.code_system in systems and (entry.code_system, entry.code) not in seen
        ]
        for name, entries in examined.entries.items()
    }


def unseen_codes(folder: Path, examined: Examined, use: Sequence[CodeUse], run: str) -> Iterator[Finding]:
    """How many codes of each list and system the run never saw, and the concepts of which it saw none."""
    for name, entries in never_seen(examined, use).items():
        for system in CODE_SYSTEMS:
            unseen = [entry for entry in entries if entry.code_system == system]
            if not unseen:
                continue
            listed = [entry for entry in examined.entries[name] if entry.code_system == system]
            left = {(entry.concept, entry.code) for entry in unseen}
            concepts = {entry.concept for entry in listed} - {
                entry.concept for entry in listed if (entry.concept, entry.code) not in left
            }
            none = f"; no code at all of {', '.join(sorted(concepts))}" if concepts else ""
            problem = DefinitionError(
                f"{len(unseen):,} of its {len(listed):,} {system} codes were never seen in run {run}{none}.",
                file=folder / f"{name}.csv",
                row=unseen[0].row,
                column="code",
            )
            yield Finding("notice", problem)


def still_unmapped(
    unmapped: Iterable[tuple[str, str, str, int]], examined: Examined, limit: int
) -> list[UnmappedCode]:
    """The commonest codes of a run that the lists do not have by now, at most ``limit`` an extract."""
    known = {(entry.code_system, entry.code) for entries in examined.entries.values() for entry in entries}
    known |= {(rule.code_system, rule.code) for rules in examined.rules.values() for rule in rules}
    prefixes = tuple(code for system, code in known if system == "icd10")
    kept: dict[str, list[UnmappedCode]] = {}
    for extract, system, code, rows in unmapped:
        if (system, code) in known or (system == "icd10" and code.startswith(prefixes)):
            continue
        shown = HIDDEN if 0 < rows <= LARGEST_HIDDEN else rows
        kept.setdefault(extract, []).append(UnmappedCode(extract, system, code, shown))
    return [code for codes in kept.values() for code in codes[:limit]]


def _no_concepts(path: Path, entries: Iterable[CodeEntry]) -> Iterator[DefinitionError]:
    """SNOMED CT identifiers that are sound and yet name no concept: they match no record."""
    for entry in entries:
        if entry.code_system == "snomed" and entry.code[-3:-1] not in CONCEPT_PARTITIONS:
            yield DefinitionError(
                f"'{entry.code}' identifies a description or a relationship.",
                file=path,
                row=entry.row,
                column="code",
                remedy="write the identifier of its concept.",
            )


def _joined(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
