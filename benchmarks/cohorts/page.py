"""What was measured, as a document and as a page."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.cohorts.peers import LIMIT_GB, LIMIT_SECONDS
from benchmarks.cohorts.question import CUT_DOWN, EDITIONS, WHERE, WHOLE
from benchmarks.cohorts.turns import Measured
from benchmarks.running import MEASURES, machine, ratio, versions

MOST_SECONDS, MOST_TIMES_BARE, LEAST_TIMES_PEER = 0.35, 2.0, 5.0


def result(found: list[Measured], not_run: dict[str, str], about: dict[str, Any]) -> dict[str, Any]:
    """Everything: the machine, versions, every turn, medians, answers, and the three aims."""
    rows = {one.asked.name: _row(one) for one in found}
    return {
        **about,
        "question": WHERE,
        "machine": machine(),
        "versions": versions("typer"),
        "rows_of_table": rows,
        "not_run": not_run,
        "aims": _aims(rows),
    }


def _row(one: Measured) -> dict[str, Any]:
    row: dict[str, Any] = {
        "label": one.asked.label,
        "peer": one.asked.peer,
        "edition": one.asked.edition,
        "answer": one.answer if one.asked.right is not None else None,
        "problem": one.problem,
        "differs": one.asked.differs,
        "turns": one.turns,
    }
    if one.turns:
        names = [*MEASURES, *(name for name in one.turns[0] if name not in MEASURES)]
        row["median"] = {name: statistics.median(turn[name] for turn in one.turns) for name in names}
        row["least"] = {name: min(turn[name] for turn in one.turns) for name in MEASURES}
    return row


def _aims(rows: dict[str, Any]) -> dict[str, Any]:
    """The figures that the aims are about; None where one of the two was not measured."""
    ours, bare = rows["count_where"].get("median"), rows["bare"].get("median")

    def times(above: dict[str, float] | None, below: dict[str, float] | None) -> dict[str, float] | None:
        return ratio(above, below) if above and below else None

    return {
        "count_where_seconds": ours["seconds"] if ours else None,
        "count_where_to_bare": times(ours, bare),
        "fastest_peers": {
            edition: {"peer": name, "to_count_where": times(rows[name]["median"], ours)}
            for edition in EDITIONS
            if (name := _fastest(rows, edition))
        },
    }


def _fastest(rows: dict[str, Any], edition: str) -> str | None:
    """The peer that takes the fewest seconds over one edition."""
    seconds = {
        name: float(row["median"]["seconds"])
        for name, row in rows.items()
        if row["edition"] == edition and "median" in row
    }
    return min(seconds, key=lambda name: seconds[name], default=None)


def page(measured: dict[str, Any]) -> str:
    """A table of all rows, why answers differ, and the aims."""
    rows = measured["rows_of_table"]
    turns = max((len(row["turns"]) for row in rows.values()), default=0)
    lines = [
        f"`{measured['question']}` of {measured['people']:,} people; every row a whole process, medians of {turns} "
        f"interleaved turns (3 where one takes over 5 s); {measured['machine']['cpus']} CPUs, "
        + ", ".join(f"{name} {number}" for name, number in measured["versions"].items())
        + ".",
        "",
        "| | seconds | least | CPU seconds | peak MB | times `count --where` | people |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_line(row, rows["count_where"]) for row in rows.values()),
        *(f"| {name} | not run: {reason} | | | | | |" for name, reason in measured["not_run"].items()),
    ]
    return "\n".join([*lines, "", *_editions(measured), *_notes(measured), *_aim_lines(measured["aims"]), ""])


def _editions(measured: dict[str, Any]) -> list[str]:
    """What the peers' inputs hold."""
    about = {
        CUT_DOWN: "only the rows that the question needs",
        WHOLE: "everything that is recorded of the same people, as a site's tables hold it; a peer is stopped after "
        f"{LIMIT_SECONDS} s or at {LIMIT_GB} GB",
    }
    return [
        f"- {EDITIONS[edition].capitalize()}: {about[edition]} ("
        + ", ".join(f"{name} {number:,}" for name, number in rows.items())
        + ")."
        for edition, rows in measured["rows"].items()
    ]


def _line(row: dict[str, Any], ours: dict[str, Any]) -> str:
    if "median" not in row:
        return f"| {row['label']} | not measured: {row['problem']} | | | | | |"
    middle, least = row["median"], row["least"]["seconds"]
    base = ours.get("median", {}).get("seconds")
    times = f"{middle['seconds'] / base:.2f}" if base else ""
    people = f"{row['answer']:,}" if row["answer"] is not None else ""
    return (
        f"| {row['label']} | {middle['seconds']:.3f} | {least:.3f} | {middle['cpu_seconds']:.3f} "
        f"| {1000 * middle['peak_gb']:.0f} | {times} | {people} |"
    )


def _notes(measured: dict[str, Any]) -> list[str]:
    """Where answers differ and why; what of a peer's process is its query; and wrong answers."""
    right = measured["answers"]["completed years"]
    notes = [f"The right answer, counted from the events without SQL: {right:,}."]
    for name, row in measured["rows_of_table"].items():
        if row["differs"] and row["answer"] is not None:
            more = row["answer"] - right
            notes.append(
                f"{name}: {f'{more:+,} people' if more else 'the same people here'}. {row['differs']}"
            )
        if row["problem"]:
            notes.append(f"{row['label']}: {row['problem']}.")
        parts = {part: took for part, took in row.get("median", {}).items() if part not in MEASURES}
        if parts:
            said = ", ".join(f"{part.removesuffix('_seconds')} {took:.2f} s" for part, took in parts.items())
            notes.append(f"{name}, without starting and importing: {said}.")
    return [f"- {note}" for note in notes]


def _aim_lines(aims: dict[str, Any]) -> list[str]:
    lines = []
    if aims["count_where_seconds"] is not None:
        lines.append(
            f"- `count --where` takes {aims['count_where_seconds']:.3f} s; the aim is {MOST_SECONDS}."
        )
    if aims["count_where_to_bare"]:
        ratio = aims["count_where_to_bare"]
        lines.append(
            f"- It takes {ratio['seconds']:.2f} times the bare query's process ({ratio['cpu_seconds']:.2f} times its "
            f"CPU); the aim is {MOST_TIMES_BARE:g}."
        )
    for edition, fastest in aims["fastest_peers"].items():
        if ratio := fastest["to_count_where"]:
            lines.append(
                f"- The fastest peer over {EDITIONS[edition]}, {fastest['peer'].partition(',')[0]}, takes "
                f"{ratio['seconds']:.2f} times as long ({ratio['cpu_seconds']:.2f} times the CPU); the aim is "
                f"{LEAST_TIMES_PEER:g}."
            )
    return lines
