"""The columns that the town delivers: those of the site's contracts, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from riskstrat.definitions.contracts import Contract, load_contracts
from riskstrat.demo.calibration import read_knowledge
from riskstrat.errors import DefinitionError

# Extract -> its columns in the order of the file; the first one identifies a row.
Header = Mapping[str, tuple[str, ...]]


def load_header(contracts_folder: Path) -> Header:
    """The columns of every extract of a site. Raises DefinitionError when a contract cannot be read.

    Columns by which suppliers withdraw or renumber a record are left out where no fault of the town uses them:
    nothing in the town is ever renumbered.
    """
    used = {(row["extract"], row["column"]) for row in read_knowledge("faults")}
    contracts = load_contracts(contracts_folder)
    return {
        name: tuple(
            column.name
            for column in contract.columns
            if column.name not in _of_suppliers(contract) or (name, column.name) in used
        )
        for name, contract in contracts.items()
        if contract.direction == "in"
    }


def _of_suppliers(contract: Contract) -> set[str | None]:
    return {"deleted", contract.record_key} if contract.has_deleted else {contract.record_key}


def check_fits(extract: str, told: Mapping[str, object], header: Header) -> None:
    """Raise DefinitionError where the town tells of an extract or a column that the site's contracts have not."""
    if extract not in header:
        raise DefinitionError(
            f"the town has the extract {extract}, and data_contracts/ has not.",
            remedy="restore its contract from riskstrat init; the town is made for the shipped extracts.",
        )
    for column in told:
        if column not in header[extract]:
            raise DefinitionError(
                f"the town fills the column {column} of {extract}, and its contract has it not.",
                file=f"data_contracts/{extract}.yaml",
                column=column,
                remedy="restore the column from riskstrat init; the town is made for the shipped contracts.",
            )
