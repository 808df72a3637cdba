"""The forms in which a list may come back, and the words of config/returns.yaml."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from riskstrat.definitions.contracts import Contract
from riskstrat.definitions.legal_basis import load_legal_basis
from riskstrat.definitions.returns import check_return_rules, load_return_rules
from riskstrat.errors import ContractBrokenError, DefinitionError, MisuseError
from riskstrat.returns import store
from riskstrat.returns.applying import take_back
from riskstrat.site import Site, default_site
from tests import factories
from tests.fake_models import edited_copy
from tests.fake_returns import COLUMNS, FIRST, as_csv, as_xlsx, put, seen
from tests.unit.returns.taking import reasons

CONFIG = default_site() / "config"
FORMS = {
    "semicolons": as_csv([seen(0)], separator=";"),
    "a byte order mark": as_csv([seen(0)], encoding="utf-8-sig"),
    "an older spreadsheet": as_csv([seen(0, family_name="Müller", case_manager="Zoë")], encoding="cp1252"),
    "columns in another order": as_csv([seen(0)], columns=tuple(reversed(COLUMNS))),
    "spaces in the number": as_csv([seen(0, nhs_number=" 999 000 0018 ")]),
    "empty lines": as_csv([dict.fromkeys(COLUMNS, " "), seen(0), dict.fromkeys(COLUMNS, "")]),
    "a line break in a cell": as_csv([seen(0, reasons_fixed="falls\nmemory")]),
    "headings for people": as_csv([seen(0)]).replace(b"nhs_number", b"NHS number"),
    "a workbook": as_xlsx({"In hospital": [seen(0)]}),
    "a workbook with an empty section": as_xlsx({"Discharged": [], "In hospital": [seen(0)]}),
    "a workbook with a heading": as_xlsx({"In hospital": [seen(0)]}, above=["Daily huddle", "for review"]),
    "numbers and days of a spreadsheet": as_xlsx(
        {"All": [seen(0, nhs_number=int(factories.nhs_number(0)), outcome_date=FIRST, q1_visits=True)]}
    ),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_list_is_taken_in_the_form_in_which_it_comes(site: Site, content: bytes) -> None:
    back = take_back(site, put(site.root.parent, content))
    assert (back.read, back.applied) == (1, 1), back.reasons


def test_rows_of_every_sheet_are_read_and_named_by_sheet_and_row(site: Site) -> None:
    content = as_xlsx(
        {"A": [seen(0), seen(1, outcome="xyzzy")], "B": [seen(2, outcome="xyzzy")]}, above=["Huddle"]
    )
    back = take_back(site, put(site.root.parent, content))
    assert back.applied == 1
    assert [(said["sheet"], said["row"]) for said in reasons(back)] == [("1", "4"), ("2", "3")]


def test_row_with_a_field_too_many_is_set_aside(site: Site) -> None:
    lines = as_csv([seen(0), seen(1)]).splitlines(keepends=True)
    back = take_back(site, put(site.root.parent, lines[0] + lines[1].replace(b"\r\n", b",\r\n") + lines[2]))
    assert (back.applied, back.quarantined) == (1, 1)
    assert "another number of fields" in reasons(back)[0]["reason"]


def without(name: str) -> tuple[str, ...]:
    return tuple(column for column in COLUMNS if column != name)


HEADERLESS = as_csv([seen(0)]).split(b"\r\n", 1)[1]
REFUSED = {
    "a renamed column": (
        as_csv([seen(0)]).replace(b"outcome_date", b"outcome_day"),
        "outcome_day",
        "did you mean 'outcome_date'?",
    ),
    "an unknown column": (as_csv([seen(0)], [*COLUMNS, "comments"]), "comments", "take it away"),
    "a missing column": (as_csv([seen(0)], without("q3_medication")), "q3_medication", "every column"),
    "a column twice": (as_csv([seen(0)], [*COLUMNS, "outcome"]), "outcome", "keep one"),
    "no header": (HEADERLESS, "list", "with the header that it had"),
    "an open quotation mark": (as_csv([seen(0)]) + b'"daily', None, "save the list again"),
    "a workbook with a password": (b"PK\x03\x04 not a workbook", None, "without a password"),
    "an older workbook": (b"\xd0\xcf\x11\xe0\x00\x00", None, "as XLSX and send that"),
    "nothing": (b" \n\n", None, "with its header"),
    "a sheet with something else": (
        as_xlsx({"A": [seen(0)], "Notes": []}, columns=["note", "by"]),
        "list",
        "with the header that it had",
    ),
}


@pytest.mark.parametrize(("content", "column", "remedy"), REFUSED.values(), ids=REFUSED)
def test_whole_file_is_set_aside_where_its_columns_are_not_those_of_a_list(
    site: Site, content: bytes, column: str | None, remedy: str
) -> None:
    with pytest.raises(ContractBrokenError) as refused:
        take_back(site, put(site.root.parent, content))
    assert refused.value.column == column
    assert remedy in str(refused.value.remedy)
    assert not store.stored(site.state)
    (path,) = (site.state / "returns" / "quarantine").iterdir()
    (said,) = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert (said["column"] or None) == column
    assert "Quillfeather" not in path.read_text(encoding="utf-8") + str(refused.value)


def test_text_above_the_rows_that_is_no_column_name_is_not_repeated(site: Site) -> None:
    with pytest.raises(ContractBrokenError) as refused:
        take_back(
            site, put(site.root.parent, as_csv([seen(0)], [*COLUMNS, f"ask {factories.nhs_number(3)}"]))
        )
    assert refused.value.column == f"number {len(COLUMNS) + 1}"


def test_file_that_is_not_there_is_named(site: Site) -> None:
    with pytest.raises(MisuseError, match="cannot be read"):
        take_back(site, site.root / "missing.csv")


# The words of config/returns.yaml

MISTAKES: dict[str, tuple[str, str, str]] = {
    "no days": ("accept_for_days: 35", "accept_for_days: 0", "whole number of 1 or more"),
    "an unknown purpose": ("purpose: direct_care", "purpose: care", "is no purpose"),
    "an unknown extract": ("assessments, community", "assesments, community", "is not an extract"),
    "a word like a flag": ("  seen:", "  yes:", "name 'True'"),
    "a flag that is none": ("reached: true}\n  declined", "reached: often}\n  declined", "true or false"),
    "a date without a year": ('"%d/%m/%Y"', '"%d/%m"', "does not say a whole day"),
    "yes and no alike": ('"no": ["no", "n"]', '"no": ["yes"]', "none in common"),
    "an unknown key": ("accept_for_days: 35", "accepted_days: 35", "did you mean 'accept_for_days'?"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_in_the_words_is_refused_by_name(
    contracts: dict[str, Contract], tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    path = edited_copy(tmp_path, CONFIG / "returns.yaml", right, wrong)
    extracts = [name for name, one in contracts.items() if one.direction == "in"]
    with pytest.raises(DefinitionError) as refused:
        check_return_rules(load_return_rules(path), extracts, load_legal_basis(CONFIG / "legal_basis.yaml"))
    assert said in str(refused.value)
