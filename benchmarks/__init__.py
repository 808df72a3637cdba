"""Measurements: each run measures floors and riskstrat on the same files and reports ratios."""
