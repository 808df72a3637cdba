"""Environments of the peers: each its own, from pinned versions, with the Python that it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PINS = Path(__file__).resolve().parents[1] / "peers"
# The pins were resolved with the first; a peer that needs another says so.
PYTHONS = ("3.12", "3.13")
NEEDS = {"comorbidipy": ("3.13",)}
INSTALL_SECONDS = 1_200


class UnavailableError(Exception):
    """Why a peer cannot be run here."""


def environment(name: str, folder: Path) -> Path:
    """The Python of a peer's environment in ``folder``, made where it is not there. Raises UnavailableError."""
    python = folder / name / "bin" / "python"
    ready = folder / name / "ready"
    pins = PINS / f"{name}.txt"
    if ready.is_file() and ready.read_text(encoding="utf-8") == pins.read_text(encoding="utf-8"):
        return python
    shutil.rmtree(folder / name, ignore_errors=True)
    _run([_interpreter(NEEDS.get(name, PYTHONS)), "-m", "venv", str(folder / name)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*pip, "--requirement", str(pins)])
    shutil.copyfile(pins, ready)
    return python


def pinned(name: str) -> str:
    """The pinned version of a peer."""
    lines = (PINS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{name}=="))


def _interpreter(pythons: tuple[str, ...]) -> str:
    """A Python of a version that the pins hold for: this one, one on the path, or one of pyenv's."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" in pythons:
        return sys.executable
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for wanted in pythons:
        named = shutil.which(f"python{wanted}")
        found = [*([named] if named else []), *map(str, sorted(kept.glob(f"{wanted}.*/bin/python")))]
        for candidate in found:
            # a pyenv shim is on the path and still may not run
            if subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
                return candidate
    raise UnavailableError(f"no Python {' or '.join(pythons)} on this machine")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"installing took more than {INSTALL_SECONDS} seconds") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise UnavailableError(f"its environment could not be made: {' '.join(last) or 'no message'}")
