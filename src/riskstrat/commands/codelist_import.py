"""riskstrat codelist import: codes that others published, into a list of the site."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import say
from riskstrat.commands.state import State
from riskstrat.errors import DefinitionError, MisuseError

if TYPE_CHECKING:
    from riskstrat.definitions.codelist_formats import ForeignList
    from riskstrat.definitions.codelist_import import Plan, Taken
    from riskstrat.definitions.codelists import CodeList
    from riskstrat.site import Site

# How the files of a new list may be read; a list that is there keeps its own mode.
USUAL_MODE = 0o644
INDENT = "        "


class System(StrEnum):
    """The code systems that extracts send."""

    snomed = "snomed"
    readv2 = "readv2"
    ctv3 = "ctv3"
    icd10 = "icd10"


def import_codes(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A download of OpenCodelists, HDR UK or TRUD.")
    ],
    concept: Annotated[str, typer.Option("--concept", metavar="NAME", help="What the codes stand for.")],
    name: Annotated[
        str | None,
        typer.Option("--list", metavar="LIST", help="The list to change; default: the one with the concept."),
    ] = None,
    system: Annotated[
        System | None,
        typer.Option("--system", help="The system of the codes, or the one to take of several."),
    ] = None,
    refset: Annotated[
        str | None, typer.Option("--refset", metavar="ID", help="One reference set of a file with several.")
    ] = None,
    terms: Annotated[
        Path | None,
        typer.Option("--terms", metavar="FILE", help="An RF2 description file, for codes without a term."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove the concept's codes that the file does not have.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the sound codes though others are refused.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="PATH", help="Write the changed list there, with its metadata beside it."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and write nothing.")
    ] = False,
) -> None:
    """Add the codes of a published list to a concept, or replace the concept's codes by them.

    Knows CSV downloads of OpenCodelists, codes exports of the HDR UK Phenotype Library and simple reference sets of
    TRUD. Ends with 3, and writes nothing, where a code is refused. The list is unsigned afterwards.

    Example: riskstrat codelist import opensafely-dementia.csv --concept dementia --list flags --dry-run
    """
    from riskstrat.definitions.codelist_formats import read_foreign
    from riskstrat.definitions.codelist_import import plan_import, source_note
    from riskstrat.definitions.codelists import load_codelists
    from riskstrat.definitions.contradictions import FILE, load_contradictions

    state: State = context.obj
    site = state.site()
    lists = load_codelists(site.config / "codelists")
    codelist = _chosen_list(concept, name, lists)
    pairs = load_contradictions(site.config / "reference" / FILE)
    target = _target(site, codelist, out)
    foreign = read_foreign(file, system.value if system else None, refset)
    taken = _taken(file, foreign, concept, lists, terms)
    plan = plan_import(codelist, concept, taken, pairs, replace=replace)
    _show(plan)
    say(f"{file.name}: {foreign.form}")
    for remark in foreign.remarks:
        say(remark)
    if taken.unworded:
        say(f"codes without a term: {taken.unworded:,}; --terms FILE gives them those of a release")
    if concept not in codelist.concepts:
        say(f"{concept} is a new concept of {codelist.name}: nothing uses it until a definition names it.")
    say(_summary(plan))
    if plan.refused and not skip_bad:
        raise DefinitionError(
            f"codes that cannot be taken: {len(plan.refused)}, so nothing was written.",
            file=file,
            row=plan.refused[0].row,
            remedy="correct the file, or take the others with --skip-bad.",
        )
    if dry_run:
        say("nothing was written (--dry-run)")
    elif not plan.changes and out is None:
        say(f"{codelist.name} stays as it is, so nothing was written.")
    else:
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        note = source_note(concept, plan, foreign.form, file.name, sha256) if plan.changes else None
        _write(site.config / "codelists" / f"{codelist.name}.csv", target, plan, note)
        say(f"written to {target}; let a clinician read it and sign in {target.with_suffix('.yaml').name}")


def _chosen_list(concept: str, name: str | None, lists: Mapping[str, CodeList]) -> CodeList:
    """The list to change: the named one, else the only one that has the concept."""
    from riskstrat.definitions.codelists import is_concept_name
    from riskstrat.language.problems import close_matches, listed

    if not is_concept_name(concept):
        raise MisuseError(
            f"--concept '{concept}' is no concept name.",
            remedy="use lower-case letters and digits, joined by _ or -.",
        )
    if name is None:
        having = [codelist for codelist in lists.values() if concept in codelist.concepts]
        if len(having) == 1:
            return having[0]
        if having:
            what = f"several lists have the concept {concept}: {', '.join(found.name for found in having)}."
            raise MisuseError(what, remedy="choose one with --list.")
        known = sorted({known for codelist in lists.values() for known in codelist.concepts})
        near = close_matches(concept, known)
        raise MisuseError(
            f"no list has the concept {concept}.",
            remedy=f"did you mean {listed(near)}? A new concept needs --list."
            if near
            else "name the list that shall have it: --list.",
        )
    if name not in lists:
        raise MisuseError(
            f"there is no list of codes '{name}'.",
            remedy=f"use one of {', '.join(lists)}, or begin a new one: NAME.csv with its header, NAME.yaml beside it.",
        )
    return lists[name]


def _target(site: Site, codelist: CodeList, out: Path | None) -> Path:
    """The CSV file to write. Raises MisuseError for a place that must not be written to."""
    from riskstrat.commands.writing import check_target

    if out is None:
        return site.config / "codelists" / f"{codelist.name}.csv"
    if out.suffix != ".csv":
        raise MisuseError(
            "is no name of a list.", file=out, remedy="let it end in .csv; its .yaml comes beside it."
        )
    check_target(out, site)
    return out


def _taken(
    file: Path, foreign: ForeignList, concept: str, lists: Mapping[str, CodeList], terms: Path | None
) -> Taken:
    from riskstrat.definitions.codelist_import import system_of, take
    from riskstrat.definitions.snomed_release import read_terms

    known: dict[tuple[str, str], str] = {}
    for codelist in lists.values():
        for entry in codelist.entries:
            known.setdefault((entry.code_system, entry.code), entry.term)

    def find_terms(codes: Collection[str]) -> Mapping[str, str]:
        return read_terms(terms, codes) if terms is not None else {}

    return take(foreign, concept, system_of(file, foreign), known, find_terms)


def _show(plan: Plan) -> None:
    from riskstrat.commands.printing import aligned

    rows: list[tuple[Any, ...]] = [
        (outcome, entry.row or None, entry.code_system, entry.code, entry.term)
        for outcome, entries in (
            ("added", plan.added),
            ("reworded", plan.reworded),
            ("already there", plan.present),
        )
        for entry in entries
    ]
    rows += [("removed", None, entry.code_system, entry.code, entry.term) for entry in plan.removed]
    if rows:
        typer.echo("\n".join(aligned(["outcome", "row", "code_system", "code", "term"], rows)))
    for item in plan.refused:
        typer.echo("\n".join(filled(f"refused: row {item.row}, {item.code or 'no code'}: {item.reason}", "")))


def _summary(plan: Plan) -> str:
    counts = {
        "added": plan.added,
        "reworded": plan.reworded,
        "already there": plan.present,
        "removed": plan.removed,
        "refused": plan.refused,
    }
    return ", ".join(f"{what}: {len(found):,}" for what, found in counts.items())


def filled(text: str, first: str = INDENT) -> list[str]:
    """Lines that fit the terminal, the first behind ``first`` and the others indented."""
    import textwrap

    from riskstrat.commands.printing import terminal_width

    return textwrap.wrap(
        text,
        max(terminal_width(), 40),
        initial_indent=first,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _write(source: Path, target: Path, plan: Plan, note: str | None) -> None:
    """Write the list and its metadata, each whole or not at all, and only what can be loaded again.

    The metadata come first: should the second file fail, a sound list stands there as not reviewed.
    """
    from riskstrat.commands.writing import replaced
    from riskstrat.definitions.codelist_import import check_written, list_text
    from riskstrat.definitions.metadata_changes import without_signature

    about = source.with_suffix(".yaml")
    yaml_text = about.read_text(encoding="utf-8")
    if note is not None:
        yaml_text = without_signature(yaml_text, note, about)
    csv_text = list_text(plan.entries)
    with tempfile.TemporaryDirectory() as folder:
        check_written(target.stem, csv_text, yaml_text, plan, Path(folder))
    for path, text in ((target.with_suffix(".yaml"), yaml_text), (target, csv_text)):
        mode = path.stat().st_mode if path.exists() else USUAL_MODE
        with replaced(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
            partial.chmod(mode)
