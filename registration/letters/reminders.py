"""Reminders a day and an hour before: one mail per person and beginning, to confirmed people only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from events.models import MailSettings, Session, SessionState
from events.releases.reading import published
from outbox import catalogue, topics
from outbox.catalogue import Kind, LetterKind, Placeholder
from outbox.letters import Part
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.letters import catalogue as letters
from registration.letters import emails, unsubscribing
from registration.models import Admission, AttendanceMode, OptOut, Participant, Registration, RegistrationStatus

TOPIC = "registration.reminder"
_AT_ONCE = 500


class Before(StrEnum):
    """Which reminder."""

    DAY = "day"
    HOUR = "hour"


LEAD = {Before.DAY: timedelta(days=1), Before.HOUR: timedelta(hours=1)}
# From then on before the beginning it would come beside the next one, or too late to help.
TOO_LATE = {Before.DAY: timedelta(hours=2), Before.HOUR: timedelta()}

STOP = Placeholder("stop", _("The address to stop such mails."), letters.NOBODYS_LINK, kind=Kind.LINK, is_required=True)
LETTER = LetterKind(
    "reminder",
    _("Reminder"),
    _("A day before (in person) and an hour before, to confirmed people."),
    "registration/mail/reminder.md",
    (
        letters.NAME,
        letters.CONFERENCE,
        letters.CHOICES,
        Placeholder("links", _("Personal links to join, for those on-line."), _("Link to join"), kind=Kind.PART),
        letters.PAGE,
        STOP,
        letters.QUESTIONS,
    ),
    letters.sample,
)


def begins_at(admission: Admission) -> datetime | None:
    """When what somebody comes to begins: the session, or the first session of the conference. At most one query."""
    if admission.session is not None:
        return admission.session.starts_at
    sessions = Session.objects.filter(conference=admission.conference_id, state=SessionState.SCHEDULED)
    first: datetime | None = sessions.aggregate(first=Min("starts_at"))["first"]
    return first


def _wanted(admission: Admission, before: Before) -> bool:
    """Whether people of the admission get this reminder. On-line, the link to join comes the day before instead."""
    found = MailSettings.objects.filter(conference=admission.conference_id).first() or MailSettings()
    is_on = found.reminds_a_day_before if before is Before.DAY else found.reminds_an_hour_before
    has_link_mail = before is Before.DAY and admission.mode == AttendanceMode.ONLINE and admission.session is not None
    is_withdrawn = admission.session is not None and admission.session.state != SessionState.SCHEDULED
    return is_on and not has_link_mail and not is_withdrawn and not admission.is_cancelled


def _candidates(now: datetime) -> list[Admission]:
    """Admissions to something that may begin within a day. One query."""
    until = now + LEAD[Before.DAY]
    soon = Q(session__starts_at__gt=now, session__starts_at__lte=until)
    # By days, an hour of any time zone around them; when it begins is asked for each.
    days = {"conference__starts_on__gte": (now - timedelta(days=2)).date()}
    soon |= Q(session=None, conference__starts_on__lte=(until + timedelta(days=1)).date(), **days)
    return list(Admission.objects.filter(soon).select_related("conference", "session").order_by("pk"))


@published
def queue_due(*, now: datetime) -> int:
    """Queue the reminders whose time has come; how many. Running it beside itself queues nothing twice.

    Who was confirmed within the time of a reminder has just been told everything and gets none.
    """
    count = 0
    for admission in _candidates(now):
        begins = begins_at(admission)
        if begins is None:
            continue
        for before, lead in LEAD.items():
            if begins - lead <= now < begins - TOO_LATE[before] and _wanted(admission, before):
                count += _queue(admission, before, begins, now=now)
    return count


def _queue(admission: Admission, before: Before, begins: datetime, *, now: datetime) -> int:
    details = {"before": before.value, "begins_at": begins.isoformat()}
    has_one = Message.objects.filter(
        topic=TOPIC,
        about_id=OuterRef("participant__public_id"),
        details__before=details["before"],
        details__begins_at=details["begins_at"],
    )
    due = (
        Registration.objects.filter(
            admission=admission, status=RegistrationStatus.CONFIRMED, participant__identity_key__isnull=False
        )
        .alias(since=Coalesce("promoted_at", "decided_at", "created_at"))
        .filter(since__lte=begins - LEAD[before])
        .exclude(Exists(OptOut.objects.filter(about_id=OuterRef("participant__public_id"))))
        .exclude(Exists(has_one))
        .order_by("pk")
    )
    queued = 0
    while people := list(due.values_list("participant__public_id", flat=True)[:_AT_ONCE]):
        with transaction.atomic(durable=True):
            outbox.services.queue(
                outbox.services.message(
                    topic=TOPIC,
                    about_kind="participant",
                    about_id=participant,
                    key=f"reminder:{participant}:{before}:{begins:%Y%m%dT%H%M}",
                    now=now,
                    order_key=f"participant:{participant}",
                    deadline_at=begins - TOO_LATE[before],
                    details=details,
                )
                for participant in people
            )
        queued += len(people)
    return queued


def _still_due(participant: Participant, before: Before, begins: datetime) -> Iterator[Registration]:
    confirmed = Registration.objects.with_all().filter(participant=participant, status=RegistrationStatus.CONFIRMED)
    for registration in confirmed.order_by("pk"):
        if begins_at(registration.admission) == begins and _wanted(registration.admission, before):
            yield registration


@published
def send(message: Message, *, now: datetime) -> Mail | Superseded:
    """The reminder of everything that begins then and still takes place; nothing once it has begun or was moved."""
    participant = (
        Participant.objects.select_related("conference__venue", "identity_key")
        .filter(public_id=message.about_id, identity_key__isnull=False)
        .first()
    )
    if participant is None:
        return Superseded("gone")
    if unsubscribing.has_stopped(participant.public_id):
        return Superseded("wants no reminders")
    before, begins = Before(message.details["before"]), datetime.fromisoformat(message.details["begins_at"])
    if begins - TOO_LATE[before] <= now:
        return Superseded("over")
    registrations = list(_still_due(participant, before, begins))
    if not registrations:
        return Superseded("moved, cancelled or switched off")
    with translation.override(participant.language):
        online = [one for one in registrations if one.admission.join_window is not None]
        values = emails.values(
            participant,
            [emails.choice(registration, None) for registration in registrations],
            stop=unsubscribing.address("participant", participant.public_id),
            links=Part("registration/mail/_links.md", {"links": [emails.join_address(one) for one in online]}),
        )
        headers = unsubscribing.headers("participant", participant.public_id)
        return emails.compose(LETTER.name, participant, values, headers=headers)


def register() -> None:
    """Make letter and handler known. Called when the app is ready."""
    catalogue.register(LETTER)
    topics.register(TOPIC, send, letter=LETTER.name)
