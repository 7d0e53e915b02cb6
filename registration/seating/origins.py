"""Audience rules for people whose country and organisation are withheld: the rules still look at what they told us.

What is withheld is sealed with the person's key (registration.models.protection). It is opened here for the rule alone,
and leaves nothing but the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alliance import crypto
from events.models import Country
from registration.models import Admission, Participant, ProtectedParticipant
from registration.models.protection import Kept


@dataclass(frozen=True, slots=True, repr=False)
class Origin:
    """What somebody told us of country and organisation, shown or withheld."""

    country: Country | None
    organisation_id: int | None


Origins = Mapping[int, Origin | None]  # by participant; None: it can be read no more


def of(people: Iterable[Participant]) -> Origins:
    """Where people come from. Needs the country of each; two queries at most, and none where nobody has an alias."""
    known = {person.pk: person for person in people}
    asked = [pk for pk, one in known.items() if one.has_alias and (one.country_id is None or not one.organisation_id)]
    kept: dict[int, Kept | None] = {}
    if asked:
        found = ProtectedParticipant.objects.select_related("participant__identity_key").filter(participant__in=asked)
        kept = {one.participant_id: _opened(one) for one in found}
    hidden = {one.country for one in kept.values() if one is not None and one.country is not None}
    countries = Country.objects.in_bulk(hidden) if hidden else {}
    return {
        pk: _origin(person, kept[pk], countries) if pk in kept else Origin(person.country, person.organisation_id)
        for pk, person in known.items()
    }


def _opened(protection: ProtectedParticipant) -> Kept | None:
    try:
        return protection.unseal()
    except (crypto.Unreadable, Participant.identity_key.RelatedObjectDoesNotExist):
        return None


def _origin(person: Participant, kept: Kept | None, countries: Mapping[int, Country]) -> Origin | None:
    if kept is None:
        return None
    return Origin(person.country or countries.get(kept.country or 0), person.organisation_id or kept.organisation)


def admits(admission: Admission, person: Participant, known: Origins | None = None) -> bool:
    """Whether somebody belongs to the audience of an admission. Needs the country; more queries for the protected.

    known: of() several people, for who asks about all of them.
    """
    origin = (of([person]) if known is None or person.pk not in known else known)[person.pk]
    if origin is None:
        return False
    return admission.admits(category=person.category, country=origin.country, organisation_id=origin.organisation_id)
