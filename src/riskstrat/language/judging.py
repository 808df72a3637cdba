"""What all checks of an expression share: refusing at a place, naming a part, and holding kinds together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from riskstrat.dates import iso_date
from riskstrat.language.kinds import DAY, NOTHING, NUMBER, TEXT, TRUTH, Kind, common
from riskstrat.language.parsing import byte_place
from riskstrat.language.problems import Place, Source
from riskstrat.language.rewriting import become
from riskstrat.language.uses import FOLDS, TURNED, NumberUse, OrderUse, ValueUse, leaves, number_in

Node = dict[str, Any]
SHOWN_TEXT = 40
EXAMPLES: Mapping[str, str] = {
    NUMBER: "compare numbers with numbers, such as: age >= 65",
    TEXT: "compare text with text in single quotes, such as: frailty_category = 'severe'",
    DAY: "write dates as DATE 'YYYY-MM-DD', or count them from the run: months_before(12)",
    TRUTH: "write the condition alone or with NOT, such as: NOT has_copd",
}


class Judge:
    """The source of one expression and the features it may read; notes which texts it compares them with."""

    def __init__(self, source: Source, types: Mapping[str, str]) -> None:
        self.source = source
        self.types = types
        self.values: list[ValueUse] = []
        self.numbers: list[NumberUse] = []
        self.ordered: list[OrderUse] = []
        self.names = {name.lower(): name for name in types}
        self.around: list[Place | None] = []  # places of the nodes that are being visited, outermost first

    def place(self, node: Node) -> Place | None:
        """Where the node stands, or else what holds it: some nodes have no place of their own."""
        return byte_place(self.source.text, node) or (self.around[-1] if self.around else None)

    def refuse(self, reason: str, node: Node, remedy: str) -> NoReturn:
        """Raise the ExpressionError for one node."""
        self.source.refuse(reason, self.place(node), remedy=remedy)

    def column(self, node: Node) -> str | None:
        """The feature that the node is, or None when it is anything else."""
        is_plain = node["class"] == "COLUMN_REF" and len(node["column_names"]) == 1
        return self.names.get(node["column_names"][0].lower()) if is_plain else None

    def named(self, node: Node) -> str:
        """The node as a message calls it."""
        if column := self.column(node):
            return column
        if node["class"] != "CONSTANT":
            return "this part"
        text = str(node["literal"].get("text", ""))
        shown = text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}..."
        return f"'{shown}'" if is_text(node) else shown or str(node["literal"]["kind"]).lower()

    def need(self, family: str, user: str, node: Node, kind: Kind) -> None:
        """Refuse a part that ``user`` cannot work on. Raises ExpressionError."""
        if kind.family in (family, NOTHING):
            return
        if family == DAY and is_text(node):
            self.become_day(node, f"{user} works on dates")
            return
        works = {NUMBER: "numbers", TEXT: "text", DAY: "dates", TRUTH: "what is true or false"}[family]
        self.refuse(
            f"{user} works on {works}, and {self.named(node)} is {kind.words}.", node, EXAMPLES[family]
        )

    def unite(self, nodes: Sequence[Node], kinds: Sequence[Kind]) -> Kind:
        """The common kind of parts that are compared or chosen from; text beside dates becomes dates."""
        found = [(node, kind) for node, kind in zip(nodes, kinds, strict=True) if kind.family != NOTHING]
        dated = next((node for node, kind in found if kind.family == DAY), None)
        if dated is not None:
            texts = [node for node, _ in found if is_text(node)]
            for node in texts:
                self.become_day(node, f"{self.named(dated)} is a date")
            found = [(node, kind) for node, kind in found if node not in texts]
        for node, kind in found[1:]:
            if kind.family != found[0][1].family:
                self._refuse_mixture(found[0], (node, kind))
        return common(kind for _, kind in found)

    def become_day(self, node: Node, beside: str = "") -> None:
        """Make text the date that it names; ``beside`` says why it must be one. Raises ExpressionError."""
        text = str(node["literal"]["text"])
        try:
            iso_date(text)
        except ValueError:
            reason = (
                f"{beside}, and {self.named(node)} is not."
                if beside
                else f"{self.named(node)} is not a date."
            )
            self.refuse(reason, node, EXAMPLES[DAY])
        become(node, f"DATE '{text}'")

    def note(self, nodes: Sequence[Node], *, ordered: bool) -> None:
        """Remember which text columns are compared with which values, or by the alphabet."""
        sides = [list(leaves(node)) for node in nodes]
        for mine, side in enumerate(sides):
            for column, fold in self._text_columns(side):
                if ordered:
                    self.ordered.append(OrderUse(column, self.place(nodes[0])))
                    continue
                others = [
                    leaf for other, leaves_of in enumerate(sides) if other != mine for leaf in leaves_of
                ]
                defaults = frozenset(_text_of(leaf) for leaf in side if is_text(leaf[0]))
                for leaf in (*others, *side):
                    if is_text(leaf[0]):
                        is_default = leaf not in others
                        use = ValueUse(column, _text_of(leaf), self.place(leaf[0]), fold, "", is_default)
                        self.values.append(use if is_default else replace(use, defaults=defaults))

    def note_pattern(self, node: Node, pattern: Node, how: str) -> None:
        """Remember which text columns are compared with a pattern: like, ilike or starts_with."""
        side = list(leaves(node))
        if is_text(pattern) and not any(is_text(leaf) for leaf, _ in side):
            self.values += [
                ValueUse(column, str(pattern["literal"]["text"]), self.place(pattern), fold, how)
                for column, fold in self._text_columns(side)
            ]

    def note_numbers(self, sign: str, node: Node, other: Node) -> None:
        """Remember which column is compared with which number."""
        if self.column(node) is None:
            node, other, sign = other, node, TURNED[sign]
        column, number = self.column(node), number_in(other)
        if column is not None and number is not None:
            self.numbers.append(NumberUse(column, sign, number, self.place(other)))

    def _text_columns(self, side: Sequence[tuple[Node, str]]) -> list[tuple[str, str]]:
        named = [(self.column(leaf), fold) for leaf, fold in side]
        return [(name, fold) for name, fold in named if name is not None and self.types[name] == "VARCHAR"]

    def _refuse_mixture(self, first: tuple[Node, Kind], other: tuple[Node, Kind]) -> NoReturn:
        if other[0]["class"] != "CONSTANT" and first[0]["class"] == "CONSTANT":
            first, other = other, first
        (node, kind), (wrong, wrong_kind) = first, other
        remedy = EXAMPLES[kind.family]
        if wrong["class"] == "CONSTANT":
            text = str(wrong["literal"]["text"])
            if kind.family == TEXT:
                remedy = f"write '{text}' in single quotes."
            elif kind.family == NUMBER and text.isdecimal():
                remedy = f"write {text} without quotes."
            elif kind.family == TRUTH and (column := self.column(node)):
                remedy = f"write {column} or NOT {column}."
        self.refuse(
            f"{self.named(node)} is {kind.words}, and {self.named(wrong)} is {wrong_kind.words}.",
            wrong,
            remedy,
        )


def is_text(node: Node) -> bool:
    """Whether the node is text in quotes."""
    return bool(node["class"] == "CONSTANT" and node["literal"]["kind"] == "STRING")


def _text_of(leaf: tuple[Node, str]) -> str:
    node, fold = leaf
    return FOLDS[fold](str(node["literal"]["text"]))
