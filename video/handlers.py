"""Handlers of the outbox: orders to platforms. Each has a way out of its own, so that none waits for another."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from events.models import Release
from events.releases import publishing
from outbox import topics
from outbox.models import Message
from outbox.postman import BrokenAgain
from outbox.results import Done, Failure, Permanent, Postponed, Superseded, Temporary, Unreachable
from video.adapters.errors import (
    AuthExpired,
    HeldBack,
    NoAnswerInTime,
    NotReachable,
    OutcomeUnknown,
    RateLimited,
    VideoError,
)
from video.adapters.tokens import CredentialsRefused
from video.models import Meeting, Service
from video.services import rooms

LOOK_AGAIN = timedelta(seconds=30)  # what was sent and not answered may still be under way over there


def failure(error: VideoError, *, now: datetime) -> Failure:
    """What a platform's error means for the message."""
    reason = str(error.message)
    if isinstance(error, AuthExpired | CredentialsRefused | NotReachable):
        return Unreachable(reason)  # nothing will work there for now
    if isinstance(error, HeldBack):
        return Postponed(reason, retry_at=error.retry_at)  # nobody was asked: the way out stays as it is
    if isinstance(error, RateLimited):
        return Temporary(reason, retry_at=error.retry_at)
    if isinstance(error, NoAnswerInTime):  # whoever hangs is left alone for a while: mail must not wait behind it
        return BrokenAgain(reason, retry_at=now + LOOK_AGAIN)
    if isinstance(error, OutcomeUnknown):
        return Temporary(reason, retry_at=now + LOOK_AGAIN)
    return Temporary(reason) if error.is_retryable else Permanent(reason)


def carry_out(message: Message, *, now: datetime) -> Done | Superseded:
    """Bring a meeting on its platform up to date, or take off a room that is no meeting's any more."""
    try:
        if "provider_id" in message.details:
            rooms.remove_room(
                platform=message.details["platform"],
                account_id=message.details["account"],
                provider_id=message.details["provider_id"],
            )
            return Done()
        meeting = Meeting.objects.select_related("account").filter(public_id=message.about_id).first()
        if meeting is None:
            return Superseded("gone")
        if meeting.revision != message.about_version:
            return Superseded("changed since")
        rooms.carry_out(meeting, now=now)
    except VideoError as error:
        raise failure(error, now=now) from None
    return Done()


def order_after_release(release: Release) -> None:
    """In the transaction that publishes: order what the release changes for the meetings of its conference."""
    of = Meeting.objects.filter(session__conference=release.conference_id) | Meeting.objects.filter(
        conference=release.conference_id
    )
    rooms.order_all(of.exclude(platform="static").values_list("pk", flat=True), now=release.made_at)


def register() -> None:
    """Make the handlers known. Called when the app is ready."""
    for service in Service:
        title = format_lazy("{} ({})", _("Meeting"), service.label)
        topics.register(rooms.topic_of(service), carry_out, title=title, group=service.value)
    publishing.on_published(order_after_release)
