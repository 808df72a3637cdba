"""The table at the end of a campaign, and what failed in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.cases import Result

HEADER = ("kind", "deliveries", "refused 2", "refused 4", "quarantined", "rows", "clean", "failed")


def summary(results: Sequence[Result], again: str, kept: Path, seconds: float) -> str:
    """How each kind of damage ended; a delivery with several kinds counts under each of them."""
    kinds = sorted({kind for result in results for kind in result.kinds})
    rows = [_row(kind, [result for result in results if kind in result.kinds]) for kind in kinds]
    rows.append(_row("every delivery", results))
    widths = [max(len(row[place]) for row in (HEADER, *rows)) for place in range(len(HEADER))]
    lines = [_line(HEADER, widths), *(_line(row, widths) for row in rows), ""]
    failed = [result for result in results if result.problems]
    for result in sorted(failed, key=lambda result: result.number):
        lines.append(f"FAILED case {result.number}: {result.plan}")
        lines += [f"    {line}" for problem in result.problems for line in problem.rstrip().splitlines()]
        lines.append(f"    again: {again} --only {result.number}")
    longest = max((result.seconds for result in results), default=0.0)
    lines.append(
        f"{len(results):,} deliveries in {seconds:.0f} s (the longest check {longest:.1f} s), {len(failed):,} failed."
    )
    if failed:
        lines.append(f"The failing deliveries lie in {kept}")
    return "\n".join(lines) + "\n"


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    refused = Counter(result.exit_code for result in results if result.outcome == "refused")
    outcomes = Counter(result.outcome for result in results)
    counts = (
        len(results),
        refused[2],
        refused[4],
        outcomes["quarantined"],
        sum(result.more_quarantined for result in results),
        outcomes["clean"],
        sum(bool(result.problems) for result in results),
    )
    return (name, *(f"{count:,}" for count in counts))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()
