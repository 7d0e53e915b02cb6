"""Mails about invitations: queued with the change, written from ids when they leave. Subjects name no topic."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from alliance import dates, zones
from alliance.time import zone_label
from events import mail_texts
from events.models import Conference
from events.releases.reading import published
from outbox import catalogue, topics
from outbox.catalogue import Kind, LetterKind, Placeholder
from outbox.letters import Link, Part
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.letters import catalogue as letters
from registration.models import Admission, Invitation, InvitationState

SENT = "invitation.sent"
REMINDER = "invitation.reminder"
WITHDRAWN = "invitation.withdrawn"

_NAME = Placeholder("name", _("The name that was invited."), "Maria Rossi")
_ASKING = (
    _NAME,
    letters.CONFERENCE,
    Placeholder(
        "choices",
        _("What the person is invited to, line by line."),
        _("Opening session, in person"),
        kind=Kind.PART,
        is_required=True,
    ),
    Placeholder("until", _("Until when to answer, on the venue's clock."), _("21 July, 23:59")),
    Placeholder("page", _("The address of the invitation."), letters.NOBODYS_LINK, kind=Kind.LINK, is_required=True),
    letters.QUESTIONS,
)
# No sample of a real row: names of invited people are read on the record alone.
LETTERS = tuple(
    LetterKind(name, title, sent_when, f"registration/mail/{name}.md", placeholders)
    for name, title, sent_when, placeholders in (
        ("invitation", _("Invitation"), _("When an organiser invites somebody, or sends it again."), _ASKING),
        (
            "invitation_reminder",
            _("Invitation, reminder"),
            _("Three days before the time to answer ends, once."),
            _ASKING,
        ),
        (
            "invitation_withdrawn",
            _("Invitation withdrawn"),
            _("When an organiser withdraws an invitation that was not answered."),
            (_NAME, letters.CONFERENCE, letters.QUESTIONS),
        ),
    )
)


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


def _clock_name(invitation: Invitation, conference: Conference) -> str:
    """Which clock that is: nobody knows on which one the reader of a mail looks."""
    city = str(conference.venue.city) if conference.venue is not None else zones.city(conference.time_zone)
    return zone_label(invitation.expires_at, zone=conference.time_zone, city=city)


def _mail(invitation: Invitation, letter: str, found: list[Admission]) -> Mail:
    conference, language = invitation.conference, invitation.language
    person = invitation.open_identity()
    choices = [
        {
            "thing": str(one.session.title if one.session is not None else conference.title),
            "mode": str(one.get_mode_display()),
        }
        for one in found
    ]
    values: dict[str, str | Part] = {
        "name": person.full_name,
        "conference": str(conference.title),
        "choices": Part("registration/mail/_invited.md", {"choices": choices}),
        "until": f"{deadline(invitation, conference)} {_clock_name(invitation, conference)}",
        "page": Link(settings.SITE_URL + reverse("registration:invitation", args=[invitation.token])),
        "questions": Part("registration/mail/_questions.md", {"contact": conference.contact_email}),
    }
    wording = mail_texts.wording(conference.pk, letter, language)
    composed = catalogue.get(letter).compose(values, language=language, wording=wording)
    return Mail(
        to=person.email,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        language=language,
    )


def _ask(message: Message, letter: str, *, now: datetime) -> Mail | Superseded:
    invitation = _invitation(message)
    if invitation is None:
        return Superseded("gone")
    if invitation.standing(now) != InvitationState.SENT:
        return Superseded("answered since")
    found = choices(invitation)
    if not found:
        return Superseded("hidden since")
    with translation.override(invitation.language):
        return _mail(invitation, letter, found)


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
    """Make letters and handlers known. Called when the app is ready."""
    catalogue.register(*LETTERS)
    topics.register(SENT, tell_invited, letter="invitation")
    topics.register(REMINDER, tell_again, letter="invitation_reminder")
    topics.register(WITHDRAWN, tell_withdrawn, letter="invitation_withdrawn")
