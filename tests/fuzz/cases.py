"""One numbered case: which delivery, which damage, and the verdict. Seed and number decide everything."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from riskstrat.definitions.everything import Definitions, load_definitions
from riskstrat.site import Site
from tests.fuzz.command import own
from tests.fuzz.kinds import RARE, DoesNotFitError, Target, load_kinds
from tests.fuzz.oracle import Case, breaches
from tests.fuzz.probe import Found, check_delivery, watchdog
from tests.fuzz.town import EXTRACTS, FORMS, REQUIRED_EXTRACTS, Town, Variant, lay_out

OFTEN = (
    "gp_patients",
    "gp_events",
    "acute_episodes",
    "gp_medications",
    "acute_attendances",
    "community_contacts",
)
RARE_SHARE = 0.03
JUDGING_SECONDS = 120
TRIES = 8


@dataclass(frozen=True)
class Plan:
    """What a case does: the sound delivery and, in order, (kind, extract, night) of each piece of damage."""

    variant: Variant
    extracts: tuple[str, ...]
    steps: tuple[tuple[str, str, str], ...] = ()

    @property
    def damaged(self) -> frozenset[str]:
        return frozenset(extract for _, extract, _ in self.steps)

    def __str__(self) -> str:
        steps = ", then ".join(f"{kind} on {extract} of {night}" for kind, extract, night in self.steps)
        return f"{self.variant.form}, {self.variant.content}: {steps or 'nothing'}"


@dataclass
class Result:
    """A case's outcome in a word, its exit code, and every breach."""

    number: int
    plan: str
    kinds: tuple[str, ...] = ()
    outcome: str = ""
    exit_code: int = 0
    more_quarantined: int = 0
    seconds: float = 0.0
    said: str = ""
    problems: list[str] = field(default_factory=list)


class Bench:
    """A town, a site of one's own, and what the sound deliveries come to."""

    def __init__(self, town: Town, workplace: Path) -> None:
        self.town = town
        self.definitions: Definitions = load_definitions(town.site)
        self.workplace = workplace
        self.site: Site = own(town, workplace)
        self.sound = cache(self._sound)

    def _sound(self, content: Variant) -> Found:
        lay_out(self.town, content, EXTRACTS, self.site.landing)
        found = check_delivery(self.site, self.definitions)
        if found.raised or found.stopped_by or found.crash:
            raise RuntimeError(
                f"the sound delivery is refused: {found.raised or found.stopped_by or found.crash}"
            )
        return found

    def run_case(self, seed: int, number: int, kinds: tuple[str, ...] = ()) -> Result:
        """Damage a delivery, check it, and judge what came of it. ``kinds`` limits the damage to some."""
        rng = Random(f"{seed}/{number}")
        variant = Variant(
            rng.choices(FORMS, (6, 1, 2, 2))[0], faults=rng.random() < 0.5, two_nights=rng.random() < 0.3
        )
        sound = self.sound(dataclasses.replace(variant, form="csv"))
        plan = self._damage(rng, variant, kinds)
        said = "\n".join((str(plan), *(kind for kind, _, _ in plan.steps)))
        (self.workplace / "plan.txt").write_text(said, encoding="utf-8")
        found = check_delivery(self.site, self.definitions, page=rng.random() < 0.1)
        case = Case(self.site.landing, plan.damaged, sound)
        with watchdog(JUDGING_SECONDS):
            problems = breaches(case, found, self.town, self.definitions)
        return _result(number, plan, found, case, problems)

    def _damage(self, rng: Random, variant: Variant, kinds: tuple[str, ...]) -> Plan:
        main = rng.choice(OFTEN) if rng.random() < 0.8 else rng.choice(EXTRACTS)
        extracts = tuple(
            name for name in EXTRACTS if name in REQUIRED_EXTRACTS or name == main or rng.random() < 0.12
        )
        others = [main] if rng.random() < 0.8 else list(extracts)
        lay_out(self.town, variant, extracts, self.site.landing)
        steps: list[tuple[str, str, str]] = []
        wanted = rng.choices((1, 2, 3), (6, 3, 1))[0]
        for place in range(wanted * TRIES):
            if len(steps) == wanted:
                break
            kind = _draw(rng, kinds)
            extract = main if not steps else rng.choice(others)
            night = rng.choice(variant.nights).isoformat()
            try:
                load_kinds()[kind](
                    Random(f"{rng.random()}/{place}"), Target(self.site.landing / night, extract)
                )
            except DoesNotFitError:
                continue
            steps.append((kind, extract, night))
        return Plan(variant, extracts, tuple(steps))


def _draw(rng: Random, kinds: tuple[str, ...]) -> str:
    catalogue = load_kinds()
    if kinds:
        return rng.choice(kinds)
    if rng.random() < RARE_SHARE:
        return rng.choice(sorted(RARE))
    return rng.choice([name for name in catalogue if name not in RARE])


def _result(number: int, plan: Plan, found: Found, case: Case, problems: list[str]) -> Result:
    def quarantined(one: Found) -> int:
        return sum(counts["quarantined"] for name, counts in one.conservation.items() if name in plan.damaged)

    more = quarantined(found) - quarantined(case.sound) if found.conservation else 0
    problem = found.raised or found.stopped_by
    outcome = "crashed" if found.crash else "refused" if problem else "quarantined" if more > 0 else "clean"
    return Result(
        number,
        str(plan),
        tuple(dict.fromkeys(kind for kind, _, _ in plan.steps)),
        outcome,
        problem.exit_code if problem else 0,
        max(more, 0),
        found.seconds,
        str(problem) if problem else "",
        problems,
    )
