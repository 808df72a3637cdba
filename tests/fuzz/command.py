"""A damaged delivery through the real command, on a site that has published a run already."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from riskstrat.runs import Run, latest, verify_run
from riskstrat.site import Site, load_site
from tests.fuzz.oracle import NUMBER_LIKE
from tests.fuzz.town import AS_OF, EXTRACTS, Town, Variant, lay_out

ALLOWED_EXITS = (0, 2, 3, 4)
LONGEST_SECONDS = 120


class PublishedSite:
    """A site of one's own with last night's run, restored after every use."""

    def __init__(self, town: Town, workplace: Path) -> None:
        self.town = town
        self.root = workplace / "published"
        self.kept = workplace / "kept-output"
        shutil.copytree(town.site, self.root)
        self.site: Site = load_site(self.root)
        lay_out(town, Variant("csv", faults=True, two_nights=False), EXTRACTS, self.site.landing)
        ended = self._run()
        if ended.returncode != 0:
            raise RuntimeError(f"the sound delivery does not run: {ended.stderr}")
        self.before = latest(self.site.output).id
        shutil.copytree(self.site.output, self.kept, symlinks=True)

    def problems(self, landing: Path) -> list[str]:
        """Run the delivery; everything that the command did and may not do."""
        shutil.rmtree(self.site.landing)
        shutil.copytree(landing, self.site.landing, symlinks=True, copy_function=copy_plain)
        try:
            ended = self._run()
        except subprocess.TimeoutExpired:
            return [f"command: no end within {LONGEST_SECONDS} s"]
        said = ended.stdout + ended.stderr
        problems = []
        if ended.returncode not in ALLOWED_EXITS:
            problems.append(f"command: exit {ended.returncode}: {ended.stderr[-600:]}")
        problems += [
            f"command: '{word}' on stderr" for word in ("Traceback", "unexpected") if word in ended.stderr
        ]
        if ended.returncode and not ended.stderr.splitlines()[-1].startswith("error: "):
            problems.append(f"command: the last line is no error: {ended.stderr.splitlines()[-1]}")
        problems += self._damage_to_runs(succeeded=ended.returncode == 0)
        problems += self._numbers_in(said.encode(), "stdout or stderr")
        for folder in (self.site.output, self.site.state):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                problems += self._numbers_in(_content(path), str(path.relative_to(self.root)))
        self._restore()
        return problems

    def _run(self) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "riskstrat",
            "--site",
            str(self.root),
            "run",
            "--as-of",
            AS_OF.isoformat(),
        ]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False, errors="replace"
        )

    def _damage_to_runs(self, *, succeeded: bool) -> Iterator[str]:
        runs = self.site.output / "runs"
        for problem in verify_run(Run(self.before, runs / self.before)):
            yield f"command: the earlier run changed: {problem}"
        newest = latest(self.site.output)
        if not newest.manifest.get("conservation"):
            yield "command: output/latest cannot be read"
        if succeeded:
            yield from (f"command: the new run is damaged: {problem}" for problem in verify_run(newest))
        elif newest.id != self.before:
            yield "command: a run that failed was published"
        leftovers = [path.name for path in runs.iterdir() if path.name not in (self.before, newest.id)]
        if leftovers:
            yield f"command: leaves {leftovers}"
        if list((self.site.state / "scratch").glob("*")):
            yield "command: leaves its scratch folder"

    def _numbers_in(self, content: bytes, where: str) -> Iterator[str]:
        for match in NUMBER_LIKE.finditer(content.decode("latin-1")):
            if re.sub("[ -]", "", match[0]) in self.town.numbers:
                yield f"leak: an NHS number in {where}"
                return

    def _restore(self) -> None:
        for path in (self.site.output, *self.site.output.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IRWXU)
        shutil.rmtree(self.site.output)
        shutil.rmtree(self.site.state, ignore_errors=True)
        shutil.copytree(self.kept, self.site.output, symlinks=True)


def own(town: Town, workplace: Path) -> Site:
    """The town's definitions, with data folders of one's own."""
    return dataclasses.replace(
        load_site(town.site),
        landing=workplace / "landing",
        state=workplace / "state",
        output=workplace / "output",
    )


def copy_plain(source: str, target: str) -> None:
    """Copy a file, make a pipe anew, and leave sockets out."""
    mode = Path(source).lstat().st_mode
    if stat.S_ISREG(mode):
        shutil.copy2(source, target)
    elif stat.S_ISFIFO(mode):
        os.mkfifo(target)


def _content(path: Path) -> bytes:
    """A file's bytes, and a Parquet file's text."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        for column in table.columns:
            content += "\n".join(str(value) for value in column.to_pylist()).encode("utf-8", "replace")
    return content
