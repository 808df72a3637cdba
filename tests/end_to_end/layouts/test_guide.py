"""The guide to layouts: its worked example runs, and it leaves out no layout."""

from __future__ import annotations

import re
from pathlib import Path

from tests.end_to_end.layouts.runs import SECOND, books, of, run_site, with_register

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs" / "layouts.md"


def test_worked_example_of_the_guide_runs(site: Path):
    guide = GUIDE.read_text(encoding="utf-8")
    folder = with_register(site, SECOND, 1, 2, covered=("community_contacts",))
    for name, text in re.findall(r"`(nb_\w+[.]csv)`\n```csv\n(.*?)```", guide, re.DOTALL):
        (folder / name).write_text(text, encoding="windows-1252")
    (layout,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (site / "config" / "sources" / "northbank.yaml").write_text(layout, encoding="utf-8")
    outcome, features = run_site(site)
    assert books(outcome, "community_contacts") == {"read": 4, "accepted": 2, "superseded": 1, "deleted": 1}
    assert [of(site, features, person)["community_contacts_12m"] for person in (1, 2)] == [1, 0]


def test_guide_names_every_shipped_layout():
    shipped = {path.stem for path in (ROOT / "config" / "sources").glob("*.yaml")}
    named = set(re.findall(r"`([a-z0-9_]+)`", GUIDE.read_text(encoding="utf-8")))
    assert shipped, "no layout was found"
    assert not shipped - named
