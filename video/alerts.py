"""A mail to the organisers when a platform has lost a room: on the board alone it would wait until somebody looks."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.models import User
from accounts.role_kinds import RoleKind
from outbox import letters, topics
from outbox.letters import Link
from outbox.models import Message
from outbox.results import Mail, Superseded
from video.models import Meeting, MeetingState

TOPIC = "video.room_gone"
_WORTH_SENDING = timedelta(days=2)
_KINDS = (RoleKind.ORGANISER, RoleKind.ADMINISTRATOR)


def organisers(meeting: Meeting) -> list[User]:
    """Who organises the conference; without anybody, the administrators of the house."""
    session = meeting.session
    conference_id = session.conference_id if session is not None else meeting.conference_id
    active = User.objects.filter(is_active=True).exclude(email="").order_by("pk")
    of_it = Q(roles__conference=conference_id) | Q(roles__conference=None)
    found = list(active.filter(of_it, roles__kind__in=_KINDS).distinct())
    return found or list(active.filter(is_superuser=True))


def room_gone(meeting: Meeting, *, now: datetime) -> None:
    """Queue the mails, in the transaction of what was found out. Once for each room, however often it is found out."""
    room = f"{meeting.public_id}:{meeting.generation}.{meeting.revision}"
    outbox.services.queue(
        outbox.services.message(
            topic=TOPIC,
            about_kind="meeting",
            about_id=meeting.public_id,
            key=f"room-gone:{room}:{user.public_id}",
            now=now,
            deadline_at=now + _WORTH_SENDING,
            details={"user": str(user.public_id), "generation": meeting.generation},
        )
        for user in organisers(meeting)
    )


def tell(message: Message, *, now: datetime) -> Mail | Superseded:
    """Which room it was, and what to do."""
    user = User.objects.filter(public_id=UUID(str(message.details["user"])), is_active=True).first()
    found = Meeting.objects.filter(public_id=message.about_id).only(
        "platform", "state", "generation", "session", "conference"
    )
    meeting = found.select_related("session", "conference").first()
    if user is None or not user.email or meeting is None:
        return Superseded("gone")
    if meeting.generation != message.details["generation"] or meeting.state == MeetingState.CANCELLED:
        return Superseded("made anew since")
    thing = meeting.session or meeting.conference
    context = {
        "title": thing.title.best(user.language).text if thing is not None else "",
        "platform": str(meeting.get_platform_display()),
        "is_broken": meeting.state == MeetingState.BROKEN,
        "page": Link(settings.SITE_URL + reverse("admin:video_meeting_change", args=[meeting.pk])),
    }
    letter = letters.write("video/mail/room_gone.md", context, language=user.language)
    return Mail(to=user.email, subject=letter.subject, text=letter.text, html=letter.html, language=user.language)


def register() -> None:
    """Make the handler known to the outbox. Called when the app is ready."""
    topics.register(TOPIC, tell, title=_("Room lost on a platform"))
