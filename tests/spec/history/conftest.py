"""A site whose clinicians' codes speak before the computed index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def coded_site(made_up_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose clinicians' diagnoses speak first, then the supplied score."""
    site = tmp_path_factory.mktemp("coded") / "site"
    shutil.copytree(made_up_site, site)
    path = site / "config" / "reference" / "frailty_precedence.csv"
    text = path.read_text(encoding="utf-8")
    for source, place in (("computed,1", "computed,3"), ("coded,2", "coded,1"), ("supplied,3", "supplied,2")):
        assert source in text
        text = text.replace(source, place)
    path.write_text(text, encoding="utf-8")
    return site
