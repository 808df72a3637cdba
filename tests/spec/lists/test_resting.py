"""Who rests because a team has just done something, who does not, and who was added by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.spec.lists.nights import Night, Place, key, returned
from tests.spec.lists.worlds import Person, delivered, in_hospital, person

AS_OF = date(2026, 4, 10)
SINCE = in_hospital("2026-03-20 10:00:00")


def before(days: int) -> date:
    return AS_OF - timedelta(days=days)


def at(day: date) -> str:
    return f"{day} 18:00:00"


def back(one: Person, number: int, **columns: Any) -> dict[str, Any]:
    return returned(one.number, return_number=number, **columns)


def listed(night: Night, name: str = "huddle") -> set[str]:
    return {row["person_id"] for row in night.rows(name) if row["rank"] is not None}


def resting(night: Night, name: str = "huddle") -> set[str]:
    rows = night.rows("eligible")
    return {
        row["person_id"] for row in rows if row["list"] == name and row["not_listed_because"] == "resting"
    }


def test_rest_and_what_ends_it(place: Place):
    people = {
        name: person(index, messages=SINCE)
        for index, name in enumerate(
            (
                *("seen_3", "seen_4", "declined", "referred", "not_reached", "no_action", "other_list"),
                *(
                    "later_try",
                    "same_day",
                    "day_before",
                    "new_stay",
                    "episode",
                    "came_to_ae",
                    "added",
                    "went_home",
                ),
            ),
            start=1,
        )
    }
    people["same_day"] = people["same_day"].but(messages=(("admitted", at(before(2))),))
    people["day_before"] = people["day_before"].but(messages=(("admitted", at(before(3))),))
    people["new_stay"] = people["new_stay"].but(messages=(("admitted", at(before(1))),))
    people["episode"] = people["episode"].but(admissions=(before(2),))
    people["came_to_ae"] = people["came_to_ae"].but(arrived=at(before(1)))
    people["added"] = people["added"].but(is_added=True)
    people["went_home"] = people["went_home"].but(messages=(*SINCE, ("discharged", at(before(1)))))
    said = [
        ("seen_3", {"outcome_date": before(3)}),
        ("seen_4", {"outcome_date": before(4)}),
        ("declined", {"outcome_date": before(1), "outcome": "declined"}),
        ("referred", {"outcome_date": before(1), "outcome": "referred", "referred_to": "falls_service"}),
        ("not_reached", {"outcome_date": before(1), "outcome": "not_reached"}),
        ("no_action", {"outcome_date": before(1), "outcome": "no_action"}),
        ("other_list", {"outcome_date": before(1), "list": "needy"}),
        ("later_try", {"outcome_date": before(3)}),
        ("later_try", {"outcome_date": before(1), "outcome": "not_reached"}),
        *((name, {"outcome_date": before(2)}) for name in ("same_day", "day_before", "new_stay", "episode")),
        *((name, {"outcome_date": before(2)}) for name in ("came_to_ae", "added", "went_home")),
    ]
    returns = [back(people[name], number, **columns) for number, (name, columns) in enumerate(said, start=1)]
    night = place.night(AS_OF, delivered(AS_OF, list(people.values())), returns)
    names = {key(one.number): name for name, one in people.items()}
    assert {names[one] for one in resting(night)} == {
        "seen_3",
        "declined",
        "referred",
        "later_try",
        "day_before",
    }
    assert key(people["other_list"].number) in resting(night, "needy")
    assert "resting" not in {
        row["not_listed_because"] for row in night.rows("eligible") if row["list"] == "monthly"
    }


def test_an_event_of_the_day_of_the_outcome_or_later_ends_the_rest_and_is_marked(place: Place):
    fresh, asleep = person(1, messages=(("admitted", at(before(1))),)), person(2, messages=SINCE)
    said = [back(one, number, outcome_date=before(1)) for number, one in enumerate((fresh, asleep), start=1)]
    night = place.night(AS_OF, delivered(AS_OF, [fresh, asleep]), said)
    assert night.of("huddle", fresh.number)["rest_overridden"] is True
    assert night.of("monthly", fresh.number)["rest_overridden"] is False  # nobody rests on that list
    assert listed(night) == {key(fresh.number)}


def test_who_rests_leaves_the_place_to_somebody_else(place: Place):
    people = [person(index, age=90 - index, messages=SINCE) for index in (1, 2, 3)]
    first = place.night(before(1), delivered(before(1), people))
    assert listed(first) == {key(one.number) for one in people[:2]}  # the list has two places
    declined = back(people[0], 1, outcome_date=before(1), outcome="declined")
    second = place.night(AS_OF, delivered(AS_OF, people), [declined])
    assert listed(second) == {key(one.number) for one in people[1:]}
    assert second.of("huddle", people[0].number)["dropped_because"] == "resting"
    places = {row["person_id"]: row["place"] for row in second.rows("eligible") if row["list"] == "huddle"}
    assert [places[key(one.number)] for one in people] == [1, 2, 3]  # who rests keeps the place in the order


def test_who_was_added_by_hand_is_kept_and_marked_and_takes_nobodys_place(place: Place):
    added = person(1, age=60, is_ill=False, is_added=True)
    others = [person(index, age=90 - index, messages=SINCE) for index in (2, 3, 4)]
    night = place.night(AS_OF, delivered(AS_OF, [added, *others]), [back(added, 1, outcome_date=before(1))])
    assert listed(night) == {key(added.number), *(key(one.number) for one in others[:2])}
    row = night.of("huddle", added.number)
    assert (row["is_manual_addition"], row["rank"], row["event"], row["rest_overridden"]) == (
        True,
        3,
        None,
        False,
    )
    assert night.manifest["lists"]["huddle"]["areas"]["TN1"]["quota"] == 2
    again = place.night(AS_OF + timedelta(days=1), delivered(AS_OF, [added.but(is_added=False), *others]))
    assert again.of("huddle", added.number)["dropped_because"] == "below threshold"
