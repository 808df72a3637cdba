"""Whether a frame can be made at all: index dates of which outcomes are known, and a register that names the dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from riskstrat.dates import day_after
from riskstrat.definitions.model_outcome import Outcome
from riskstrat.errors import ContractBrokenError, MisuseError
from riskstrat.stages.ingest.deliveries import Deliveries


def known_before(outcome: Outcome, deliveries: Deliveries, file: Path) -> date:
    """The day before which outcomes can be known: every extract of labels was delivered up to it.

    ``file`` is where the outcome stands. Raises MisuseError where such an extract never came.
    """
    newest = []
    for extract in outcome.extracts:
        feeds = deliveries.feeds.get(extract, ())
        if not feeds:
            raise MisuseError(
                f"labels are made of {extract}, which was not delivered.",
                file=file,
                column="extracts",
                remedy="deliver it, or name another extract.",
            )
        newest.append(max(feed.delivery for feed in feeds))
    return day_after(min(newest))


def checked_end(complete_to: date | None, known: date) -> date:
    """Up to when outcomes are looked at: ``known``, or an earlier day that is asked for. Raises MisuseError."""
    if complete_to is not None and complete_to > known:
        raise MisuseError(
            f"outcomes before {complete_to} were asked for, and what they are made of was delivered up to {known}.",
            remedy=f"use {known} or an earlier day, or put newer deliveries into the landing folder.",
        )
    return complete_to or known


def checked_dates(index_dates: Sequence[date], outcome: Outcome, complete_to: date) -> list[date]:
    """The index dates in order, each once. Raises MisuseError for none, or where all labels of one would be unknown."""
    days = sorted(set(index_dates))
    if not days:
        raise MisuseError("no index date was named.", remedy="name at least one.")
    shortest = min(outcome.horizons, key=lambda horizon: horizon.end(days[-1]))
    if shortest.end(days[-1]) > complete_to:
        raise MisuseError(
            f"what happened in the {shortest.name} from {days[-1]} on is not known yet: outcomes end at {complete_to}.",
            remedy=f"name no index date after {shortest.latest_start(complete_to)}, or wait for newer deliveries.",
        )
    return days


def refuse_survivors(outcome: Outcome, counts: Mapping[str, Mapping[str, int]], register: Path) -> None:
    """A register without anybody who died since would train a model of survivors. Raises ContractBrokenError."""
    for day, counted in counts.items():
        died, people = counted.get(f"died_{outcome.main.name}"), counted["people"]
        if outcome.survivors_from and died == 0 and people >= outcome.survivors_from:
            raise ContractBrokenError(
                f"of {people} people registered on {day} nobody died in the {outcome.main.name} from then on, so the "
                "register seems to hold the living alone.",
                file=register,
                column="date_of_death",
                remedy="ask the supplier for everybody who was registered since the first index date, the dead and "
                "those who left too; or change survivors_from in config/model/outcome.yaml.",
            )


def refuse_no_labels(
    outcome: Outcome, counts: Mapping[str, Mapping[str, int]], silences: Sequence[str]
) -> None:
    """Nothing can be learnt where no label is known. Raises ContractBrokenError."""
    labelled = sum(
        counted.get(f"labelled_{horizon.name}", 0)
        for counted in counts.values()
        for horizon in outcome.horizons
    )
    if not labelled:
        raise ContractBrokenError(
            f"no label of these index dates is known. {' '.join(silences)}".strip(),
            remedy="ask the provider for what is missing, or declare the gap in config/sources.yaml.",
        )
