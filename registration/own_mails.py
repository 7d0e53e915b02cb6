"""Mails about one's own data: a new address to confirm, the notice to the old one, and the last mail of all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from alliance import crypto
from events.releases.reading import published
from outbox import letters, topics
from outbox.letters import Link
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.models import AddressChange, Farewell
from registration.services import addresses, farewells


def _mail(template: str, *, to: str, language: str, **context: Any) -> Mail:
    with translation.override(language):
        letter = letters.write(f"registration/mail/{template}.md", context, language=language)
    return Mail(to=to, subject=letter.subject, text=letter.text, html=letter.html, language=language)


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
    return _mail("address_confirm", to=address, language=change.participant.language, page=link)


@published
def tell_old_address(message: Message, *, now: datetime) -> Mail | Superseded:
    """To the present address: somebody who holds the personal link wants mail to go elsewhere."""
    change = _change(message, now=now)
    if change is None:
        return Superseded("not wanted any more")
    participant = change.participant
    return _mail(
        "address_notice",
        to=participant.open_identity().email,
        language=participant.language,
        name=participant.display_name,
        page=Link(settings.SITE_URL + reverse("registration:personal", args=[participant.personal_token])),
        contact=participant.conference.contact_email,
    )


@published
def say_farewell(message: Message, *, now: datetime) -> Mail | Superseded:
    """The last mail to somebody who erased themself."""
    farewell = Farewell.objects.select_related("conference").filter(public_id=message.about_id).first()
    if farewell is None or farewell.delete_by <= now:
        return Superseded("gone")
    contact = farewell.conference.contact_email
    return _mail("farewell", to=farewell.address, language=farewell.language, contact=contact)


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    topics.register(addresses.CONFIRM, tell_new_address)
    topics.register(addresses.NOTICE, tell_old_address)
    topics.register(farewells.TOPIC, say_farewell)
