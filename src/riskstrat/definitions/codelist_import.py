"""Bringing codes that others published into a list of the site: what is taken, what is there, what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from riskstrat.definitions.code_forms import normal_form, possible_systems, refusal
from riskstrat.definitions.codelist_formats import MEMBER, NOT_GIVEN, ForeignCode, ForeignList, Refusal
from riskstrat.definitions.codelists import CODE_COLUMNS, CodeEntry, CodeList, load_codelist
from riskstrat.definitions.contradictions import Contradiction, contradictory_entries
from riskstrat.errors import DefinitionError, MisuseError

Key = tuple[str, str]
FindTerms = Callable[[Collection[str]], Mapping[str, str]]


@dataclass(frozen=True)
class Taken:
    """The codes of a file as entries of a concept, each once, ``row`` its line; and those that cannot be taken.

    ``worded`` are the codes whose term comes from the file or a release; ``unworded`` counts those without any.
    """

    entries: tuple[CodeEntry, ...]
    refused: tuple[Refusal, ...]
    worded: frozenset[Key]
    unworded: int


@dataclass(frozen=True)
class Plan:
    """What an import makes of a list: ``entries`` is the whole list afterwards, sorted."""

    entries: tuple[CodeEntry, ...]
    added: tuple[CodeEntry, ...]
    present: tuple[CodeEntry, ...]
    reworded: tuple[CodeEntry, ...]
    removed: tuple[CodeEntry, ...]
    refused: tuple[Refusal, ...]

    @property
    def changes(self) -> bool:
        """Whether the list is another one afterwards."""
        return bool(self.added or self.reworded or self.removed)


def system_of(path: Path, foreign: ForeignList) -> str | None:
    """The one system of codes whose file does not say it, from their shape; None where the file says it for each.

    Raises MisuseError where the shape fits several systems, or none.
    """
    texts = [code.code for code in foreign.codes if code.code_system is None]
    if not texts:
        return None
    systems = possible_systems(texts)
    if len(systems) == 1:
        return systems[0]
    what = f"its codes could be {' or '.join(systems)}" if systems else "its codes have no shape in common"
    raise MisuseError(
        f"{what}, and the file does not say which system they are of.",
        file=path,
        remedy=f"say it with {' or '.join(f'--system {system}' for system in systems)}."
        if systems
        else "say it with --system snomed, readv2, ctv3 or icd10; codes of another are then named.",
    )


def take(
    foreign: ForeignList,
    concept: str,
    code_system: str | None,
    known_terms: Mapping[Key, str],
    find_terms: FindTerms,
) -> Taken:
    """The codes of a file in the form of lists, each with a term.

    A term is the file's own, else the one that a list of the site has for the code, else what ``find_terms`` gives
    for the codes that are left, else the file's placeholder.
    """
    told = {key: term for key, term in known_terms.items() if not term.startswith((MEMBER, NOT_GIVEN))}
    refused = list(foreign.refused)
    rows: dict[Key, ForeignCode] = {}
    for code in foreign.codes:
        system = code.code_system or code_system or ""
        normal = normal_form(system, code.code)
        reason = refusal(system, normal)
        if reason is not None:
            refused.append(Refusal(code.row, code.code, reason))
        elif (system, normal) not in rows:
            rows[system, normal] = code
    untold = {key[1] for key, code in rows.items() if not code.term and key not in told}
    given = find_terms(untold) if untold else {}
    worded = {key: code.term or given.get(key[1], "") for key, code in rows.items()}
    terms = {key: worded[key] or told.get(key) or foreign.placeholder for key in rows}
    return Taken(
        entries=tuple(CodeEntry(concept, *key, terms[key], code.row) for key, code in rows.items()),
        refused=tuple(refused),
        worded=frozenset(key for key, term in worded.items() if term),
        unworded=sum(term == foreign.placeholder for term in terms.values()),
    )


def plan_import(
    codelist: CodeList,
    concept: str,
    taken: Taken,
    contradictions: Iterable[Contradiction],
    *,
    replace: bool,
) -> Plan:
    """What ``taken`` makes of a list.

    A code that the concept has keeps its row. With ``replace`` the concept's other codes of the systems that the file
    holds go, codes of other systems stay, and terms become those of the file where it has any. A code that stands
    under a contradictory concept of the list is refused.
    """
    refused = [*taken.refused, *_contradicting(codelist, concept, taken, tuple(contradictions))]
    rows_refused = {item.row for item in refused}
    incoming = {_key(entry): entry for entry in taken.entries if entry.row not in rows_refused}
    mine = {_key(entry): entry for entry in codelist.entries if entry.concept == concept}
    reworded, removed = {}, {}
    if replace:
        systems = {system for system, _ in incoming}
        removed = {key: mine[key] for key in mine if key not in incoming and key[0] in systems}
        reworded = {
            key: entry
            for key, entry in incoming.items()
            if key in mine and key in taken.worded and entry.term != mine[key].term
        }
    added = {key: entry for key, entry in incoming.items() if key not in mine}
    kept = [entry for entry in codelist.entries if entry.concept != concept]
    kept += [reworded.get(key, entry) for key, entry in mine.items() if key not in removed]
    kept += added.values()
    return Plan(
        entries=tuple(sorted(kept, key=lambda entry: (entry.concept, *_key(entry)))),
        added=tuple(added.values()),
        present=tuple(entry for key, entry in incoming.items() if key in mine and key not in reworded),
        reworded=tuple(reworded.values()),
        removed=tuple(removed.values()),
        refused=tuple(sorted(refused, key=lambda item: item.row)),
    )


def list_text(entries: Iterable[CodeEntry]) -> str:
    """The text of a list's CSV file."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CODE_COLUMNS)
    writer.writerows((entry.concept, entry.code_system, entry.code, entry.term) for entry in entries)
    return stream.getvalue()


def source_note(concept: str, plan: Plan, form: str, file: str, sha256: str) -> str:
    """A sentence for the list's note: what changed, and from which bytes. It names no day: no clock decides a list."""
    counts = [
        f"{len(entries)} {what}"
        for entries, what in ((plan.added, "added"), (plan.reworded, "reworded"), (plan.removed, "removed"))
        if entries
    ]
    left_out = f", {len(plan.refused)} refused" if plan.refused else ""
    return f"Imported into {concept}: {', '.join(counts)}{left_out}; {form}, file {file}, SHA-256 {sha256}."


def check_written(name: str, csv_text: str, yaml_text: str, expected: Plan, folder: Path) -> None:
    """Read a list back from ``folder``, which is for this alone, before it takes the place of another.

    Raises DefinitionError where it could not be loaded or would not hold what was planned.
    """
    path = folder / f"{name}.csv"
    path.write_text(csv_text, encoding="utf-8", newline="")
    path.with_suffix(".yaml").write_text(yaml_text, encoding="utf-8", newline="")
    if load_codelist(path).entries != expected.entries:
        raise DefinitionError(
            f"{name} would not hold what was planned, so nothing was written.", remedy="report this."
        )


def _contradicting(
    codelist: CodeList, concept: str, taken: Taken, contradictions: tuple[Contradiction, ...]
) -> list[Refusal]:
    """Codes of the file that stand under a concept which contradicts the one they are for."""
    others = [entry for entry in codelist.entries if entry.concept != concept]
    relevant = [pair for pair in contradictions if concept in pair.pair]
    found = []
    for one, other in contradictory_entries([*others, *taken.entries], relevant):
        mine, theirs = (one, other) if one.concept == concept else (other, one)
        reason = f"row {theirs.row} of {codelist.name} has {theirs.code} under {theirs.concept}, which contradicts it."
        found.append(Refusal(mine.row, mine.code, reason))
    return found


def _key(entry: CodeEntry) -> Key:
    return entry.code_system, entry.code
