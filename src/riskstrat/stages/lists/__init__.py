"""Lists: whom each team looks at first, why, and what has changed since the list before."""

from riskstrat.stages.lists.compiling import compile_lists
from riskstrat.stages.lists.making import lists

__all__ = ["compile_lists", "lists"]
