"""Causal words have no place where predictions are judged: a reader would think that a list does something."""

from __future__ import annotations

import re
from collections.abc import Sequence

from riskstrat.errors import DefinitionError

TAG = re.compile(r"<(style|svg)\b.*?</\1>|<[^>]+>", re.DOTALL)


def refuse_causal(text: str, words: Sequence[str], what: str) -> str:
    """The text, unless it holds one of the words. Raises DefinitionError.

    >>> refuse_causal("a list of people at risk", ["prevents"], "the page")
    'a list of people at risk'
    """
    found = re.search(rf"\b({'|'.join(map(re.escape, words))})\b", TAG.sub(" ", text), flags=re.IGNORECASE)
    if found:
        raise DefinitionError(
            f"{what} would say '{found[0]}', and an evaluation of predictions cannot show that.",
            column="causal_words",
            remedy="find the sentence in config/model/ and say what was observed.",
        )
    return text
