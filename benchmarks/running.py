"""How every benchmark measures: a process of its own for each, in turns, medians, and where it was run."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import launching

MEASURES = ("seconds", "cpu_seconds", "peak_gb")
ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# More processes to a CPU than this at the end of a benchmark that has two threads are not its own.
BUSY = 1.25

# One measurement: MEASURES, and whatever else was found.
Turn = dict[str, Any]
# Does the work that is timed; returns what else is to be said of it.
Work = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Ended:
    """A command that has run: what it used, and what it said."""

    measures: Turn
    printed: str
    errors: str
    exit_code: int
    stages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def succeeded(self) -> Ended:
        """The same. Raises RuntimeError, with its last words, for a command that failed."""
        if self.exit_code:
            said = (self.errors or self.printed).strip() or "it said nothing"
            raise RuntimeError(f"the command ended with exit code {self.exit_code}: {said}")
        return self


def measure_command(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    by_stage: bool = False,
) -> Ended:
    """A whole process and its children: wall, CPU and peak memory from start to end; ``by_stage`` for a riskstrat run.

    ``peak_gb`` is that of the largest of them, none of it this process's.
    """
    asked = json.dumps({"command": list(command), "stages": by_stage})
    done = subprocess.run(
        [sys.executable, "-I", "-S", launching.__file__, asked],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | dict(variables or {}),
    )
    found = json.loads(done.stdout)
    return Ended(
        {name: found[name] for name in MEASURES},
        found["printed"],
        found["errors"],
        found["exit_code"],
        found["stages"],
    )


def measure_in_process(
    module: str, name: str, folder: Path, variables: Mapping[str, str] | None = None
) -> Turn:
    """Let ``python -m MODULE --measure NAME --folder FOLDER`` measure one of its works and print the Turn as JSON."""
    ended = measure_command(
        [sys.executable, "-m", module, "--measure", name, "--folder", str(folder)],
        folder=ROOT,
        variables=variables,
    ).succeeded()
    found: Turn = json.loads(ended.printed.splitlines()[-1])
    return found | {"process_seconds": ended.measures["seconds"]}


def measure_work(work: Work) -> Turn:
    """Do the work in this process: its seconds and CPU seconds, and the most memory the process ever held."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    said = work()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3),
        "peak_gb": round(_peak_bytes() / 1e9, 3),
        **said,
    }


def _peak_bytes() -> int:
    """The most memory that this process ever held; getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def take_turns(names: Sequence[str], turns: int, measure: Callable[[str], Turn]) -> dict[str, list[Turn]]:
    """Every name once, then every name again: what slows the machine for a while slows them all."""
    found: dict[str, list[Turn]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names:
            found[name].append(measure(name))
            said = ", ".join(f"{key} {found[name][-1][key]}" for key in MEASURES)
            say(f"turn {turn + 1} of {turns}: {name}: {said}")
    return found


def medians(found: Mapping[str, Sequence[Turn]]) -> dict[str, dict[str, float]]:
    """The middle of each of MEASURES, by name."""
    return {
        name: {key: statistics.median(turn[key] for turn in turns) for key in MEASURES}
        for name, turns in found.items()
    }


def ratio(above: Mapping[str, float], below: Mapping[str, float]) -> dict[str, float]:
    """How many times the seconds and CPU seconds of another measurement."""
    return {key: round(above[key] / below[key], 2) for key in ("seconds", "cpu_seconds")}


def machine() -> dict[str, Any]:
    """The machine, and how busy it is with other work."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(memory / 1e9, 1),
        "load": round(os.getloadavg()[0], 2),
    }


def busy(where: Mapping[str, Any]) -> list[str]:
    """A sentence of Markdown where other work took turns with the measurements on a ``machine()``, else nothing."""
    if where["load"] <= BUSY * where["cpus"]:
        return []
    return ["**Other work was using the machine**: seconds say little, CPU seconds and their ratios more."]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def versions(*names: str) -> dict[str, str]:
    """The versions of riskstrat, Python and DuckDB, and of the packages named."""
    found = {name: version(name) for name in ("riskstrat", "duckdb", *names)}
    return found | {"python": platform.python_version()}


def write_result(folder: Path, name: str, result: Mapping[str, Any], page: str | None = None) -> None:
    """``NAME.json``, and ``NAME.md`` where there is a page, which is also printed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if page is not None:
        (folder / f"{name}.md").write_text(page, encoding="utf-8")
        print(page)


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)
