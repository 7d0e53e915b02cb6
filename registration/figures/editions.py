"""The conferences of a series side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from events.models import Conference
from registration.figures.counting import Numbers, People, number_of_countries, numbers, people_of
from registration.models import Figure


@dataclass(frozen=True, slots=True)
class Edition:
    """One conference of a series: what is counted, and what was written by hand about it."""

    conference: Conference
    total: Numbers
    countries: Numbers
    imported: list[Figure]


def read(conferences: Sequence[Conference]) -> list[Edition]:
    """The conferences side by side. Two queries, however many there are."""
    people: dict[int, list[People]] = defaultdict(list)
    for group in people_of(conferences):
        people[group.conference_id].append(group)
    imported: dict[int, list[Figure]] = defaultdict(list)
    for figure in Figure.objects.filter(conference__in=conferences, session=None, group="").order_by("pk"):
        imported[figure.conference_id].append(figure)
    return [
        Edition(
            conference,
            numbers(people[conference.pk]),
            number_of_countries(people[conference.pk]),
            imported[conference.pk],
        )
        for conference in conferences
    ]
