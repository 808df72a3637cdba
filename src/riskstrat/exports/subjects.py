"""What can be exported, a cohort or a list, as far as making sealed files of it is concerned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from riskstrat.definitions.audiences import Audience
from riskstrat.definitions.disclosure import Policy
from riskstrat.exports.choosing import Parcel
from riskstrat.exports.people import Identities, Rows
from riskstrat.reading.published import PublishedCohort

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Reader:
    """For whom a file is, the first day on which it may no longer be opened, and the area whose people it holds."""

    title: str
    expires: str
    area: str | None


class Table(Protocol):
    """The people for one recipient. ``unknown`` counts those who have left since the run, and are left out."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that leave."""
        ...

    @property
    def unknown(self) -> int:
        """How many are left out."""
        ...

    @property
    def count(self) -> int:
        """How many people it is about."""
        ...


class Subject(Protocol):
    """A cohort or a list of a run."""

    @property
    def kind(self) -> str:
        """cohort or list."""
        ...

    @property
    def name(self) -> str:
        """What it is called in the run."""
        ...

    @property
    def cohorts(self) -> Sequence[PublishedCohort]:
        """The cohorts whose rules stand behind it."""
        ...

    def check_form(self, form: str) -> None:
        """Raise MisuseError for a format in which it cannot be written."""

    def columns(self, audience: Audience) -> tuple[str, ...]:
        """What the audience may have of it."""
        ...

    def extracts(self, columns: Iterable[str]) -> set[str]:
        """The delivered extracts behind it and behind the columns that leave."""
        ...

    def members(self, connection: duckdb.DuckDBPyConnection, parcel: Parcel) -> list[dict[str, Any]]:
        """Everybody of the parcel's area, with person_id and everything that may be told."""
        ...

    def table(
        self,
        members: Sequence[Mapping[str, Any]],
        parcel: Parcel,
        identities: Identities | None,
        secret: bytes,
    ) -> Table:
        """The people with the columns of the parcel's audience; ``identities`` None where nobody may be named."""
        ...

    def content(self, table: Any, form: str, reader: Reader) -> tuple[bytes, str]:
        """A table that ``table`` made as bytes, and the ending of its name."""
        ...

    def counts(self, connection: duckdb.DuckDBPyConnection, policy: Policy) -> Rows:
        """How many people where, as they may be shown under the policy."""
        ...

    def counts_content(self, rows: Rows, form: str, reader: Reader) -> tuple[bytes, str]:
        """The counts as bytes, and the ending of their name."""
        ...

    def facts(self) -> dict[str, Any]:
        """What a manifest says of it."""
        ...
