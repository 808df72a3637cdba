"""What the benchmark asks, in the words of riskstrat and of SQL; ``benchmarks/peers`` holds the peers' translations."""

from __future__ import annotations

COHORT = "luton_core"
INCLUDE = (
    "age >= 65",
    "frailty_category IN ('moderate', 'severe')",
    "unplanned_admissions_12m >= 2",
)
WHERE = " AND ".join(INCLUDE)
REASONS = ("{unplanned_admissions_12m} unplanned admissions in 12 months",)
ROWS = 25
# The peers' inputs in two editions, by folder.
CUT_DOWN, WHOLE = "cut_down", "whole"
EDITIONS = {CUT_DOWN: "cut-down tables", WHOLE: "whole records"}
