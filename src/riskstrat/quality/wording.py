"""Sentences about a check: who, how much, against what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

NAMED = 3  # providers in a sentence; the page's calendar shows all of them

_WHAT = {
    "delivery.freshness": "age of the newest delivery",
    "delivery.volume": "rows of the newest delivery against the usual",
    "delivery.missing": "newest deliveries without it",
    "rows.read": "rows read",
    "rows.accepted": "rows accepted",
    "rows.quarantined_share": "share of rows quarantined and not corrected since",
    "provider.silence": "months for which a provider sent nothing",
    "provider.volume": "smallest newest month of a provider against its own mean",
}


def kind_of(check: str) -> str:
    """The check without its extract, for instance ``delivery.freshness``."""
    return check.partition(".")[2]


def is_rule(check: str) -> bool:
    """Whether the check is a rule of a contract rather than one of the checks that every extract has."""
    return kind_of(check) not in _WHAT


def what(check: str) -> str:
    """What a check measures, in a few words; a rule is called by its identifier."""
    return _WHAT.get(kind_of(check), check)


def shown(check: str, value: float | None) -> str:
    """A value as a person reads it: days, a percentage or a count."""
    if value is None:
        return ""
    match kind_of(check):
        case "delivery.freshness":
            return "1 day" if value == 1 else f"{value:,.0f} days"
        case "delivery.volume" | "provider.volume":
            return percent(value)
        case "rows.quarantined_share":
            return f"{value:.2%}"
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """A share in whole percent, with one decimal where that would hide it."""
    return f"{share:.0%}" if share == 0 or share >= 0.1 else f"{share:.1%}"


def notices(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What there is to say of an extract's failed checks, rules apart: each once, by the gravest of its severities.

    An extract that is stale is of course missing from the newest deliveries, so that is not said again.
    """
    failed = {result["check"]: result for result in reversed(results) if not result["success"]}
    failed |= {
        result["check"]: result
        for result in results
        if not result["success"] and result["severity"] == "stop"
    }
    kinds = {kind_of(check) for check in failed}
    return [
        sentence(failed[check])
        for check in dict.fromkeys(result["check"] for result in results)
        if check in failed
        and not is_rule(check)
        and not (kind_of(check) == "delivery.missing" and "delivery.freshness" in kinds)
    ]


def sentence(result: Mapping[str, Any]) -> str:
    """What a failed result means, from its parts: ``check``, ``severity``, its limits and ``about``."""
    say = _SENTENCES.get(kind_of(result["check"]), _rule)
    return say(result["check"].partition(".")[0], result)


def _rule(extract: str, result: Mapping[str, Any]) -> str:
    broken = f"{_counted(int(result['observed']))} broke {result['check'].removeprefix(extract + '.')}"
    stops = " One is enough to stop a run." if result["severity"] == "stop" else ""
    return f"{extract}: {broken}. {result['about'].get('rule', '')}{stops}"


def _stale(extract: str, result: Mapping[str, Any]) -> str:
    about = result["about"]
    days, most = (shown(result["check"], result[name]) for name in ("observed", "maximum"))
    state = "too old" if result["severity"] == "stop" else "stale"
    end = f"a run stops beyond {most}" if result["severity"] == "stop" else f"{most} are allowed"
    return f"{extract} is {state}: the newest is of {about['newest']}, {days} before {about['as_of']}; {end}."


def _small(extract: str, result: Mapping[str, Any]) -> str:
    about = result["about"]
    earlier = "delivery" if about["deliveries"] == 1 else "deliveries"
    least = percent(result["minimum"])
    end = f"a run stops below {least}" if result["severity"] == "stop" else f"below {least} is suspicious"
    usual = f"{about['usual']:,.0f} (median of {about['deliveries']} earlier {earlier})"
    return (
        f"{extract} of {about['delivery']} has {_counted(about['rows'])}, against a usual {usual}: "
        f"{percent(result['observed'])}; {end}."
    )


def _missing(extract: str, result: Mapping[str, Any]) -> str:
    about, missed = result["about"], result["about"]["missed"]
    where = f"the delivery of {missed[0]}" if len(missed) == 1 else f"the deliveries of {_listed(missed)}"
    held = (
        "the one delivery before" if about["held"] == 1 else f"each of the {about['held']} deliveries before"
    )
    return f"{extract} is missing from {where}; {held} had it."


def _silent(extract: str, result: Mapping[str, Any]) -> str:
    about, months = result["about"], dict[str, list[str]]()
    for one in about["silent"]:
        months.setdefault(one["month"], []).append(one["provider"])
    named = []
    for month, providers in sorted(months.items(), reverse=True)[:NAMED]:
        who = (
            ", ".join(providers)
            if len(providers) <= NAMED
            else f"{len(providers)} of {about['providers']} providers"
        )
        named.append(f"for {date.fromisoformat(month):%B %Y} from {who}")
    if len(months) > NAMED:
        named.append(f"and for {len(months) - NAMED} earlier months")
    return f"{extract}: nothing came {', '.join(named)}; what looks back over that is unknown, not zero."


def _small_months(extract: str, result: Mapping[str, Any]) -> str:
    about = result["about"]
    month, small = f"{date.fromisoformat(about['month']):%B %Y}", about["small"]
    named = [
        f"{entry['provider']} sent {_counted(entry['rows'])} against its mean of {entry['mean']:,.0f}"
        for entry in small[:NAMED]
    ]
    more = len(small) - NAMED
    if more > 0:
        named.append(
            f"{more} more of {about['providers']} providers sent less than {percent(result['minimum'])} of theirs"
        )
    return f"{extract} of {month} is suspiciously small: {'; '.join(named)} (over the 12 months before)."


def _empty(extract: str, _: Mapping[str, Any]) -> str:
    return f"{extract} was delivered without a row."


def _damaged(extract: str, result: Mapping[str, Any]) -> str:
    about = result["about"]
    if result["maximum"] is None:
        end = f"at least {result['minimum']:,} must be"
    else:
        end = f"at most {percent(result['maximum'])} may be quarantined"
    return (
        f"{extract} broke its contract beyond its threshold: {about['quarantined']:,} of {about['read']:,} rows "
        f"quarantined, {about['accepted']:,} accepted; {end}."
    )


def _counted(rows: int) -> str:
    return {0: "no row", 1: "1 row"}.get(rows, f"{rows:,} rows")


def _listed(items: list[str]) -> str:
    return ", ".join(items) if len(items) <= NAMED else f"{items[0]} and {len(items) - 1} later"


_SENTENCES: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "delivery.freshness": _stale,
    "delivery.volume": _small,
    "delivery.missing": _missing,
    "rows.read": _empty,
    "rows.accepted": _damaged,
    "rows.quarantined_share": _damaged,
    "provider.silence": _silent,
    "provider.volume": _small_months,
}
