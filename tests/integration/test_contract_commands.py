"""riskstrat contracts: the commands, and the page that is held to the contracts."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from riskstrat.definitions.contract_page import contract_page
from riskstrat.definitions.contract_snapshots import IN_A_RUN, snapshots
from riskstrat.definitions.contracts import load_contracts
from riskstrat.errors import RiskstratError
from riskstrat.site import default_site, write_default_site
from tests.fake_run import RUN, write_fake_site
from tests.integration.typed import answered, refused, typed

pytestmark = pytest.mark.usefixtures("usual_terminal")

SHIPPED = default_site() / "data_contracts"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "extracts.md"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the shipped contracts and a run that kept them."""
    folder = tmp_path_factory.mktemp("contracts") / "site"
    run = write_fake_site(folder, people=50)
    shutil.copytree(SHIPPED, folder / "data_contracts", dirs_exist_ok=True)
    (run / IN_A_RUN).parent.mkdir(exist_ok=True)
    (run / IN_A_RUN).write_text(snapshots(load_contracts(SHIPPED)), encoding="utf-8")
    return folder


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


def edit(site: Path, name: str, *edits: tuple[str, str], version: str | None = None) -> None:
    """Change a contract of the site; ``version`` becomes its version."""
    path = site / "data_contracts" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    if version is not None:
        text = re.sub(r"^version: .*$", f"version: {version}", text, count=1, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


RENAMED = ("      - name: agency\n", "      - name: organisation\n")


def test_list_has_a_line_for_every_contract(published: Path) -> None:
    lines = answered(published, "contracts", "list").splitlines()
    contracts = load_contracts(SHIPPED)
    assert [line.split()[0] for line in lines[2:]] == list(contracts)
    events = next(line.split() for line in lines if line.startswith("gp_events "))
    contract = contracts["gp_events"]
    counts = [str(len(contract.columns)), str(len(contract.rules))]
    assert events == ["gp_events", contract.version, "in", "required", *counts]


@pytest.mark.parametrize("name", sorted(load_contracts(SHIPPED)))
def test_show_tells_every_column_and_rule_within_the_terminal(published: Path, name: str) -> None:
    shown = answered(published, "contracts", "show", name)
    contract = load_contracts(SHIPPED)[name]
    words = " ".join(shown.split())
    for column in contract.columns:
        assert column.description in words
        if column.allowed:
            assert ", ".join(column.allowed) in words
    for rule in contract.rules:
        assert rule.id in words
        assert f"{rule.message} Remedy: {rule.remedy}" in words
    assert max(map(len, shown.splitlines())) <= 100


def test_show_as_json_holds_the_whole_contract(published: Path) -> None:
    told = json.loads(answered(published, "contracts", "show", "gp_patients", "--format", "json"))
    assert (told["key"], told["record_key"]) == (
        ["nhs_number", "practice_code", "registered_from"],
        "registration_id",
    )
    sex = next(column for column in told["columns"] if column["name"] == "sex")
    assert (sex["allowed"], sex["unknown"], sex["required"]) == (["1", "2", "9", "X"], "X", True)
    patterns = {rule["id"]: rule["pattern"] for rule in told["rules"] if rule["pattern"]}
    assert patterns["gp_patients.practice_code.pattern"] == "^[A-Z][0-9]{5}$"
    assert told["limits"] == dict(load_contracts(SHIPPED)["gp_patients"].limits)


def test_unknown_contract_proposes_a_near_name(published: Path) -> None:
    assert "gp_events" in str(refused(published, 3, "contracts", "show", "gp_event"))


def test_nothing_has_changed_since_the_latest_run(published: Path) -> None:
    nothing = f"No contract differs from those of run {RUN}.\n"
    for chosen in ((), ("--run", RUN), ("--run", "latest")):
        assert answered(published, "contracts", "diff", *chosen) == nothing


def test_breaking_change_without_a_major_version_ends_with_four(site: Path) -> None:
    edit(site, "agency_contacts", RENAMED, version="2.9.0")
    result = typed(site, "contracts", "diff")
    assert isinstance(result.exception, RiskstratError)
    assert result.exception.exit_code == 4
    line = next(line for line in result.stdout.splitlines() if line.startswith("agency_contacts"))
    assert "-> 2.9.0" in line
    assert "breaking" in line
    assert "column agency was renamed to organisation" in line
    assert (
        "-> 2.9.0: breaking: column agency was renamed to organisation; its version must be 3.0.0 or later"
        in str(result.exception)
    )
    edit(site, "agency_contacts", version="3.0.0")
    assert "breaking" in answered(site, "contracts", "diff")


def test_smaller_step_that_is_missing_is_a_warning(site: Path) -> None:
    before = load_contracts(SHIPPED)["agency_contacts"]
    edit(site, "agency_contacts", (before.purpose[:20], "Whatever " + before.purpose[:20]))
    result = typed(site, "contracts", "diff")
    assert result.exit_code == 0
    assert "wording" in result.stdout
    assert "warning: agency_contacts" in result.stderr
    assert "its version must be" in result.stderr


def test_contracts_are_compared_with_another_folder_or_site(site: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_default_site(other)
    (other / "data_contracts" / "care_plans.yaml").unlink()
    edit(other, "agency_contacts", RENAMED, version="0.9.0")
    for folder in (other, other / "data_contracts"):
        told = answered(site, "contracts", "diff", "--against", str(folder))
        assert "column organisation was renamed to agency" in told
        assert "the contract is new" in told


def test_removed_contract_is_named_as_breaking(site: Path) -> None:
    (site / "data_contracts" / "care_plans.yaml").unlink()
    told = answered(site, "contracts", "diff")
    assert re.search(r"care_plans .* breaking +the contract was removed", told)


def test_comparison_needs_something_to_compare_with(site: Path, tmp_path: Path) -> None:
    diff = ("contracts", "diff")
    assert "give one of them" in str(refused(site, 2, *diff, "--run", RUN, "--against", str(tmp_path)))
    assert "holds no contracts" in str(refused(site, 2, *diff, "--against", str(tmp_path / "nowhere")))
    refused(site, 6, *diff, "--run", "20200101-00000000")
    (site / "output" / "latest" / IN_A_RUN).unlink()
    assert "--against" in str(refused(site, 6, *diff))


# --- the page --------------------------------------------------------------------------------------------------------


def test_committed_page_is_what_the_contracts_make() -> None:
    made = contract_page(load_contracts(SHIPPED))
    assert PAGE.read_text(encoding="utf-8") == made, "run: riskstrat contracts page --out docs/extracts.md"


def test_page_names_every_column_rule_and_value() -> None:
    made = contract_page(load_contracts(SHIPPED))
    for name, contract in load_contracts(SHIPPED).items():
        section = made.split(f"\n### {name}\n")[1].split("\n### ")[0]
        for column in contract.columns:
            start = f"| `{column.name}` | {column.type} | "
            (row,) = [line for line in section.splitlines() if line.startswith(start)]
            if column.allowed:
                assert f" | {', '.join(column.allowed)} | " in row
            assert row.endswith(f" | {column.description} | {column.national_term} |")
        for rule in contract.rules:
            assert f"| `{rule.id}` | {rule.severity} | {rule.message}" in section
        assert ("Freshness and volume:" in section) == bool(contract.limits)
        cells = {line.count(" | ") for line in section.splitlines() if line.startswith("| `")}
        assert cells == ({3, 5} if contract.rules else {5})


def test_page_goes_to_a_file_but_never_into_a_run(published: Path, tmp_path: Path) -> None:
    made = contract_page(load_contracts(SHIPPED))
    assert answered(published, "contracts", "page") == made
    answered(published, "contracts", "page", "--out", str(tmp_path / "extracts.md"))
    assert (tmp_path / "extracts.md").read_text(encoding="utf-8") == made
    refused(published, 2, "contracts", "page", "--out", str(published / "output" / "extracts.md"))


# --- the only place --------------------------------------------------------------------------------------------------


def test_no_other_file_states_the_columns_of_an_extract() -> None:
    """Code and SQL may name columns that they use; a list of nearly all columns of an extract is a second contract."""
    root = default_site()
    files = {
        path: path.read_text(encoding="utf-8")
        for folder in ("src", "config")
        for path in (root / folder).rglob("*")
        if path.suffix in READ
    }
    assert {path.suffix for path in files} == set(READ)
    for name, contract in load_contracts(SHIPPED).items():
        columns = [column.name for column in contract.columns]
        if contract.direction == "in" and len(columns) > 3:
            run = re.compile(r"[\"'\s,]+".join(columns[1:4]))
            assert run.search(str(columns)), "the pattern finds a list"
            assert not [str(path.relative_to(root)) for path in files if run.search(files[path])], name


READ = (".py", ".yaml", ".csv", ".j2")
