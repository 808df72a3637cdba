"""riskstrat codelist: which codes stand for what, what changed in them, and whether they can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands import codelist_import
from riskstrat.commands.choosing import AsOfOption, RunOption, chosen_run, say, say_run
from riskstrat.commands.codelist_import import filled
from riskstrat.commands.run import parse_date
from riskstrat.commands.state import State
from riskstrat.errors import DefinitionError, MisuseError, NothingPublishedError

if TYPE_CHECKING:
    from riskstrat.definitions.codelist_checks import Examined, Finding, UnmappedCode
    from riskstrat.definitions.codelists import CodeEntry
    from riskstrat.runs import Run

app = typer.Typer(no_args_is_help=True, help="Code lists: which codes stand for what.")
app.command("import")(codelist_import.import_codes)

# How many of the codes that no list knows are shown, the commonest first, of each extract.
UNMAPPED_SHOWN = 10


class Format(StrEnum):
    """How ``codelist diff`` writes what changed."""

    table = "table"
    csv = "csv"
    json = "json"


@app.command("list")
def list_codelists(context: typer.Context) -> None:
    """List every code list: its version, concepts and codes of each system, who reviewed it and when that is due.

    Example: riskstrat codelist list
    """
    from riskstrat.commands.printing import aligned
    from riskstrat.definitions.codelists import (
        CODE_SYSTEMS,
        holds_value_rules,
        list_files,
        load_codelist,
        load_value_rules,
    )
    from riskstrat.definitions.metadata import load_metadata

    rows, notes = [], []
    for path in list_files(_folder(context)):
        found = load_value_rules(path) if holds_value_rules(path) else load_codelist(path).entries
        about = load_metadata(path)
        systems = Counter(entry.code_system for entry in found)
        counts = [systems[system] for system in CODE_SYSTEMS]
        concepts = len({entry.concept for entry in found})
        rows.append((path.stem, about.version, concepts, *counts, about.next_review))
        notes.append((about.title, f"reviewed by: {about.reviewed_by}"))
    lines = aligned(["list", "version", "concepts", *CODE_SYSTEMS, "next_review"], rows)
    first = len(lines) - len(rows)
    typer.echo("\n".join(lines[:first]))
    for line, texts in zip(lines[first:], notes, strict=True):
        typer.echo("\n".join([line, *(part for text in texts for part in filled(text))]))


@app.command("diff")
def diff(
    context: typer.Context,
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="A folder of lists, a site, or the CSV file of a list.")
    ],
    new: Annotated[
        Path | None, typer.Argument(metavar="NEW", help="The same; default: the lists of the site.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.table,
) -> None:
    """Name the codes and concepts that came or went between two folders of lists, or two lists.

    Example: riskstrat codelist diff ../before/config/codelists
    """
    from riskstrat.commands.writing import write_text
    from riskstrat.definitions.codelist_differences import (
        as_rows,
        comparable,
        differences,
        read_entries,
        reworded,
    )

    other = new or _folder(context)
    before, after = comparable(read_entries(old), read_entries(other), old, other)
    found = differences(before, after)
    if found or form is not Format.table:
        write_text(*as_rows(found), form.value, None)
    else:
        typer.echo("The lists hold the same codes.")
    changes = Counter(difference.change for difference in found)
    say(
        ", ".join(f"{change.replace(' ', 's ')}: {changes[change]:,}" for change in sorted(changes))
        or "no change"
    )
    if other_terms := reworded(before, after):
        say(f"codes that stayed with another term: {other_terms:,}")


@app.command("check")
def check(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="LIST", help="One list; default: all.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A list that is not signed, or whose review is due, is an error.")
    ] = False,
    run: RunOption = None,
    as_of: AsOfOption = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="Judge reviews by this day; default: the run's date."),
    ] = None,
    unseen: Annotated[bool, typer.Option("--unseen", help="List every code that the run never saw.")] = False,
) -> None:
    """Name mistakes, contradictions and missing sign-offs in the lists, and common codes that no list knows.

    Ends with 3 where there is an error. Codes in use are those of the latest published run, or of another one.

    Example: riskstrat codelist check flags --strict
    """
    state: State = context.obj
    site = state.site()
    chosen = _run_or_none(context, run, as_of)
    day = chosen.as_of if chosen else None
    if on is not None:
        day = parse_date(on, "--on")
    if day is None:
        say("nothing has been published yet: next_review is judged with --on DATE only.")
    findings, examined = _findings(site.config, name, day, strict)
    unmapped: list[UnmappedCode] = []
    never: dict[str, list[CodeEntry]] = {}
    if chosen is not None:
        say_run(chosen)
        notices, unmapped, never = _of_run(site.config, chosen, examined)
        findings += notices
    for finding in findings:
        _tell(finding, f"{site.root}/")
    _tell_unmapped(unmapped)
    if unseen:
        from riskstrat.commands.printing import aligned

        rows = [
            (one, entry.concept, entry.code_system, entry.code, entry.term)
            for one, entries in never.items()
            for entry in entries
        ]
        typer.echo("\n".join(aligned(["list", "concept", "code_system", "code", "term"], rows)) + "\n")
    counts = Counter(finding.level for finding in findings)
    told = ", ".join(f"{level}s: {counts[level]}" for level in ("error", "warning", "notice"))
    lists = len(examined.entries) + len(examined.rules)
    typer.echo(f"lists: {lists}, rows: {examined.rows:,}, {told}")
    if counts["error"]:
        raise DefinitionError(
            "the code lists have errors.", file=site.config / "codelists", remedy="see above."
        )
    if strict and day is None:
        raise MisuseError("no date is known to judge the reviews by.", remedy="give one: --on YYYY-MM-DD")


def _findings(
    config: Path, name: str | None, day: date | None, strict: bool
) -> tuple[list[Finding], Examined]:
    """What is to be said about the lists themselves, each thing once."""
    from riskstrat.definitions import codelist_checks as checks
    from riskstrat.definitions.codelists import list_files
    from riskstrat.definitions.contradictions import FILE, load_contradictions

    folder, pairs_file = config / "codelists", config / "reference" / FILE
    files = list_files(folder)
    chosen = files if name is None else [_named(name, files)]
    every, examined = checks.examine(files), checks.examine(chosen)
    pairs = load_contradictions(pairs_file)
    rules = [rule for found in every.rules.values() for rule in found]
    concepts = {entry.concept for entries in every.entries.values() for entry in entries}
    found: list[Finding] = [
        *examined.findings,
        *checks.contradictions(folder, examined, pairs),
        *checks.sign_offs(chosen, day, strict=strict),
        *(checks.unknown_concepts(pairs_file, concepts, pairs) if name is None else ()),
        *checks.numeric_codes(folder, examined, rules),
        *checks.shared_codes(folder, examined),
    ]
    return list({str(finding.problem): finding for finding in found}.values()), examined


def _of_run(
    config: Path, run: Run, examined: Examined
) -> tuple[list[Finding], list[UnmappedCode], dict[str, list[CodeEntry]]]:
    """What the codes in use of a run say about the lists, with the codes that it never saw."""
    import json

    from riskstrat.definitions.codelist_checks import (
        code_use,
        never_seen,
        still_unmapped,
        unseen_codes,
        unused_systems,
    )
    from riskstrat.quality.codes import CODES

    stored = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((run.folder / "quality").glob(f"*/{CODES}"))
    }
    if not stored:
        say("the run does not keep which codes its extracts use.")
        return [], [], {}
    use, unmapped = code_use(stored)
    systems = {entry.code_system for entries in examined.entries.values() for entry in entries}
    systems |= {rule.code_system for rules in examined.rules.values() for rule in rules}
    relevant = [found for found in unmapped if found[1] in systems]
    folder = config / "codelists"
    notices = [*unused_systems(folder, examined, use, run.id), *unseen_codes(folder, examined, use, run.id)]
    return notices, still_unmapped(relevant, examined, UNMAPPED_SHOWN), never_seen(examined, use)


def _run_or_none(context: typer.Context, run: str | None, as_of: str | None) -> Run | None:
    """The run to look at; None before the first one, unless a run was asked for."""
    try:
        return chosen_run(context, run, as_of)
    except NothingPublishedError:
        if run is not None or as_of is not None:
            raise
        return None


def _named(name: str, files: Sequence[Path]) -> Path:
    from riskstrat.language.problems import close_matches, listed

    known = {path.stem: path for path in files}
    if name not in known:
        near = close_matches(name, sorted(known))
        raise DefinitionError(
            f"there is no code list '{name}'.",
            remedy=f"did you mean {listed(near)}?" if near else "see: riskstrat codelist list",
        )
    return known[name]


def _tell(finding: Finding, root: str) -> None:
    problem = finding.problem
    place = ", ".join(_place(problem)).removeprefix(root)
    lines = [*filled(f"{finding.level:<8}{place}: {problem.what}", "")]
    lines += filled(f"Remedy: {problem.remedy}") if problem.remedy else []
    typer.echo("\n".join(lines))


def _place(problem: DefinitionError) -> Iterator[str]:
    if problem.file:
        yield problem.file
    if problem.row is not None:
        yield f"row {problem.row}"
    if problem.column:
        yield f"column {problem.column}"


def _tell_unmapped(codes: Iterable[UnmappedCode]) -> None:
    from riskstrat.commands.printing import aligned

    rows: list[tuple[Any, ...]] = [(code.extract, code.code_system, code.code, code.rows) for code in codes]
    if rows:
        typer.echo("\nCommon codes that no list has; * is a count of 1 to 7:")
        typer.echo("\n".join(aligned(["extract", "code_system", "code", "rows"], rows)) + "\n")


def _folder(context: typer.Context) -> Path:
    state: State = context.obj
    return state.site().config / "codelists"
