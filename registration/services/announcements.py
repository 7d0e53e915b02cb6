"""Messages that organisers write: chosen, written, sent off, released by a second organiser where many, recalled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import User
from alliance.exceptions import DomainError
from events.models import Conference, Release, Session
from registration.letters import organiser_mails
from registration.models import Announcement, AnnouncementKind, AnnouncementState, Participant, Registration
from registration.models.participant import ParticipantQuerySet

_AT_ONCE = 1000  # messages that one statement writes
Queue = Callable[[Announcement, datetime], int]
_houses: dict[str, Queue] = {}


class NothingToSend(DomainError):
    """The message has no words in English, or nobody would get it."""

    code = "announcement_empty"
    message = _("Write a subject and a text in English, and choose somebody who can be written to.")


class StandsElsewhere(DomainError):
    """Somebody else was faster."""

    code = "announcement_stands_elsewhere"
    message = _("This message stands elsewhere by now. Load the page again.")


class NeedsAnother(DomainError):
    """Who sent it off cannot release it."""

    code = "announcement_needs_another"
    message = _("Another organiser must release this message: you have sent it off yourself.")


def register_house(kind: AnnouncementKind, queue: Queue) -> None:
    """Let a kind of letter wait for a second organiser here. Called when the app is ready.

    queue: queues the letters when they are released, and says how many.
    """
    _houses[kind] = queue


def needs_second(count: int) -> bool:
    """Whether so many people are written to only when a second organiser has agreed."""
    return count > int(settings.ANNOUNCEMENT_RELEASE_ABOVE)


@transaction.atomic
def wait_for_second(
    *,
    kind: AnnouncementKind,
    conference: Conference,
    count: int,
    by: Actor,
    now: datetime,
    release: Release | None = None,
    session: Session | None = None,
) -> Announcement:
    """Keep letters of the house back until a second organiser releases them: there are more than needs_second()."""
    made = Announcement.objects.create(
        kind=kind,
        conference=conference,
        release=release,
        session=session,
        state=AnnouncementState.WAITING,
        needs_second=True,
        recipients=count,
        created_at=now,
        asked_at=now,
        asked_by=by.user,
    )
    _audit(made, "announcement.sent_off", by=by, now=now, recipients=count)
    return made


@transaction.atomic
def begin(*, conference: Conference, registration_ids: list[int], by: Actor, now: datetime) -> Announcement:
    """A draft to the people behind registrations of the conference; others are left out."""
    made = Announcement.objects.create(conference=conference, created_at=now)
    chosen = Registration.objects.filter(pk__in=registration_ids, admission__conference=conference)
    made.registrations.set(chosen.values_list("pk", flat=True))
    _audit(made, "announcement.begun", by=by, now=now)
    return made


def recipients(announcement: Announcement) -> ParticipantQuerySet:
    """Who gets it, each person once: nobody who is erased, and those whose choices have all ended only if wanted."""
    chosen = announcement.registrations.all()
    if not announcement.to_ended:
        chosen = chosen.live()
    people: ParticipantQuerySet = Participant.objects.filter(
        pk__in=chosen.values("participant"), identity_key__isnull=False
    )
    return people.order_by("pk")


@transaction.atomic
def word(*, announcement_id: int, subject: Mapping[str, str], text: Mapping[str, str], to_ended: bool) -> Announcement:
    """Change a draft. subject, text: by language. Raises StandsElsewhere once it was sent off."""
    announcement = _locked(announcement_id, AnnouncementState.DRAFT)
    announcement.subject, announcement.text, announcement.to_ended = dict(subject), dict(text), to_ended
    announcement.save(update_fields=["subject", "text", "to_ended"])
    return announcement


def try_out(*, announcement: Announcement, user: User, language: str, now: datetime) -> None:
    """Send it to an organiser's own address, as somebody with that language would read it."""
    with transaction.atomic():
        outbox.services.queue([organiser_mails.announcement_test(announcement, user, language=language, now=now)])


@transaction.atomic(durable=True)
def send_off(*, announcement_id: int, by: Actor, now: datetime) -> Announcement:
    """Queue it for everybody, or let it wait for a second organiser when more people than the setting would get it.

    Raises StandsElsewhere, NothingToSend.
    """
    announcement = _locked(announcement_id, AnnouncementState.DRAFT)
    count = recipients(announcement).count()
    if not (announcement.subject.get("en") and announcement.text.get("en") and count):
        raise NothingToSend
    announcement.recipients = count
    announcement.asked_at, announcement.asked_by = now, by.user
    announcement.needs_second = needs_second(count)
    announcement.state = AnnouncementState.WAITING
    announcement.save(update_fields=["recipients", "asked_at", "asked_by", "needs_second", "state"])
    _audit(announcement, "announcement.sent_off", by=by, now=now, recipients=count)
    if not announcement.needs_second:
        _queue(announcement, now=now)
    return announcement


@transaction.atomic(durable=True)
def release(*, announcement_id: int, by: Actor, now: datetime) -> Announcement:
    """Let it leave, as a second organiser. Raises StandsElsewhere, NeedsAnother."""
    announcement = _locked(announcement_id, AnnouncementState.WAITING)
    nobody_asked = announcement.asked_by_id is None and announcement.kind == AnnouncementKind.WRITTEN
    if by.user is None or nobody_asked or by.user.pk == announcement.asked_by_id:
        raise NeedsAnother
    announcement.released_by = by.user
    announcement.save(update_fields=["released_by"])
    _audit(announcement, "announcement.released", by=by, now=now)
    _queue(announcement, now=now)
    return announcement


@transaction.atomic(durable=True)
def recall(*, announcement_id: int, by: Actor, now: datetime) -> int:
    """Take back what has not left; how many messages. Before it left for a second organiser, all of it.

    What a worker holds at this moment may still leave. Raises StandsElsewhere when there is nothing to recall.
    """
    announcement = _locked(announcement_id, AnnouncementState.WAITING, AnnouncementState.RELEASED)
    announcement.state = AnnouncementState.RECALLED
    announcement.save(update_fields=["state"])
    count = outbox.services.supersede(organiser_mails.key_of(announcement), now=now)
    _audit(announcement, "announcement.recalled", by=by, now=now, messages=count)
    return count


def _locked(announcement_id: int, *states: AnnouncementState) -> Announcement:
    found = Announcement.objects.select_for_update(no_key=True).filter(pk=announcement_id, state__in=states).first()
    if found is None:
        raise StandsElsewhere
    return found


def _queue(announcement: Announcement, *, now: datetime) -> None:
    announcement.state = AnnouncementState.RELEASED
    announcement.released_at = now
    announcement.recipients = 0
    if announcement.kind == AnnouncementKind.WRITTEN:
        for batch in _batches(recipients(announcement)):
            outbox.services.queue(organiser_mails.announced(announcement, batch, now=now))
            announcement.recipients += len(batch)
    else:
        announcement.recipients = _houses[announcement.kind](announcement, now)
    announcement.save(update_fields=["state", "released_at", "recipients"])


def _batches(people: ParticipantQuerySet) -> Iterator[list[Participant]]:
    after = 0
    while batch := list(people.only("public_id").filter(pk__gt=after)[:_AT_ONCE]):
        yield batch
        after = batch[-1].pk


def _audit(announcement: Announcement, action: str, *, by: Actor, now: datetime, **details: int) -> None:
    actors.audit_entry(
        at=now, by=by, action=action, about_kind="announcement", about_id=announcement.public_id, details=details
    ).save()
