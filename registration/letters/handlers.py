"""Handlers of the outbox: read the present state, check that the cause still holds, and build the mail."""

from __future__ import annotations

from datetime import datetime

from events.models import Release
from events.releases.reading import published
from outbox import topics
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration import selectors
from registration.letters import emails, messages, notices
from registration.models import Admission, Participant, Registration, RegistrationStatus
from registration.models.registration import RegistrationQuerySet
from registration.seating import clashes, fallback
from registration.services import asked
from video.models import MeetingState

_S = RegistrationStatus


def _participant(message: Message) -> Participant | None:
    """The participant a message is about, unless they are gone or erased."""
    return (
        Participant.objects.select_related("conference__venue", "identity_key")
        .filter(public_id=message.about_id, identity_key__isnull=False)
        .first()
    )


def _choices(participant: Participant, registrations: RegistrationQuerySet) -> list[Registration]:
    """Somebody's registrations in the order of registering, loaded for a mail.

    Participant and conference are known and not joined again: a join of ten tables was most of the work for a mail.
    """
    conference = participant.conference
    found = list(
        registrations.filter(participant=participant)
        .select_related("admission__session__day", "admission__session__room")
        .order_by("pk")
    )
    for registration in found:
        registration.participant = participant
        registration.admission.conference = conference
        if registration.admission.session is not None:
            registration.admission.session.conference = conference
    return found


def _registration(message: Message) -> Registration | Superseded:
    """The registration a message is about, if it still stands as it did when the message was queued."""
    registration = (
        Registration.objects.with_all()
        .filter(public_id=message.about_id, participant__identity_key__isnull=False)
        .first()
    )
    if registration is None:
        return Superseded("gone")
    if registration.version != message.about_version:
        return Superseded("changed since")
    return registration


@published
def answer_form(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail about what a form registered, worded by how things stand now."""
    participant = _participant(message)
    if participant is None:
        return Superseded("gone")
    asked = Registration.objects.filter(public_id__in=message.details["registrations"])
    registrations = _choices(participant, asked.exclude(status=_S.CANCELLED))
    if not registrations:
        return Superseded("cancelled since")
    beside = emails.Beside(online=fallback.ways(registrations, now=now))
    return emails.received(participant, registrations, selectors.places_in_line(registrations), now=now, beside=beside)


@published
def tell_known_address(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail to the owner of an address that was used again: what to confirm, else how things stand."""
    participant = _participant(message)
    if participant is None:
        return Superseded("gone")
    if wishes := asked.pending(participant, now=now):
        return emails.confirm_asked(participant, wishes)
    registrations = _choices(participant, Registration.objects.live())
    return emails.known_address(participant, registrations, selectors.places_in_line(registrations))


@published
def send_personal_link(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail with the link to the personal page."""
    participant = _participant(message)
    return emails.personal_link(participant) if participant else Superseded("gone")


@published
def tell_change(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail about a later change of one registration."""
    registration = _registration(message)
    if isinstance(registration, Superseded):
        return registration
    if registration.status in {_S.ATTENDED, _S.ABSENT}:
        return Superseded("changed since")
    had_place = bool(message.details.get("had_place"))
    ranks = selectors.places_in_line([registration])
    beside = emails.Beside(
        in_the_way=clashes.of([registration] if registration.status == _S.OFFERED else []),
        online=fallback.ways([registration], now=now),
    )
    stands_again = bool(message.details.get("stands_again"))
    return emails.status_changed(
        registration, ranks, had_place=had_place, now=now, beside=beside, stands_again=stands_again
    )


@published
def send_join_link(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail with the join link, to confirmed people only and only while the door can still open."""
    registration = _registration(message)
    if isinstance(registration, Superseded):
        return registration
    if registration.status != _S.CONFIRMED:
        return Superseded("not confirmed")
    admission = Admission.objects.with_meeting().get(pk=registration.admission_id)
    window = admission.join_window
    if admission.is_cancelled or (admission.meeting and admission.meeting.state == MeetingState.CANCELLED):
        return Superseded("does not take place")
    if window is None or window[1] <= now:
        return Superseded("over")
    if message.details.get("opens_at") != window[0].isoformat():
        return Superseded("opens at another time now")
    return emails.join_link(registration)


@published
def tell_programme(message: Message, *, now: datetime) -> Mail | Superseded:
    """The mail about what a release changed, to somebody whose registration for it still stands."""
    participant = _participant(message)
    release = Release.objects.filter(public_id=message.details["release"]).select_related("conference").first()
    if participant is None or release is None:
        return Superseded("gone")
    registrations, changes = notices.of_participant(release, participant)
    if not registrations or not changes:
        return Superseded("cancelled since")
    ranks = selectors.places_in_line(registrations)
    mail = emails.programme_changed(participant, registrations, changes, ranks, now=now)
    return mail or Superseded("hidden since")


def register() -> None:
    """Make the handlers known to the outbox. Called when the app is ready."""
    topics.register(messages.FORM, answer_form, letter="received")
    topics.register(messages.KNOWN_ADDRESS, tell_known_address, letter="known_address")
    topics.register(messages.PERSONAL_LINK, send_personal_link, letter="personal_link")
    topics.register(messages.STATUS, tell_change, letter="changed")
    topics.register(messages.JOIN_LINK, send_join_link, letter="join_link")
    topics.register(notices.TOPIC, tell_programme, letter="programme_changed")
