"""Audience rules for people whose country and organisation are withheld: the rules still look at what they told us.

What is withheld is sealed with the person's key (registration.models.protection). It is opened here for the rule alone,
and leaves nothing but the answer.
"""

from __future__ import annotations

from alliance import crypto
from events.models import Country
from registration.models import Admission, Participant, ProtectedParticipant


def admits(admission: Admission, person: Participant) -> bool:
    """Whether somebody belongs to the audience of an admission. Needs the country; more queries for the protected."""
    country, organisation_id = person.country, person.organisation_id
    if person.has_alias and (country is None or organisation_id is None):
        found = (
            ProtectedParticipant.objects.select_related("participant__identity_key").filter(participant=person).first()
        )
        if found is not None:
            try:
                kept = found.unseal()
            except (crypto.Unreadable, Participant.identity_key.RelatedObjectDoesNotExist):
                return False
            country = country or Country.objects.filter(pk=kept.country or 0).first()
            organisation_id = organisation_id or kept.organisation
    return admission.admits(category=person.category, country=country, organisation_id=organisation_id)
