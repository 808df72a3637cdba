"""Where the data of a site lie, layer by layer, and names of files that hold good wherever these folders are."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from riskstrat.errors import NotPermittedError, RiskstratError
from riskstrat.exports.manifests import MANIFEST_SUFFIX
from riskstrat.exports.writing import FOLDER as EXPORTS
from riskstrat.runs import RUN_ID
from riskstrat.site import Site
from riskstrat.stages.ingest.memory import remembered_files

DELIVERY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FRAMES = Path("models") / "frames"  # of people on earlier days, from which a model learnt


def site_folders(site: Site) -> dict[str, Path]:
    """The folders in which a site keeps data, by name."""
    return {
        "landing": site.landing,
        "state": site.state,
        "output": site.output,
        EXPORTS: site.root / EXPORTS,
    }


def name_of(site: Site, path: Path) -> str:
    """The path below one of the site's folders, such as ``landing/2026-03-31/gp_events.csv``."""
    for name, root in site_folders(site).items():
        if path.is_relative_to(root):
            return f"{name}/{path.relative_to(root).as_posix()}"
    raise RiskstratError("this file is in no folder of the site.", file=path)


def path_of(site: Site, name: str) -> Path:
    """The file of a name. Raises NotPermittedError for one that leads out of the site."""
    root, _, below = name.partition("/")
    if root not in site_folders(site) or ".." in Path(below).parts:
        raise NotPermittedError("names a file outside the site.", file=name)
    return site_folders(site)[root] / below


def delivered_files(site: Site) -> list[Path]:
    """Every file of the landing folder; what is being built there is none."""
    return [
        path
        for path in sorted(site.landing.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.relative_to(site.landing).parts[0].startswith(".")
    ]


def frames(site: Site) -> list[Path]:
    """The files of landmark frames, a folder each, whose name begins with the date that they are complete to."""
    return [path for path in sorted((site.state / FRAMES).rglob("*")) if path.is_file()]


def remembered(site: Site) -> list[Path]:
    """The files in which the site remembers the rows of delivered files."""
    return remembered_files(site.state)


def exports_of(site: Site, runs: Container[str]) -> list[Path]:
    """The exported files about people of some runs that lie in the site's own folder, their manifests included.

    Counts are no rows about anybody, and stay.
    """
    return [path for path, about in _exported(site).items() if about.run in runs and not about.is_count]


def exports_before(site: Site, day: date) -> list[Path]:
    """The exported files that were written before a day, their manifests included."""
    return [path for path, about in _exported(site).items() if about.written < day]


@dataclass(frozen=True)
class _Exported:
    """What is known of an exported file: its run, when it was written, and whether everybody may read it."""

    run: str
    written: date
    is_count: bool = False


def _exported(site: Site) -> dict[Path, _Exported]:
    """Every file of the folder of exports; one without a manifest is taken for what its name and its date say."""
    found = {}
    for path in sorted((site.root / EXPORTS).rglob("*")):
        if path.is_file():
            match = RUN_ID.match(path.name)
            found[path] = _Exported(match[0] if match else "", _changed_on(path))
    for manifest in [path for path in found if path.name.endswith(MANIFEST_SUFFIX)]:
        try:
            facts = json.loads(manifest.read_bytes())
            written = date.fromisoformat(str(facts["written_at"])[:10])
            about = _Exported(str(facts["run"]), written, is_count="public_key" not in facts)
            file = manifest.with_name(Path(facts["file"]).name)
        except (ValueError, KeyError, TypeError):
            continue
        found |= {path: about for path in (manifest, file) if path in found}
    return found


def _changed_on(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()
