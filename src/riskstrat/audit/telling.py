"""What may stand in an entry: who did it, and what somebody typed, without whom it was about."""

from __future__ import annotations

import os
import pwd
import re

USER_VARIABLE = "RISKSTRAT_USER"
LONGEST_NAME = 80
TYPED = ("purpose", "cohort", "audience", "area", "recipient", "layer", "reason", "list")
# An NHS number as people write it, and a pseudonym.
IDENTIFIER = re.compile(
    r"(?<!\d)\d{3}[ .\-\u2013/]?\d{3}[ .\-\u2013/]?\d{4}(?!\d)|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
)


def told(name: str, value: object) -> object:
    """A fact as it may stand in the log: what somebody typed holds no identifier."""
    return masked(str(value)) if name in TYPED else value


def masked(text: str) -> str:
    """The text on one line, without identifiers.

    >>> masked("asked about 999.000.0018,\\nnow")
    'asked about [masked], now'
    """
    return IDENTIFIER.sub("[masked]", " ".join(text.split()))


def user() -> dict[str, str]:
    """Who: the name that ``RISKSTRAT_USER`` gives, and beside it the account, which no variable changes."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = f"uid {os.getuid()}"
    given = masked(os.environ.get(USER_VARIABLE, ""))[:LONGEST_NAME]
    return {"who": given, "account": account} if given and given != account else {"who": account}
