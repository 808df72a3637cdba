"""Small lists of codes: as somebody publishes them, and as a site has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from riskstrat.definitions.codelists import CodeEntry, CodeList
from riskstrat.definitions.metadata import Metadata, load_metadata
from riskstrat.site import default_site

CODELISTS = default_site() / "config" / "codelists"
DEMENTIA, ALZHEIMERS, COPD, COPD_RESOLVED = "52448006", "26929004", "13645005", "941201000000103"
METADATA = """title: A list
source: A paper
version: "1"
licence: OGL
reviewed_by: Dr A, GP, 1 March 2026 # signed on paper
next_review: 2027-04-01
"""

WriteFile = Callable[..., Path]


def codelist(*entries: tuple[str, str, str]) -> CodeList:
    about = Metadata("A", "B", "1", "OGL", "Dr A", load_metadata(CODELISTS / "efi.csv").next_review)
    return CodeList(
        "mine",
        about,
        tuple(
            CodeEntry(concept, system, code, f"term of {code}", row)
            for row, (concept, system, code) in enumerate(entries, start=2)
        ),
    )
