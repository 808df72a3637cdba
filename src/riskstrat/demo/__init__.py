"""The synthetic town: extracts of people who do not exist, with the truth about them beside it."""

from riskstrat.demo.nhs_numbers import MAXIMUM_PEOPLE
from riskstrat.demo.town import TownSummary, write_town

__all__ = ["MAXIMUM_PEOPLE", "TownSummary", "write_town"]
