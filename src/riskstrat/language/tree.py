"""The walk over a tree: every node is allowed, every column is a feature, every value fits its column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from riskstrat.language import vocabulary
from riskstrat.language.parsing import byte_place, parser_connection
from riskstrat.language.problems import Place, Source, close_matches, listed

Node = dict[str, Any]
LANGUAGE = "use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, CASE and arithmetic."
QUIET_FUNCTION_KEYS = ("filter", "distinct", "export_state", "schema", "catalog")


@dataclass(frozen=True)
class ValueUse:
    """A text value that an expression compares a column with (by =, <> or IN)."""

    column: str
    value: str
    place: Place | None = field(compare=False)


class Walk:
    """One pass over one tree; afterwards ``columns`` and ``values`` hold what it met, in order."""

    def __init__(self, source: Source, types: Mapping[str, str]) -> None:
        self.source = source
        self.types = types
        self.columns: list[str] = []
        self.values: list[ValueUse] = []
        self._names = {name.lower(): name for name in types}
        self._visits: dict[str, Callable[[Node], None]] = {
            "COLUMN_REF": self._column,
            "CONSTANT": self._constant,
            "COMPARISON": self._comparison,
            "CONJUNCTION": self._conjunction,
            "OPERATOR": self._operator,
            "BETWEEN": self._between,
            "CASE": self._case,
            "CAST": self._cast,
            "FUNCTION": self._function,
        }

    def visit(self, node: Node) -> None:
        """Check one node and everything under it. Raises ExpressionError."""
        visit = self._visits.get(node["class"])
        if visit is None:
            kind = str(node["class"])
            reason = vocabulary.REFUSED_CLASSES.get(
                kind, f"{kind.lower().replace('_', ' ')} is not allowed here"
            )
            self._refuse(f"{reason}.", node, LANGUAGE)
        if node.get("alias"):
            self._refuse("a name for a part is not allowed.", node, "take it away.")
        visit(node)

    def condition(self, node: Node) -> None:
        """Check a node that must be true or false: the whole, and what AND, OR and NOT join."""
        self.visit(node)
        column = self._plain_column(node)
        if column is not None and self.types[column] != "BOOLEAN":
            self._refuse(
                f"{column} is {self._words(column)}, not true or false.", node, self._comparing(column)
            )
        if node["class"] == "CONSTANT" and node["literal"]["kind"] not in ("BOOLEAN", "NULL_LITERAL"):
            self._refuse("this value is not true or false.", node, "compare it with a feature.")

    def _column(self, node: Node) -> None:
        parts = node["column_names"]
        if len(parts) == 1 and (name := self._names.get(parts[0].lower())):
            if name not in self.columns:
                self.columns.append(name)
            return
        self._refuse_column(node, ".".join(parts))

    def _refuse_column(self, node: Node, written: str) -> None:
        if written.lower() in vocabulary.CLOCK_WORDS:
            self._refuse("no clock decides who is on a list.", node, "write the date: DATE '2026-04-01'.")
        last = written.rsplit(".", 1)[-1]
        if "." in written and last.lower() in self._names:
            self._refuse(f"'{written}' names a table.", node, f"write {self._names[last.lower()]} alone.")
        place = byte_place(self.source.text, node)
        if place and self.source.text[place.start : place.start + 1] == '"':
            self._refuse(
                f'"{written}" in double quotes is a column.',
                node,
                f"write text in single quotes: '{written}'.",
            )
        matches = close_matches(written, self.types)
        proposal = f"did you mean {listed(matches)}?" if matches else f"if it is text, write '{written}'; "
        listing = "" if matches else "riskstrat features list shows every name."
        self._refuse(f"there is no feature '{written}'.", node, proposal + listing)

    def _constant(self, node: Node) -> None:
        kind = node["literal"]["kind"]
        if kind not in vocabulary.LITERAL_KINDS:
            self._refuse(
                f"a value of kind {kind.lower()} is not allowed.",
                node,
                "use text, numbers, dates, TRUE or FALSE.",
            )
        if not str(node["literal"].get("text", "")).isprintable():
            self._refuse(
                "the text holds a character that cannot be seen.", node, "use letters, digits and spaces."
            )

    def _comparison(self, node: Node) -> None:
        self._listed(node, vocabulary.COMPARISONS)
        left, right = node["left"], node["right"]
        self.visit(left)
        self.visit(right)
        noted = node["type"] in vocabulary.EQUALITIES
        self._fits(left, [right], noted=noted)
        self._fits(right, [left], noted=noted)

    def _between(self, node: Node) -> None:
        self._listed(node, {"COMPARE_BETWEEN"})
        bounds = [node["lower"], node["upper"]]
        for part in (node["input"], *bounds):
            self.visit(part)
        self._fits(node["input"], bounds, noted=False)

    def _conjunction(self, node: Node) -> None:
        self._listed(node, vocabulary.CONJUNCTIONS)
        for child in node["children"]:
            self.condition(child)

    def _operator(self, node: Node) -> None:
        self._listed(node, vocabulary.OPERATORS)
        for child in node["children"]:
            if node["type"] == "OPERATOR_NOT":
                self.condition(child)
            else:
                self.visit(child)
        if node["type"] in vocabulary.MEMBERSHIPS:
            self._fits(node["children"][0], node["children"][1:], noted=True)

    def _case(self, node: Node) -> None:
        for check in node["case_checks"]:
            self.condition(check["when_expr"])
            self.visit(check["then_expr"])
        self.visit(node["else_expr"])

    def _cast(self, node: Node) -> None:
        target = node["type_expr"]
        name = str(target.get("type_name", "")).upper()
        plain = not (target.get("children") or target.get("schema") or target.get("catalog"))
        if name not in vocabulary.CAST_TYPES or not plain:
            self._refuse(
                "a cast to this type is not allowed.", node, f"use {listed(sorted(vocabulary.CAST_TYPES))}."
            )
        self.visit(node["child"])
        child = node["child"]
        if child["class"] == "CONSTANT" and not node["try_cast"] and not self._casts(child["literal"], name):
            words = vocabulary.TYPE_WORDS.get(name, name)
            remedy = "write dates as DATE 'YYYY-MM-DD'." if name == "DATE" else "correct the value."
            self._refuse(f"'{child['literal'].get('text', '')}' is not {words}.", node, remedy)

    def _function(self, node: Node) -> None:
        name = str(node["function_name"]).lower()
        quiet = not any(node.get(key) for key in QUIET_FUNCTION_KEYS) and not node["order_bys"]["orders"]
        arguments = node["arguments"]
        known = name in vocabulary.OPERATOR_FUNCTIONS if node["is_operator"] else name in vocabulary.FUNCTIONS
        if not known or not quiet or any(argument["name"] for argument in arguments):
            self._refuse_function(node, name, known)
        if name == "date_diff" and not self._counts_days(arguments):
            self._refuse("date_diff counts days only.", node, "write date_diff('day', earlier, later).")
        for argument in arguments:
            self.visit(argument["expression"])

    def _refuse_function(self, node: Node, name: str, known: bool) -> None:
        if known:
            self._refuse(f"this use of {name} is not allowed.", node, "give it plain arguments only.")
        if name in vocabulary.CLOCK_WORDS:
            self._refuse("no clock decides who is on a list.", node, "write the date: DATE '2026-04-01'.")
        if node["is_operator"]:
            self._refuse(f"the operator {name} is not allowed.", node, LANGUAGE)
        matches = close_matches(name, vocabulary.FUNCTIONS, most=1, cutoff=0.8)
        functions = f"use {listed(matches or sorted(vocabulary.FUNCTIONS))}."
        self._refuse(f"the function {name} is not allowed.", node, functions)

    def _counts_days(self, arguments: list[Node]) -> bool:
        unit: Node = arguments[0]["expression"] if arguments else {"class": ""}
        return (
            unit["class"] == "CONSTANT" and str(unit["literal"].get("text")).lower() in vocabulary.DATE_UNITS
        )

    def _fits(self, node: Node, values: list[Node], *, noted: bool) -> None:
        """Check constants that stand against a column: text against text, and text that the type can hold."""
        column = self._plain_column(node)
        if column is None:
            return
        for value in values:
            if value["class"] != "CONSTANT" or value["literal"]["kind"] == "NULL_LITERAL":
                continue
            text = str(value["literal"]["text"])
            if not self._holds(self.types[column], value["literal"]):
                remedy = (
                    f"write '{text}' in quotes."
                    if self.types[column] == "VARCHAR"
                    else self._comparing(column)
                )
                self._refuse(f"{column} is {self._words(column)}, and {text} is not.", value, remedy)
            if noted and self.types[column] == "VARCHAR":
                self.values.append(ValueUse(column, text, byte_place(self.source.text, value)))

    def _holds(self, type_name: str, literal: Node) -> bool:
        if literal["kind"] == "STRING":
            return self._casts(literal, type_name)
        if literal["kind"] == "BOOLEAN":
            return type_name == "BOOLEAN"
        return type_name in vocabulary.NUMBER_TYPES

    def _casts(self, literal: Node, type_name: str) -> bool:
        if literal["kind"] == "NULL_LITERAL" or type_name == "VARCHAR":
            return True
        question = f"SELECT TRY_CAST(CAST($text AS VARCHAR) AS {type_name}) IS NOT NULL"
        return bool(parser_connection().execute(question, {"text": str(literal["text"])}).fetchall()[0][0])

    def _plain_column(self, node: Node) -> str | None:
        is_plain = node["class"] == "COLUMN_REF" and len(node["column_names"]) == 1
        return self._names.get(node["column_names"][0].lower()) if is_plain else None

    def _words(self, column: str) -> str:
        return vocabulary.TYPE_WORDS.get(self.types[column], self.types[column].lower())

    def _comparing(self, column: str) -> str:
        examples = {
            "BOOLEAN": column,
            "VARCHAR": f"{column} = 'text'",
            "DATE": f"{column} < DATE '2026-04-01'",
        }
        return f"write for example: {examples.get(self.types[column], f'{column} >= 1')}"

    def _listed(self, node: Node, allowed: Iterable[str]) -> None:
        if node["type"] not in allowed:
            name = (
                str(node["type"]).lower().removeprefix("operator_").removeprefix("compare_").replace("_", " ")
            )
            self._refuse(f"{name} is not allowed here.", node, LANGUAGE)

    def _refuse(self, reason: str, node: Node, remedy: str) -> NoReturn:
        self.source.refuse(reason, byte_place(self.source.text, node), remedy=remedy)
