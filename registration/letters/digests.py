"""The daily summary for focal points: what their own members answered, and how many places are used.

It speaks of members of the focal point's own delegations and of nobody else, and is made of memberships alone: nothing
that somebody did on their own can change a word of it (docs/decisions/0010).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from events import mail_texts
from events.models import Conference, MailSettings
from outbox import catalogue, topics
from outbox.catalogue import Kind, LetterKind, Placeholder
from outbox.letters import Link, Part
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.letters import catalogue as letters
from registration.letters import reminders, unsubscribing
from registration.models import FocalPoint, Membership, MemberState, OptOut

TOPIC = "delegation.digest"
AT = time(7)  # on the clock of the conference

LETTER = LetterKind(
    "delegation_digest",
    _("Daily summary for focal points"),
    _("At most once a day, when members of their delegation have answered, were nominated or left."),
    "registration/mail/delegation_digest.md",
    (
        Placeholder("name", _("The name of the focal point."), "Maria Rossi"),
        letters.CONFERENCE,
        Placeholder(
            "delegations", _("What is new and how things stand."), _("Delegation"), kind=Kind.PART, is_required=True
        ),
        Placeholder(
            "page",
            _("The page of delegations; they sign in there."),
            letters.NOBODYS_LINK,
            kind=Kind.LINK,
            is_required=True,
        ),
        reminders.STOP,
        letters.QUESTIONS,
    ),
)


def _window(conference: Conference, now: datetime) -> tuple[datetime, datetime]:
    """The last whole day from seven to seven that is over, on the clock of the conference."""
    local = now.astimezone(conference.zone)
    day = local.date() if local.time() >= AT else local.date() - timedelta(days=1)
    return (
        datetime.combine(day - timedelta(days=1), AT, conference.zone),
        datetime.combine(day, AT, conference.zone),
    )


def _news(since: datetime, until: datetime) -> Q:
    found = Q()
    for field in ("nominated_at", "answered_at", "ended_at"):
        found |= Q(**{f"{field}__gte": since, f"{field}__lt": until})
    return found


def queue_due(*, now: datetime) -> int:
    """Queue yesterday's summary for every focal point who has news; how many. The key lets one through per day."""
    off = MailSettings.objects.filter(sends_digests=False).values("conference")
    conferences = Conference.objects.filter(delegations__focal_points__isnull=False).exclude(pk__in=off).distinct()
    count = 0
    for conference in conferences.order_by("pk"):
        since, until = _window(conference, now)
        if conference.ends_at is not None and conference.ends_at <= now:
            continue
        changed = Membership.objects.filter(_news(since, until), delegation__conference=conference)
        users = (
            FocalPoint.objects.filter(delegation__in=changed.values("delegation"), user__is_active=True)
            .exclude(user__public_id__in=OptOut.objects.values("about_id"))
            .values_list("user__public_id", flat=True)
        )
        found = sorted(set(users))
        outbox.services.queue(_message(conference, user, until, now=now) for user in found)
        count += len(found)
    return count


def _message(conference: Conference, user: UUID, until: datetime, *, now: datetime) -> Message:
    return outbox.services.message(
        topic=TOPIC,
        about_kind="conference",
        about_id=conference.public_id,
        key=f"digest:{conference.public_id}:{user}:{until:%Y%m%d}",
        now=now,
        deadline_at=until + timedelta(days=1),
        details={"user": str(user), "until": until.isoformat()},
    )


def _lines(members: Sequence[Membership], since: datetime, until: datetime) -> list[str]:
    def is_new(instant: datetime | None) -> bool:
        return instant is not None and since <= instant < until

    return [
        f"{member.as_written.shown}: {member.get_state_display()}"
        for member in members
        if is_new(member.nominated_at) or is_new(member.answered_at) or is_new(member.ended_at)
    ]


def _delegations(points: Sequence[FocalPoint], since: datetime, until: datetime) -> list[dict[str, Any]]:
    found = []
    for point in points:
        members = list(
            point.delegation.memberships.filter(
                participant__identity_key__isnull=False, participant__taken_down_at=None
            )
            .select_related("participant__identity_key")
            .in_rank()
        )
        lines = _lines(members, since, until)
        if lines:
            found.append(
                {
                    "name": point.delegation.name,
                    "lines": lines,
                    "confirmed": sum(member.state == MemberState.CONFIRMED for member in members),
                    "open": sum(member.state == MemberState.NOMINATED for member in members),
                    "quota": point.delegation.quota,
                }
            )
    return found


def send(message: Message, *, now: datetime) -> Mail | Superseded:
    """The summary, if the reader still is a focal point and there is news about members who are still there."""
    points = list(
        FocalPoint.objects.filter(
            user__public_id=message.details["user"],
            user__is_active=True,
            delegation__conference__public_id=message.about_id,
        )
        .select_related("user", "delegation__conference", "delegation__country", "delegation__organisation")
        .order_by("pk")
    )
    if not points:
        return Superseded("no focal point any more")
    user, conference = points[0].user, points[0].delegation.conference
    if unsubscribing.has_stopped(user.public_id):
        return Superseded("wants no summaries")
    until = datetime.fromisoformat(message.details["until"])
    with translation.override(user.language):
        told = _delegations(points, until - timedelta(days=1), until)
        if not told:
            return Superseded("nothing new")
        values: dict[str, str | Part] = {
            "name": user.name or user.email.partition("@")[0],
            "conference": str(conference.title),
            "delegations": Part("registration/mail/_delegations.md", {"delegations": told}),
            "page": Link(settings.SITE_URL + reverse("registration:delegations")),
            "stop": unsubscribing.address("user", user.public_id),
            "questions": Part("registration/mail/_questions.md", {"contact": conference.contact_email}),
        }
        wording = mail_texts.wording(conference.pk, LETTER.name, user.language)
        composed = LETTER.compose(values, language=user.language, wording=wording)
    return Mail(
        to=user.email,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        language=user.language,
        headers=unsubscribing.headers("user", user.public_id),
    )


def register() -> None:
    """Make letter and handler known. Called when the app is ready."""
    catalogue.register(LETTER)
    topics.register(TOPIC, send, letter=LETTER.name)
