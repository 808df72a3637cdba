"""Many cases on a few worker processes, each with a folder of its own; a worker that dies costs one case."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.cases import Bench, Result
from tests.fuzz.command import PublishedSite, copy_plain
from tests.fuzz.town import Town

COMMAND_EVERY = 25


@dataclass(frozen=True)
class Campaign:
    """Which cases to run, and where: the town lies in ``root``, failing deliveries are kept in ``kept``."""

    root: Path
    kept: Path
    town: Town
    seed: int
    kinds: tuple[str, ...] = ()
    command_every: int = COMMAND_EVERY

    def run(self, numbers: Sequence[int], workers: int) -> Iterator[Result]:
        """Every case's result, in the order in which they end."""
        left = iter(numbers)
        going: dict[Any, _Worker] = {}
        for place in range(min(workers, len(numbers))):
            worker = _Worker(self, place)
            going[worker.near] = worker
            worker.begin(next(left))
        while going:
            for near in wait(list(going)):
                result, worker = going.pop(near).ended()
                following = next(left, None)
                if following is None:
                    worker.stop()
                else:
                    going[worker.near] = worker
                    worker.begin(following)
                yield result


class _Worker:
    def __init__(self, campaign: Campaign, place: int) -> None:
        self.campaign, self.place, self.number = campaign, place, -1
        self.near, far = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=_work, args=(campaign, place, far), daemon=True)
        self.process.start()
        far.close()

    def begin(self, number: int) -> None:
        self.number = number
        self.near.send(number)

    def ended(self) -> tuple[Result, _Worker]:
        """The case's result, and who goes on: another worker where this one died."""
        try:
            return self.near.recv(), self
        except EOFError:
            self.process.join()
            why = f"crash: the process died with exit code {self.process.exitcode}: a hang, or worse (see stderr)"
            plan = (self._folder / "plan.txt").read_text(encoding="utf-8", errors="replace")
            kinds = tuple(dict.fromkeys(plan.splitlines()[1:]))
            keep(self._folder / "landing", self.campaign.kept, self.number, [plan, why])
            dead = Result(self.number, plan.splitlines()[0], kinds, "crashed", 1, problems=[why])
            return dead, _Worker(self.campaign, self.place)

    def stop(self) -> None:
        self.near.close()
        self.process.join()

    @property
    def _folder(self) -> Path:
        return self.campaign.root / f"worker-{self.place}"


def _work(campaign: Campaign, place: int, far: Connection) -> None:
    folder = campaign.root / f"worker-{place}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bench = Bench(campaign.town, folder)
    published: list[PublishedSite] = []
    while True:
        try:
            number = far.recv()
        except EOFError:
            return
        try:
            result = bench.run_case(campaign.seed, number, campaign.kinds)
            if campaign.command_every and number % campaign.command_every == 0:
                if not published:
                    published.append(PublishedSite(campaign.town, folder))
                result.problems += published[0].problems(bench.site.landing)
        except Exception:
            result = Result(number, "the fuzzer itself failed", problems=[traceback.format_exc()])
        if result.problems:
            keep(bench.site.landing, campaign.kept, number, [result.plan, *result.problems])
        far.send(result)


def keep(landing: Path, kept: Path, number: int, said: Sequence[Any]) -> None:
    """Keep a failing delivery with what failed."""
    target = kept / f"case-{number}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / "why.txt").write_text("\n".join(map(str, said)) + "\n", encoding="utf-8", errors="replace")
    try:
        shutil.copytree(landing, target / "landing", symlinks=True, copy_function=copy_plain)
    except (OSError, shutil.Error) as problem:
        sys.stderr.write(f"case {number} could not be kept whole: {problem}\n")
