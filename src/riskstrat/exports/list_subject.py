"""A list as something to export: its people by section, in forms to read, to print, to fill in and to import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from riskstrat.definitions.audiences import Audience
from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.list_layout import load_list_layout
from riskstrat.definitions.reasons import load_wording
from riskstrat.exports.choosing import Parcel
from riskstrat.exports.formats import (
    CSV,
    HTML,
    S1_LIST,
    XLSX,
    Legend,
    as_csv,
    as_number_list,
    as_xlsx,
    load_number_list,
)
from riskstrat.exports.list_cells import ListFile
from riskstrat.exports.list_counts import COUNT_MEANINGS, shown_list_counts
from riskstrat.exports.list_legend import list_legend
from riskstrat.exports.list_page import as_list_page
from riskstrat.exports.list_rows import ListTable, list_columns_for, list_table
from riskstrat.exports.list_workbook import as_list_workbook
from riskstrat.exports.people import Identities, Rows
from riskstrat.exports.permission import extracts_of_list, load_knowledge
from riskstrat.exports.return_form import ReturnForm, load_return_form
from riskstrat.exports.subjects import Reader
from riskstrat.exports.wording import Wording, wording_of
from riskstrat.reading.published import PublishedCohort, read_cohort
from riskstrat.reading.published_lists import PublishedList, of_area, people_of
from riskstrat.site import Site

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class ListSubject:
    """A list of a run, in the site's layout."""

    site: Site
    published: PublishedList

    @property
    def kind(self) -> str:
        """A list."""
        return "list"

    @property
    def name(self) -> str:
        """Its name."""
        return self.published.name

    @cached_property
    def cohorts(self) -> Sequence[PublishedCohort]:
        """The cohorts whose people may be on it."""
        return tuple(read_cohort(self.published.run, name) for name in self.published.cohorts)

    @cached_property
    def wording(self) -> Wording:
        """How it looks and what its empty cells say."""
        return wording_of(self.published, load_list_layout(self.site.config))

    @cached_property
    def form(self) -> ReturnForm:
        """What a team fills in and sends back."""
        return load_return_form(self.site)

    def check_form(self, form: str) -> None:
        """Every format will do."""

    def columns(self, audience: Audience) -> tuple[str, ...]:
        """Identifiers, what says what a row is, and what the list shows, of what the audience may have."""
        return list_columns_for(audience, self.published)

    def extracts(self, columns: Iterable[str]) -> set[str]:
        """The delivered extracts behind its cohorts, its rules and the columns."""
        return extracts_of_list(
            self.published, self.cohorts, columns, load_knowledge(self.site), self._said()
        )

    def members(self, connection: duckdb.DuckDBPyConnection, parcel: Parcel) -> list[dict[str, Any]]:
        """The rows of the parcel's area, those of people who left the list too."""
        condition = (
            of_area(self.published, parcel.kind, parcel.area) if parcel.kind and parcel.area else "TRUE"
        )
        return people_of(connection, self.published, condition)

    def table(
        self,
        members: Sequence[Mapping[str, Any]],
        parcel: Parcel,
        identities: Identities | None,
        secret: bytes,
    ) -> ListTable:
        """The people by section, with the ranks of the list."""
        return list_table(
            self.published,
            members,
            self.columns(parcel.audience),
            identities=identities,
            secret=secret,
            practices=parcel.practices,
            areas=self._whole_areas(parcel),
        )

    def _said(self) -> Iterable[str]:
        """The conditions and sentences of the site's reasons and gaps."""
        wording = load_wording(self.site.config / "reasons.yaml")
        reasons = [text for reason in wording.reasons for text in (reason.when, reason.text)]
        return [*reasons, *(gap.when for gap in wording.gaps)]

    def _whole_areas(self, parcel: Parcel) -> list[str]:
        """The areas of the list that lie within the parcel's."""
        if parcel.kind is None:
            return list(self.published.areas)
        own = parcel.practices if self.published.kind == "practice" else {parcel.area}
        return [area for area in self.published.areas if area in own]

    def content(self, table: ListTable, form: str, reader: Reader) -> tuple[bytes, str]:
        """The list as a workbook, a page, CSV, or NHS numbers alone."""
        file = ListFile(table, self.wording, self.form if table.is_returned else None)
        if form == S1_LIST:
            template = load_number_list(self.site.config / "exports" / "s1_list.yaml")
            return as_number_list(file.numbers(), template), template.extension
        if form == CSV:
            return as_csv(file.rows()), CSV
        legend = list_legend(self.site, self.published, self.cohorts, file, reader, is_page=form == HTML)
        if form == HTML:
            return as_list_page(file, legend), HTML
        return as_list_workbook(file, legend, self.published.run.as_of), XLSX

    def counts(self, connection: duckdb.DuckDBPyConnection, policy: Policy) -> Rows:
        """People by area and section."""
        return shown_list_counts(self.site, connection, self.published, policy)

    def counts_content(self, rows: Rows, form: str, reader: Reader) -> tuple[bytes, str]:
        """A workbook where one was asked for, else CSV."""
        if form != XLSX:
            return as_csv(rows), CSV
        facts = {
            self.published.title: "",
            "Why": " ".join(str(self.published.definition["why"]).split()),
            "Run": self.published.run.id,
            "As of": self.published.run.as_of.isoformat(),
            "For": reader.title,
            "Definition": f"{self.name}, SHA-256 {self.published.about['sha256']}",
        }
        return as_xlsx(rows, Legend(facts, COUNT_MEANINGS)), XLSX

    def facts(self) -> dict[str, Any]:
        """The list, its cohorts, and the hashes of all their definitions."""
        return {
            "what": f"{self.name}: {self.published.title}",
            "list": self.name,
            "list_definition_sha256": self.published.about["sha256"],
            "cohorts": {str(one.about["name"]): one.about["sha256"] for one in self.cohorts},
        }
