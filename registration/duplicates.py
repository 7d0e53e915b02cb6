"""Participants of a conference who may be the same person: across categories, spellings and alphabets.

Looked at is only what organisers read anyway: display name, country and organisation. Whoever appears under an alias is
never looked at, and neither are members of delegations: what a delegation named and what somebody did on their own is
never joined (docs/delegations.md). Addresses are sealed and are not compared.
"""

from __future__ import annotations

import difflib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, TextChoices
from django.utils.translation import gettext_lazy as _

from events.models import Conference
from registration.models import DifferentPeople, Participant
from registration.models.participant import ParticipantQuerySet
from registration.models.registration import ENDED
from speakers import folding

_LEAST_LIKENESS = 0.88
_SHORTEST = 6  # letters of a name that may hold a slip of the pen
_BLOCK = 4  # first letters that two spellings must share to be compared at all
_MOST_IN_BLOCK = 200  # beyond that a block says nothing
_MOST_GROUPS = 200


class Likeness(TextChoices):
    """Why two rows may be one person."""

    NAME = "name", _("The same name, in whatever spelling, alphabet or order")
    INITIALS = "initials", _("The same family name and initials, of the same country or organisation")
    SLIP = "slip", _("Nearly the same name, of the same country or organisation")


@dataclass(frozen=True, slots=True)
class Group:
    """People who may be the same, and why. Needs no more queries: live counts what still stands for each."""

    people: tuple[Participant, ...]
    reasons: tuple[Likeness, ...]


def comparable(conference: Conference) -> ParticipantQuerySet:
    """The people of a conference who may be compared and merged at all."""
    found: ParticipantQuerySet = Participant.objects.filter(
        conference=conference,
        has_alias=False,
        identity_key__isnull=False,
        membership__isnull=True,
        delegation__isnull=True,
    )
    return found


def groups(conference: Conference) -> list[Group]:
    """Groups of people who look alike, the surest first, without pairs that an organiser told apart. Two queries."""
    rows = (
        comparable(conference)
        .select_related("country")
        .defer("sealed_identity", "accessibility_needs")
        .annotate(live=Count("registrations", filter=~Q(registrations__status__in=ENDED)))
        .order_by("pk")
    )
    people = {person.pk: person for person in rows}
    apart = set(DifferentPeople.objects.filter(first__conference=conference).values_list("first_id", "second_id"))
    reasons: dict[tuple[int, int], Likeness] = {}
    for likeness, one, other in _pairs(people.values()):
        pair = (min(one, other), max(one, other))
        if pair not in apart:
            reasons.setdefault(pair, likeness)
    return [
        Group(tuple(people[pk] for pk in sorted(keys)), tuple(dict.fromkeys(found))) for keys, found in _joined(reasons)
    ][:_MOST_GROUPS]


def _words(name: str) -> list[str]:
    """The words of a name as they sound; a word without a sound of its own stays as it is."""
    return [folding.sound(word) or folding.plain(word) for word in name.replace(".", " ").replace("-", " ").split()]


def _pairs(people: Iterable[Participant]) -> Iterator[tuple[Likeness, int, int]]:
    by_name: dict[tuple[str, ...], list[int]] = defaultdict(list)
    by_initials: dict[tuple[object, ...], list[int]] = defaultdict(list)
    by_block: dict[tuple[object, ...], list[tuple[int, str]]] = defaultdict(list)
    for person in people:
        words = sorted(_words(person.display_name))
        whole = "".join(words)
        if sum(len(word) > 1 for word in words) > 1:  # an initial alone says too little
            by_name[tuple(words)].append(person.pk)
        longest = max(words, key=len, default="")
        initials = tuple(sorted(word[:1] for word in words if word is not longest))
        for place in _places(person):
            if initials and len(longest) > 1:
                by_initials[(place, longest, initials)].append(person.pk)
            if len(whole) >= _SHORTEST:
                by_block[(place, longest[:_BLOCK])].append((person.pk, whole))
    for likeness, table in ((Likeness.NAME, by_name), (Likeness.INITIALS, by_initials)):
        for keys in table.values():
            if len(keys) <= _MOST_IN_BLOCK:
                yield from ((likeness, one, other) for one, other in itertools.combinations(keys, 2))
    for block in by_block.values():
        if len(block) <= _MOST_IN_BLOCK:
            yield from _slips(block)


def _places(person: Participant) -> list[object]:
    organisation = folding.sound(person.organisation_text)
    return [
        *([person.country_id] if person.country_id is not None else []),
        *([organisation] if len(organisation) >= folding.SHORTEST_SOUND else []),
    ]


def _slips(block: list[tuple[int, str]]) -> Iterator[tuple[Likeness, int, int]]:
    for (one, first), (other, second) in itertools.combinations(block, 2):
        matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
        if matcher.quick_ratio() >= _LEAST_LIKENESS and matcher.ratio() >= _LEAST_LIKENESS:
            yield Likeness.SLIP, one, other


def _joined(reasons: dict[tuple[int, int], Likeness]) -> list[tuple[set[int], list[Likeness]]]:
    """Pairs as groups: who looks like somebody in a group belongs to it. Surest likeness first."""
    group_of: dict[int, set[int]] = {}
    for one, other in reasons:
        merged = group_of.get(one, {one}) | group_of.get(other, {other})
        for pk in merged:
            group_of[pk] = merged
    found: dict[int, tuple[set[int], list[Likeness]]] = {}
    order = list(Likeness)
    for (one, _other), likeness in sorted(reasons.items(), key=lambda item: (order.index(item[1]), item[0])):
        keys = group_of[one]
        found.setdefault(min(keys), (keys, []))[1].append(likeness)
    return list(found.values())
