"""A contract with one of everything that contracts can state, as text that tests change."""

from __future__ import annotations

from pathlib import Path

from riskstrat.definitions.contracts import Contract, load_contract

SMALL = """\
apiVersion: v3.1.0
kind: DataContract
id: test-visits
name: visits
version: 1.0.0
status: active
description:
  purpose: A contract for tests.
customProperties:
  - {property: direction, value: in}
  - {property: presence, value: optional}
  - {property: eventDate, value: visited_on}
schema:
  - name: visits
    logicalType: object
    businessName: Visits
    description: Visits.
    dataGranularityDescription: One row per visit.
    quality:
      - name: left_before_arrival
        type: sql
        description: The visit ended before it began.
        query: SELECT COUNT(*) FROM visits WHERE left_on < visited_on
        mustBe: 0
        severity: warn
        customProperties:
          - {property: remedy, value: Correct the dates.}
    properties:
      - name: visit_id
        logicalType: string
        physicalType: VARCHAR
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        classification: administrative
        description: Identifier.
      - name: nhs_number
        logicalType: string
        physicalType: VARCHAR
        required: true
        classification: identifiable
        description: The NHS NUMBER.
        customProperties:
          - {property: identifier, value: nhs_number}
      - name: visited_on
        logicalType: date
        physicalType: DATE
        required: true
        classification: special-category
        description: Day of the visit.
      - name: left_on
        logicalType: date
        physicalType: DATE
        classification: special-category
        description: Day of leaving.
      - name: number
        logicalType: integer
        physicalType: INTEGER
        classification: administrative
        description: Number of the visit.
        logicalTypeOptions:
          minimum: 1
          maximum: 5
      - name: kind
        logicalType: string
        physicalType: VARCHAR
        classification: administrative
        description: Kind of visit.
        quality:
          - metric: invalidValues
            arguments:
              validValues: [home, office, X]
            mustBe: 0
            severity: warn
        customProperties:
          - {property: unknownValue, value: X}
      - name: area
        logicalType: string
        physicalType: VARCHAR
        classification: administrative
        description: Area code.
        logicalTypeOptions:
          pattern: '^[A-Z][0-9]$'
      - name: code
        logicalType: string
        physicalType: VARCHAR
        classification: administrative
        description: SNOMED CT identifier.
        quality:
          - type: custom
            engine: riskstrat
            implementation: snomed_identifier_rounded
            severity: quarantine
            description: code was rounded.
            customProperties:
              - {property: when, value: kind = 'home'}
              - {property: remedy, value: Send text.}
      - name: deleted
        logicalType: boolean
        physicalType: BOOLEAN
        classification: administrative
        description: Withdrawn.
"""
SLA = "slaProperties:\n  - {property: stop_after_days, value: 92, unit: d}\n  - {property: min_rows, value: 5}\nschema:"


def parsed(folder: Path, text: str) -> Contract:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "visits.yaml"
    path.write_text(text, encoding="utf-8")
    return load_contract(path)


def contract(folder: Path, *edits: tuple[str, str]) -> Contract:
    """The small contract with pieces of its text exchanged."""
    text = SMALL
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parsed(folder, text)
