"""Exported lists as those who get them read them."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from tests.end_to_end.command import Answer, riskstrat
from tests.fake_exports import Town
from tests.fake_lists import rows_of_list
from tests.sealed_files import paths, rows_of, unsealed

HUDDLE, MONTHLY = "daily_huddle", "monthly_practice"


def export(
    capsys: pytest.CaptureFixture[str], town: Town, audience: str, *more: str, name: str = HUDDLE
) -> Answer:
    return riskstrat(capsys, town.site.root, "worklist", "export", name, "--audience", audience, *more)


def listed_in(town: Town, code: str, name: str = HUDDLE, kind: str = "area_code") -> list[dict[str, Any]]:
    return [row for row in rows_of_list(town, name) if row[kind] == code and row["rank"] is not None]


def gone_from(town: Town, code: str, name: str = HUDDLE) -> list[dict[str, Any]]:
    return [row for row in rows_of_list(town, name) if row["area_code"] == code and row["rank"] is None]


def number(town: Town, row: dict[str, Any]) -> str:
    return str(town.people[row["person_id"]]["nhs_number"])


def team_csv(capsys: pytest.CaptureFixture[str], town: Town) -> list[dict[str, str]]:
    (path,) = paths(export(capsys, town, "direct_care_team"))
    return rows_of(path, town.keys["team"])


def workbook(capsys: pytest.CaptureFixture[str], town: Town, *more: str) -> openpyxl.Workbook:
    (path,) = paths(export(capsys, town, "direct_care_team", "--format", "xlsx", *more))
    return openpyxl.load_workbook(io.BytesIO(unsealed(path, town.keys["team"])))


def page(capsys: pytest.CaptureFixture[str], town: Town) -> str:
    (path,) = paths(export(capsys, town, "direct_care_team", "--format", "html"))
    return unsealed(path, town.keys["team"]).decode()


def columns_of(sheet: Any) -> dict[str, list[Any]]:
    heads, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return {head: [row[place] for row in rows] for place, head in enumerate(heads)}
