"""`python -m tests.fuzz --deliveries 2000 --seed 1`: damage that many deliveries and see that nothing breaks."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.campaign import COMMAND_EVERY, Campaign
from tests.fuzz.cases import Result
from tests.fuzz.kinds import load_kinds
from tests.fuzz.summary import summary
from tests.fuzz.town import write_fuzz_town

PROGRESS_EVERY = 50


def main() -> int:
    """Run the campaign; 1 when a delivery was handled in a way that it may not be."""
    given = _arguments()
    root = Path(tempfile.mkdtemp(prefix="riskstrat-fuzz-"))
    kept = Path(tempfile.mkdtemp(prefix="riskstrat-fuzz-failures-"))
    numbers = given.only if given.only else range(given.first, given.first + given.deliveries)
    began = time.perf_counter()
    try:
        campaign = Campaign(
            root, kept, write_fuzz_town(root / "town"), given.seed, given.kinds, given.command_every
        )
        results = []
        for result in campaign.run(numbers, given.workers):
            results.append(result)
            _tell(result, len(results), len(numbers), began, loud=bool(given.only))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    again = f"{Path(sys.executable).name} -m tests.fuzz --seed {given.seed}"
    again += "".join(f" --kind {kind}" for kind in given.kinds)
    sys.stdout.write(summary(results, again, kept, time.perf_counter() - began))
    failed = any(result.problems for result in results)
    if not failed:
        kept.rmdir()
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=2000, help="how many to damage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first case's number")
    parser.add_argument("--only", type=int, action="append", metavar="N", help="these cases alone")
    parser.add_argument(
        "--kind", action="append", default=[], choices=sorted(load_kinds()), help="this damage alone"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--command-every",
        type=int,
        default=COMMAND_EVERY,
        metavar="N",
        help="put every N-th delivery through the real command too; 0 for none",
    )
    given = parser.parse_args()
    given.kinds = tuple(given.kind)
    return given


def _tell(result: Result, done: int, wanted: int, began: float, *, loud: bool) -> None:
    if result.problems or loud:
        sys.stderr.write(f"case {result.number} ({result.plan}): {result.outcome} {result.said}\n")
        sys.stderr.write("".join(f"    {problem}\n" for problem in result.problems))
    if done % PROGRESS_EVERY == 0:
        pace = (time.perf_counter() - began) / done
        sys.stderr.write(f"{done:,} of {wanted:,} deliveries, {pace:.2f} s each\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
