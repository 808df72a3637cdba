"""What the command line knows before a command starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskstrat.site import Site


@dataclass(frozen=True)
class State:
    """The value of ``--site``, if given."""

    site_path: Path | None = None

    def site(self) -> Site:
        """The site to work on. Raises MisuseError when there is none."""
        from riskstrat.site import find_site

        return find_site(explicit=self.site_path)
