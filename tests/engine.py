"""One way into the real engine for tests: rows in, feature values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat import keys, pipeline
from tests import factories

Extracts = Mapping[str, Sequence[Mapping[str, Any]]]

# Somebody whom no test asks about: a file needs a header, so an extract without rows holds one of theirs.
BYSTANDER = factories.nhs_number(99_999)


def engine_features(site: Path, extracts: Extracts, as_of: date) -> dict[str, dict[str, Any]]:
    """person_id -> feature -> value, from a real run of ingest, link and features.

    Required extracts that ``extracts`` does not name are delivered without anybody in them; optional ones
    are delivered only when named.
    """
    delivered = {}
    for extract in dict.fromkeys((*factories.REQUIRED_EXTRACTS, *extracts)):
        rows = list(extracts.get(extract, ()))
        delivered[extract] = rows or [factories.MAKERS[extract](BYSTANDER)]
    return {row["person_id"]: row for row in pipeline.compute_features(site, delivered, as_of).to_pylist()}


def person_id(nhs_number: str) -> str:
    return keys.person_id(pipeline.TEST_KEY, nhs_number)
