"""A cohort as something to export: one table of its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from riskstrat.definitions.audiences import Audience
from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.policies import WorklistLayout, load_worklist_layout
from riskstrat.errors import MisuseError
from riskstrat.exports.choosing import Parcel
from riskstrat.exports.counts import shown_counts
from riskstrat.exports.formats import (
    CSV,
    HTML,
    S1_LIST,
    XLSX,
    as_csv,
    as_number_list,
    as_xlsx,
    load_number_list,
)
from riskstrat.exports.legends import legend_of
from riskstrat.exports.people import Identities, Rows, columns_for, members_by_area, rows_for
from riskstrat.exports.permission import extracts_used, load_knowledge
from riskstrat.exports.subjects import Reader
from riskstrat.reading.published import PublishedCohort
from riskstrat.runs import Run
from riskstrat.site import Site

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class CohortSubject:
    """A cohort of a run, with the columns that the site's worklists show."""

    site: Site
    run: Run
    cohort: PublishedCohort

    @property
    def kind(self) -> str:
        """A cohort."""
        return "cohort"

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.cohort.about["name"])

    @property
    def cohorts(self) -> Sequence[PublishedCohort]:
        """Itself."""
        return (self.cohort,)

    @cached_property
    def layout(self) -> WorklistLayout:
        """What the site's worklists show."""
        return load_worklist_layout(self.site.config / "worklists.yaml")

    def check_form(self, form: str) -> None:
        """Raise MisuseError for the page, which is made for lists."""
        if form == HTML:
            raise MisuseError(
                f"{self.name} is a cohort, and a page is made of a list.",
                remedy="use --format xlsx, or name a list (riskstrat worklist list).",
            )

    def columns(self, audience: Audience) -> tuple[str, ...]:
        """Identifiers, and what the worklists or the cohort show, of what the audience may have."""
        return columns_for(audience, self.cohort, self.layout.columns)

    def extracts(self, columns: Iterable[str]) -> set[str]:
        """The delivered extracts behind the cohort and the columns."""
        return extracts_used(self.run, self.cohort, columns, load_knowledge(self.site))

    def members(self, connection: duckdb.DuckDBPyConnection, parcel: Parcel) -> list[dict[str, Any]]:
        """The members of the parcel's area with every feature."""
        return members_by_area(connection, self.run, self.cohort, parcel)

    def table(
        self,
        members: Sequence[Mapping[str, Any]],
        parcel: Parcel,
        identities: Identities | None,
        secret: bytes,
    ) -> Rows:
        """The members, ranked from 1."""
        return rows_for(members, self.columns(parcel.audience), identities, secret, parcel.practices)

    def content(self, table: Rows, form: str, reader: Reader) -> tuple[bytes, str]:
        """The table as CSV, as a workbook with a legend, or as a list of NHS numbers."""
        if form == S1_LIST:
            template = load_number_list(self.site.config / "exports" / "s1_list.yaml")
            return as_number_list(table, template), template.extension
        if form == XLSX:
            legend = legend_of(self.site, self.run, self.cohort, table, reader.title, reader.expires)
            return as_xlsx(table, legend), XLSX
        return as_csv(table), CSV

    def counts(self, connection: duckdb.DuckDBPyConnection, policy: Policy) -> Rows:
        """People by neighbourhood."""
        return shown_counts(self.site, connection, self.run, self.name, policy)

    def counts_content(self, rows: Rows, form: str, reader: Reader) -> tuple[bytes, str]:
        """A workbook where one was asked for, else CSV."""
        return self.content(rows, XLSX if form == XLSX else CSV, reader)

    def facts(self) -> dict[str, Any]:
        """The cohort and the hash of its definition."""
        about = self.cohort.about
        return {
            "what": f"{about['name']}: {about['title']}",
            "cohort": about["name"],
            "cohort_definition_sha256": about["sha256"],
        }
