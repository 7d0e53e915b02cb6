"""Mails about invitations: queued with the change, written from ids when they leave. Subjects name no topic."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation

import outbox.services
from alliance import dates
from events.models import Conference
from events.releases.reading import published
from outbox import letters, topics
from outbox.letters import Link
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.models import Admission, Invitation, InvitationState

SENT = "invitation.sent"
REMINDER = "invitation.reminder"
WITHDRAWN = "invitation.withdrawn"


def _message(topic: str, invitation: Invitation, *, now: datetime, deadline_at: datetime | None = None) -> Message:
    more: dict[str, Any] = {} if deadline_at is None else {"deadline_at": deadline_at}
    return outbox.services.message(
        topic=topic,
        about_kind="invitation",
        about_id=invitation.public_id,
        key=f"{topic}:{invitation.public_id}:{invitation.link_version}",
        now=now,
        version=invitation.link_version,
        order_key=f"invitation:{invitation.public_id}",
        **more,
    )


def invitation(invitation: Invitation, *, now: datetime) -> Message:
    """The mail with the personal link."""
    return _message(SENT, invitation, now=now, deadline_at=invitation.expires_at)


def reminder(invitation: Invitation, *, now: datetime) -> Message:
    """The one mail that asks again. It is worth nothing when the time has run out."""
    return _message(REMINDER, invitation, now=now, deadline_at=invitation.expires_at)


def withdrawn(invitation: Invitation, *, now: datetime) -> Message:
    """The mail that the invitation does not stand any more."""
    return _message(WITHDRAWN, invitation, now=now)


def _invitation(message: Message) -> Invitation | None:
    """The invitation a message is about, unless its person is forgotten or the link has changed since."""
    return (
        Invitation.objects.readable()
        .select_related("conference__venue", "invitation_key")
        .filter(public_id=message.about_id, link_version=message.about_version)
        .first()
    )


def choices(invitation: Invitation) -> list[Admission]:
    """What somebody is invited to, as readers may know it, in the order of the form."""
    return list(
        Admission.objects.public()
        .filter(invitations=invitation)
        .select_related("conference", "session__day")
        .in_form_order()
    )


def deadline(invitation: Invitation, conference: Conference) -> str:
    """Until when one can answer, on the venue's clock, in the active language."""
    local = timezone.localtime(invitation.expires_at, conference.zone)
    return f"{dates.day(local.date(), with_weekday=False)}, {local:%H:%M}"


def _mail(invitation: Invitation, template: str, found: list[Admission]) -> Mail:
    conference = invitation.conference
    person = invitation.open_identity()
    letter = letters.write(
        f"registration/mail/{template}.md",
        {
            "name": person.full_name,
            "conference": str(conference.title),
            "choices": [
                {
                    "thing": str(one.session.title if one.session is not None else conference.title),
                    "mode": str(one.get_mode_display()),
                }
                for one in found
            ],
            "until": deadline(invitation, conference),
            "contact": conference.contact_email,
            "page": Link(settings.SITE_URL + reverse("registration:invitation", args=[invitation.token])),
        },
        language=invitation.language,
    )
    return Mail(
        to=person.email,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        language=invitation.language,
    )


def _ask(message: Message, template: str, *, now: datetime) -> Mail | Superseded:
    invitation = _invitation(message)
    if invitation is None:
        return Superseded("gone")
    if invitation.standing(now) != InvitationState.SENT:
        return Superseded("answered since")
    found = choices(invitation)
    if not found:
        return Superseded("hidden since")
    with translation.override(invitation.language):
        return _mail(invitation, template, found)


@published
def tell_invited(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail with the personal link, while it can be answered."""
    return _ask(message, "invitation", now=now)


@published
def tell_again(message: Message, *, now: datetime) -> Mail | Superseded:
    """The reminder, while an answer is wanted."""
    return _ask(message, "invitation_reminder", now=now)


@published
def tell_withdrawn(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail that the invitation was withdrawn."""
    invitation = _invitation(message)
    if invitation is None:
        return Superseded("gone")
    if invitation.state != InvitationState.WITHDRAWN:
        return Superseded("invited again")
    with translation.override(invitation.language):
        return _mail(invitation, "invitation_withdrawn", [])


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    topics.register(SENT, tell_invited)
    topics.register(REMINDER, tell_again)
    topics.register(WITHDRAWN, tell_withdrawn)
