"""What the baselines share about hospital stays: names, and never how anything is worked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Frame = TypeVar("Frame")

POSITIONS = [f"diagnosis_{place:02d}" for place in range(1, 21)]
SPELL = ["person", "provider_code", "spell_id", "spell_day"]
# Feature -> what is counted for it, and the window that must be known.
COUNTED_STAYS = {
    "unplanned_admissions_12m": ("unplanned_12m", "12m"),
    "unplanned_admissions_24m": ("unplanned_24m", "24m"),
    "unplanned_admissions_last_calendar_year": ("unplanned_calendar_year", "last_calendar_year"),
    "unplanned_admissions_90d": ("unplanned_90d", "90d"),
    "acsc_admissions_12m": ("acsc_12m", "12m"),
    "unplanned_bed_days_12m": ("bed_days", "12m"),
    "emergency_readmissions_30d_12m": ("readmissions_12m", "12m"),
}


@dataclass(frozen=True)
class Stays(Generic[Frame]):
    """Episodes with the spell they belong to, all provider spells, and those of continuous spells.

    ``cips`` has one row a continuous spell; ``parts`` says which provider spells (``spell``) it is made of.
    """

    episodes: Frame
    spells: Frame
    parts: Frame
    cips: Frame
