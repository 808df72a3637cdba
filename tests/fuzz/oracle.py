"""What riskstrat may do with a delivery, worked out from its files alone; every breach is one line of text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.everything import Definitions
from riskstrat.errors import RiskstratError
from tests.fuzz.kinds import CANARY
from tests.fuzz.probe import Found
from tests.fuzz.reader import Reading, read_file
from tests.fuzz.rows import invented_rows, lost_rows, misplaced_rows
from tests.fuzz.town import AS_OF, Town

SUFFIXES = (".csv", ".csv.gz", ".parquet")
REFUSALS = (2, 4)
LONGEST_LINE = 120_000  # bytes; about what riskstrat says that it reads
NUMBER_LIKE = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){9}(?![0-9])")
Conservation = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Case:
    """A delivery to be judged: where it lies, which extracts were damaged, and what the sound one came to."""

    landing: Path
    damaged: frozenset[str]
    sound: Found


def breaches(case: Case, found: Found, town: Town, definitions: Definitions) -> list[str]:
    """Everything that riskstrat did with the delivery and may not do."""
    readings = read_landing(case.landing, definitions)
    problems = [f"crash: {found.crash}"] if found.crash else []
    problems += leaks(found.said, "what it said", town)
    problems += leaks(found.kept_text, "what it wrote", town)
    for name, rows in found.set_aside.items():
        text = "\n".join(str(value) for row in rows for value in row.values() if isinstance(value, str))
        problems += [f"{name}: {leak}" for leak in leaks(text, "its quarantine", town, canary=False)]
    problem = found.raised or found.stopped_by
    if problem is not None:
        problems += _poor_message(problem, case, town)
        problems += leaks(str(problem), "its error", town)
    if found.raised is not None:
        return [*problems, *_unfounded_refusal(case, readings, definitions)]
    if not found.crash:
        problems += _wrong_books(case, readings, found, definitions)
    return problems


def read_landing(landing: Path, definitions: Definitions) -> dict[str, list[Reading]]:
    """What every file holds that a run must read, by extract."""
    found: dict[str, list[tuple[date, Path]]] = {}
    for folder in sorted(landing.iterdir()):
        if not folder.is_dir() or not re.fullmatch(r"\d{4}-\d\d-\d\d", folder.name):
            continue
        try:
            night = date.fromisoformat(folder.name)
        except ValueError:
            continue
        for path in sorted(folder.iterdir()) if night < AS_OF else ():
            extract = _extract_of(path.name, definitions.extract_names)
            if extract and path.is_file() and not path.name.startswith("."):
                found.setdefault(extract, []).append((night, path))
    readings = {}
    for extract, files in found.items():
        newest = max(night for night, _ in files)
        is_full = definitions.source(extract).mode == "full"
        readings[extract] = [read_file(path) for night, path in files if night == newest or not is_full]
    return readings


def _extract_of(name: str, extracts: tuple[str, ...]) -> str | None:
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            stem = name.removesuffix(suffix)
            return max(
                (one for one in extracts if stem == one or stem.startswith(f"{one}_")), key=len, default=None
            )
    return None


def leaks(text: str, where: str, town: Town, *, canary: bool = True) -> Iterator[str]:
    """Values of patients in a text that may hold none."""
    for match in NUMBER_LIKE.finditer(text):
        if re.sub("[ -]", "", match[0]) in town.numbers:
            yield f"leak: an NHS number in {where}: ...{text[max(0, match.start() - 60) : match.start()]}<NUMBER>"
            break
    for word in town.words:
        if word in text and re.search(rf"\b{re.escape(word)}\b", text):
            yield f"leak: a name or postcode in {where}"
            break
    if canary and CANARY in text:
        place = text.index(CANARY)
        yield f"leak: a value in {where}: {text[max(0, place - 60) : place + 40]!r}"


def _poor_message(problem: RiskstratError, case: Case, town: Town) -> Iterator[str]:
    if problem.exit_code not in REFUSALS:
        yield f"message: exit code {problem.exit_code}: {problem}"
    if not problem.remedy:
        yield f"message: no remedy: {problem}"
    if "\n" in str(problem):
        yield f"message: more than one line: {str(problem)!r}"
    if not any(extract in str(problem) for extract in case.damaged):
        yield f"message: names none of {sorted(case.damaged)}: {problem}"


def _unfounded_refusal(
    case: Case, readings: Mapping[str, list[Reading]], definitions: Definitions
) -> Iterator[str]:
    """A delivery that is sound is not refused."""
    required = [name for name in definitions.extract_names if definitions.contracts[name].required]
    if any(name not in readings for name in required):
        return
    for extract, files in readings.items():
        if any(refusable(file, extract, definitions) for file in files):
            return
    yield "refused though every file is sound"


def refusable(file: Reading, extract: str, definitions: Definitions) -> str:
    """Why a file may be refused ('' where it may not)."""
    if file.ruin or file.trouble:
        return file.ruin or file.trouble
    if file.longest_line > LONGEST_LINE:
        return "a very long line"
    if file.first_is_blank:
        return "the first line is blank"
    if len({name.lower() for name in file.header}) < len(file.header):
        return "names that differ in upper and lower case alone"
    return _odd_record(file) or must_refuse(file, extract, definitions)


def _odd_record(file: Reading) -> str:
    for record in file.records:
        if record.has_nul:
            return "NULs"
        if len(record.cells) != len(file.header) and any("\n" in str(cell) for cell in record.cells):
            return "a record of several lines has too many or too few fields: a quote closed too late"
    return ""


def must_refuse(file: Reading, extract: str, definitions: Definitions) -> str:
    """Why a file has to be refused ('' where it has not)."""
    contract = definitions.contracts[extract]
    kept = {column.name for column in contract.columns if not column.private}
    if file.unreadable and not kept & set(file.unreadable):
        return ""  # what is damaged is never read
    if file.ruin:
        return file.ruin
    if file.trouble and not file.header:
        return ""
    if not file.header_is_text:
        return "the header is no text"
    missing = [
        column.name for column in contract.columns if column.required and column.name not in file.header
    ]
    if missing:
        return f"no column {missing[0]}"
    twice = [name for name in file.header if file.header.count(name) > 1]
    return f"the column {twice[0]} stands twice" if twice else ""


def _wrong_books(
    case: Case, readings: Mapping[str, list[Reading]], found: Found, definitions: Definitions
) -> Iterator[str]:
    for extract, files in readings.items():
        for file in files:
            if why := must_refuse(file, extract, definitions):
                yield f"{extract}: {file.path.name} was read though {why}"
                return
        if extract not in found.conservation:
            yield f"{extract}: there are files and no books"
            continue
        yield from _unbalanced(extract, files, found)
        if extract not in case.damaged and found.conservation[extract] != case.sound.conservation[extract]:
            yield f"{extract}: was not damaged and its books differ: {found.conservation[extract]}"
        if found.accepted:  # a check that was refused after the rows were settled left nothing to look at
            yield from _wrong_rows(extract, files, case, found, definitions)
    for extract in found.conservation:
        if extract not in readings:
            yield f"{extract}: there are books and no files"


def _wrong_rows(
    extract: str, files: list[Reading], case: Case, found: Found, definitions: Definitions
) -> Iterator[str]:
    contract, counts = definitions.contracts[extract], found.conservation[extract]
    if len(found.accepted[extract]) != counts["accepted"]:
        yield f"{extract}: {counts['accepted']} accepted, {len(found.accepted[extract])} staged"
    if len(found.set_aside[extract]) != counts["quarantined"]:
        yield f"{extract}: {counts['quarantined']} quarantined, {len(found.set_aside[extract])} in the file"
    if any(not row["reasons"] for row in found.set_aside[extract]):
        yield f"{extract}: a row is quarantined without a reason"
    if extract in case.damaged or definitions.register_extract in case.damaged:
        yield from invented_rows(contract, files, found)
    if extract in case.damaged:
        yield from misplaced_rows(contract, files, found)
        yield from lost_rows(contract, files, found, case.sound)


def _unbalanced(extract: str, files: list[Reading], found: Found) -> Iterator[str]:
    counts = dict(found.conservation[extract])
    read = counts.pop("read")
    if sum(counts.values()) != read or min(counts.values()) < 0:
        yield f"{extract}: the books do not balance: {found.conservation[extract]}"
    least = sum(file.least for file in files)
    bounds = [file.most for file in files]
    blanks = sum(file.blanks for file in files)
    most = None if None in bounds else sum(bound or 0 for bound in bounds) + blanks
    if read < least:
        yield f"{extract}: {read} rows read, {least} there: lost ({_troubles(files)})"
    if most is not None and read > most:
        yield f"{extract}: {read} rows read, {least} there: invented ({_troubles(files)})"


def _troubles(files: list[Reading]) -> str:
    return ", ".join(file.trouble for file in files if file.trouble) or "no trouble"
