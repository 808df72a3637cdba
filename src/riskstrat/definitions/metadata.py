"""Who stands behind a file of clinical knowledge: the ``NAME.yaml`` beside each ``NAME.csv``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskstrat.definitions.documents import check_keys, read_mapping
from riskstrat.errors import DefinitionError

REQUIRED = ("title", "source", "version", "licence", "reviewed_by", "next_review")
OPTIONAL = ("note",)
# What ``reviewed_by`` says of a list that nobody has read yet, and what others write there instead.
UNREVIEWED = "No clinician yet; a site signs here before it relies on the list"
_NOBODY = re.compile(
    r"(no clinician|no one|nobody|none|not|unreviewed|unsigned|pending|awaiting|tb[acd]|n/a)\b|\W*$"
)


@dataclass(frozen=True)
class Metadata:
    """Provenance and sign-off of one list or table; ``note`` says how it was made, '' when not given."""

    title: str
    source: str
    version: str
    licence: str
    reviewed_by: str
    next_review: date
    note: str = ""

    @property
    def is_reviewed(self) -> bool:
        """Whether ``reviewed_by`` names somebody."""
        return not _NOBODY.match(self.reviewed_by.strip().lower())


def load_metadata(table: Path) -> Metadata:
    """The metadata beside a CSV file (same name, ``.yaml``). Raises DefinitionError when incomplete."""
    path = table.with_suffix(".yaml")
    document = read_mapping(path)
    check_keys(document, allowed=(*REQUIRED, *OPTIONAL), required=REQUIRED, file=path)
    for key, value in document.items():
        if key == "next_review":
            if type(value) is not date:
                raise DefinitionError(
                    "is no date.", file=path, column=key, remedy="write it as YYYY-MM-DD, unquoted."
                )
        elif not isinstance(value, str) or not value.strip():
            raise DefinitionError(
                "must be text that is not empty.",
                file=path,
                column=key,
                remedy="fill it in, in quotes if a number.",
            )
    return Metadata(**document)
