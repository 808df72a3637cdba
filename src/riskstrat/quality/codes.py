"""Codes that no list of the site knows: how much of each extract is understood, and what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.quality.store import write_json

CODES = "codes.json"
SHOWN = 20
FEW_PEOPLE = 6
CODE = re.compile(r"[A-Za-z0-9.^_-]{1,18}")
NOT_SHOWN = "(not shown: could name a person)"


def write_codes(engine: DuckDBEngine, run_folder: Path) -> None:
    """Write ``quality/EXTRACT/codes.json`` from the views of stages.ingest.codes, where there are any."""
    names = _columns(engine, "unmapped_codes")
    if not names or not _columns(engine, "code_use"):
        return
    people = "people" if "people" in names else "NULL"
    found: dict[str, dict[str, Any]] = {}
    seen: dict[tuple[str, str], list[str]] = {}
    for extract, system, code in engine.rows(
        "SELECT extract, code_system, code FROM listed_codes_seen ORDER BY ALL"
    ):
        seen.setdefault((extract, system), []).append(code)
    for extract, system, codes, rows, mapped, tidied, malformed in engine.rows(
        "SELECT extract, code_system, codes, row_count, mapped_row_count, tidied_row_count, malformed_row_count "
        "FROM code_use ORDER BY extract, code_system"
    ):
        use = {"code_system": system, "codes": codes, "rows": rows, "mapped_rows": mapped}
        use |= {"tidied_rows": tidied, "malformed_rows": malformed}
        use["listed_codes_seen"] = seen.get((extract, system), [])
        found.setdefault(extract, {"systems": [], "unmapped": []})["systems"].append(use)
    ranked = (
        f"SELECT extract, code_system, code, row_count, {people}, row_number() OVER (PARTITION BY extract "
        "ORDER BY row_count DESC, code_system, code) AS place FROM unmapped_codes"
    )
    for extract, system, code, rows, persons, _ in engine.rows(
        f"SELECT * FROM ({ranked}) AS ranked WHERE place <= {SHOWN} ORDER BY extract, place"
    ):
        entry = {"code_system": system, "code": shown_code(code), "rows": rows, "people": _few(persons)}
        found.setdefault(extract, {"systems": [], "unmapped": []})["unmapped"].append(entry)
    for extract, use in found.items():
        folder = run_folder / "quality" / extract
        if folder.is_dir():
            write_json(folder / CODES, use)


def shown_code(code: str) -> str:
    """The code, unless what was sent in its place is free text or might be an NHS number.

    >>> shown_code("1064811000000103"), shown_code("9990000018"), shown_code("rang daughter")
    ('1064811000000103', '(not shown: could name a person)', '(not shown: could name a person)')
    """
    return code if CODE.fullmatch(code) and not _may_be_nhs_number(code) else NOT_SHOWN


def _may_be_nhs_number(code: str) -> bool:
    """Whether a run of exactly ten digits in it has the check digit of an NHS number (modulus 11)."""
    for digits in re.findall(r"(?<![0-9])[0-9]{10}(?![0-9])", re.sub(r"[-.^_]", "", code)):
        total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
        if (11 - total % 11) % 11 == int(digits[9]):
            return True
    return False


def _few(people: int | None) -> str | int | None:
    if people is None:
        return None
    return f"<{FEW_PEOPLE}" if people < FEW_PEOPLE else int(people)


def _columns(engine: DuckDBEngine, table: str) -> list[str]:
    return [
        str(name)
        for (name,) in engine.rows(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY 1"
        )
    ]
