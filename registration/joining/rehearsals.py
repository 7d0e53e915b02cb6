"""Rehearsals: for a time, everything that would go to the participants of a conference goes to one organiser.

What is due is rendered and a copy sent to the organiser, with the links of nobody in it; the message itself is held
and leaves when the rehearsal ends. Calls to platforms wait likewise. Instead of the personal links to join, the copies
carry one of the organiser's own: it enters one person on the platform, and takes them off afterwards. A rehearsal ends
before a door opens, so that nobody joins during one and nobody misses a link.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

import outbox.services
import video.handlers
from accounts.actors import SYSTEM, Actor, audit_entry
from accounts.models import User
from accounts.permissions import ABOUT, PATHS
from alliance import admin_site, crypto
from alliance.exceptions import DomainError
from events.models import Conference
from outbox import gates, topics
from outbox.models import Message, MessageState
from outbox.results import Done, Mail, Superseded
from registration.letters import messages
from registration.models import Admission, AttendanceMode, Participant, Registration, Rehearsal
from registration.models.registration import RegistrationStatus
from video.adapters.errors import VideoError
from video.models import Meeting, Registrant
from video.services import people

LONGEST = timedelta(hours=24)
BEFORE_DOOR = timedelta(hours=1)  # links and the last reminder must leave before the door opens
MOST_COPIES = 200
REASON = "It waits for the end of a rehearsal."
SUBJECT = "[Rehearsal]"
_PLATFORM = "registration.platform."
_TESTS = frozenset({"registration.announcement_test", "events.mail_test"})  # go to whoever asks for them
_PERSON = "participant:"
_LONG = r"[A-Za-z0-9_-]{40,}"


class RehearsalRuns(DomainError):
    """There is one already."""

    code = "rehearsal_runs"
    message = _("A rehearsal of this conference is under way.")


class DoorIsNear(DomainError):
    """A rehearsal would hold the mails of people who are about to join, or who are joining."""

    code = "rehearsal_door_near"
    message = _("A meeting is open, or opens within two hours: people need their mails now. Rehearse at another time.")


# --- beginning and ending --------------------------------------------------------------------------------------------


@transaction.atomic
def begin(*, conference: Conference, organiser: User, hours: int, by: Actor, now: datetime) -> Rehearsal:
    """Keep back what goes to participants, for so many hours at most (1 to 24). Raises RehearsalRuns, DoorIsNear.

    It ends an hour before a door opens, however many hours were asked for. What a worker is sending at this very moment
    still leaves.
    """
    end_overdue(now=now)
    lasts = min(max(timedelta(hours=hours), timedelta(hours=1)), LONGEST)
    until = min([now + lasts, *(opens_at - BEFORE_DOOR for opens_at in _doors(conference, now))])
    if until < now + BEFORE_DOOR:
        raise DoorIsNear
    rehearsal = Rehearsal(conference=conference, organiser=organiser, started_at=now, until=until)
    try:
        with transaction.atomic():
            rehearsal.save(force_insert=True)
    except IntegrityError:
        raise RehearsalRuns from None
    _account(rehearsal, "rehearsal.began", by=by, now=now)
    return rehearsal


def _doors(conference: Conference, now: datetime) -> list[datetime]:
    """When the doors open that have not closed yet."""
    open_ones = [one for one in admissions_of(conference.pk) if one.meeting is not None and not one.is_cancelled]
    windows = [window for one in open_ones if (window := one.join_window) is not None]
    return [opens_at for opens_at, closes_at in windows if closes_at > now]


def end(rehearsal: Rehearsal, *, by: Actor | None, now: datetime) -> int:
    """Let everything go that was held back; how many messages. Ending twice is fine. by: None when its time is up."""
    with transaction.atomic():
        if Rehearsal.objects.filter(pk=rehearsal.pk, ended_at=None).update(ended_at=now):
            _account(rehearsal, "rehearsal.ended", by=by or SYSTEM, now=now)
            _take_off(rehearsal, now=now)
        return outbox.services.release_kept(str(rehearsal.public_id), now=now)


def end_overdue(*, now: datetime) -> int:
    """The sweep: end what is over, and let go what a worker was just holding back then. How many messages."""
    recent = Q(ended_at=None, until__lte=now) | Q(ended_at__gt=now - LONGEST)
    return sum(end(one, by=None, now=now) for one in Rehearsal.objects.filter(recent).select_related("conference"))


def _account(rehearsal: Rehearsal, action: str, *, by: Actor, now: datetime) -> None:
    audit_entry(at=now, by=by, action=action, about_kind="conference", about_id=rehearsal.conference.public_id).save()


def _take_off(rehearsal: Rehearsal, *, now: datetime) -> None:
    """Order that the organiser's stand-in is taken off the platforms."""
    rows = Registrant.objects.filter(person_id=rehearsal.public_id).select_related("meeting")
    outbox.services.queue(
        outbox.services.message(
            topic=messages.platform_topic(row.meeting.service),
            about_kind="rehearsal",
            about_id=rehearsal.public_id,
            key=f"rehearsal:{rehearsal.public_id}:{row.meeting_id}",
            now=now,
            details={"meeting": row.meeting_id},
        )
        for row in rows.order_by("pk")
        if row.meeting.service is not None
    )


def take_off(message: Message, *, now: datetime) -> Done | Superseded:
    """Take the stand-in off one meeting."""
    meeting = Meeting.objects.select_related("account").filter(pk=message.details["meeting"]).first()
    rehearsal = Rehearsal.objects.select_related("organiser").filter(public_id=message.about_id).first()
    if meeting is None or rehearsal is None:
        return Superseded("gone")
    try:
        people.leave(meeting, rehearsal.public_id, email=lambda: rehearsal.organiser.email, now=now)
    except VideoError as error:
        raise video.handlers.failure(error, now=now) from None
    return Done()


# --- what is kept back -----------------------------------------------------------------------------------------------


def keep(message: Message, now: datetime) -> gates.Kept | None:
    """Whether a rehearsal keeps the message back."""
    is_ours = message.group == topics.MAIL or message.topic.startswith(_PLATFORM)
    if not is_ours or message.topic in _TESTS or message.about_kind in {"rehearsal", "meeting"}:
        return None
    for rehearsal in Rehearsal.objects.running(now).select_related("organiser"):
        if _is_about(message, rehearsal.conference_id):
            return gates.Kept(
                str(rehearsal.public_id),
                REASON,
                lambda mail, found=rehearsal: copy_of(mail, found),  # type: ignore[misc]
            )
    return None


def _is_about(message: Message, conference_id: int) -> bool:
    if message.order_key.startswith(_PERSON):
        person = message.order_key.removeprefix(_PERSON)
        return Participant.objects.filter(public_id=UUID(person), conference=conference_id).exists()
    label = ABOUT.get(message.about_kind)
    if label is None or label not in PATHS:
        return False
    ways = Q()
    for path in PATHS[label]:
        ways |= Q(**{path: conference_id})
    found: Any = apps.get_model(label)._default_manager
    return bool(found.filter(ways, public_id=message.about_id).exists())


def copy_of(mail: Mail, rehearsal: Rehearsal) -> Mail | None:
    """The mail for the organiser: marked, without attachments, and with no link or address of the person in it.

    None when the organiser has had enough of them.
    """
    counted = Rehearsal.objects.filter(pk=rehearsal.pk, copies__lt=MOST_COPIES).update(copies=F("copies") + 1)
    if not counted:
        return None
    return Mail(
        to=rehearsal.organiser.email,
        subject=f"{SUBJECT} {mail.subject}",
        text=_without_person(mail.text, mail.to, rehearsal),
        html=_without_person(mail.html, mail.to, rehearsal),
        language=mail.language,
    )


def _without_person(text: str, address: str, rehearsal: Rehearsal) -> str:
    def replaced(found: re.Match[str]) -> str:
        if found["page"] == "join":
            hashed = crypto.token_hash(found["token"])
            admission = Admission.objects.filter(
                conference=rehearsal.conference_id, registrations__join_hash=hashed
            ).first()
            if admission is not None:
                return f"{found['before']}{token_of(rehearsal, admission)}"
        return f"{found['before']}rehearsal"

    pattern = rf"(?P<before>{re.escape(settings.SITE_URL)}/(?:[^\s\"'<>)/]+/)*?(?P<page>[a-z-]+)/)(?P<token>{_LONG})"
    without = re.sub(pattern, replaced, text.replace(address, "…"))
    return re.sub(r"(?P<code>[A-Z0-9]{4}(?:-[A-Z0-9]{4}){3})", "…", without)  # of a proof of deletion


# --- the organiser's own link ----------------------------------------------------------------------------------------


def token_of(rehearsal: Rehearsal, admission: Admission) -> str:
    """The secret of the organiser's link to the meeting behind an admission."""
    return crypto.derive_token("rehearsal", str(rehearsal.public_id), str(admission.public_id))


def address_of(rehearsal: Rehearsal, admission: Admission) -> str:
    """The organiser's link."""
    return settings.SITE_URL + reverse("registration:join", args=[token_of(rehearsal, admission)])


def admissions_of(conference_id: int) -> list[Admission]:
    """What can be joined on-line."""
    found = Admission.objects.with_meeting().filter(conference=conference_id, mode=AttendanceMode.ONLINE)
    return list(found.select_related("session", "conference__venue").order_by("pk"))


def find(token: str, *, now: datetime) -> tuple[Rehearsal, Registration] | None:
    """The rehearsal whose link it is, and a registration that stands for the organiser and is in no table."""
    hashed = crypto.token_hash(token)
    for rehearsal in Rehearsal.objects.running(now).select_related("organiser"):
        for admission in admissions_of(rehearsal.conference_id):
            if crypto.token_hash(token_of(rehearsal, admission)) == hashed:
                person = Participant(
                    conference=admission.conference,
                    display_name=rehearsal.organiser.name or str(_("Organiser")),
                    language=rehearsal.organiser.language,
                )
                made = Registration(admission=admission, participant=person, status=RegistrationStatus.CONFIRMED)
                return rehearsal, made
    return None


def guest(rehearsal: Rehearsal, registration: Registration) -> people.Guest:
    """The stand-in as video knows them."""
    return people.Guest(
        id=rehearsal.public_id,
        display_name=registration.participant.display_name,
        language=rehearsal.organiser.language,
        email=lambda: rehearsal.organiser.email,
    )


# --- the admin -------------------------------------------------------------------------------------------------------


def frame(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """What every admin page says while rehearsals run. One query when there are none."""
    if not request.user.is_authenticated:
        return {}
    user = request.user
    running = Rehearsal.objects.running(now).select_related("conference")
    return {"rehearsals": [one for one in running if user.has_perm("events.view_conference", one.conference)]}


def held(rehearsal: Rehearsal) -> int:
    """How many messages wait for its end."""
    return Message.objects.filter(
        state=MessageState.HELD, details__contains={gates.MARK: str(rehearsal.public_id)}
    ).count()


def register() -> None:
    """Stand at the gate and on every admin page. Called when the app is ready."""
    gates.add(keep)
    admin_site.add_to_frame(frame)


__all__ = ["RehearsalRuns", "begin", "end", "end_overdue", "find", "register"]
