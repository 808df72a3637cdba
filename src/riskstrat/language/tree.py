"""The walk over a tree: every node is allowed, every column is a feature, every value fits what it stands with.

On its way it rewrites what engines would understand differently, and words such as ``as_of`` into constants.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import NoReturn

from riskstrat.language import vocabulary
from riskstrat.language.casts import cast, target_of
from riskstrat.language.date_words import (
    AS_OF,
    DATE_FUNCTIONS,
    DATE_WORDS,
    replace_as_of,
    replace_date_function,
)
from riskstrat.language.functions import FUNCTIONS, OPERATORS, SKIPS_UNKNOWN
from riskstrat.language.judging import Judge, Node, is_text
from riskstrat.language.kinds import COLUMN_KINDS, DAY, NOTHING, TRUTH, Kind, number_of
from riskstrat.language.parsing import DEEPEST_EXPRESSION, TOO_DEEP, byte_place
from riskstrat.language.problems import Source, close_matches, listed
from riskstrat.language.rewriting import become
from riskstrat.language.uses import SIGNS

LANGUAGE = "use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, CASE and arithmetic."
QUIET_FUNCTION_KEYS = ("filter", "distinct", "export_state", "schema", "catalog")


class Walk(Judge):
    """One pass over one tree; afterwards ``columns``, ``values`` and ``ordered`` hold what it met, in order."""

    def __init__(
        self,
        source: Source,
        types: Mapping[str, str],
        as_of: date | None = None,
        allowed: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(source, types)
        self.as_of = as_of
        self.allowed = allowed or {}
        self.columns: list[str] = []
        self._visits: dict[str, Callable[[Node], Kind]] = {
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

    def visit(self, node: Node) -> Kind:
        """The kind of one node, after everything under it has been checked. Raises ExpressionError."""
        visit = self._visits.get(node["class"])
        if visit is None:
            name = str(node["class"])
            reason = vocabulary.REFUSED_CLASSES.get(
                name, f"{name.lower().replace('_', ' ')} is not allowed here"
            )
            self.refuse(f"{reason}.", node, LANGUAGE)
        if node.get("alias"):
            self.refuse("a name for a part is not allowed.", node, "take it away.")
        self.around.append(self.place(node))
        if len(self.around) > DEEPEST_EXPRESSION:
            self.refuse(TOO_DEEP, node, "split it into several conditions.")
        kind = visit(node)
        self.around.pop()
        return kind

    def condition(self, node: Node) -> Kind:
        """Check a node that must be true or false: the whole, and what AND, OR and NOT join."""
        kind = self.visit(node)
        if kind.family not in (TRUTH, NOTHING):
            name = self.named(node)
            part = name if name != "this part" else "this"
            self.refuse(f"{part} is {kind.words}, not true or false.", node, _comparing(name, kind))
        return kind

    def _column(self, node: Node) -> Kind:
        parts = node["column_names"]
        if len(parts) == 1 and parts[0].lower() == AS_OF:
            replace_as_of(self.source, node, self.as_of)
            return Kind(DAY)
        name = self.column(node)
        if name is None:
            self._refuse_column(node, ".".join(parts))
        kind = COLUMN_KINDS.get(self.types[name])
        if kind is None:
            self.refuse(
                f"{name} is of the type {self.types[name]}, which conditions do not know.",
                node,
                f"make it one of {listed(COLUMN_KINDS)} in the feature's SQL.",
            )
        node["column_names"] = [name]
        if name not in self.columns:
            self.columns.append(name)
        return kind

    def _refuse_column(self, node: Node, written: str) -> NoReturn:
        if written.lower() in vocabulary.CLOCK_WORDS:
            self._refuse_clock(node)
        last = written.rsplit(".", 1)[-1]
        if "." in written and last.lower() in self.names:
            self.refuse(f"'{written}' names a table.", node, f"write {self.names[last.lower()]} alone.")
        place = byte_place(self.source.text, node)
        if place and self.source.text[place.start : place.start + 1] == '"':
            self.refuse(
                f'"{written}" in double quotes is a column.',
                node,
                f"write text in single quotes: '{written}'.",
            )
        if written.lower() in DATE_FUNCTIONS:
            example = DATE_FUNCTIONS[written.lower()][2]
            self.refuse(f"{written} takes a number in brackets.", node, f"write for example: {example}")
        matches = close_matches(written, (*self.types, *DATE_WORDS))
        proposal = f"did you mean {listed(matches)}?" if matches else f"if it is text, write '{written}'; "
        listing = "" if matches else "riskstrat features list shows every name."
        self.refuse(f"there is no feature '{written}'.", node, proposal + listing)

    def _refuse_clock(self, node: Node) -> NoReturn:
        self.refuse(
            "no clock decides who is on a list.", node, "write as_of, or the date: DATE '2026-04-01'."
        )

    def _constant(self, node: Node) -> Kind:
        literal = node["literal"]
        family = vocabulary.LITERAL_KINDS.get(literal["kind"])
        if family is None:
            self.refuse(
                f"a value of kind {literal['kind'].lower()} is not allowed.",
                node,
                "use text, numbers, dates, TRUE or FALSE.",
            )
        text = str(literal.get("text", ""))
        if not text.isprintable():
            self.refuse(
                "the text holds a character that cannot be seen.", node, "use letters, digits and spaces."
            )
        if family != "number":
            return Kind(family)
        kind = number_of(text)
        if kind is None:
            self.refuse(
                "a number has at most 15 digits and no other signs in it.", node, "write it like 65 or 0.24."
            )
        return kind

    def _comparison(self, node: Node) -> Kind:
        self._listed(node, vocabulary.COMPARISONS)
        sides = [node["left"], node["right"]]
        self._refuse_bare_text(*sides)
        self._refuse_bare_text(*reversed(sides))
        kinds = [self.visit(side) for side in sides]
        if "DISTINCT" not in node["type"]:
            self._refuse_nothing(sides, kinds)
        self.note(sides, ordered=node["type"] not in vocabulary.EQUALITIES)
        self.note_numbers(SIGNS[node["type"]], *sides)
        self.unite(sides, kinds)
        return Kind(TRUTH)

    def _refuse_bare_text(self, side: Node, other: Node) -> None:
        """Propose the whole comparison where a category stands without quotes, or with half of its feature's name."""
        name, value = _word(side), _word(other)
        if name is None or value is None or value.lower() in self.names:
            return
        near = [
            column
            for column, known in self.allowed.items()
            if value in known and (column == name.lower() or column.startswith(f"{name.lower()}_"))
        ]
        is_known = name.lower() in self.names
        place = byte_place(self.source.text, other)
        is_quoted = place is not None and self.source.text[place.start : place.start + 1] in ("'", '"')
        if near and not (is_known and is_quoted):
            wrong, missing = (other, value) if is_known else (side, name)
            proposals = listed(f"{column} = '{value}'" for column in near)
            self.refuse(f"there is no feature '{missing}'.", wrong, f"did you mean {proposals}?")

    def _between(self, node: Node) -> Kind:
        self._listed(node, {"COMPARE_BETWEEN"})
        parts = [node["input"], node["lower"], node["upper"]]
        kinds = [self.visit(part) for part in parts]
        self._refuse_nothing(parts, kinds)
        self.note(parts, ordered=True)
        self.note_numbers(">=", parts[0], parts[1])
        self.note_numbers("<=", parts[0], parts[2])
        self.unite(parts, kinds)
        return Kind(TRUTH)

    def _refuse_nothing(self, parts: list[Node], kinds: list[Kind]) -> None:
        """A comparison with what is unknown for everybody is unknown for everybody itself."""
        for part, kind in zip(parts, kinds, strict=True):
            if kind.family == NOTHING:
                other = next((name for one in parts if (name := self.column(one))), None)
                self.refuse(
                    "this is unknown for everybody, and so is what is compared with it.",
                    part,
                    f"write {other or '...'} IS NULL to ask for what is unknown.",
                )

    def _conjunction(self, node: Node) -> Kind:
        self._listed(node, vocabulary.CONJUNCTIONS)
        for child in node["children"]:
            self.condition(child)
        return Kind(TRUTH)

    def _operator(self, node: Node) -> Kind:
        self._listed(node, vocabulary.OPERATORS)
        parts = node["children"]
        if node["type"] == "OPERATOR_NOT":
            self.condition(parts[0])
            return Kind(TRUTH)
        kinds = [self.visit(part) for part in parts]
        if node["type"] == "OPERATOR_COALESCE":
            return self.unite(parts, kinds)
        if node["type"] in vocabulary.MEMBERSHIPS:
            if kinds[0].family == NOTHING or all(kind.family == NOTHING for kind in kinds[1:]):
                self._refuse_nothing(parts, kinds)
            self.note(parts, ordered=False)
            for part in parts[1:]:
                self.note_numbers("=", parts[0], part)
            self.unite(parts, kinds)
        return Kind(TRUTH)

    def _case(self, node: Node) -> Kind:
        results = []
        for check in node["case_checks"]:
            self.condition(check["when_expr"])
            results.append(check["then_expr"])
        results.append(node["else_expr"])
        return self.unite(results, [self.visit(result) for result in results])

    def _cast(self, node: Node) -> Kind:
        target = target_of(self, node)
        return cast(self, node, target, self.visit(node["child"]))

    def _function(self, node: Node) -> Kind:
        name = str(node["function_name"]).lower()
        rules = OPERATORS if node["is_operator"] else FUNCTIONS
        is_date = name in DATE_FUNCTIONS and not node["is_operator"]
        quiet = not any(node.get(key) for key in QUIET_FUNCTION_KEYS) and not node["order_bys"]["orders"]
        arguments = node["arguments"]
        if not (name in rules or is_date):
            self._refuse_function(node, name)
        if not quiet or any(argument["name"] for argument in arguments):
            self.refuse(f"this use of {name} is not allowed.", node, "give it plain arguments only.")
        if is_date:
            replace_date_function(self.source, node, self.as_of)
            return Kind(DAY)
        rule, fewest, most = rules[name]
        if not fewest <= len(arguments) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            self.refuse(
                f"{name} takes {count} value{'' if most == 1 else 's'}, and there are {len(arguments)}.",
                node,
                "see: docs/expressions.md",
            )
        parts = [argument["expression"] for argument in arguments]
        kinds = [self.visit(part) for part in parts]
        kind = rule(self, node, name, parts, kinds)
        if name not in SKIPS_UNKNOWN and any(part.family == NOTHING for part in kinds):
            become(node, "NULL")
            return Kind(NOTHING)
        return kind

    def _refuse_function(self, node: Node, name: str) -> NoReturn:
        if name in vocabulary.CLOCK_WORDS:
            self._refuse_clock(node)
        if name.endswith("like_escape"):
            self.refuse("ESCAPE is not allowed.", node, "use starts_with or substring.")
        if node["is_operator"]:
            self.refuse(f"the operator {name} is not allowed.", node, LANGUAGE)
        if name == AS_OF:
            self.refuse("as_of takes no brackets.", node, "write as_of alone.")
        matches = close_matches(name, (*FUNCTIONS, *DATE_FUNCTIONS, "coalesce"), most=1, cutoff=0.8)
        known = sorted((*FUNCTIONS, *DATE_FUNCTIONS, "coalesce"))
        names = f"use {listed(matches or (*known, 'CASE', 'CAST', 'TRY_CAST'))}."
        if name in vocabulary.ELSEWHERE:
            names = f"write {vocabulary.ELSEWHERE[name]}."
        self.refuse(f"the function {name} is not allowed.", node, names)

    def _listed(self, node: Node, allowed: Iterable[str]) -> None:
        if node["type"] not in allowed:
            name = (
                str(node["type"]).lower().removeprefix("operator_").removeprefix("compare_").replace("_", " ")
            )
            self.refuse(f"{name} is not allowed here.", node, LANGUAGE)


def _comparing(name: str, kind: Kind) -> str:
    """An example of a comparison that is true or false."""
    feature = name if name.isidentifier() else "age"
    examples = {"text": f"{feature} = 'text'", "date": f"{feature} < DATE '2026-04-01'"}
    return f"compare it with something, such as: {examples.get(kind.family, f'{feature} >= 65')}"


def _word(node: Node) -> str | None:
    """A name without dots, or the text of a constant."""
    if is_text(node):
        return str(node["literal"]["text"])
    is_name = node["class"] == "COLUMN_REF" and len(node["column_names"]) == 1
    return str(node["column_names"][0]) if is_name else None
