"""The forms in which others write codes, brought to the one that code lists use; each is a fact of its system."""

from __future__ import annotations

import re
from collections.abc import Iterable

from riskstrat.definitions.codelists import CODE_SYSTEMS, code_problems
from riskstrat.definitions.snomed import LONGEST, SHORTEST, is_rounded, is_snomed_id

READ_LENGTH = 5
# The two digits before the check digit say what an identifier names; concepts, and so dm+d products, have these.
CONCEPT_PARTITIONS = ("00", "10")

_TERM_CODED = re.compile(r"(?P<code>[0-9A-Za-z]{1,5}\.{0,4})(?P<term_code>[0-9]{2})")
_READ = re.compile(r"(?=.{1,5}$)[0-9A-Za-z]+\.*")
_ICD10_WRITTEN = re.compile(r"[A-Za-z][0-9]([0-9](\.?([0-9]{1,2}|[Xx]|-))?[-*+†ADad]?)?")
# RULES, Acute: filler X in position 4 and dagger or asterisk D or A in position 5 dropped
_ICD10_MARKED = re.compile(r"([A-Z][0-9][0-9A-Z])(?:X[0-9A-Z]*|([0-9A-Z])[DA]?)")


def normal_form(code_system: str, text: str) -> str:
    """A code as lists of its system have it; what cannot be one comes back unchanged but for spaces around it.

    >>> normal_form("readv2", "C10"), normal_form("readv2", "C10..00"), normal_form("ctv3", " XaZ89 ")
    ('C10..', 'C10..', 'XaZ89')
    >>> [normal_form("icd10", text) for text in ("e10.1", "I10.X", "G30.-", "M01.5A", "E10-E14")]
    ['E101', 'I10', 'G30', 'M015', 'E10-E14']
    """
    code = text.strip()
    if code_system == "icd10":
        return _icd10(code)
    if code_system == "readv2" and (coded := _term_coded(code)):
        code = coded
    if code_system in ("readv2", "ctv3") and _READ.fullmatch(code):
        return code.ljust(READ_LENGTH, ".")
    return code


def refusal(code_system: str, code: str) -> str | None:
    """Why a code in its normal form cannot be taken, with the remedy; None where it can.

    >>> refusal("snomed", "1022791000000100").partition(";")[0]
    'a spreadsheet rounded it'
    >>> refusal("snomed", "73211009")
    """
    if code_system == "snomed" and is_rounded(code):
        return "a spreadsheet rounded it; download the file again and import it without opening it in one."
    for problem, remedy in code_problems(code_system, code):
        return f"{problem.rstrip('.').removeprefix(f'{code!r} ')}; {remedy}"
    if code_system == "snomed" and code[-3:-1] not in CONCEPT_PARTITIONS:
        return "it identifies a description or a relationship; write the identifier of its concept."
    return None


def possible_systems(texts: Iterable[str]) -> tuple[str, ...]:
    """The systems that codes, as somebody wrote them, can all belong to; codes that fit none are passed over.

    >>> possible_systems(["73211009", "44054006"]), possible_systems(["C10..00", "C108."])
    (('snomed',), ('readv2',))
    >>> possible_systems(["C10..", "C108."]), possible_systems(["E10.1", "E11"]), possible_systems(["rang daughter"])
    (('readv2', 'ctv3'), ('icd10',), ())
    """
    found = [systems for text in texts if (systems := _systems_of(text.strip()))]
    return tuple(system for system in CODE_SYSTEMS if found and all(system in systems for systems in found))


def _systems_of(text: str) -> set[str]:
    systems = set()
    if is_snomed_id(text):
        return {"snomed"}
    if is_rounded(text) or (text.isascii() and text.isdigit() and SHORTEST <= len(text) <= LONGEST):
        systems.add("snomed")
    if _term_coded(text):
        systems.add("readv2")
    if _READ.fullmatch(text):
        # chapters X and Y are of CTV3 alone
        systems |= {"ctv3"} if text[0] in "XY" else {"readv2", "ctv3"}
    if _ICD10_WRITTEN.fullmatch(text):
        systems.add("icd10")
    return systems


def _term_coded(text: str) -> str | None:
    """The 5-byte code of a Read v2 code with its 2-digit term code."""
    found = _TERM_CODED.fullmatch(text)
    return found["code"] if found and len(found["code"]) == READ_LENGTH else None


def _icd10(text: str) -> str:
    code = re.sub(r"[.\s†*+]|-$", "", text.upper())
    found = _ICD10_MARKED.fullmatch(code)
    return found[1] + (found[2] or "") if found else code
