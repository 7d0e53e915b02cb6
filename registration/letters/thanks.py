"""Thanks with recordings and materials, after a session or a conference, when an organiser releases them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

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
from registration.letters import emails, organiser_mails, reminders, unsubscribing
from registration.models import (
    Announcement,
    AnnouncementKind,
    AnnouncementState,
    OptOut,
    Participant,
    Registration,
    RegistrationStatus,
)
from registration.models.participant import ParticipantQuerySet
from registration.services import announcements

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


class Waits(DomainError):
    """It was asked for before, and a second organiser has not released it yet."""

    code = "thanks_wait"
    message = _("These letters wait for a second organiser already.")


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

    To more people than one organiser may write to alone they wait for a second one; 0 then.
    Raises NotOver, SentBefore, Waits.
    """
    if not is_over(conference, session, now):
        raise NotOver
    people = list(recipients(conference, session).values_list("public_id", flat=True))
    if not people:
        raise SentBefore
    waiting = Announcement.objects.filter(kind=AnnouncementKind.THANKS, state=AnnouncementState.WAITING)
    Conference.objects.select_for_update(no_key=True).get(pk=conference.pk)  # two at once: the second is told
    if waiting.filter(conference=conference, session=session).exists():
        raise Waits
    if announcements.needs_second(len(people)):
        announcements.wait_for_second(
            kind=AnnouncementKind.THANKS, conference=conference, session=session, count=len(people), by=by, now=now
        )
        return 0
    _queue(conference, session, people, key=f"thanks:{_key(conference, session)}:", now=now, due_at=now)
    _account(conference, session, len(people), by=by, now=now)
    return len(people)


def _queue_released(announcement: Announcement, now: datetime) -> int:
    """A second organiser has agreed; until the letters are due they can be recalled."""
    found = recipients(announcement.conference, announcement.session)
    people = list(found.values_list("public_id", flat=True))
    key, due_at = organiser_mails.key_of(announcement), now + organiser_mails.RECALL_FOR
    _queue(announcement.conference, announcement.session, people, key=key, now=now, due_at=due_at)
    return len(people)


def _queue(
    conference: Conference,
    session: Session | None,
    people: list[UUID],
    *,
    key: str,
    now: datetime,
    due_at: datetime,
) -> None:
    about = _key(conference, session)
    for start in range(0, len(people), _AT_ONCE):
        outbox.services.queue(
            outbox.services.message(
                topic=TOPIC,
                about_kind="participant",
                about_id=participant,
                key=f"{key}{participant}",
                now=now,
                due_at=due_at,
                order_key=f"participant:{participant}",
                details={"thanked_for": about, "is_session": session is not None},
            )
            for participant in people[start : start + _AT_ONCE]
        )


def _account(conference: Conference, session: Session | None, count: int, *, by: Actor, now: datetime) -> None:
    actors.audit_entry(
        at=now,
        by=by,
        action="thanks.released",
        about_kind="conference",
        about_id=conference.public_id,
        details={"about": _key(conference, session), "messages": count},
    ).save()


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
    topics.register(TOPIC, send, letter=LETTER.name)
    announcements.register_house(AnnouncementKind.THANKS, _queue_released)
