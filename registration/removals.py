"""Taking a participant down: out of every list that others see, off platforms, no mail; and what had left about people.

Registrations stand, and so do seats: somebody who comes back has lost nothing. Nobody is told: no mail, no calendar
entry, no webhook follows from it (docs/take-down.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.models import ApiToken
from events.models import Conference
from events.removals import services, subjects, traces
from events.removals.subjects import MOST_FOUND, Subject
from events.removals.traces import Trace, Words
from outbox import gates, topics
from outbox.models import Message, MessageState
from registration.letters import messages
from registration.models import (
    AttendanceMode,
    Certificate,
    CheckIn,
    DoorCode,
    Membership,
    Participant,
    Registration,
    SeatPair,
    WebhookDelivery,
)
from video.models import Registrant, RegistrantState

KEPT = "The person was taken down."
_PERSON = "participant:"
_WITH_CALENDAR = (messages.FORM, messages.STATUS, messages.JOIN_LINK)


class Participants:
    """People who registered or were nominated, by the name they appear under."""

    label: str | Promise = _("Participant")

    def get(self, public_id: UUID, *, conference: Conference | None) -> Subject | None:
        """A participant."""
        rows = Participant.objects.filter(public_id=public_id)
        row = (rows if conference is None else rows.filter(conference=conference)).first()
        return _subject(row) if row is not None else None

    def find(self, conference: Conference, text: str) -> Sequence[Subject]:
        """By the display name: an alias is found by the alias alone."""
        rows = Participant.objects.filter(conference=conference, display_name__icontains=text)
        return [_subject(row) for row in rows.order_by("display_name", "pk")[:MOST_FOUND]]

    def hide(self, subject: Subject, *, now: datetime) -> Mapping[str, Any]:
        """Their row says so; lists, badges, the door and platforms obey."""
        Participant.objects.filter(pk=subject.row.pk).update(taken_down_at=now)
        return {}

    def show(self, subject: Subject, before: Mapping[str, Any], *, now: datetime) -> None:
        """As they stand."""
        Participant.objects.filter(pk=subject.row.pk).update(taken_down_at=None)


def _subject(row: Participant) -> Subject:
    return Subject("participant", row.public_id, row.display_name, row.taken_down_at is not None, row)


def keep(message: Message, now: datetime) -> gates.Kept | None:
    """Mails to somebody who was taken down wait: their mailbox may not be theirs alone."""
    if message.group != topics.MAIL or not message.order_key.startswith(_PERSON):
        return None
    try:
        person = UUID(message.order_key.removeprefix(_PERSON))
    except ValueError:  # not one of ours
        return None
    # Mails of whom somebody named to come along may go to the same mailbox.
    down = Participant.objects.filter(taken_down_at__isnull=False).values_list("public_id", flat=True)
    named_by = SeatPair.objects.filter(companion__participant__public_id=person).values("named_by")
    kept = down.filter(public_id=person).first() or down.filter(pk__in=named_by).order_by("pk").first()
    return gates.Kept(_mark(kept), KEPT, lambda mail: None) if kept is not None else None


def _mark(person: object) -> str:
    return f"removal:{person}"


def tell_platforms(subject: Subject, now: datetime) -> None:
    """Take the person off meetings, or enter them again; and let go what waited for that."""
    if subject.kind != "participant":
        return
    mine = Registration.objects.with_all().filter(participant=subject.row, admission__mode=AttendanceMode.ONLINE)
    again = f":removal:{now:%Y%m%d%H%M%S%f}"
    outbox.services.queue(
        message
        for registration in mine.order_by("pk")
        for message in messages.on_platform(registration, version=registration.version, now=now, again=again)
    )
    if not subject.is_down:
        outbox.services.release_kept(_mark(subject.public_id), now=now)


# --- what had left ----------------------------------------------------------------------------------------------------


def _find(subject: Subject, conference: Conference | None, now: datetime) -> Iterable[Trace]:
    if subject.kind == "session":
        mine = Registration.objects.filter(admission__session=subject.row)
        yield from _of_registrations(mine, [])
        yield from _of_programs(subject.row.conference)
    elif subject.kind == "participant":
        person: Participant = subject.row
        mine = Registration.objects.filter(participant=person)
        members = Membership.objects.filter(participant=person)
        yield from _of_registrations(mine, [person.public_id, *members.values_list("public_id", flat=True)])
        if members.exists():
            yield Trace("delegation", members.count(), members.aggregate(at=Min("nominated_at"))["at"])
            yield from _of_programs(person.conference, members.values_list("delegation_id", flat=True)[0])
        if DoorCode.objects.filter(participant=person).exists():
            yield Trace("badge", 1)
        if number := CheckIn.objects.filter(participant=person).count():
            yield Trace("check_ins", number)
        if Certificate.objects.filter(participant=person).exists():
            yield Trace("certificate", 1)
        told = WebhookDelivery.objects.filter(data__participant__in=[str(one.public_id) for one in members])
        if number := told.count():
            yield Trace("webhooks", number)
    elif conference is not None:
        yield from _of_programs(conference)


def _of_registrations(mine: QuerySet[Registration], others: Sequence[UUID]) -> Iterable[Trace]:
    ids = [*mine.values_list("public_id", flat=True), *others]
    sent = Message.objects.filter(about_id__in=ids, state=MessageState.SENT, group=topics.MAIL)
    found = sent.aggregate(
        number=Count("pk"),
        since=Min("finished_at"),
        until=Max("finished_at"),
        calendars=Count("pk", filter=Q(topic__in=_WITH_CALENDAR)),
    )
    if found["number"]:
        kinds = sorted(set(sent.values_list("topic", flat=True)))
        yield Trace("mails", found["number"], found["since"], found["until"], {"kinds": kinds})
    if found["calendars"]:
        yield Trace("calendars", found["calendars"])
    there = Registrant.objects.filter(person_id__in=ids).exclude(state=RegistrantState.REMOVED)
    if number := there.count():
        yield Trace("platforms", number)


def _of_programs(conference: Conference, delegation: int | None = None) -> Iterable[Trace]:
    read = ApiToken.objects.filter(last_used_at__isnull=False, grant__delegation__conference=conference)
    if delegation is not None:
        read = read.filter(grant__delegation=delegation)
    found = read.aggregate(number=Count("pk"), until=Max("last_used_at"))
    if found["number"]:
        yield Trace("programs", found["number"], None, found["until"])


def register() -> None:
    """Let participants be taken down."""
    subjects.register("participant", Participants())
    services.follow(tell_platforms)
    gates.add(keep)
    traces.register(
        _find,
        {
            "mails": Words(
                _("Mails were sent."), _("They cannot be called back. Ask the person whether the mailbox is safe.")
            ),
            "calendars": Words(
                _("Calendar entries were sent with mails."),
                _("They stay in calendars. Nothing is sent to take them out, since that would speak of it again."),
            ),
            "platforms": Words(
                _("People were entered on a meeting platform."),
                _("A participant is taken off by itself. For a session, end or change the meeting on the platform."),
            ),
            "delegation": Words(
                _("A delegation nominated the person and knows them."),
                _("Talk to its focal point, if that is safe."),
            ),
            "badge": Words(_("There is a code for the door, on a badge or a ticket."), _("Take back the badge.")),
            "check_ins": Words(_("The person was seen at the door."), _("Ask stewards to say nothing.")),
            "certificate": Words(
                _("A certificate of attendance was made."), _("Its code is not confirmed any more. Ask for it back.")
            ),
            "webhooks": Words(
                _("Programs of the delegation were told by webhook."),
                _("They hold ids and states. Ask who runs them to delete these."),
            ),
            "programs": Words(
                _("Programs with a token may have read it by the API."),
                _("Ask who runs them to read again and delete what is gone."),
            ),
        },
    )
