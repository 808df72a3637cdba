"""Lists of codes as tests make and read them."""

from __future__ import annotations

from riskstrat.definitions.codelists import CodeList


def codes(codelist: CodeList, concept: str, code_system: str | None = None) -> set[str]:
    return {
        entry.code
        for entry in codelist.entries
        if entry.concept == concept and code_system in (None, entry.code_system)
    }
