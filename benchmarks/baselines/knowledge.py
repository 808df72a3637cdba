"""What both baselines know before they read a row: the site's definitions as small tables, and the windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.dates import Windows, months_before
from riskstrat.definitions.everything import load_definitions
from riskstrat.stages.ingest.knowledge import load_knowledge


@dataclass(frozen=True)
class Table:
    """A small table as (name, SQL type) columns and rows."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass
class _Tables:
    """Takes what an engine would load."""

    found: dict[str, Table] = field(default_factory=dict)

    def load(self, table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
        self.found[table] = Table(tuple(columns), tuple(map(tuple, rows)))


@dataclass(frozen=True)
class Knowledge:
    """The definitions by the names of their tables; ``a_year_ago`` is the day of the snapshot 12 months earlier."""

    tables: Mapping[str, Table]
    windows: Windows

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of one table by column."""
        table = self.tables[name]
        names = [column for column, _ in table.columns]
        return [dict(zip(names, row, strict=True)) for row in table.rows]

    def parameter(self, name: str) -> int:
        """One value of config/reference/parameters.csv."""
        return int(self.rows("parameters")[0][name])

    @property
    def a_year_ago(self) -> date:
        """The day 12 months before as_of."""
        return months_before(self.windows.as_of, 12)

    @property
    def two_years_ago(self) -> date:
        """The first of the 12 months before ``a_year_ago``."""
        return months_before(self.a_year_ago, 12)

    @property
    def flu_season_start(self) -> date:
        """The first day of the season that as_of lies in, or the latest one."""
        month, as_of = self.parameter("flu_season_first_month"), self.windows.as_of
        return date(as_of.year - (as_of.month < month), month, 1)

    def listed(self) -> list[tuple[int, str, str, str, str]]:
        """Numbered codes: number, list, concept, code system, code; those of value rules as list efi_values."""
        codes = {tuple(row) for row in self.tables["codelist"].rows}
        codes |= {
            ("efi_values", rule["concept"], rule["code_system"], rule["code"])
            for rule in self.rows("efi_values")
        }
        return [(number, *code) for number, code in enumerate(sorted(codes), start=1)]

    def in_scope_practices(self) -> list[tuple[str, str | None, str | None]]:
        """Practice, PCN and neighbourhood as they stand on as_of; the latest valid row of a practice."""
        as_of, found = self.windows.as_of, {}
        for row in sorted(
            self.rows("practices"),
            key=lambda row: (
                -(row["valid_from"] or date.min).toordinal(),
                row["neighbourhood_code"] or "\uffff",
                row["pcn_code"] or "\uffff",
            ),
        ):
            if (row["valid_from"] or as_of) <= as_of <= (row["valid_to"] or as_of):
                found.setdefault(row["practice_code"], (row["pcn_code"], row["neighbourhood_code"]))
        return [(practice, *codes) for practice, codes in found.items()]

    def deprivation(self) -> dict[str, int | None]:
        """The decile of every small area; the lowest where a file gives two."""
        found: dict[str, int | None] = {}
        for lsoa, decile in self.tables["areas"].rows:
            known = found.get(lsoa)
            found[lsoa] = decile if known is None else known if decile is None else min(known, decile)
        return found

    def applied_opt_outs(self) -> set[str]:
        """The opt-outs that keep people out of risk stratification."""
        return {
            row["opt_out"]
            for row in self.rows("reference_opt_outs_applied")
            if row["purpose"] == "risk_stratification" and row["applied"]
        }

    def icd10_prefixes(self, name: str) -> list[tuple[str, str]]:
        """(prefix, concept) of a list of ICD-10 codes, tidied as recorded codes are."""
        plain = str.maketrans("", "", ".- ")
        return sorted(
            {
                (code.translate(plain).upper(), concept)
                for of_list, concept, system, code in self.tables["codelist"].rows
                if of_list == name and system == "icd10"
            }
        )

    def concepts_of(self, icd10: Iterable[str], name: str) -> list[tuple[str, str]]:
        """(code, concept) for every code that begins as one of a list does."""
        prefixes = self.icd10_prefixes(name)
        return sorted(
            {(code, concept) for code in icd10 for prefix, concept in prefixes if code.startswith(prefix)}
        )


def read_knowledge(site: Path, as_of: date) -> Knowledge:
    """The definitions of the site at ``site`` for a run as of ``as_of``."""
    tables, windows = _Tables(), Windows.ending_before(as_of)
    load_knowledge(tables, load_definitions(site), windows)  # type: ignore[arg-type]  # loads, and nothing else
    return Knowledge(tables.found, windows)


def plain_icd10(recorded: str) -> str | None:
    """A recorded ICD-10 code normalised; None where nothing is left.

    >>> plain_icd10("e11.9D"), plain_icd10("I10X"), plain_icd10("-")
    ('E119', 'I10', None)
    """
    code = recorded.replace(".", "").replace("-", "").replace(" ", "").upper()
    if code[4:5] in {"D", "A"}:
        code = code[:4] + code[5:]
    if code[3:4] == "X":
        code = code[:3] + code[4:]
    return code or None
