"""The language of cohorts and queries: one SQL condition over the feature table, and nothing else.

DuckDB parses the text; its syntax tree is checked against an allow-list; what runs later is written back from
the checked tree, never the text itself. So no condition reads a file, a setting or another table.
"""

from riskstrat.language.expression import Expression, check_limits, check_values, compile_expression
from riskstrat.language.problems import ExpressionError
from riskstrat.language.uses import NumberUse, OrderUse, ValueUse

__all__ = [
    "Expression",
    "ExpressionError",
    "NumberUse",
    "OrderUse",
    "ValueUse",
    "check_limits",
    "check_values",
    "compile_expression",
]
