"""riskstrat: open, auditable, nightly risk stratification for neighbourhood health teams."""

__version__ = "0.1.0"
