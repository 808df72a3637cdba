"""Taking a list's sign-off back in its ``NAME.yaml``, without touching what else stands there."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from riskstrat.definitions.metadata import UNREVIEWED
from riskstrat.errors import DefinitionError

WIDTH = 100
INDENT = "  "


def without_signature(text: str, note: str, path: Path) -> str:
    """The metadata file's text with nobody under ``reviewed_by`` and with a paragraph more in ``note``.

    Comments, order and every other value stay as they are. Raises DefinitionError where that cannot be done safely.
    """
    import yaml

    before = yaml.safe_load(text)
    told = str(before.get("note", "")).rstrip()
    expected = before | {"reviewed_by": UNREVIEWED, "note": f"{told}\n{note}" if told else note}
    for render in (_folded, _quoted):
        changed = _with_values(text, {"reviewed_by": UNREVIEWED, "note": render(expected["note"])})
        try:
            if yaml.safe_load(changed) == expected:
                return changed
        except yaml.YAMLError:
            continue
    raise DefinitionError(
        "cannot be changed without touching other parts of it.",
        file=path,
        column="note",
        remedy="write it in the form of the shipped lists, one key a line and long text after '>-'.",
    )


def _with_values(text: str, values: dict[str, str]) -> str:
    """The text with other values; a key that is not there comes to the end."""
    import yaml

    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    places = {key.value: value for key, value in root.value}
    for key, rendered in values.items():
        if key not in places:
            text = f"{text.rstrip()}\n{key}: {rendered}\n"
    for key, node in sorted(places.items(), key=lambda pair: pair[1].start_mark.index, reverse=True):
        if key in values:
            begin, end = node.start_mark.index, node.end_mark.index
            line_end = "\n" if text[begin:end].endswith("\n") else ""
            text = text[:begin] + values[key] + line_end + text[end:]
    return text


def _quoted(text: str) -> str:
    """One line in double quotes: what JSON writes is YAML too."""
    return json.dumps(text, ensure_ascii=False)


def _folded(text: str) -> str:
    """A folded YAML block: line ends within a paragraph are spaces, and n of them between paragraphs are n + 1."""
    pieces = re.split(r"(\n+)", text)
    lines = [
        piece + "\n"
        if piece.startswith("\n")
        else textwrap.fill(
            piece,
            WIDTH,
            initial_indent=INDENT,
            subsequent_indent=INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for piece in pieces
        if piece
    ]
    return ">-\n" + "".join(lines)
