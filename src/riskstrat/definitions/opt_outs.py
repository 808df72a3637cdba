"""``config/reference/opt_outs_applied.csv``: which opt-outs take somebody out of which purpose."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from riskstrat.definitions.legal_basis import RUN_PURPOSE
from riskstrat.definitions.reference import ReferenceTable
from riskstrat.errors import DefinitionError

TABLE, FILE = "reference_opt_outs_applied", "opt_outs_applied.csv"
COLUMNS = ("opt_out", "purpose", "applied", "extract")


def check_opt_outs(table: ReferenceTable | None, extracts: Container[str], path: Path) -> None:
    """Raise DefinitionError for a row that would decide nothing, or not what its author thinks.

    People who are left out of a run are in no output, so no other purpose than the run's can leave out anybody more.
    """
    kinds = dict(table.columns) if table is not None else {}
    if table is None or not set(COLUMNS) <= kinds.keys():
        raise DefinitionError(
            f"must have the columns {', '.join(COLUMNS)}.",
            file=path,
            remedy="restore it from riskstrat init.",
        )
    names = list(kinds)
    seen: set[str] = set()
    for number, row in enumerate(table.rows, start=2):
        about = {name: row[names.index(name)] for name in COLUMNS}
        wrong = {
            "opt_out": about["opt_out"] is None or about["opt_out"] in seen,
            "purpose": about["purpose"] != RUN_PURPOSE,
            "applied": type(about["applied"]) is not bool,
            "extract": about["extract"] not in extracts,
        }
        for column, is_wrong in wrong.items():
            if is_wrong:
                raise DefinitionError(
                    f"{column} is not what it can be here.",
                    file=path,
                    row=number,
                    column=column,
                    remedy=REMEDIES[column],
                )
        seen.add(about["opt_out"])


REMEDIES = {
    "opt_out": "name each opt-out once.",
    "purpose": f"write {RUN_PURPOSE}: whoever is left out of a run is in nothing that is made of it.",
    "applied": "write true, or false where an exemption holds.",
    "extract": "name the extract that tells of it.",
}
