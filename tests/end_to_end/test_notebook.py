"""The notebook is stored without outputs, and runs from top to bottom against a published run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from riskstrat.pipeline import run
from riskstrat.progress import Progress
from riskstrat.site import load_site
from tests import small_town
from tests.fake_run import ABSENT_EXTRACTS, RUN, UNKNOWN_FEATURES, write_fake_site

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "first_hour.ipynb"


@pytest.fixture(scope="module")
def published_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose output/latest is a published run."""
    site = tmp_path_factory.mktemp("analyst") / "site"
    write_fake_site(site)
    return site


@pytest.fixture(scope="module")
def executed(published_site: Path) -> Any:
    """The notebook's cells with the outputs of a run from top to bottom."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RISKSTRAT_SITE", str(published_site))
        return execute(published_site)


def execute(folder: Path) -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def outputs_of(notebook: Any, kind: str) -> list[str]:
    """The outputs of one MIME type, or the printed text for ``stdout``, in the order of the cells."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    if kind == "stdout":
        return [output["text"] for output in outputs if output.get("name") == "stdout"]
    return [output["data"][kind] for output in outputs if kind in output.get("data", {})]


def test_notebook_is_stored_without_outputs_and_with_plain_metadata() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert [cell.id for cell in notebook.cells if cell.metadata] == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_executed_notebook_holds_tables_and_one_plot(executed: Any) -> None:
    assert len(outputs_of(executed, "text/html")) >= 8
    assert len(outputs_of(executed, "image/png")) == 1
    errors = [cell.id for cell in executed.cells for output in cell.get("outputs", []) if "ename" in output]
    assert errors == []


def test_executed_notebook_shows_the_run_and_what_it_does_not_know(executed: Any) -> None:
    tables = "\n".join(outputs_of(executed, "text/html"))
    assert RUN in tables
    assert "False" not in outputs_of(executed, "text/html")[1], "conservation adds up for every extract"
    assert all(feature in tables for feature in UNKNOWN_FEATURES)
    assert not any(f"<th>{extract}</th>" in tables for extract in ABSENT_EXTRACTS)


def test_rules_applied_one_by_one_end_at_the_published_cohort(published_site: Path, executed: Any) -> None:
    printed = "\n".join(outputs_of(executed, "stdout"))
    assert "unchanged since the run" in printed
    published = printed.split("published: ")[1].split(";", maxsplit=1)[0].replace(",", "")
    attrition = next(table for table in outputs_of(executed, "text/html") if "after this rule" in table)
    assert f"<td>{published}</td>" in attrition.split("<tr>")[-1], (
        "the last rule leaves the published members"
    )


def test_person_is_explained_by_reasons_and_a_score_that_adds_up(executed: Any) -> None:
    assert "luton_core: rank 1 of" in "\n".join(outputs_of(executed, "stdout"))
    parts = ("unplanned_admissions_points", "frailty_deficits_points", "age_points", "score")
    assert [table for table in outputs_of(executed, "text/html") if all(part in table for part in parts)]


def test_notebook_finds_the_nearest_site_above_its_folder_and_changes_nothing(
    published_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RISKSTRAT_SITE", raising=False)
    site = tmp_path / "site"
    shutil.copytree(published_site, site, symlinks=True)
    (site / "notebooks").mkdir()
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert outputs_of(execute(site / "notebooks"), "image/png")
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_notebook_reads_a_run_that_the_pipeline_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = small_town.write_site(tmp_path / "site")
    small_town.write_landing(site)
    outcome = run(load_site(site), small_town.AS_OF, progress=Progress(quiet=True))
    monkeypatch.setenv("RISKSTRAT_SITE", str(site))
    notebook = execute(site)
    assert any(
        outcome.manifest["run"] in text
        for text in outputs_of(notebook, "stdout") + outputs_of(notebook, "text/html")
    )
    assert outputs_of(notebook, "image/png")
