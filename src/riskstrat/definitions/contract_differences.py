"""Where two versions of a contract differ, part by part: facts, columns, rules, limits and words.

A change of an extract is breaking when a supplier who kept the old contract would no longer keep the new one, a
change of an output when a reader of it could be misled; in both, when values are to be understood otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from riskstrat.definitions.contracts import Column, Contract, Rule
from riskstrat.definitions.limits import LimitValue
from riskstrat.definitions.rules import Check

Level = Literal["breaking", "compatible", "wording"]
# A place within a contract, what happened there, and how far it reaches.
Found = tuple[str, str, Level]
T = TypeVar("T", Column, Rule)

# Custom properties that say how values are to be understood.
MEANING = ("grain", "unit", "window", "codeSystem")
# Limits that can stop a run; the others only warn. True where a lower value is the stricter one.
STOPPING: Mapping[str, bool] = {
    "stop_after_days": True,
    "max_quarantined_share": True,
    "max_quarantined_rows": True,
    "min_rows": False,
    "stop_small_share": False,
}
SEVERITY_ORDER = ("warn", "quarantine", "stop")
SEVERITY_WORDS = {"warn": "only warns", "quarantine": "sets rows aside", "stop": "stops a run"}


def differences(before: Contract, after: Contract) -> Iterator[Found]:
    """Everything in which two versions of one contract differ, their version apart."""
    yield from _facts(before, after)
    yield from _columns(before, after)
    yield from _rules(before, after)
    yield from _limits(before.limits, after.limits)
    yield from _words("the contract", before, after, ("title", "grain", "purpose", "usage", "limitations"))


def _facts(before: Contract, after: Contract) -> Iterator[Found]:
    if before.direction != after.direction:
        yield "the contract", f"is for what goes {after.direction}", "breaking"
    if before.required != after.required:
        level = _harm(after, is_stricter=after.required)
        yield "the contract", f"is {'required' if after.required else 'optional'} now", level
    if before.key != after.key:
        yield "the key", f"is {', '.join(after.key)} instead of {', '.join(before.key)}", "breaking"
    had = {column.name for column in before.columns}
    for name, words in (
        ("event_date", "the event date"),
        ("recorded_date", "the recorded date"),
        ("provider", "the provider column"),
        ("record_key", "the record key"),
    ):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            # what nobody has sent yet cannot be read otherwise than before
            is_unused = was is None and now not in had and not after.column(now).required
            yield words, f"is {now or 'none'} instead of {was or 'none'}", _level(not is_unused)


def _columns(before: Contract, after: Contract) -> Iterator[Found]:
    renamed = _renamed(before, after)
    was, now = _by(before.columns, _name), _by(after.columns, _name)
    for name in was:
        if name in renamed:
            yield f"column {name}", f"was renamed to {renamed[name]}", "breaking"
        elif name not in now:
            yield f"column {name}", "was removed", "breaking"
    for name, column in now.items():
        if name in was:
            yield from _column(was[name], column, after)
        elif name not in renamed.values():
            is_asked_for = column.required and after.direction != "out"
            yield (
                f"column {name}",
                f"is new{' and required' if column.required else ''}",
                _level(is_asked_for),
            )
    order = [name for name in was if name in now]
    if order != [name for name in now if name in was]:
        yield "the columns", "stand in another order", "compatible"


def _column(before: Column, after: Column, contract: Contract) -> Iterator[Found]:
    place = f"column {after.name}"
    if (before.type, before.sql_type) != (after.type, after.sql_type):
        yield place, f"is {after.type} ({after.sql_type}), not {before.type} ({before.sql_type})", "breaking"
    if before.required != after.required:
        level = _harm(contract, is_stricter=after.required)
        yield place, f"is {'required' if after.required else 'optional'} now", level
    if before.allowed and after.allowed:  # a list that begins or ends is a rule that does
        gone = [value for value in before.allowed if value not in after.allowed]
        added = [value for value in after.allowed if value not in before.allowed]
        if gone:
            yield place, f"no longer allows {', '.join(gone)}", "breaking"
        if added:
            yield place, f"allows {', '.join(added)} too", "compatible"
    yield from _meaning(place, before, after)
    yield from _words(place, before, after, ("description", "national_term"))


def _meaning(place: str, before: Column, after: Column) -> Iterator[Found]:
    if before.unknown != after.unknown:
        yield place, f"takes an unknown value for {after.unknown or 'empty'}", "breaking"
    for name, words in (("identifier", "an identifier"), ("private", "private")):
        if getattr(before, name) != getattr(after, name):
            yield place, f"is {'' if getattr(after, name) else 'not '}{words} now", "breaking"
    for name in sorted(before.about.keys() | after.about.keys()):
        was, now = before.about.get(name), after.about.get(name)
        if was != now and name in MEANING:
            yield place, f"has {name} {now or 'none'} instead of {was or 'none'}", _level(was is not None)
        elif was != now:
            yield place, f"has other words for its {name}", "wording"


def _renamed(before: Contract, after: Contract) -> dict[str, str]:
    """Old name -> new name of columns that are gone and stand there again, of the same type and described as before."""
    was, now = _by(before.columns, _name), _by(after.columns, _name)
    added = [column for name, column in now.items() if name not in was]
    renamed: dict[str, str] = {}
    for old in (column for name, column in was.items() if name not in now):
        for new in added:
            if (old.type, old.description) == (new.type, new.description):
                renamed[old.name] = new.name
                added.remove(new)
                break
    return renamed


def _rules(before: Contract, after: Contract) -> Iterator[Found]:
    was, now = _by(before.rules, _id), _by(after.rules, _id)
    for name, rule in was.items():
        if name not in now and not _follows(rule, before, after):
            yield f"rule {name}", "was dropped", _harm(after, is_stricter=False)
    for name, rule in now.items():
        if _follows(rule, before, after):
            continue
        if name in was:
            yield from _rule(was[name], rule, after)
        else:
            words = f"is new and {SEVERITY_WORDS[rule.severity]}"
            is_stricter = rule.severity != "warn"
            yield (
                f"rule {name}",
                words,
                _harm(after, is_stricter=is_stricter) if is_stricter else "compatible",
            )


def _rule(before: Rule, after: Rule, contract: Contract) -> Iterator[Found]:
    place = f"rule {after.id}"
    if before.severity != after.severity:
        raised = SEVERITY_ORDER.index(after.severity) > SEVERITY_ORDER.index(before.severity)
        harms = raised and contract.direction != "out"
        yield place, f"{SEVERITY_WORDS[after.severity]} now", _level(harms)
    was, now = (
        before.check or Check(after.kind, after.severity),
        after.check or Check(after.kind, after.severity),
    )
    if was.pattern != now.pattern:
        yield place, f"has the pattern {now.pattern} instead of {was.pattern}", "breaking"
    ends = (was.minimum, was.maximum), (now.minimum, now.maximum)
    if ends[0] != ends[1]:
        level = _harm(contract, is_stricter=_is_narrower(*ends))
        yield place, f"asks for {_range(ends[1])} instead of {_range(ends[0])}", level
    if (was.condition, before.judge) != (now.condition, after.judge):
        yield place, "asks for something else", _level(after.severity != "warn")
    yield from _words(
        place, was, now, ("message", "remedy")
    )  # as stated; riskstrat's own words are no contract's


def _follows(rule: Rule, before: Contract, after: Contract) -> bool:
    """Whether a rule comes or goes with its column, or with a fact of it that is named as a change by itself."""
    if rule.column is None:
        return False
    was, now = _by(before.columns, _name).get(rule.column), _by(after.columns, _name).get(rule.column)
    if was is None or now is None:
        return True
    facts = (was.type, was.required, was.identifier) != (now.type, now.required, now.identifier)
    return facts and rule.kind in ("type", "required", "nhs_number")


def _limits(before: Mapping[str, LimitValue], after: Mapping[str, LimitValue]) -> Iterator[Found]:
    if not before and after:
        yield "the limits", "of freshness and volume are stated now", "compatible"
        return
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was != now:
            is_stricter = name in STOPPING and _is_stricter(was, now, lower=STOPPING[name])
            words = f"is {'none' if now is None else now} instead of {'none' if was is None else was}"
            yield f"limit {name}", words, _level(is_stricter)


def _is_stricter(before: LimitValue, after: LimitValue, *, lower: bool) -> bool:
    if before is None or after is None:
        return after is not None
    return after < before if lower else after > before


def _is_narrower(before: tuple[float | None, float | None], after: tuple[float | None, float | None]) -> bool:
    return _is_stricter(before[0], after[0], lower=False) or _is_stricter(before[1], after[1], lower=True)


def _range(ends: tuple[float | None, float | None]) -> str:
    low, high = ends
    return " and ".join(
        [*([f"{low} or more"] if low is not None else []), *([f"{high} or less"] if high is not None else [])]
    )


def _words(place: str, before: Any, after: Any, names: Sequence[str]) -> Iterator[Found]:
    for name in names:
        if getattr(before, name) != getattr(after, name):
            yield place, f"has other words for its {name.replace('_', ' ')}", "wording"


def _harm(contract: Contract, *, is_stricter: bool) -> Level:
    """A stricter extract harms its suppliers (and a stricter return its teams), a laxer output its readers."""
    return _level(not is_stricter if contract.direction == "out" else is_stricter)


def _level(is_breaking: bool) -> Level:
    return "breaking" if is_breaking else "compatible"


def _by(entries: Sequence[T], named: Callable[[T], str]) -> dict[str, T]:
    return {named(entry): entry for entry in entries}


def _name(column: Column) -> str:
    return column.name


def _id(rule: Rule) -> str:
    return rule.id
