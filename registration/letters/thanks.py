"""Thanks with recordings and materials, after a session or a conference, when an organiser releases them."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from alliance.exceptions import DomainError
from events.models import Conference, ConferenceState, Material, Session, SessionState
from events.releases.reading import published
from outbox import catalogue, topics
from outbox.catalogue import Kind, LetterKind, Placeholder
from outbox.letters import Link, Part
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.letters import catalogue as letters
from registration.letters import emails, reminders, unsubscribing
from registration.models import OptOut, Participant, Registration, RegistrationStatus
from registration.models.participant import ParticipantQuerySet

TOPIC = "registration.thanks"
_AT_ONCE = 500
_THERE = (RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED)  # nobody who is known to have been absent

LETTER = LetterKind(
    "thanks",
    _("Thanks, with recordings and papers"),
    _("After a session or the conference, when an organiser releases it; to those who came, as far as known."),
    "registration/mail/thanks.md",
    (
        letters.NAME,
        letters.CONFERENCE,
        Placeholder("about", _("The title of the session or conference."), _("Opening session")),
        Placeholder("materials", _("Recordings and papers that are public."), _("Recording"), kind=Kind.PART),
        Placeholder("link", _("The public page."), letters.NOBODYS_LINK, kind=Kind.LINK, is_required=True),
        reminders.STOP,
        letters.QUESTIONS,
    ),
    letters.sample,
)


class NotOver(DomainError):
    """It has not ended, or does not take place."""

    code = "thanks_too_early"
    message = _("Thanks can be sent when it is over.")


class SentBefore(DomainError):
    """Everybody has been thanked."""

    code = "thanks_sent"
    message = _("There is nobody left who has not been thanked for it.")


class NeedsAnnouncement(DomainError):
    """More people than one organiser may write to alone."""

    code = "thanks_too_many"
    message = _("So many people are written to by a message that a second organiser releases. Use that instead.")


def is_over(conference: Conference, session: Session | None, now: datetime) -> bool:
    """Whether it took place and has ended."""
    if conference.state == ConferenceState.CANCELLED:
        return False
    if session is not None:
        return session.state == SessionState.SCHEDULED and session.ends_at is not None and session.ends_at <= now
    return conference.ends_at is not None and conference.ends_at <= now


def _key(conference: Conference, session: Session | None) -> str:
    return str((session or conference).public_id)


def recipients(conference: Conference, session: Session | None) -> ParticipantQuerySet:
    """Who came, as far as known, has not been thanked for it, and has not stopped such mails."""
    thanked = Message.objects.filter(
        topic=TOPIC, about_id=OuterRef("public_id"), details__thanked_for=_key(conference, session)
    )
    there = Registration.objects.filter(admission__conference=conference, admission__session=session, status__in=_THERE)
    found: ParticipantQuerySet = (
        Participant.objects.filter(pk__in=there.values("participant"), identity_key__isnull=False)
        .exclude(Exists(thanked))
        .exclude(Exists(OptOut.objects.filter(about_id=OuterRef("public_id"))))
    )
    return found.order_by("pk")


@transaction.atomic(durable=True)
def release(*, conference: Conference, session: Session | None, by: Actor, now: datetime) -> int:
    """Queue the thanks for everybody who has not got them; how many. Asked for twice, nobody gets them twice.

    Above the number from which messages need a second organiser it is refused. Raises NotOver, SentBefore,
    NeedsAnnouncement.
    """
    if not is_over(conference, session, now):
        raise NotOver
    people = list(recipients(conference, session).values_list("public_id", flat=True))
    if not people:
        raise SentBefore
    if len(people) > settings.ANNOUNCEMENT_RELEASE_ABOVE:
        raise NeedsAnnouncement
    about = _key(conference, session)
    for start in range(0, len(people), _AT_ONCE):
        outbox.services.queue(
            outbox.services.message(
                topic=TOPIC,
                about_kind="participant",
                about_id=participant,
                key=f"thanks:{about}:{participant}",
                now=now,
                order_key=f"participant:{participant}",
                details={"thanked_for": about, "is_session": session is not None},
            )
            for participant in people[start : start + _AT_ONCE]
        )
    actors.audit_entry(
        at=now,
        by=by,
        action="thanks.released",
        about_kind="conference",
        about_id=conference.public_id,
        details={"about": about, "messages": len(people)},
    ).save()
    return len(people)


@published
def send(message: Message, *, now: datetime) -> Mail | Superseded:
    """The thanks, with what is public when they leave."""
    participant = (
        Participant.objects.select_related("conference__venue", "identity_key")
        .filter(public_id=message.about_id, identity_key__isnull=False)
        .first()
    )
    if participant is None:
        return Superseded("gone")
    if unsubscribing.has_stopped(participant.public_id):
        return Superseded("wants no such mails")
    conference = participant.conference
    session = None
    if message.details["is_session"]:
        session = Session.objects.filter(public_id=message.details["thanked_for"]).select_related("conference").first()
        if session is None:
            return Superseded("gone")
    if not is_over(conference, session, now):
        return Superseded("not over any more")
    found = Material.objects.filter(conference=conference).visible_at(now)
    found = found.filter(session=session) if session is not None else found
    with translation.override(participant.language):
        about = session or conference
        materials = [
            {"title": str(one.title) or one.get_kind_display(), "url": Link(one.url)}
            for one in found.order_by("position", "pk")
            if one.url.startswith("https://") and not set(one.url) & set("()<> ")
        ]
        values = emails.values(
            participant,
            [],
            about=str(about.title),
            materials=Part("registration/mail/_materials.md", {"materials": materials}),
            link=Link(settings.SITE_URL + about.get_absolute_url()),
            stop=unsubscribing.address("participant", participant.public_id),
        )
        headers = unsubscribing.headers("participant", participant.public_id)
        return emails.compose(LETTER.name, participant, values, headers=headers)


def register() -> None:
    """Make letter and handler known. Called when the app is ready."""
    catalogue.register(LETTER)
    topics.register(TOPIC, send)
