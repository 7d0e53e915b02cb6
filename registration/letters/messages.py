"""Which messages a change of a registration causes. They carry ids; handlers render them on leaving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import outbox.services
from outbox.models import Message
from registration.models import Admission, AskedFor, Participant, Registration, RegistrationStatus
from registration.models.registration import ENDED
from video.models import Meeting, Service

FORM = "registration.received"
STATUS = "registration.status"
JOIN_LINK = "registration.join_link"
KNOWN_ADDRESS = "registration.known_address"
PERSONAL_LINK = "registration.personal_link"

JOIN_LINK_BEFORE = timedelta(hours=24)  # before the door opens


def _order(participant: Participant) -> str:
    """Messages to one person leave one after the other."""
    return f"participant:{participant.public_id}"


def about_form(participant: Participant, registrations: Sequence[Registration], *, now: datetime) -> Iterator[Message]:
    """One mail about everything that one form registered, and the join links when their time comes."""
    if not registrations:
        return
    yield outbox.services.message(
        topic=FORM,
        about_kind="participant",
        about_id=participant.public_id,
        key=f"received:{registrations[0].public_id}",
        now=now,
        order_key=_order(participant),
        details={"registrations": [str(registration.public_id) for registration in registrations]},
    )
    for registration in registrations:
        yield from join_link(registration, version=registration.version, now=now)
        yield from on_platform(registration, version=registration.version, now=now)


def about_change(
    registration: Registration,
    *,
    now: datetime,
    version: int | None = None,
    had_place: bool = False,
    is_taken_back: bool = False,
) -> Iterator[Message]:
    """The mail about a registration's new state, and its join link should it be confirmed.

    version: the version the change leads to, when the row has not been read again. had_place: whether it was confirmed
    before, so that a calendar entry must be taken back. is_taken_back: an organiser's decision was; it stands again.
    """
    version = version or registration.version
    yield outbox.services.message(
        topic=STATUS,
        about_kind="registration",
        about_id=registration.public_id,
        key=f"status:{registration.public_id}:{version}",
        now=now,
        version=version,
        order_key=_order(registration.participant),
        details={"had_place": had_place} | ({"stands_again": True} if is_taken_back else {}),
    )
    if registration.status not in ENDED | {RegistrationStatus.OFFERED}:
        yield from join_link(registration, version=version, now=now)
    yield from on_platform(registration, version=version, now=now)


def platform_topic(service: Service | str) -> str:
    """The topic by which people are entered on a platform; each platform has a way out of its own."""
    return f"registration.platform.{Service(service).value}"


def on_platform(
    registration: Registration,
    *,
    version: int,
    now: datetime,
    meeting: Meeting | None = None,
    again: str = "",
    details: dict[str, str] | None = None,
) -> Iterator[Message]:
    """Enter the person on the platform, or take them off, as the registration stands when it leaves.

    Nothing where nobody is entered, and while the meeting is not ready: a sweep finds it later. meeting: when it is
    known already. again: a word that makes a new message of it. details: what the handler has to know besides.
    """
    admission: Admission = registration.admission
    meeting = meeting or admission.meeting
    if meeting is None or not meeting.has_registrants or not meeting.provider_id or meeting.service is None:
        return
    window = admission.join_window
    yield outbox.services.message(
        topic=platform_topic(meeting.service),
        about_kind="registration",
        about_id=registration.public_id,
        key=f"platform:{registration.public_id}:{version}:{meeting.pk}.{meeting.generation}{again}",
        now=now,
        version=version,
        order_key=f"platform:{registration.public_id}",
        details=details or {},
        deadline_at=max(now + outbox.services.TRIED_FOR, window[1]) if window else None,
    )


def join_link(registration: Registration, *, version: int, now: datetime) -> Iterator[Message]:
    """The join link, due a day before the door opens. Nothing while the time is not known: a sweep finds it later.

    It is queued before the claim has decided; the handler drops it when the registration is not confirmed. The opening
    is part of its key: when the door opens at another time, the sweep queues a new one and the handler drops the old.
    """
    admission: Admission = registration.admission
    window = admission.join_window
    if window is None or window[1] <= now:
        return
    yield outbox.services.message(
        topic=JOIN_LINK,
        about_kind="registration",
        about_id=registration.public_id,
        key=f"join:{registration.public_id}:{version}:{window[0]:%Y%m%dT%H%M}{_again(registration)}",
        now=now,
        version=version,
        order_key=_order(registration.participant),
        due_at=max(now, window[0] - JOIN_LINK_BEFORE),
        deadline_at=window[1],
        details={"opens_at": window[0].isoformat()},
    )


def _again(registration: Registration) -> str:
    """What makes another message of the link, once it was replaced."""
    return f":{registration.join_version}" if registration.join_version > 1 else ""


def about_known_address(participant: Participant, *, now: datetime, wish: AskedFor | None = None) -> Message:
    """Somebody sent the form again with a registered address: tell its owner how things stand. Once per clock hour.

    wish: something that waits for the owner's word since this form; that is told at once.
    """
    return _once_an_hour(KNOWN_ADDRESS, "known", participant, now=now, about=f":{wish.public_id}" if wish else "")


def personal_link(participant: Participant, *, now: datetime) -> Message:
    """The link to the personal page, asked for again. Once per clock hour."""
    return _once_an_hour(PERSONAL_LINK, "link", participant, now=now)


def _once_an_hour(topic: str, word: str, participant: Participant, *, now: datetime, about: str = "") -> Message:
    """A mail that a stranger can cause; its key lets one through per clock hour. about: what makes it another mail."""
    return outbox.services.message(
        topic=topic,
        about_kind="participant",
        about_id=participant.public_id,
        key=f"{word}:{participant.public_id}:{now:%Y%m%d%H}{about}",
        now=now,
        order_key=_order(participant),
    )
