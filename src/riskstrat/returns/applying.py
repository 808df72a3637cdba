"""``worklist returns``: a list that came back is judged, what holds is stored, and the rest is set aside with reasons.

Order of the writing: first what is set aside, then the audit entry, last the return itself, each whole or not at all.
Whoever is interrupted sends the file again: what was stored is not stored twice.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from riskstrat.audit import append, refusal
from riskstrat.definitions.audiences import IDENTIFIERS, MEMBER_COLUMNS, PSEUDONYM
from riskstrat.definitions.contracts import Contract, load_contract
from riskstrat.definitions.geography import load_geography
from riskstrat.definitions.legal_basis import FILE as LEGAL_BASIS_FILE
from riskstrat.definitions.legal_basis import load_legal_basis
from riskstrat.definitions.returns import FILE as RULES_FILE
from riskstrat.definitions.returns import ReturnRules, load_return_rules
from riskstrat.errors import ContractBrokenError, MisuseError, NothingPublishedError
from riskstrat.guards import locked, private_files, translated
from riskstrat.keys import write_private_file
from riskstrat.returns import store
from riskstrat.returns.judging import Judge, Key, Verdict, content_of
from riskstrat.returns.listed import Lists
from riskstrat.returns.reading import Line, Returned, UnreadableReturnError, read_content, read_lines
from riskstrat.returns.rows import Fault, Row, typed_row
from riskstrat.runs import RUN_REMEDY, Run, list_runs
from riskstrat.site import Site
from riskstrat.vault import own_site_key, refuse_half_rotated

ACTION = "returns"
CONTRACT = "worklist_returns"
LIST_CONTRACTS = ("lists", "features", "worklists", CONTRACT)
QUARANTINE_COLUMNS = ("sheet", "row", "column", "reason")


@dataclass(frozen=True)
class TakenBack:
    """What became of a file. ``replaced`` counts the applied rows that take an earlier answer's place.

    ``read`` is always ``applied + quarantined + duplicates + not_filled_in``. ``reasons`` counts rows by reason; a row
    can have several. ``is_known`` says that the same file was taken back before, and ``lists`` from which lists rows
    came, each with the day of its run.
    """

    return_id: str
    read: int
    applied: int
    quarantined: int
    duplicates: int
    not_filled_in: int
    replaced: int
    is_known: bool
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    lists: tuple[str, ...]
    stored: Path | None
    quarantine: Path | None

    @property
    def is_refused(self) -> bool:
        """Whether every answer in the file was set aside."""
        return self.quarantined > 0 and self.applied == 0 and self.duplicates == 0


@dataclass
class _Work:
    """One file while it is taken back."""

    site: Site
    returned: Returned
    newest: Run
    purpose: str
    rows: list[Row] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def name(self) -> str:
        return store.return_id(self.newest.as_of, self.returned.sha256)

    @property
    def ending(self) -> str:
        """What every return of this file ends with, whenever it was taken back."""
        return self.name[len("YYYYMMDD") :]

    @property
    def quarantine(self) -> Path:
        return store.folder_of(self.site.state) / store.QUARANTINE / f"{self.name}.csv"

    def of(self, verdict: Verdict) -> list[Row]:
        """The rows with this verdict."""
        return [row for row, found in zip(self.rows, self.verdicts, strict=True) if found == verdict]


def take_back(site: Site, path: Path, *, area: str | None = None, dry_run: bool = False) -> TakenBack:
    """Take back a list that a team has filled in; with ``dry_run`` only say what would become of it.

    Raises ContractBrokenError where the whole file is set aside; NotPermittedError without the site's key or a live
    legal basis; NothingPublishedError, MisuseError and RunLockedError.
    """
    content = read_content(path)
    facts = {"file_sha256": hashlib.sha256(content).hexdigest()}
    with refusal(site, ACTION, **facts), translated(site), private_files(), _held(site, dry_run):
        refuse_half_rotated(site)
        runs = list_runs(site.output)
        if not runs:
            raise NothingPublishedError(
                "nothing has been published yet, so no list can come back.", remedy=RUN_REMEDY
            )
        _check_area(site, area)
        rules = load_return_rules(site.config / RULES_FILE)
        bases = load_legal_basis(site.config / LEGAL_BASIS_FILE)
        bases.require(rules.extracts, rules.purpose, runs[-1].as_of, used_by="taking back a list")
        contract = load_contract(site.data_contracts / f"{CONTRACT}.yaml")
        returned = _read(site, path, content, contract, rules, runs[-1], dry_run)
        work = _Work(site, returned, runs[-1], rules.purpose)
        judge = Judge(contract, rules, Lists(runs, rules.accept_for_days), own_site_key(site), area)
        return _judged(work, judge, dry_run)


def _check_area(site: Site, area: str | None) -> None:
    practices = load_geography(site.config / "geography").practices
    codes = {code for one in practices for code in (one.practice_code, one.neighbourhood_code)}
    if area is not None and area not in codes:
        near = difflib.get_close_matches(area, sorted(codes), n=1)
        raise MisuseError(
            f"there is no area '{area}'.",
            remedy=f"did you mean '{near[0]}'?" if near else "name a neighbourhood or a practice.",
        )


@contextmanager
def _held(site: Site, dry_run: bool) -> Iterator[None]:
    """The site's lock: a run, a rotation or a purge sees a return whole or not at all."""
    if dry_run:
        yield
        return
    with locked(site):
        yield


def _read(
    site: Site, path: Path, content: bytes, contract: Contract, rules: ReturnRules, newest: Run, dry_run: bool
) -> Returned:
    wanted = [column.name for column in contract.columns]
    try:
        return read_lines(path, content, wanted, _known_columns(site), rules.legend_sheets)
    except UnreadableReturnError as problem:
        work = _Work(site, Returned(path, hashlib.sha256(content).hexdigest(), ()), newest, rules.purpose)
        if not dry_run:
            _set_aside(
                work, [(problem.sheet, problem.row, Fault(problem.column, f"The file {problem.what}"))]
            )
            _log(work, reason="the whole file was set aside")
        where = f" It is in sheet {problem.sheet}." if problem.sheet is not None else ""
        raise ContractBrokenError(
            f"{problem.what}{where} Nothing of the file was taken.",
            file=path.name,
            row=problem.row,
            column=problem.column,
            remedy=problem.remedy,
        ) from None


def _known_columns(site: Site) -> set[str]:
    """Columns that a list can have besides those of a return."""
    paths = [site.data_contracts / f"{name}.yaml" for name in LIST_CONTRACTS]
    columns = {column.name for path in paths if path.is_file() for column in load_contract(path).columns}
    return {*columns, *IDENTIFIERS, *MEMBER_COLUMNS, PSEUDONYM}


def _judged(work: _Work, judge: Judge, dry_run: bool) -> TakenBack:
    lines: Sequence[Line] = work.returned.lines
    work.rows = [typed_row(number, line, judge.contract, judge.rules) for number, line in enumerate(lines, 1)]
    before = _Before.of(work)
    work.verdicts = judge.verdicts(work.rows, before.said())
    taken = _counted(work, sum(_about(content_of(row)) in before.in_force for row in work.of("applied")))
    if dry_run:
        return taken
    faults = [(row.line.sheet, row.line.row, fault) for row in work.of("quarantined") for fault in row.faults]
    if faults:
        _set_aside(work, faults)
    _log(work, list=", ".join(taken.lists) or None, count=taken.applied, counts=_books(taken))
    rows = before.to_keep(work)
    stored = store.write_return(work.site.state, work.name, rows) if rows else None
    return replace(taken, stored=stored, quarantine=work.quarantine if faults else None)


@dataclass(frozen=True)
class _Before:
    """What was returned before: the answers in force, and whatever came from the same file, by whom they are about.

    A row must repeat neither: a file that is sent again does not take back a correction that was made since.
    """

    in_force: Mapping[Key, Mapping[str, Any]]
    same_file: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, work: _Work) -> _Before:
        rows = store.read_all(work.site.state)
        return cls(
            {_about(row): row for row in store.in_force(rows).to_pylist()},
            [row for row in rows.to_pylist() if row["return_id"].endswith(work.ending)],
        )

    def said(self) -> dict[Key, list[Mapping[str, Any]]]:
        found: dict[Key, list[Mapping[str, Any]]] = {key: [row] for key, row in self.in_force.items()}
        for row in self.same_file:
            found.setdefault(_about(row), []).append(row)
        return found

    def to_keep(self, work: _Work) -> list[dict[str, Any]]:
        """The rows to store: what is applied, and what says again what is in force.

        That changes nothing, and is kept so that the same file, sent again after a correction, does not count as one.
        """
        known = {_content(row) for row in self.same_file}
        kept = []
        for row in (*work.of("applied"), *work.of("duplicate")):
            content = content_of(row)
            if _content(content) not in known:
                known.add(_content(content))
                kept.append({**content, "row_number": row.number})
        return kept


def _about(row: Mapping[str, Any]) -> Key:
    return row["list"], row["list_as_of"], row["person_id"]


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in store.CONTENT)


def _counted(work: _Work, replaced: int) -> TakenBack:
    counts = Counter(work.verdicts)
    reasons = Counter(_worded(fault) for row in work.of("quarantined") for fault in dict.fromkeys(row.faults))
    listed = {f"{row.values['list']} of {row.list_as_of}" for row in work.rows if row.list_as_of is not None}
    is_known = any(name.endswith(work.ending) for name in store.stored(work.site.state))
    return TakenBack(
        return_id=work.name,
        read=len(work.rows),
        applied=counts["applied"],
        quarantined=counts["quarantined"],
        duplicates=counts["duplicate"],
        not_filled_in=counts["not_filled_in"],
        replaced=replaced,
        is_known=is_known,
        outcomes=dict(sorted(Counter(row.values["outcome"] for row in work.of("applied")).items())),
        reasons=dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        lists=tuple(sorted(listed)),
        stored=None,
        quarantine=None,
    )


def _worded(fault: Fault) -> str:
    return f"{fault.column}: {fault.reason}" if fault.column else fault.reason


def _books(taken: TakenBack) -> dict[str, int]:
    return {
        name: getattr(taken, name)
        for name in ("read", "applied", "quarantined", "duplicates", "not_filled_in", "replaced")
    }


def _set_aside(work: _Work, faults: Iterable[tuple[int | None, int, Fault]]) -> None:
    """Write which rows were set aside and why: places and reasons, nothing that stood there."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(QUARANTINE_COLUMNS)
    writer.writerows((sheet, row, fault.column, fault.reason) for sheet, row, fault in faults)
    write_private_file(work.quarantine, stream.getvalue().encode("utf-8"))


def _log(work: _Work, **facts: Any) -> None:
    append(
        work.site,
        ACTION,
        purpose=work.purpose,
        run=work.newest.id,
        file_sha256=work.returned.sha256,
        **facts,
    )
