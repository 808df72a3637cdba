"""Stays in hospital after as_of: those that go on, those that begin, and the versions of their episodes.

Unplanned stays are exactly those that the truth has drawn for the outcome year, so the attainable risk stays true.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from riskstrat.demo.calibration import Booleans, Integers, constant
from riskstrat.demo.chunk import Chunk
from riskstrat.demo.episodes import Episodes, draw_episodes, episode_columns
from riskstrat.demo.nights.horizon import NIGHT_IDS, Horizon, Sent, in_order_sent, lags
from riskstrat.demo.people import YEAR, People
from riskstrat.demo.rows import NEVER, Rows, identifiers
from riskstrat.demo.spells import (
    BORN_OR_DIED,
    DIED,
    OTHER_HOSPITAL,
    USES,
    Spells,
    elective_rate,
    joined,
    maternity_rate,
    spread,
    unplanned_spells,
)

REGULAR = USES.index("regular")
# A planned stay keeps this many days clear of another one.
CLEAR_DAYS = 3


@dataclass(frozen=True)
class Wards:
    """Spells that are open on as_of, ``begun`` of them, and then those that begin later, with their episodes.

    ``origin`` is the place of a spell among those of the first delivery, -1 where it begins later. ``lag`` is how many
    days after they happen a person's episodes are sent. ``is_new_stay`` says where an unplanned stay begins: not with a
    transfer, and not before as_of.
    """

    spells: Spells
    begun: int
    origin: Integers
    episodes: Episodes
    lag: Integers
    is_new_stay: Booleans

    @property
    def admission_told(self) -> Integers:
        """The delivery with the first version of each spell."""
        told = self.spells.admission + self.lag[self.spells.person]
        return np.where(self.origin >= 0, NEVER * -1, told)

    @property
    def discharge_told(self) -> Integers:
        """The delivery with the version that says when each spell ended."""
        return self.spells.discharge + self.lag[self.spells.person]


def draw_wards(
    told: Chunk, later: People, horizon: Horizon, streams: dict[str, np.random.Generator]
) -> Wards:
    """All stays of the horizon. ``later`` are the people with their deaths of the horizon."""
    generator, hospital = streams["spells"], told.hospital
    future = told.stays.only((told.stays.window == 0) & (told.stays.day < horizon.last))
    unplanned = unplanned_spells(later, told.health, future, hospital.usual, generator)
    origin = np.flatnonzero(hospital.spells.discharge >= horizon.first)
    begun = _going_on(hospital.spells.at(origin), unplanned, later, horizon)
    moved_on = _with_deaths(hospital.later, later)
    moved_on = moved_on.at(moved_on.admission < horizon.last)
    recent = hospital.spells.at(hospital.spells.discharge >= horizon.first - CLEAR_DAYS)
    planned = _planned(told, later, horizon, generator)
    planned = _clear_of(joined([recent, unplanned, moved_on]), planned)
    new = joined([unplanned, moved_on, planned])
    drawn = draw_episodes(
        new,
        later,
        told.health,
        recent_since=told.calendar.recent_start,
        known_before=horizon.last,
        generator=streams["episodes"],
    )
    spells = Spells(
        *(np.concatenate([getattr(begun, field.name), getattr(new, field.name)]) for field in fields(Spells))
    )
    is_transfer = spells.source == OTHER_HOSPITAL
    return Wards(
        spells=spells,
        begun=len(begun),
        origin=np.concatenate([origin, np.full(len(new), -1)]),
        episodes=_all_episodes(told, origin, begun, drawn),
        lag=lags(len(later), constant("night_episode_late"), 3, generator),
        is_new_stay=(spells.use == 0) & ~is_transfer & (np.arange(len(spells)) >= len(begun)),
    )


def _going_on(spells: Spells, unplanned: Spells, later: People, horizon: Horizon) -> Spells:
    """Open spells end at death, and before the next unplanned stay: nobody is in two beds at once."""
    following = np.full(len(later), NEVER, dtype=np.int64)
    np.minimum.at(following, unplanned.person, unplanned.admission)
    limit = np.maximum(following[spells.person] - 1, horizon.first)
    return _with_deaths(replace(spells, discharge=np.minimum(spells.discharge, limit)), later)


def _with_deaths(spells: Spells, later: People) -> Spells:
    """Spells of people who die end with their death, not later; where they end so, that is how they end."""
    death = later.death[spells.person]
    dies = (spells.discharge >= death) & (spells.destination != OTHER_HOSPITAL)
    return replace(
        spells,
        discharge=np.minimum(spells.discharge, np.maximum(death, spells.admission)),
        ending=np.where(dies, DIED, spells.ending),
        destination=np.where(dies, BORN_OR_DIED, spells.destination),
    )


def _planned(told: Chunk, later: People, horizon: Horizon, generator: np.random.Generator) -> Spells:
    """Planned, maternity and regular attendances at the rates of the history."""
    past = told.hospital.spells
    years = (told.calendar.as_of - told.calendar.history_start) / YEAR
    regular = np.bincount(past.person[past.use == REGULAR], minlength=len(later)) / years
    rates = {
        "elective": elective_rate(later, horizon.first),
        "regular": regular,
        "maternity": maternity_rate(later, horizon.first),
    }
    return joined(
        [
            spread(
                use,
                generator.poisson(np.where(later.end > horizon.first, rate * horizon.years, 0.0)),
                later,
                horizon.first,
                usual=told.hospital.usual,
                generator=generator,
            )
            for use, rate in rates.items()
        ]
    )


def _clear_of(others: Spells, planned: Spells) -> Spells:
    """The planned spells that keep clear of all others and of the planned ones before them."""
    taken: dict[int, list[tuple[int, int]]] = {}
    for person, admission, discharge in zip(others.person, others.admission, others.discharge, strict=True):
        taken.setdefault(int(person), []).append((int(admission), int(discharge)))
    keeps = np.zeros(len(planned), dtype=bool)
    for place, (person, admission, discharge) in enumerate(
        zip(planned.person, planned.admission, planned.discharge, strict=True)
    ):
        stays = taken.setdefault(int(person), [])
        keeps[place] = all(
            admission >= left + CLEAR_DAYS or discharge + CLEAR_DAYS <= came for came, left in stays
        )
        if keeps[place]:
            stays.append((int(admission), int(discharge)))
    return planned.at(keeps)


def _all_episodes(told: Chunk, origin: Integers, begun: Spells, new: Episodes) -> Episodes:
    """The episodes of open spells as the first delivery drew them, cut where the spell ends, and the new ones."""
    old = told.hospital.episodes
    place = np.full(len(told.hospital.spells), -1, dtype=np.int64)
    place[origin] = np.arange(len(origin))
    mine = old.at(place[old.owner] >= 0)
    owner = place[mine.owner]
    discharge = begun.discharge[owner]
    last = np.append(owner[1:] != owner[:-1], True)[: len(owner)]
    cut = replace(mine, owner=owner, finish=np.where(last, discharge, np.minimum(mine.finish, discharge)))
    cut = cut.at(cut.start <= discharge)
    return Episodes(
        owner=np.concatenate([cut.owner, new.owner + len(begun)]),
        number=np.concatenate([cut.number, new.number]),
        start=np.concatenate([cut.start, new.start]),
        finish=np.concatenate([cut.finish, new.finish]),
        lag=np.concatenate([cut.lag, new.lag]),
        specialty=np.concatenate([old.specialty[origin], new.specialty]),
        diagnoses=np.concatenate([old.diagnoses[origin], new.diagnoses]),
    )


def send_episodes(told: Chunk, wards: Wards, later: People, horizon: Horizon) -> Sent:
    """The extract acute_episodes: a new version of all episodes of a spell whenever one of them begins or ends."""
    spells, episodes = wards.spells, wards.episodes
    spell, day = _changes(wards, horizon)
    each = np.bincount(episodes.owner, minlength=len(spells))
    first = np.cumsum(each) - each
    version = np.repeat(np.arange(len(spell)), each[spell])
    within = np.arange(len(version)) - np.repeat(np.cumsum(each[spell]) - each[spell], each[spell])
    episode = first[spell[version]] + within
    begun = episodes.start[episode] <= day[version]
    version, episode = version[begun], episode[begun]
    sent = day[version] + wards.lag[spells.person[spell[version]]]
    order = in_order_sent(sent, horizon, spell[version], episode)
    version, episode, sent = version[order], episode[order], sent[order]
    chosen = episodes.at(episode)
    columns = {
        "episode_id": identifiers("C", _episode_numbers(told, wards)[episode]),
        "spell_id": identifiers("S", _spell_numbers(told, wards)[chosen.owner]),
        **episode_columns(chosen, spells, later, today=day[version] + 1, recorded=sent),
    }
    return Sent(Rows("acute_episodes", columns, spells.person[chosen.owner]), sent)


def _changes(wards: Wards, horizon: Horizon) -> tuple[Integers, Integers]:
    """Each spell and day on which one of its episodes begins or it ends, once."""
    spell = np.concatenate([wards.episodes.owner, np.arange(len(wards.spells))])
    day = np.concatenate([wards.episodes.start, wards.spells.discharge])
    within = (day >= horizon.first) & (day < horizon.last)
    pairs = np.unique(spell[within] * NEVER + day[within])
    return pairs // NEVER, pairs % NEVER


def _spell_numbers(told: Chunk, wards: Wards) -> Integers:
    """The number in each spell's identifier: of the first delivery, or a new one."""
    new = told.first_id + NIGHT_IDS + np.arange(len(wards.spells))
    return np.where(wards.origin >= 0, told.first_id + wards.origin, new)


def _episode_numbers(told: Chunk, wards: Wards) -> Integers:
    """The number in each episode's identifier. The first delivery numbered those that had begun."""
    old, new = told.hospital.episodes, told.first_id + NIGHT_IDS + np.arange(len(wards.episodes))
    delivered = old.start < told.calendar.as_of
    numbered_then = told.first_id + np.cumsum(delivered) - 1
    origin = wards.origin[wards.episodes.owner]
    keys = old.owner[delivered] * NEVER + old.number[delivered]
    wanted = origin * NEVER + wards.episodes.number
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    known = (origin >= 0) & (keys[place] == wanted) if len(keys) else np.zeros(len(wanted), dtype=bool)
    return np.where(known, numbered_then[delivered][place], new) if len(keys) else new
