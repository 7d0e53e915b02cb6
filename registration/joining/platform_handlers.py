"""People on video platforms: entered when they have a place, taken off when they have none any more.

Each platform has a way out of the outbox of its own, so that an outage there stops no mail. What is done follows the
registration as it stands when the message leaves; the sweep finds who is missing, whatever the reason.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

import outbox.services
import video.handlers
from events.releases.reading import published
from outbox import topics
from outbox.models import OPEN_STATES, Message
from outbox.results import Done, Superseded
from registration.joining import rehearsals
from registration.letters import messages
from registration.models import Admission, AttendanceMode, Participant, Registration, RegistrationStatus
from video.adapters.errors import VideoError
from video.models import WITH_REGISTRANTS, Meeting, MeetingState, Registrant, RegistrantState, Service
from video.services import events, people

HAS_PLACE = frozenset({RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED})
_BATCH = 500


def guest(registration: Registration) -> people.Guest:
    """Somebody as video knows them. Needs the participant loaded; their address is opened only if it is needed."""
    participant = registration.participant
    return people.Guest(
        id=registration.public_id,
        display_name=participant.display_name,
        has_alias=participant.has_alias,
        language=participant.language,
        email=lambda: participant.open_identity().email,
    )


@published
def bring_up_to_date(message: Message, *, now: datetime) -> Done | Superseded:
    """Enter the person, or take them off."""
    if message.about_kind == "rehearsal":
        return rehearsals.take_off(message, now=now)
    registration = Registration.objects.with_all().filter(public_id=message.about_id).first()
    if registration is None:
        return Superseded("gone")
    admission = registration.admission
    meeting = (
        Meeting.objects.for_admission(conference_id=admission.conference_id, session_id=admission.session_id)
        .select_related("account", "session")
        .first()
    )
    if meeting is None or not meeting.has_registrants or not meeting.provider_id:
        return Superseded("nobody is entered there")
    them = guest(registration)
    is_erased = not hasattr(registration.participant, "identity_key")
    is_down = registration.participant.taken_down_at is not None
    own_address = str if is_erased else them.email
    try:
        if "former" in message.details:
            former = people.Former(them.id, message.details["meeting"], message.details["former"])
            people.leave_as_before(meeting, former, email=own_address, now=now)
        has_place = registration.status in HAS_PLACE and admission.mode == AttendanceMode.ONLINE
        if has_place and not is_erased and not is_down:
            if meeting.state != MeetingState.READY:
                return Superseded("the meeting is not ready")
            window = admission.join_window
            if window is not None and window[1] <= now:
                return Superseded("over")
            people.enter(meeting, them, now=now)
        else:
            people.leave(meeting, registration.public_id, email=own_address, now=now)
    except VideoError as error:
        raise video.handlers.failure(error, now=now) from None
    return Done()


@published
def queue_missing_registrants(*, now: datetime) -> int:
    """Queue everybody whose standing on a platform is not that of their registration. Returns how many.

    For a meeting that was made after people registered, moved to another platform or made anew, and for what came by
    another path. Who is refused, or has a message on its way, is left alone; each is queued once a day at most.
    """
    ready = Meeting.objects.filter(state=MeetingState.READY, platform__in=WITH_REGISTRANTS).exclude(provider_id="")
    meetings = ready.select_related("session", "conference").defer("address", "host_address", "passcode", "dial_in")
    return sum(_queue_missing(meeting, now=now) for meeting in meetings.order_by("pk"))


def _queue_missing(meeting: Meeting, *, now: datetime) -> int:
    admissions = Admission.objects.with_meeting().filter(mode=AttendanceMode.ONLINE)
    if meeting.session_id is not None:
        admissions = admissions.filter(session=meeting.session_id)
    else:
        admissions = admissions.filter(session=None, conference=meeting.conference_id)
    return sum(queue_missing_of(meeting, admission, now=now) for admission in admissions.order_by("pk"))


def queue_missing_of(meeting: Meeting, admission: Admission, *, now: datetime) -> int:
    """Queue those of one admission whose standing on the platform is not that of their registration; how many."""
    there = Registrant.objects.filter(
        meeting=meeting, person_id=OuterRef("public_id"), provider_meeting=meeting.provider_id
    )
    settled = there.filter(state__in=[RegistrantState.ADDED, RegistrantState.REFUSED])
    entered = there.filter(state__in=[RegistrantState.ADDED, RegistrantState.SENDING])
    may_come = Q(status__in=HAS_PLACE, participant__identity_key__isnull=False, participant__taken_down_at=None)
    window = admission.join_window
    is_over = window is not None and window[1] <= now
    missing = Q(~may_come, Exists(entered))
    if not is_over:
        missing |= Q(may_come, ~Exists(settled))
    on_its_way = Message.objects.filter(
        topic__startswith="registration.platform.", about_id=OuterRef("public_id"), state__in=OPEN_STATES
    )
    found = (
        Registration.objects.filter(missing, admission=admission)
        .exclude(Exists(on_its_way))
        .select_related("participant")
        .order_by("pk")
    )
    queued, after = 0, 0
    while batch := list(found.filter(pk__gt=after)[:_BATCH]):
        for registration in batch:
            registration.admission = admission
        again = f":{now:%Y%m%d}"
        with transaction.atomic(durable=True):
            outbox.services.queue(
                message
                for registration in batch
                for message in messages.on_platform(
                    registration, version=registration.version, now=now, meeting=meeting, again=again
                )
            )
        queued += len(batch)
        after = batch[-1].pk
    return queued


def renamed(participant: Participant, *, now: datetime) -> None:
    """Take whoever stood on platforms under another name for this person's seats off, and enter the person anew.

    In the transaction of the caller, who has changed the name, or the person of a seat.
    """
    mine = {
        one.public_id: one
        for one in Registration.objects.filter(participant=participant, admission__mode=AttendanceMode.ONLINE)
    }
    admissions = Admission.objects.with_meeting().in_bulk({one.admission_id for one in mine.values()})
    for former in people.rename(mine):
        registration = mine[former.person_id]
        registration.participant = participant
        registration.admission = admissions[registration.admission_id]
        outbox.services.queue(
            messages.on_platform(
                registration,
                version=registration.version,
                now=now,
                again=f":{former.provider_id}:{now:%Y%m%dT%H%M%S%f}",
                details={"meeting": former.provider_meeting, "former": former.provider_id},
            )
        )


def note_joined(person_id: UUID, at: datetime) -> None:
    """The platform says that somebody came in: their first time is kept, whichever way they went."""
    mine = Registration.objects.filter(public_id=person_id, status__in=HAS_PLACE)
    mine.filter(Q(joined_at=None) | Q(joined_at__gt=at)).update(joined_at=at)


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    for service in Service:
        title = format_lazy("{} ({})", _("Person on a platform"), service.label)
        topics.register(messages.platform_topic(service), bring_up_to_date, title=title, group=service.value)
    events.on_joined(note_joined)
