"""Contracts as compact JSON: what a published run keeps, so that later ones can be compared with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from riskstrat.definitions.contracts import Contract
from riskstrat.errors import RiskstratError

# Where a published run keeps the contracts that it was made under, below the run's folder.
IN_A_RUN = Path("quality") / "contracts.json"


def snapshot(contract: Contract) -> dict[str, Any]:
    """The contract as plain values; what has its default value is left out. ``from_snapshot`` gives it back."""
    plain: dict[str, Any] = _adapter().dump_python(contract, mode="json", exclude_defaults=True)
    return plain


def from_snapshot(plain: Mapping[str, Any]) -> Contract:
    """The contract of a snapshot; keys of another version of riskstrat are passed over, missing ones are defaults.

    Raises RiskstratError when it is none.
    """
    from pydantic import ValidationError

    try:
        contract: Contract = _adapter().validate_python(plain)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RiskstratError(
            f"the snapshot of a contract cannot be read at {place or 'its beginning'}: {first['msg'].lower()}.",
            remedy="compare with a folder of contracts instead: riskstrat contracts diff --against DIR",
        ) from None
    return contract


def snapshots(contracts: Mapping[str, Contract]) -> str:
    """The text of ``IN_A_RUN``: a JSON object, a line a contract in name order; equal contracts give equal bytes."""
    lines = [f"{json.dumps(name)}:{_compact(snapshot(contracts[name]))}" for name in sorted(contracts)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_snapshots(path: Path) -> dict[str, Contract]:
    """The contracts that ``path`` holds, by name. Raises RiskstratError when it is damaged, FileNotFoundError."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        raise RiskstratError(
            "is no file of contracts.",
            file=path,
            remedy="find out what changed it with: riskstrat runs verify",
        )
    return {name: from_snapshot(plain) for name, plain in stored.items()}


def _compact(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Contract)
