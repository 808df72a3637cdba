"""What a run carries from stage to stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskstrat.dates import Windows
from riskstrat.definitions.everything import Definitions
from riskstrat.engines.duckdb import DuckDBEngine
from riskstrat.erased import ErasedPeople
from riskstrat.progress import Progress
from riskstrat.stages.earlier import Earlier
from riskstrat.vault import Vault

if TYPE_CHECKING:
    import pyarrow as pa

    from riskstrat.scoring.serving import Served
    from riskstrat.stages.ingest.accounting import Books
    from riskstrat.stages.ingest.deliveries import Deliveries
    from riskstrat.stages.ingest.memory import Memory


@dataclass
class Context:
    """One run: its definitions, its database, the folder that becomes the published run, and its manifest.

    ``key`` is the site key; ``judged`` says whether contract thresholds may stop the run, ``vault`` where identities go
    (None: nowhere), ``keeps_versions`` whether replaced versions of rows stay, for looking back from an earlier day,
    ``served`` the risk model that people may be scored with (None: none), ``earlier`` the runs that lists are compared
    with, ``returns`` what teams reported back (None: nothing), ``erased`` whom the site was told to
    erase (None: nobody), ``memory`` what earlier nights kept of the files that they read (None: every file is read).
    """

    as_of: date
    definitions: Definitions
    engine: DuckDBEngine
    deliveries: Deliveries
    landing: Path
    building: Path
    key: bytes
    progress: Progress
    judged: bool = True
    vault: Vault | None = None
    keeps_versions: bool = False
    earlier: Earlier = field(default_factory=Earlier)
    returns: pa.Table | None = None
    served: Served | None = None
    erased: ErasedPeople | None = None
    memory: Memory | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    books: list[Books] = field(default_factory=list)

    @property
    def windows(self) -> Windows:
        """The windows that end before as_of."""
        return Windows.ending_before(self.as_of)

    def warn(self, text: str) -> None:
        """Keep a warning for the manifest and the report, and say it now."""
        self.manifest.setdefault("warnings", []).append(text)
        self.progress.say(f"warning: {text}")
