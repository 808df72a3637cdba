"""The audit log: who did what, when, for which purpose and for how many people, and never for whom.

Nothing slow is imported here: commands that people type all day add entries to it.
"""

from __future__ import annotations

from riskstrat.audit.entries import (
    DONE,
    REFUSED,
    Entry,
    append,
    audit_person,
    audit_rows,
    read_entries,
    refusal,
)
from riskstrat.audit.verifying import verify

__all__ = [
    "DONE",
    "REFUSED",
    "Entry",
    "append",
    "audit_person",
    "audit_rows",
    "read_entries",
    "refusal",
    "verify",
]
