"""The linter of cohort definitions: what a reviewer would find wrong or odd in a file that parses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.cohort_examples import MEMBER
from riskstrat.definitions.cohort_findings import Examined, Finding, Level
from riskstrat.definitions.cohort_logic import LOGIC
from riskstrat.definitions.cohort_rules import check_names, compile_cohort, wrong_names
from riskstrat.definitions.cohort_trials import Trial, answer_for_nobody_known, try_examples
from riskstrat.definitions.cohorts import Cohort, load_cohort
from riskstrat.definitions.contracts import load_contracts
from riskstrat.definitions.everything import FEATURES, Definitions
from riskstrat.definitions.legal_basis import check_purpose, load_legal_basis
from riskstrat.definitions.rules import Column
from riskstrat.definitions.sources import load_sources
from riskstrat.errors import DefinitionError
from riskstrat.language import Expression, ExpressionError
from riskstrat.language.problems import picture

__all__ = ["Checked", "Finding", "check_cohort", "check_cohorts", "check_files"]


def check_cohorts(definitions: Definitions, *, as_of: date, strict: bool = False) -> list[Finding]:
    """The findings of every cohort of definitions that are loaded, as ``check_files`` gives them."""
    columns = {column.name: column for column in definitions.contracts[FEATURES].columns}
    folder = definitions.root / "config" / "cohorts"
    return [
        finding
        for name, cohort in definitions.cohorts.items()
        for finding in check_cohort(
            cohort, columns, definitions.extract_names, as_of, file=folder / f"{name}.yaml", strict=strict
        )
    ]


@dataclass(frozen=True)
class Checked:
    """What was found in files, and how many examples they have."""

    findings: tuple[Finding, ...]
    examples: int


def check_files(root: Path, names: Iterable[str], *, as_of: date, strict: bool = False) -> Checked:
    """The findings of the named files of the site at ``root``, in the order of the names and of CHECKS.

    Reviews and examples are judged as of ``as_of``; with ``strict`` an unsigned or expired review is an error. A file
    that cannot be read as a definition is a finding. Raises DefinitionError for what all files stand on.
    """
    contracts, sources = (
        load_contracts(root / "data_contracts"),
        load_sources(root / "config" / "sources.yaml"),
    )
    if FEATURES not in contracts:
        raise DefinitionError(
            "is missing.", file=root / "data_contracts" / f"{FEATURES}.yaml", remedy="restore it."
        )
    columns = {column.name: column for column in contracts[FEATURES].columns}
    incoming = (name for name, contract in contracts.items() if contract.direction == "in")
    extracts = tuple(dict.fromkeys((sources.register, *incoming)))
    purposes = load_legal_basis(root / "config" / "legal_basis.yaml").purposes
    found: list[Finding] = []
    examples = 0
    for name in names:
        file = root / "config" / "cohorts" / f"{name}.yaml"
        try:
            cohort = load_cohort(file)
            for purpose in cohort.requires.legal_basis:
                check_purpose(purpose, purposes, file, "requires")
        except DefinitionError as problem:
            found.append(_impossible(name, problem))
            continue
        examples += len(cohort.examples)
        found += check_cohort(cohort, columns, extracts, as_of, file=file, strict=strict)
    return Checked(tuple(found), examples)


def check_cohort(
    cohort: Cohort,
    columns: Mapping[str, Column],
    extracts: Collection[str],
    as_of: date,
    *,
    file: Path,
    strict: bool = False,
) -> list[Finding]:
    """The findings of one cohort; where a name or a rule is wrong, that alone, as nothing else can be judged."""
    wrong = list(wrong_names(cohort, columns, extracts, file))
    if not wrong:
        try:
            check_names(cohort, columns, extracts, file)
            rules = compile_cohort(cohort, columns.values(), as_of, file)
        except DefinitionError as problem:
            wrong.append(problem)
    if wrong:
        return [_impossible(cohort.name, problem) for problem in wrong]
    examined = Examined(cohort, rules, columns, extracts, as_of, strict)
    return [finding for check in CHECKS for finding in check(examined)]


def _impossible(name: str, problem: DefinitionError) -> Finding:
    place = problem.column or getattr(problem, "text", None) or "file"
    shown = tuple(picture(problem.text, problem.place)) if isinstance(problem, ExpressionError) else ()
    return Finding("error", name, place, problem.what, problem.remedy or "correct it.", shown)


def _examples(examined: Examined) -> Iterator[Finding]:
    """Examples that do not come out as they say, and files that try nothing."""
    if not examined.cohort.examples:
        yield examined.finding(
            "warning", "examples", "there are none.", "add people just inside and just outside every rule."
        )
    for trial in try_examples(examined.cohort.examples, examined.rules, examined.columns, examined.as_of):
        if not trial.is_as_expected:
            yield examined.finding(
                "error",
                f"example '{trial.example.name}'",
                _outcome(trial),
                "correct the rule or the example; a feature that it does not name is unknown.",
            )


def _outcome(trial: Trial) -> str:
    if trial.outcome != trial.example.expect:
        return f"comes out as {trial.outcome}, and {trial.example.expect} is expected."
    expected = ", ".join(trial.example.gaps or ()) or "none"
    return f"has the gaps {', '.join(trial.gaps) or 'none'}, and {expected} are expected."


def _requires(examined: Examined) -> Iterator[Finding]:
    """Extracts that decide who is in and are not required: absent, they would leave "unknown" looking like "never".

    An example of a member of whom no feature of the extract is known shows that the cohort can do without it, unless
    a rule takes the absence itself for an answer.
    """
    rules = (*examined.rules.include, *examined.rules.exclude)
    for extract in sorted(set(examined.extracts) - set(examined.cohort.requires.extracts)):
        of_extract = {
            name for name, column in examined.columns.items() if extract in column.about.get("requires", ())
        }
        reading = [rule for rule in rules if of_extract & set(rule.columns)]
        if reading and not _does_without(examined, of_extract, reading):
            named = sorted({name for rule in reading for name in rule.columns} & of_extract)
            yield examined.finding(
                "warning",
                "requires",
                f"{', '.join(named)} cannot be known without the extract {extract}.",
                f"add {extract} to requires.extracts, or an example of a member who needs nothing of it.",
            )


def _does_without(examined: Examined, features: set[str], rules: Sequence[Expression]) -> bool:
    if any(answer_for_nobody_known(rule, examined.columns) for rule in rules):
        return False
    return any(
        example.expect == MEMBER and not features & example.person.keys()
        for example in examined.cohort.examples
    )


def _review(examined: Examined) -> Iterator[Finding]:
    """Reviews that nobody signed, and those whose date has passed."""
    review = examined.cohort.review
    level: Level = "error" if examined.strict else "warning"
    if review.signed_off_by is None:
        yield examined.finding(
            level, "review", "nobody has signed it off.", "let a clinician read it and name them there."
        )
    if review.next_review <= examined.as_of:
        yield examined.finding(
            level,
            "review",
            f"it was to be reviewed by {review.next_review}.",
            "review it and set the next date.",
        )


Check = Callable[[Examined], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (*LOGIC, _examples, _requires, _review)
