"""The page docs/features.md, made of the contract of the feature table alone: what each feature means and rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.definitions.markdown import table

INTRODUCTION = """\
# Features

One row a person of the population: what cohorts, scores and worklists may ask of them. This page is generated: change
`data_contracts/features.yaml` with the SQL, then run `riskstrat features page --out docs/features.md`.

- Windows end before `as_of`, which is exclusive. **Unknown is not zero**: NULL means that nobody can say.
- `riskstrat features show NAME` says the same of one feature and for how many people of a run it is known;
  `riskstrat features explain PERSON_ID` shows the records behind one person's values.
"""
# Labels of the facts that every feature must have, and of those that some have.
REQUIRED_FACTS = {
    "grain": "grain",
    "unit": "unit",
    "window": "window",
    "missing": "when unknown",
    "source": "source",
    "requires": "extracts",
    "sqlTable": "SQL",
}
OTHER_FACTS = {"codelists": "code lists", "evidence": "evidence"}


def feature_page(contract: Contract) -> str:
    """The whole page as Markdown; the same contract gives the same bytes."""
    return "\n".join([INTRODUCTION, *_contents(contract), *_sections(contract)])


def undocumented(column: Column) -> list[str]:
    """The facts that the contract does not state of a feature; none is what a release needs."""
    missing = [label for name, label in REQUIRED_FACTS.items() if not column.about.get(name)]
    return missing + ([] if column.description else ["meaning"])


def _contents(contract: Contract) -> Iterator[str]:
    yield from table(
        ("feature", "unit", "window", "meaning"),
        (
            (
                f"[`{column.name}`](#{column.name})",
                _words(column.about.get("unit")),
                _words(column.about.get("window")),
                column.description,
            )
            for column in contract.columns
        ),
    )


def _sections(contract: Contract) -> Iterator[str]:
    for column in contract.columns:
        yield f"## {column.name}\n"
        yield f"{column.description}\n"
        facts = {"type": f"{column.type} ({column.sql_type})", "values": ", ".join(column.allowed)}
        facts |= {
            label: _fact(name, column.about.get(name))
            for name, label in (REQUIRED_FACTS | OTHER_FACTS).items()
        }
        yield from (f"- {label}: {fact}" for label, fact in facts.items() if fact)
        yield ""


def _fact(name: str, value: Any) -> str:
    if name == "sqlTable":
        return f"[`{value}`](../{value})" if value else ""
    if name in ("requires", "codelists"):
        return ", ".join(f"`{one}`" for one in value or ())
    return _words(value)


def _words(value: Any) -> str:
    return "" if value is None else str(value)
