"""What platforms tell us: kept at once, worked through by the outbox, so that platforms are answered fast.

The same thing told twice is kept once; a day later the mark by which it was known is gone. By then Zoom's own clock,
which it signs, is five minutes old at most. Webex signs no clock: its marks are kept for a month, and whatever it
repeats after that changes nothing, since who has joined stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils.translation import gettext as _

import outbox.services
from accounts.actors import SYSTEM, audit_entry
from alliance import crypto
from alliance.db import constraint_name
from outbox.models import Message
from outbox.results import Done, Superseded
from video import adapters, alerts, handlers
from video.adapters.base import Presence, WebhookEvent, WebhookKind
from video.adapters.errors import Unsupported, VideoError
from video.models import (
    SERVICE_OF,
    HostAccount,
    Meeting,
    MeetingState,
    PlatformEvent,
    Registrant,
    RegistrantState,
    Service,
)
from video.services import people, rooms

log = structlog.get_logger("video")
TOPIC = "video.event"
GROUP = "platforms-in"
REPORT = "video.attendance."  # and the service: such questions take the platform's own way out
KEPT = timedelta(days=1)
KEPT_WITHOUT_CLOCK = timedelta(days=30)
REPORT_AFTER = timedelta(minutes=45)  # platforms need a while for the list of who was there
_HANDLED = frozenset(WebhookKind) - {WebhookKind.OTHER, WebhookKind.CHANGED}

Joined = Callable[[UUID, datetime], None]
_listeners: list[Joined] = []


def on_joined(listener: Joined) -> None:
    """Tell the listener the public id of whoever has joined, and when. Called in AppConfig.ready."""
    _listeners.append(listener)


def keep(account: HostAccount, event: WebhookEvent, raw: bytes, *, now: datetime) -> bool:
    """Store what was told and queue it; whether it is new. What means nothing to us is not stored."""
    if event.kind not in _HANDLED or not event.session_id:
        return False
    row = PlatformEvent(
        account=account,
        mark=crypto.blind_index("platform-event", f"{account.pk}:{crypto.token_hash(raw.decode('latin-1')).hex()}"),
        kind=event.kind.value,
        provider_meeting=event.session_id,
        provider_id=event.registrant_id,
        person=people.mark_of(event.email),
        at=min(event.at or now, now),
        received_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            message = outbox.services.message(
                topic=TOPIC,
                about_kind="platform_event",
                about_id=row.public_id,
                key=f"platform-event:{row.public_id}",
                order_key=f"event:{account.pk}:{event.session_id}"[:80],
                now=now,
            )
            outbox.services.queue([message])
    except IntegrityError as error:
        if constraint_name(error) != "platform_event_once":
            raise
        log.info("platform_event_repeated", account=str(account.public_id))
        return False
    return True


def work_through(message: Message, *, now: datetime) -> Done | Superseded:
    """Do what an event says. Doing it twice, late or out of order changes nothing more."""
    event = PlatformEvent.objects.filter(public_id=message.about_id).select_related("account").first()
    if event is None:
        return Superseded("gone")
    platforms = [name for name, service in SERVICE_OF.items() if service == event.account.service]
    meeting = (
        Meeting.objects.filter(
            Q(account=event.account_id) | Q(account=None), provider_id=event.provider_meeting, platform__in=platforms
        )
        .defer(*rooms.SECRETS)
        .first()
    )
    if meeting is None:
        return Superseded("not a meeting of ours")
    match event.kind:
        case WebhookKind.JOINED | WebhookKind.LEFT:
            is_joining = event.kind == WebhookKind.JOINED
            times = (event.at, None) if is_joining else (None, event.at)
            _note(meeting, event.provider_id, bytes(event.person) if event.person else None, *times)
        case WebhookKind.STARTED:
            Meeting.objects.filter(pk=meeting.pk).update(began_at=Coalesce(Least("began_at", event.at), event.at))
        case WebhookKind.ENDED:
            Meeting.objects.filter(pk=meeting.pk).update(ended_at=Coalesce(Greatest("ended_at", event.at), event.at))
            _ask_for_report(meeting, now=now)
        case WebhookKind.CANCELLED:
            _taken_off(meeting, event)
        case WebhookKind.DELETED:
            _deleted(meeting, now=now)
    return Done()


def _note(
    meeting: Meeting, provider_id: str, mark: bytes | None, joined_at: datetime | None, left_at: datetime | None
) -> None:
    """Somebody was there. Matched by the id that the platform gave them, else by the address we entered them with."""
    rows = Registrant.objects.filter(meeting=meeting, provider_meeting=meeting.provider_id)
    if provider_id:
        rows = rows.filter(provider_id=provider_id)
    elif mark is not None:
        rows = rows.filter(mark=mark)
    else:
        return
    row = rows.first()
    if row is None:
        return
    came = joined_at or left_at  # whoever leaves has been there
    if came is None:
        return
    values: dict[str, object] = {"joined_at": Coalesce(Least("joined_at", came), came)}
    if left_at is not None:
        values["left_at"] = Coalesce(Greatest("left_at", left_at), left_at)
    Registrant.objects.filter(pk=row.pk).update(**values)
    for listener in _listeners:
        listener(row.person_id, came)


def _taken_off(meeting: Meeting, event: PlatformEvent) -> None:
    """Somebody was cancelled or refused over there, not by us: left alone until an organiser says otherwise.

    News from before they were entered, for the second time perhaps, is no news: such events may come an hour late.
    """
    if not event.provider_id:
        return
    Registrant.objects.filter(
        meeting=meeting,
        provider_meeting=meeting.provider_id,
        provider_id=event.provider_id,
        state=RegistrantState.ADDED,
        busy_until=None,
        updated_at__lt=event.at,
    ).update(state=RegistrantState.REFUSED, join_url="", last_error="Taken off on the platform.")


def _deleted(meeting: Meeting, *, now: datetime) -> None:
    """The room is gone and not by our doing: say so, and let nobody run into a closed door."""
    with transaction.atomic():
        row = Meeting.objects.select_for_update(of=["self"]).defer(*rooms.SECRETS).get(pk=meeting.pk)
        is_ours = row.provider_id != meeting.provider_id or row.state != MeetingState.READY
        if is_ours or rooms.plan(row).spec is None:
            return
        row.state, row.last_error = MeetingState.BROKEN, _("The room was deleted on the platform.")
        row.save(update_fields=["state", "last_error", "updated_at"])
        audit_entry(
            at=now, by=SYSTEM, action="meeting.deleted_on_platform", about_kind="meeting", about_id=row.public_id
        ).save()
        alerts.room_gone(row, now=now)
    log.error("meeting_deleted_on_platform", meeting=str(meeting.public_id))


def _ask_for_report(meeting: Meeting, *, now: datetime) -> None:
    if meeting.service is None:
        return
    message = outbox.services.message(
        topic=f"{REPORT}{meeting.service.value}",
        about_kind="meeting",
        about_id=meeting.public_id,
        key=f"attendance:{meeting.public_id}:{meeting.generation}:{now:%Y%m%d}",
        now=now,
        due_at=now + REPORT_AFTER,
    )
    outbox.services.queue([message])


def read_report(message: Message, *, now: datetime) -> Done | Superseded:
    """Ask the platform who was there: webhooks may have been lost."""
    meeting = Meeting.objects.filter(public_id=message.about_id).select_related("account").first()
    if meeting is None or not meeting.provider_id:
        return Superseded("gone")
    try:
        found: list[Presence] = list(adapters.adapter_for(meeting.platform, meeting.account).attendance(meeting))
    except Unsupported:
        return Superseded("the platform has no such list")
    except VideoError as error:
        raise handlers.failure(error, now=now) from None
    for one in found:
        _note(meeting, one.registrant_id, people.mark_of(one.email), one.joined_at, one.left_at)
    return Done()


def forget(*, now: datetime) -> int:
    """Delete events when nobody can repeat them any more; how many."""
    old = Q(account__service=Service.ZOOM, received_at__lt=now - KEPT) | Q(received_at__lt=now - KEPT_WITHOUT_CLOCK)
    deleted, _by_model = PlatformEvent.objects.filter(old).delete()
    return deleted
