"""Every check over the last 30 published runs: a page of the site that lies beside the runs, and rows for a terminal.

A run's own page never changes, so it cannot say how later or earlier runs went. This one is written anew after each
publish, from what the runs have stored, and can be thrown away at any time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.quality.sparkline import spark_svg
from riskstrat.quality.store import stored_verdicts
from riskstrat.quality.wording import is_rule, kind_of, shown, what
from riskstrat.runs import Run, list_runs

MOST_RUNS = 30
ENOUGH_EARLIER = 3  # runs that a value must differ from before that is said
TREND_PAGE = Path("quality") / "index.html"
LOW_IS_BAD = ("delivery.volume", "rows.read", "rows.accepted", "provider.volume")
HIGH_IS_ODD = ("delivery.volume",)  # as when a supplier sends the whole history again
SEVERITIES = ("stop", "quarantine", "warn")


@dataclass(frozen=True)
class TrendRow:
    """One check over the runs, oldest first; None where a run did not measure it.

    A rule's value is the share of the rows read that broke it, another check's is what it observed. ``failed`` is the
    newest verdict, ``severity`` the gravest with which it failed, or was judged if it passed. ``title`` is the check
    in words. ``says`` names a newest value that is worse than all earlier ones.
    """

    extract: str
    check: str
    title: str
    severity: str
    values: tuple[float | None, ...]
    failed: bool
    says: str = ""

    @property
    def known(self) -> list[float]:
        """The values of the runs that measured it."""
        return [value for value in self.values if value is not None]

    @property
    def is_quiet(self) -> bool:
        """Whether it is a rule that nothing broke in any of the runs."""
        return is_rule(self.check) and not any(self.known)

    def shown(self, value: float | None) -> str:
        """One of its values as a person reads it."""
        if value is None:
            return "not measured"
        return f"{value:.2%}" if is_rule(self.check) else shown(self.check, value)

    @property
    def said(self) -> str:
        """The line in words."""
        low, high = min(self.known), max(self.known)
        runs = f"in {len(self.known)} of {len(self.values)} runs"
        return (
            f"{self.title.rstrip('.')}, {runs}: first {self.shown(self.known[0])}, "
            f"newest {self.shown(self.values[-1])}, lowest {self.shown(low)}, highest {self.shown(high)}."
        )


def trend_runs(output: Path, as_of: date | None = None) -> list[Run]:
    """The newest run of each of the last 30 dates up to ``as_of`` (default: every date), oldest first."""
    newest = {run.as_of: run for run in list_runs(output) if as_of is None or run.as_of <= as_of}
    return list(newest.values())[-MOST_RUNS:]


def trend_rows(output: Path, extract: str | None = None, as_of: date | None = None) -> list[TrendRow]:
    """Every check of one extract, or of all, over the last runs, in the order of the newest run that has it."""
    return _rows([_verdicts(run) for run in trend_runs(output, as_of)], extract)


def write_trend_page(output: Path, as_of: date | None = None) -> Path:
    """Write ``output/quality/index.html`` of the runs up to ``as_of``, replacing it in one step; returns its path."""
    from riskstrat.quality.page import quality_environment

    runs = trend_runs(output, as_of)
    rows = _rows([_verdicts(run) for run in runs])
    extracts = [
        {
            "name": name,
            "rows": [row for row in rows if row.extract == name and not row.is_quiet],
            "quiet": sum(row.extract == name and row.is_quiet for row in rows),
        }
        for name in sorted({row.extract for row in rows})
    ]
    page = (
        quality_environment()
        .get_template("trend.html.j2")
        .render(
            runs=runs,
            extracts=extracts,
            unusual=_worth_saying(rows),
            enough=ENOUGH_EARLIER,
            spark=lambda row: spark_svg(row.values, row.said),
            is_rule=is_rule,
        )
    )
    path = output / TREND_PAGE
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(page, encoding="utf-8")
    draft.replace(path)
    return path


def _worth_saying(rows: Sequence[TrendRow]) -> list[str]:
    """What is unlike any earlier run; what is older than ever is missing from more deliveries, and said once."""
    older = {row.extract for row in rows if row.says and kind_of(row.check) == "delivery.freshness"}
    return [
        row.says
        for row in rows
        if row.says and not (kind_of(row.check) == "delivery.missing" and row.extract in older)
    ]


def _verdicts(run: Run) -> Mapping[str, Mapping[str, Any]]:
    """What a run stored; a run that is damaged or older than this format is a gap in the lines."""
    try:
        return stored_verdicts(run.folder)
    except (OSError, ValueError):
        return {}


def _rows(runs: Sequence[Mapping[str, Mapping[str, Any]]], extract: str | None = None) -> list[TrendRow]:
    """``runs`` holds each run's stored verdicts by extract, oldest first."""
    names = [extract] if extract else sorted({name for verdicts in runs for name in verdicts})
    rows = []
    for name in names:
        found = [_values(verdicts[name]) if name in verdicts else {} for verdicts in runs]
        checks = sorted(
            dict.fromkeys(check for values in reversed(found) for check in values), key=is_rule
        )  # rules last, else as the newest run has them
        verdict: Mapping[str, Any] = next((one[name] for one in reversed(runs) if name in one), {})
        for check in checks:
            values = tuple(one.get(check) for one in found)
            judged = [result for result in verdict.get("results", ()) if result["check"] == check]
            rows.append(_row(name, check, values, judged))
    return rows


def _values(verdict: Mapping[str, Any]) -> dict[str, float]:
    read = verdict.get("observations", {}).get("read", 0)
    return {
        result["check"]: (result["observed"] / read if read else 0.0)
        if is_rule(result["check"])
        else float(result["observed"])
        for result in verdict["results"]
    }


def _row(
    extract: str, check: str, values: tuple[float | None, ...], judged: Sequence[Mapping[str, Any]]
) -> TrendRow:
    failed = {one["severity"] for one in judged if not one["success"]}
    severities = [name for name in SEVERITIES if name in (failed or {one["severity"] for one in judged})]
    rule = next((one["about"]["rule"] for one in judged if "rule" in one.get("about", ())), check)
    row = TrendRow(
        extract=extract,
        check=check,
        title=rule if is_rule(check) else what(check).capitalize(),
        severity=severities[0] if severities else "",
        values=values,
        failed=bool(failed),
    )
    return replace(row, says=_unusual(row))


def _unusual(row: TrendRow) -> str:
    """What there is to say where the newest value is worse than every earlier one; a better one is no news.

    A difference that does not show in the numbers as they are written is none.
    """
    now, earlier = row.values[-1], [value for value in row.values[:-1] if value is not None]
    if now is None or len(earlier) < ENOUGH_EARLIER:
        return ""
    low, high = min(earlier), max(earlier)
    kind = kind_of(row.check)
    is_lower = kind in LOW_IS_BAD and now < low and row.shown(now) != row.shown(low)
    is_higher = now > high and row.shown(now) != row.shown(high)
    if not is_lower and not (is_higher and (kind not in LOW_IS_BAD or kind in HIGH_IS_ODD)):
        return ""
    span = f"always {row.shown(low)}" if low == high else f"{row.shown(low)} to {row.shown(high)}"
    compared = f"{'lower' if is_lower else 'higher'} than in any of {len(earlier)} earlier runs ({span})"
    if is_rule(row.check):
        return f"{row.extract}: {row.title} {row.shown(now)} of the rows read break this rule, {compared}."
    return f"{row.extract}: {what(row.check)} is {row.shown(now)}, {compared}."
