"""Mails about one's own data: a new address to confirm, the notice to the old one, and the last mail of all."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from alliance import crypto
from events import mail_texts
from events.models import Conference
from events.releases.reading import published
from outbox import catalogue, topics
from outbox.catalogue import Values
from outbox.letters import Link, Part
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.letters import emails
from registration.models import AddressChange, Farewell
from registration.services import addresses, farewells, proofs


def _mail(letter: str, conference: Conference, *, to: str, language: str, values: Values) -> Mail:
    """A letter of the catalogue to an address that is no participant's."""
    wording = mail_texts.wording(conference.pk, letter, language)
    composed = catalogue.get(letter).compose(values, language=language, wording=wording)
    return Mail(to=to, subject=composed.subject, text=composed.text, html=composed.html, language=language)


def _change(message: Message, *, now: datetime) -> AddressChange | None:
    """The wish a message is about, while its link is good."""
    return (
        AddressChange.objects.select_related("participant__conference", "participant__identity_key")
        .filter(public_id=message.details["change"], expires_at__gt=now, participant__identity_key__isnull=False)
        .first()
    )


@published
def tell_new_address(message: Message, *, now: datetime) -> Mail | Superseded:
    """To the new address: the link that makes it count. It names nobody, for the address may be anybody's."""
    change = _change(message, now=now)
    if change is None:
        return Superseded("not wanted any more")
    try:
        address = addresses.address_of(change)
    except crypto.Unreadable:
        return Superseded("gone")
    link = Link(settings.SITE_URL + reverse("registration:address-confirm", args=[addresses.token_of(change)]))
    participant = change.participant
    return _mail(
        "address_confirm", participant.conference, to=address, language=participant.language, values={"page": link}
    )


@published
def tell_old_address(message: Message, *, now: datetime) -> Mail | Superseded:
    """To the present address: somebody who holds the personal link wants mail to go elsewhere."""
    change = _change(message, now=now)
    if change is None:
        return Superseded("not wanted any more")
    participant = change.participant
    with translation.override(participant.language):
        return emails.compose("address_notice", participant, emails.values(participant, []))


@published
def say_farewell(message: Message, *, now: datetime) -> Mail | Superseded:
    """The last mail to somebody who erased themself."""
    farewell = Farewell.objects.select_related("conference").filter(public_id=message.about_id).first()
    if farewell is None or farewell.delete_by <= now:
        return Superseded("gone")
    conference = farewell.conference
    with translation.override(farewell.language):
        title = str(conference.title)
    questions = Part("registration/mail/_questions.md", {"contact": conference.contact_email})
    code = proofs.shown(farewell.proof) if farewell.proof else ""
    query = urlencode({"lang": farewell.language, "proof": code})
    page = Link(f"{settings.SITE_URL}{reverse('registration:deleted')}?{query}")
    return _mail(
        "farewell",
        conference,
        to=farewell.address,
        language=farewell.language,
        values={
            "conference": title,
            "proof": Part("registration/mail/_proof.md", {"code": code, "page": page}),
            "questions": questions,
        },
    )


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    topics.register(addresses.CONFIRM, tell_new_address, letter="address_confirm")
    topics.register(addresses.NOTICE, tell_old_address, letter="address_notice")
    topics.register(farewells.TOPIC, say_farewell, letter="farewell")
