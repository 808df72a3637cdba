"""The page docs/extracts.md, made of the contracts alone: what comes in, what goes out, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from riskstrat.definitions.contracts import Column, Contract
from riskstrat.definitions.limits import UNITS, LimitValue
from riskstrat.definitions.markdown import table

INTRODUCTION = """\
# Extracts and outputs

What suppliers send and what a run publishes, as the contracts in `data_contracts/` state it. This page is generated:
change a contract, then run `riskstrat contracts page --out docs/extracts.md`. How files are named and delivered stands
in the [operating guide](operating.md), what the words mean in the [glossary](glossary.md).

- A **required** column must be in the header; whether a value may be empty, the rules say.
- A rule of severity **quarantine** sets the row aside, with its reason; **warn** only counts it, and an unlisted value
  of an optional column is then taken as unknown; **stop** ends the run at the first row.
- Dates are written `2026-04-01`, times `2026-04-01 13:45:00`, truth `true` or `false`, files in UTF-8. A time with a
  zone or an offset counts as the clock that was written: send the time in England.
- Limits of freshness and volume are the contract's; a site may override them in `config/sources.yaml`.
- Versions are semantic: a new first number breaks with what was sent or read before (`riskstrat contracts diff`).
"""
DIRECTIONS = {"in": "What comes in", "out": "What goes out", "back": "What comes back"}
RUN_READS = {
    "event_date": "event date",
    "recorded_date": "recorded date",
    "provider": "provider",
    "record_key": "record key",
}


def contract_page(contracts: Mapping[str, Contract]) -> str:
    """The whole page as Markdown; the same contracts give the same bytes."""
    return "\n".join([INTRODUCTION, *_contents(contracts), *_sections(contracts)])


def limit_sentences(limits: Mapping[str, LimitValue]) -> list[str]:
    """What a contract's limits of freshness and volume mean, a sentence each; none for a limit that is not set."""
    written = {
        name: f"{value * 100:g}%" if UNITS.get(name) == "share" else str(value)
        for name, value in limits.items()
        if value is not None and (name, value) != ("min_rows", 0)
    }
    return [text.format(**written) for names, text in LIMITS if written.keys() >= set(names)]


def value_form(column: Column, contract: Contract) -> str:
    """Which values a column may have: a list, a form or a range; '' where any value of its type will do."""
    if column.allowed:
        return ", ".join(column.allowed)
    for rule in contract.rules:
        if rule.column != column.name or rule.check is None:
            continue
        if rule.check.pattern is not None:
            return rule.check.pattern
        ends = [(rule.check.minimum, "or more"), (rule.check.maximum, "or less")]
        if rule.kind == "range":
            return " and ".join(f"{end} {words}" for end, words in ends if end is not None)
    return ""


def facts(contract: Contract) -> dict[str, str]:
    """What there is to know of a contract besides its columns, by label; columns are listed with commas."""
    presence = {"presence": "required" if contract.required else "optional"}
    named = {label: getattr(contract, name) for name, label in RUN_READS.items()}
    return {
        "version": contract.version,
        **(presence if contract.direction == "in" else {}),
        "grain": contract.grain,
        "key": ", ".join(contract.key),
        **{label: name for label, name in named.items() if name},
    }


# Limits that make a sentence together, where all of them are set.
LIMITS: Sequence[tuple[tuple[str, ...], str]] = (
    (("stale_after_days",), "A run warns when the newest delivery is more than {stale_after_days} days old."),
    (("stop_after_days",), "It stops when the newest delivery is more than {stop_after_days} days old."),
    (
        ("max_quarantined_share", "max_quarantined_rows"),
        "It stops when more than {max_quarantined_rows} rows and more than {max_quarantined_share} of the rows read "
        "are quarantined, or all of them.",
    ),
    (("min_rows",), "It stops when fewer than {min_rows} rows are accepted."),
    (
        ("small_share",),
        "It warns when the newest delivery has less than {small_share} of the usual number of rows.",
    ),
    (("stop_small_share",), "It stops when that is less than {stop_small_share}."),
    (
        ("small_share", "usual_after", "usual_min_rows"),
        "Usual is the median of the earlier deliveries, once there are {usual_after} of them and it is "
        "{usual_min_rows} or more.",
    ),
    (
        ("month_small_share",),
        "It warns when a provider's month has less than {month_small_share} of the provider's own mean.",
    ),
)


def _contents(contracts: Mapping[str, Contract]) -> Iterator[str]:
    for direction, title in DIRECTIONS.items():
        yield from table(
            (title.lower(), "what it is", "version", "a run needs it" if direction == "in" else "one row"),
            (
                (
                    f"[{contract.name}](#{contract.name})",
                    contract.title,
                    contract.version,
                    ("yes" if contract.required else "no") if direction == "in" else contract.grain,
                )
                for contract in contracts.values()
                if contract.direction == direction
            ),
        )


def _sections(contracts: Mapping[str, Contract]) -> Iterator[str]:
    for direction, title in DIRECTIONS.items():
        yield f"## {title}\n"
        for contract in contracts.values():
            if contract.direction == direction:
                yield from _section(contract)


def _section(contract: Contract) -> Iterator[str]:
    yield f"### {contract.name}\n"
    prose = [f"**{contract.title}.**", contract.purpose, contract.usage, contract.limitations]
    yield " ".join(part for part in prose if part) + "\n"
    yield _facts_sentence(facts(contract)) + "\n"
    yield from table(
        ("column", "type", "required", "allowed values", "meaning", "national term"),
        (
            (
                f"`{column.name}`",
                column.type,
                "yes" if column.required else "",
                f"`{form}`" if (form := value_form(column, contract)) and not column.allowed else form,
                column.description,
                column.national_term,
            )
            for column in contract.columns
        ),
    )
    if contract.rules:
        yield from table(
            ("rule", "severity", "what", "remedy"),
            ((f"`{rule.id}`", rule.severity, rule.message, rule.remedy) for rule in contract.rules),
        )
    limits = limit_sentences(contract.limits)
    if limits:
        yield f"Freshness and volume: {' '.join(limits)}\n"


def _facts_sentence(known: Mapping[str, str]) -> str:
    words = [f"Version {known['version']}", known.get("presence", ""), known["grain"].rstrip(".").lower()]
    columns = [
        f"{label} {', '.join(f'`{name}`' for name in fact.split(', '))}"
        for label, fact in known.items()
        if label not in ("version", "presence", "grain")
    ]
    return "; ".join(part for part in (*words, *columns) if part) + "."
