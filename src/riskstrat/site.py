"""A site: the folder that holds config/, data_contracts/ and pipelines/, and where its data lie.

Importing this module is cheap on purpose: ``cohort count`` finds its site without parsing a definition.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from riskstrat.errors import DefinitionError, MisuseError

DEFINITION_FOLDERS = ("config", "data_contracts", "pipelines")
DATA_FOLDERS = ("landing", "state", "output", "keys")
IGNORED = (*DATA_FOLDERS, "exports")  # never in git: they hold what is about people
ENVIRONMENT_VARIABLE = "RISKSTRAT_SITE"


@dataclass(frozen=True)
class Site:
    """Where a site's definitions and data lie, and how much of the machine a run may use.

    ``threads`` counts CPU threads; ``memory_limit`` is DuckDB's text form, such as ``4GB``.
    ``spark`` is as it was written; the engine of that name parses it.
    """

    root: Path
    landing: Path
    state: Path
    output: Path
    keys: Path
    threads: int = 2
    memory_limit: str = "4GB"
    spark: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """What the site knows and decides."""
        return self.root / "config"

    @property
    def data_contracts(self) -> Path:
        """What comes in and goes out."""
        return self.root / "data_contracts"

    @property
    def pipelines(self) -> Path:
        """How rows become features."""
        return self.root / "pipelines"


def is_site(folder: Path) -> bool:
    """Whether ``folder`` holds the three folders of definitions."""
    return all((folder / name).is_dir() for name in DEFINITION_FOLDERS)


def find_site(start: Path | None = None, explicit: Path | None = None) -> Site:
    """The site that is named (``--site`` or RISKSTRAT_SITE), else the nearest at or above ``start``.

    Raises MisuseError where there is none.
    """
    named = explicit or (
        Path(os.environ[ENVIRONMENT_VARIABLE]) if os.environ.get(ENVIRONMENT_VARIABLE) else None
    )
    if named is not None:
        if not is_site(named):
            raise MisuseError(
                f"is not a site: it needs the folders {', '.join(DEFINITION_FOLDERS)}.",
                file=named,
                remedy=f"name another folder, or write a fresh site with: riskstrat init {named}",
            )
        return load_site(named.resolve())
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if is_site(folder):
            return load_site(folder)
    raise MisuseError(
        "no site here or in any folder above.",
        file=here,
        remedy="change to a site's folder, give --site DIR, or write a fresh one with: riskstrat init DIR",
    )


def load_site(root: Path) -> Site:
    """Read ``config/site.yaml``; every key is optional. Raises DefinitionError on an unknown one."""
    settings = _settings(root / "config" / "site.yaml")
    folders = {name: root / str(settings.pop(name, None) or name) for name in DATA_FOLDERS}
    threads = settings.pop("threads", 2)
    memory_limit = settings.pop("memory_limit", "4GB")
    spark = settings.pop("spark", None) or {}
    if settings:
        raise DefinitionError(
            f"unknown setting '{min(settings)}'.",
            file=root / "config" / "site.yaml",
            column=min(settings),
            remedy=f"use one of {', '.join((*DATA_FOLDERS, 'threads', 'memory_limit', 'spark'))}.",
        )
    if not isinstance(threads, int) or threads < 1:
        raise DefinitionError(
            "must be a whole number of 1 or more.", file=root / "config" / "site.yaml", column="threads"
        )
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", str(memory_limit)):
        raise DefinitionError(
            "is no amount of memory.",
            file=root / "config" / "site.yaml",
            column="memory_limit",
            remedy="write e.g. 4GB.",
        )
    if not isinstance(spark, Mapping):
        raise DefinitionError(
            "must hold master, tables or conf.", file=root / "config" / "site.yaml", column="spark"
        )
    return Site(root=root, threads=threads, memory_limit=str(memory_limit), spark=spark, **folders)


def _settings(path: Path) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if not any(line.strip() and not line.lstrip().startswith("#") for line in lines):
        return {}  # nothing is set: spare every command the import of a YAML parser
    from riskstrat.definitions.documents import read_mapping

    return dict(read_mapping(path))


def default_site() -> Path:
    """The copy of the default site that the wheel carries, or the repository it runs from."""
    carried = Path(str(resources.files("riskstrat"))) / "default_site"
    if is_site(carried):
        return carried
    repository = Path(__file__).resolve().parents[2]
    if is_site(repository):
        return repository
    raise DefinitionError(
        "this installation carries no default site.",
        file=carried,
        remedy="install riskstrat again from its wheel.",
    )


def write_default_site(folder: Path) -> list[Path]:
    """Copy the default definitions into ``folder`` and return what was written.

    Raises MisuseError when the folder already holds one of them: a site is never overwritten.
    """
    taken = [name for name in DEFINITION_FOLDERS if (folder / name).exists()]
    if taken:
        raise MisuseError(
            f"already holds {', '.join(taken)}.",
            file=folder,
            remedy="name a new folder; a site is never overwritten.",
        )
    source = default_site()
    for name in DEFINITION_FOLDERS:
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("".join(f"/{name}/\n" for name in IGNORED), encoding="utf-8")
    for name in DEFINITION_FOLDERS:
        for path in (folder / name, *(folder / name).rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
    return [folder / name for name in (*DEFINITION_FOLDERS, ".gitignore")]
