"""Files that appear all together or not at all, for their owner alone, and never where riskstrat keeps its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from riskstrat.errors import MisuseError
from riskstrat.keys import flush_folder
from riskstrat.site import Site

FOLDER = "exports"
OWNER_ONLY, OWNER_ONLY_FOLDER = 0o600, 0o700


def check_place(path: Path, site: Site) -> None:
    """Raise MisuseError for a place inside the folders that riskstrat keeps, output among them."""
    definitions = (site.config, site.data_contracts, site.pipelines)
    for kept in (site.output, site.landing, site.state, site.keys, *definitions):
        if path.resolve().is_relative_to(kept.resolve()):
            raise MisuseError(
                f"lies in {kept.name}/, which riskstrat keeps for itself.",
                file=path,
                remedy="name another place.",
            )


def write_together(files: Mapping[Path, bytes], before: Callable[[], None]) -> None:
    """Write every file beside its place, call ``before`` (which may raise), then put all of them in place.

    Raises MisuseError where a file cannot be written; then none of them is there.
    """
    partials = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in files}
    placed: list[Path] = []
    try:
        for path, content in files.items():
            path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            _write(partials[path], content)
        before()
        for path, partial in partials.items():
            partial.replace(path)
            placed.append(path)
        for folder in {path.parent for path in files}:
            flush_folder(folder)
    except OSError as problem:
        for path in placed:
            path.unlink(missing_ok=True)
        raise MisuseError(
            f"cannot be written ({problem.strerror}).",
            file=next(iter(files)).parent,
            remedy="name another folder, or free some space.",
        ) from None
    finally:
        for partial in partials.values():
            with suppress(OSError):  # its folder may be none
                partial.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
