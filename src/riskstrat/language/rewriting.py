"""Replace a part of a syntax tree by another expression that has the part's own children in it."""

from __future__ import annotations

import functools
from typing import Any

from riskstrat.language.parsing import UNKNOWN_PLACE, expression_of

Node = dict[str, Any]
PLACE_KEYS = ("query_location", "query_location_length")


def become(node: Node, text: str, **parts: Node) -> None:
    """Make ``node`` the expression ``text``, in which the names of ``parts`` stand for those nodes.

    The new nodes keep the place of the old one. A part that holds ``node`` itself must be a copy of it.
    """
    place = {key: node[key] for key in PLACE_KEYS if key in node}
    new = _filled(_template(text), parts, place)
    if new["query_location"] >= UNKNOWN_PLACE:
        new = new | place
    node.clear()
    node.update(new)


def _filled(item: Any, parts: dict[str, Node], place: dict[str, int]) -> Any:
    """A copy of the template with the parts in it."""
    if isinstance(item, list):
        return [_filled(entry, parts, place) for entry in item]
    if not isinstance(item, dict):
        return item
    if item.get("class") == "COLUMN_REF" and item["column_names"][0] in parts:
        return parts[item["column_names"][0]]
    filled = {key: _filled(entry, parts, place) for key, entry in item.items()}
    return filled | place if "query_location" in filled else filled


@functools.lru_cache(maxsize=256)
def _template(text: str) -> Node:
    return expression_of(text)
