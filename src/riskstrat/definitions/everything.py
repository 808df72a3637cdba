"""All definitions of a site, loaded and checked against each other."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from riskstrat.definitions.audiences import (
    IDENTIFIERS,
    PSEUDONYM,
    Audiences,
    check_audiences,
    load_audiences,
)
from riskstrat.definitions.codelists import CodeList, ValueRule, load_codelists, load_value_rules
from riskstrat.definitions.cohort_rules import check_names
from riskstrat.definitions.cohorts import Cohort, load_cohorts
from riskstrat.definitions.contracts import Column, Contract, load_contracts
from riskstrat.definitions.contradictions import FILE as CONTRADICTIONS
from riskstrat.definitions.contradictions import check_contradictions, load_contradictions
from riskstrat.definitions.disclosure import load_disclosure
from riskstrat.definitions.geography import Geography, load_geography
from riskstrat.definitions.layouts import Layout, load_layouts
from riskstrat.definitions.legal_basis import LegalBases, check_purpose, load_legal_basis
from riskstrat.definitions.limits import Limits, resolve_limits
from riskstrat.definitions.list_columns import CONTRACT as LISTS
from riskstrat.definitions.list_layout import FILE as LIST_LAYOUT
from riskstrat.definitions.list_layout import check_list_layout, load_list_layout
from riskstrat.definitions.list_rules import Columns, check_list, check_wording
from riskstrat.definitions.lists import ListDefinition, load_lists
from riskstrat.definitions.measures import FILE as MEASURES
from riskstrat.definitions.measures import Measures, load_measures
from riskstrat.definitions.model import ModelDefinition, load_model_definition
from riskstrat.definitions.opt_outs import FILE as OPT_OUTS_FILE
from riskstrat.definitions.opt_outs import TABLE as OPT_OUTS
from riskstrat.definitions.opt_outs import check_opt_outs
from riskstrat.definitions.policies import (
    Ranking,
    ReportLayout,
    WorklistLayout,
    load_ranking,
    load_report_layout,
    load_worklist_layout,
)
from riskstrat.definitions.reasons import Wording, load_wording
from riskstrat.definitions.reference import ReferenceTable, load_reference
from riskstrat.definitions.returns import FILE as RETURNS
from riskstrat.definitions.returns import ReturnRules, check_return_rules, load_return_rules
from riskstrat.definitions.scores import ScoreTable, load_scores
from riskstrat.definitions.sources import Source, Sources, load_sources
from riskstrat.errors import DefinitionError

FEATURES = "features"
WORKLIST_COLUMNS = (
    *("rank", "cohort_rank", "score", "reasons", "gaps"),
    *("within_capacity", "is_manual_addition"),
)


@dataclass(frozen=True)
class Definitions:
    """Everything that a site knows and decides. ``root`` is the site's folder."""

    root: Path
    contracts: Mapping[str, Contract]
    sources: Sources
    limits: Mapping[str, Limits]
    layouts: Mapping[str, Layout]
    geography: Geography
    codelists: Mapping[str, CodeList]
    value_rules: tuple[ValueRule, ...]
    scores: Mapping[str, ScoreTable]
    reference: Mapping[str, ReferenceTable]
    cohorts: Mapping[str, Cohort]
    ranking: Ranking
    worklist_layout: WorklistLayout
    report_layout: ReportLayout
    lists: Mapping[str, ListDefinition]
    wording: Wording
    model: ModelDefinition
    return_rules: ReturnRules
    measures: Measures
    legal_bases: LegalBases
    audiences: Audiences

    @property
    def pipelines(self) -> Path:
        """The folder of numbered rooms of SQL."""
        return self.root / "pipelines"

    @property
    def extract_names(self) -> tuple[str, ...]:
        """The extracts that come in, the register first."""
        register = self.sources.register
        others = [
            name
            for name, contract in self.contracts.items()
            if contract.direction == "in" and name != register
        ]
        return (register, *others)

    @property
    def register_extract(self) -> str:
        """The extract that says who is registered where."""
        return self.sources.register

    def source(self, extract: str) -> Source:
        """How an extract is delivered."""
        return self.sources.by_extract[extract]


def load_definitions(root: Path) -> Definitions:
    """Load and cross-check every definition of the site at ``root``. Raises DefinitionError on the first mistake."""
    config = root / "config"
    contracts, sources = load_contracts(root / "data_contracts"), load_sources(config / "sources.yaml")
    _check_sources(root, contracts, sources)
    definitions = Definitions(
        root=root,
        contracts=contracts,
        sources=sources,
        limits={
            name: resolve_limits(
                name, contracts[name].limits, source.overrides, root / "data_contracts" / f"{name}.yaml"
            )
            for name, source in sources.by_extract.items()
        },
        layouts=load_layouts(config / "sources"),
        geography=load_geography(config / "geography"),
        codelists=load_codelists(config / "codelists"),
        value_rules=load_value_rules(config / "codelists" / "efi_values.csv"),
        scores=load_scores(config / "scores"),
        reference=load_reference(config / "reference"),
        cohorts=load_cohorts(config / "cohorts"),
        ranking=load_ranking(config / "ranking.yaml"),
        worklist_layout=load_worklist_layout(config / "worklists.yaml"),
        report_layout=load_report_layout(config / "report.yaml"),
        lists=load_lists(config / "lists"),
        wording=load_wording(config / "reasons.yaml"),
        model=load_model_definition(config / "model", _features(root, contracts)),
        return_rules=load_return_rules(config / RETURNS),
        measures=load_measures(config / MEASURES),
        legal_bases=load_legal_basis(config / "legal_basis.yaml"),
        audiences=load_audiences(config / "audiences.yaml"),
    )
    contradictions = load_contradictions(config / "reference" / CONTRADICTIONS)
    check_contradictions(definitions.codelists, contradictions, config / "codelists")
    _check_layouts(definitions)
    _check_columns(definitions)
    _check_lists(definitions)
    _check_permissions(definitions)
    return definitions


def _features(root: Path, contracts: Mapping[str, Contract]) -> Mapping[str, Column]:
    if FEATURES not in contracts:
        raise DefinitionError(
            "is missing.", file=root / "data_contracts" / f"{FEATURES}.yaml", remedy="restore it."
        )
    return {column.name: column for column in contracts[FEATURES].columns}


def _check_sources(root: Path, contracts: Mapping[str, Contract], sources: Sources) -> None:
    path = root / "config" / "sources.yaml"
    incoming = {name for name, contract in contracts.items() if contract.direction == "in"}
    for name in sorted(incoming - sources.by_extract.keys()):
        raise DefinitionError(
            f"the extract {name} is missing.", file=path, column=name, remedy=f"add '{name}: {{}}'."
        )
    named = [*sources.by_extract, *(gap.extract for gap in sources.declared_gaps)]
    for name in named:
        _known(name, incoming, path, "extract", "an extract with a contract in data_contracts/")


def _check_layouts(definitions: Definitions) -> None:
    for layout in definitions.layouts.values():
        path = definitions.root / "config" / "sources" / f"{layout.name}.yaml"
        for name in layout.absent:
            _known(name, definitions.extract_names, path, "absent", "an extract")
        for name, mappings in layout.extracts.items():
            _known(name, definitions.extract_names, path, name, "an extract")
            known = [column.name for column in definitions.contracts[name].columns]
            for mapping in mappings:
                for column in mapping.columns:
                    _known(column, known, path, column, f"a column of {name}")


def _check_columns(definitions: Definitions) -> None:
    config = definitions.root / "config"
    features = [column.name for column in definitions.contracts[FEATURES].columns]
    for component in definitions.ranking.components.values():
        _known(component.feature, features, config / "ranking.yaml", component.feature, "a feature")
        if definitions.contracts[FEATURES].column(component.feature).type != "integer":
            raise DefinitionError(
                f"{component.feature} is no whole number, so it cannot earn points.",
                file=config / "ranking.yaml",
                column=component.feature,
                remedy="rank by a feature that counts something.",
            )
    for column in definitions.worklist_layout.columns:
        _known(column, [*features, *WORKLIST_COLUMNS], config / "worklists.yaml", column, "a feature")
    columns = {column.name: column for column in definitions.contracts[FEATURES].columns}
    for cohort in definitions.cohorts.values():
        path = config / "cohorts" / f"{cohort.name}.yaml"
        check_names(cohort, columns, definitions.extract_names, path)


def list_columns(definitions: Definitions) -> Columns:
    """The columns that lists may read and show. Raises DefinitionError without the contract of lists."""
    if LISTS not in definitions.contracts:
        raise DefinitionError(
            "is missing.", file=definitions.root / "data_contracts" / f"{LISTS}.yaml", remedy="restore it."
        )
    return Columns.of(definitions.contracts[FEATURES].columns, definitions.contracts[LISTS].columns)


def _check_lists(definitions: Definitions) -> None:
    config, columns = definitions.root / "config", list_columns(definitions)
    for name, definition in definitions.lists.items():
        check_list(definition, columns, definitions.cohorts, config / "lists" / f"{name}.yaml")
    check_wording(definitions.wording, columns, config / "reasons.yaml")
    named = [column.name for column in definitions.contracts[LISTS].columns]
    layout = load_list_layout(config)
    check_list_layout(layout, [*IDENTIFIERS, PSEUDONYM, *named], config / LIST_LAYOUT)


def _check_permissions(definitions: Definitions) -> None:
    """Legal bases name extracts, cohorts and audiences name purposes, and policies agree."""
    config, bases = definitions.root / "config", definitions.legal_bases
    applied = definitions.reference.get(OPT_OUTS)
    check_opt_outs(applied, definitions.extract_names, config / "reference" / OPT_OUTS_FILE)
    check_return_rules(definitions.return_rules, definitions.extract_names, bases)
    for basis in bases.bases:
        for extract in basis.extracts:
            _known(extract, definitions.extract_names, bases.file, basis.name, "an extract")
    for cohort in definitions.cohorts.values():
        for purpose in cohort.requires.legal_basis:
            check_purpose(purpose, bases.purposes, config / "cohorts" / f"{cohort.name}.yaml", "requires")
    policies = load_disclosure(config / "disclosure.yaml").audiences
    features = [column.name for column in definitions.contracts[FEATURES].columns]
    check_audiences(
        definitions.audiences,
        features,
        bases.purposes,
        {audience: policy.name for audience, policy in policies.items()},
        [column.name for column in definitions.contracts[LISTS].columns],
    )


def _known(name: str, known: Iterable[str], path: Path, column: str, what: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, list(known), n=1)
        raise DefinitionError(
            f"'{name}' is not {what}.",
            file=path,
            column=column,
            remedy=f"did you mean '{near[0]}'?" if near else "correct the name.",
        )
