"""Runs one command and says what it used; a process of its own, because Linux counts what a parent held as the child's.

python -I -S launching.py '{"command": [...], "stages": true}'

Standard library only, so that it stays smaller than anything it measures. Prints one JSON document.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

# What riskstrat writes when a stage is done.
STAGE = re.compile(r"(?P<stage>\w+) +[0-9.]+ s")
TICKS = os.sysconf("SC_CLK_TCK")
LAST_LINES = 20


def main() -> None:
    """Run the command of the first argument in this process's folder and environment."""
    asked = json.loads(sys.argv[1])
    print(json.dumps(launched(asked["command"], by_stage=asked["stages"])))


def launched(command: list[str], *, by_stage: bool) -> dict[str, Any]:
    """Seconds, CPU seconds and peak gigabytes of a process and its children, what it printed and its exit code.

    ``by_stage`` also tells the stages of a riskstrat run apart, each named when its line appears on stderr.
    """
    errors: list[str] = []
    stages: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryFile("w+") as printed:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE, text=True
        )
        _follow(process, errors, stages if by_stage else None)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
    return {
        "seconds": round(seconds, 4),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 4),
        # What a stage held is forgotten when it ends, so that the next one's own can be told.
        "peak_gb": max([round(used.ru_maxrss * 1024 / 1e9, 4), *(one["peak_gb"] for one in stages.values())]),
        "stages": stages,
        "printed": text,
        "errors": "".join(errors[-LAST_LINES:]),
        "exit_code": process.returncode,
    }


def _follow(
    process: subprocess.Popen[str], errors: list[str], stages: dict[str, dict[str, float]] | None
) -> None:
    """Read stderr to its end; at every stage's line, note what was used since the line of the stage before.

    So the first stage's part holds the start of the process too.
    """
    stream: IO[str] | None = process.stderr
    if stream is None:
        return
    spent, before = 0.0, time.perf_counter()
    for line in stream:
        errors.append(line)
        found = STAGE.fullmatch(line.strip()) if stages is not None else None
        if found is not None and stages is not None:
            cpu, now = _cpu_seconds(process.pid), time.perf_counter()
            stages[found["stage"]] = {
                "seconds": round(now - before, 3),
                "cpu_seconds": round(cpu - spent, 3),
                "peak_gb": round(_peak_gb(process.pid), 4),
            }
            spent, before = cpu, now
            _forget_peak(process.pid)
    stream.close()


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _peak_gb(process: int) -> float:
    """The most memory that a process held since it began or since ``_forget_peak``; 0 for one that has just ended."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = status.partition("VmHWM:")[2].split()
    return int(found[0]) * 1024 / 1e9 if found else 0.0


def _forget_peak(process: int) -> None:
    Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")


if __name__ == "__main__":
    main()
