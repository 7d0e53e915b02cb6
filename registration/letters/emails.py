"""Builds the mails to participants from their registrations. Whether and when they leave is decided elsewhere.

Subjects give away neither the topic nor the state of a person. The only name in a mail is the display name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from alliance import dates, zones
from alliance.time import zone_label
from events import mail_texts
from events.models import SessionState
from events.releases import wording
from events.releases.changes import Change
from outbox import catalogue
from outbox.letters import Link, Part
from outbox.results import Attachment, Mail
from registration.letters import calendar, offer_words
from registration.models import AskedFor, AttendanceMode, Participant, Registration, RegistrationStatus
from registration.models.registration import REASON_EXPIRED

_S = RegistrationStatus
_CALLED_OFF = frozenset({"session_cancelled", "conference_cancelled"})


def _address(name: str, token: str) -> Link:
    return Link(settings.SITE_URL + reverse(name, args=[token]))


def _clock(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    """Day and span on one clock, as "Tuesday 21 July 2020, 11:30–13:00" in the active language."""
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{dates.day(end.date())}, {end:%H:%M}"
    return f"{dates.day(start.date())}, {start:%H:%M}–{until}"


def _when(registration: Registration) -> tuple[str, str]:
    """When it is, by the venue's clock and by the participant's own where that is another one."""
    admission = registration.admission
    conference = admission.conference
    starts_at, ends_at = admission.span
    if starts_at is None or ends_at is None:
        if admission.session is None and conference.starts_on:
            return dates.span(conference.starts_on, conference.ends_on, precision=conference.date_precision), ""
        return _("The time will be announced."), ""
    city = str(conference.venue.city) if conference.venue else zones.city(conference.time_zone)
    label = zone_label(starts_at, zone=conference.time_zone, city=city)
    venue = f"{_clock(starts_at, ends_at, conference.zone)} {label}"
    own = registration.participant.time_zone
    if not own or starts_at.astimezone(ZoneInfo(own)).utcoffset() == starts_at.astimezone(conference.zone).utcoffset():
        return venue, ""
    return venue, f"{_clock(starts_at, ends_at, ZoneInfo(own))} {zone_label(starts_at, zone=own, city=zones.city(own))}"


@dataclass(frozen=True, slots=True)
class Beside:
    """What a letter needs to know beside the registrations: seats in the way of offered ones, and ways on-line.

    Both by the primary key of the registration (registration.seating.clashes, registration.seating.fallback).
    """

    in_the_way: Mapping[int, Sequence[Registration]] = field(default_factory=dict)
    online: Collection[int] = ()


def _explanation(registration: Registration, rank: int | None, beside: Beside) -> str:
    match registration.status:
        case _S.PENDING:
            return _("The organiser looks at your registration and decides. You will get a mail either way.")
        case _S.WAITLISTED:
            text = offer_words.in_line(registration.admission, rank or 1)
        case _S.OFFERED:
            text = offer_words.offered(registration, is_clash=registration.pk in beside.in_the_way)
        case _S.REJECTED if registration.was_full:
            text = _("All places are taken and there is no waiting list.")
        case _S.REJECTED | _S.CANCELLED:
            return offer_words.ended(registration)
        case _:
            return ""
    return f"{text} {offer_words.online_meanwhile()}" if registration.pk in beside.online else text


NOTHING_BESIDE = Beside()


def choice(registration: Registration, rank: int | None, beside: Beside = NOTHING_BESIDE) -> dict[str, Any]:
    """What a mail says about one registration."""
    admission = registration.admission
    when, own_time = _when(registration)
    where = str(AttendanceMode(admission.mode).label)
    if admission.mode == AttendanceMode.IN_PERSON and admission.conference.venue:
        venue = admission.conference.venue
        where = ", ".join(part for part in (where, str(venue.name), str(venue.city)) if part)
    return {
        "title": str(admission.session.title if admission.session else admission.conference.title),
        "when": when,
        "own_time": own_time,
        "where": where,
        "status": str(RegistrationStatus(registration.status).label),
        "explanation": _explanation(registration, rank, beside),
    }


def values(participant: Participant, choices: Sequence[dict[str, Any]], **more: str | Part) -> dict[str, str | Part]:
    """What the placeholders of a letter to a participant stand for. Call it inside the participant's language."""
    conference = participant.conference
    return {
        "name": participant.display_name,
        "conference": str(conference.title),
        "page": _address("registration:personal", participant.personal_token),
        "questions": Part("registration/mail/_questions.md", {"contact": conference.contact_email}),
        "choices": Part("registration/mail/_choices.md", {"choices": list(choices)}),
        **more,
    }


def compose(
    letter: str,
    participant: Participant,
    values: Mapping[str, str | Part],
    *,
    attachments: Sequence[Attachment] = (),
    headers: Mapping[str, str] | None = None,
) -> Mail:
    """A letter of the catalogue to a participant, in the organisers' wording where there is one."""
    language = participant.language
    wording = mail_texts.wording(participant.conference_id, letter, language)
    composed = catalogue.get(letter).compose(values, language=language, wording=wording)
    return Mail(
        to=participant.open_identity().email,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        language=language,
        attachments=tuple(attachments),
        headers=headers or {},
    )


def _mail(
    letter: str,
    participant: Participant,
    registrations: Sequence[Registration],
    ranks: dict[int, int],
    *,
    beside: Beside = NOTHING_BESIDE,
    attachments: Sequence[Attachment] = (),
    **more: str | Part,
) -> Mail:
    """A letter about registrations of the participant. Call it inside the participant's language."""
    choices = [choice(registration, ranks.get(registration.pk), beside) for registration in registrations]
    return compose(letter, participant, values(participant, choices, **more), attachments=attachments)


def calendar_part(registrations: Sequence[Registration], *, method: str, now: datetime) -> list[Attachment]:
    """The calendar entries of registrations for a mail: REQUEST puts them in, CANCEL takes them out. In the language
    that is active, for the participant each registration names."""
    content = calendar.calendar(registrations, method=method, now=now)
    if content is None:
        return []
    return [Attachment("meeting.ics", content, f"text/calendar; method={method}; charset=utf-8")]


def received(
    participant: Participant,
    registrations: Sequence[Registration],
    ranks: dict[int, int],
    *,
    now: datetime,
    beside: Beside = NOTHING_BESIDE,
) -> Mail:
    """The answer to a form: how every choice stands, with a calendar part for the confirmed ones.

    ranks: place in line by primary key, for those on the waiting list.
    """
    with translation.override(participant.language):
        confirmed = [registration for registration in registrations if registration.status == _S.CONFIRMED]
        attachments = [
            part for registration in confirmed for part in calendar_part([registration], method="REQUEST", now=now)
        ]
        return _mail("received", participant, registrations, ranks, beside=beside, attachments=attachments)


def known_address(participant: Participant, registrations: Sequence[Registration], ranks: dict[int, int]) -> Mail:
    """To somebody whose address was used in the form again."""
    with translation.override(participant.language):
        return _mail("known_address", participant, registrations, ranks)


def confirm_asked(participant: Participant, wishes: Sequence[AskedFor]) -> Mail:
    """To the owner of an address that a form asked something new for: nothing is registered until they say so."""
    with translation.override(participant.language):
        choices = []
        for wish in wishes:
            shown = choice(Registration(admission=wish.admission, participant=participant), None)
            choices.append(shown | {"status": _("Waits for your word"), "explanation": ""})
        return compose("confirm_asked", participant, values(participant, choices))


def personal_link(participant: Participant) -> Mail:
    """The link to the personal page."""
    with translation.override(participant.language):
        return _mail("personal_link", participant, [], {})


def status_changed(
    registration: Registration,
    ranks: dict[int, int],
    *,
    had_place: bool,
    now: datetime,
    beside: Beside = NOTHING_BESIDE,
    stands_again: bool = False,
) -> Mail:
    """About one registration that was approved, promoted, offered, declined or cancelled after the first answer.

    had_place: whether a calendar entry was sent that must be taken back. stands_again: an organiser took back what the
    letter before this one said.
    """
    participant = registration.participant
    with translation.override(participant.language):
        letter, method = "changed", ""
        in_the_way = list(beside.in_the_way.get(registration.pk, ()))
        match registration.status:
            case _S.OFFERED:
                letter = "keep_or_swap" if in_the_way else "offered"
                method = "CANCEL" if had_place else ""
            case _S.CONFIRMED if stands_again:
                letter, method = "stands_again", "REQUEST"
            case _S.WAITLISTED | _S.PENDING if stands_again:
                letter, method = "stands_again", "CANCEL" if had_place else ""
            case _S.CONFIRMED if registration.offer_expires_at:
                letter, method = "offer_accepted", "REQUEST"
            case _S.CONFIRMED if registration.promoted_at:
                letter, method = "promoted", "REQUEST"
            case _S.CONFIRMED:
                letter, method = "confirmed", "REQUEST"
            case _S.WAITLISTED:
                letter = "waiting_list"
            case _S.REJECTED:
                letter = "rejected"
            case _S.CANCELLED if registration.reason == REASON_EXPIRED:
                letter = "offer_expired"
            case _S.CANCELLED:
                letter, method = "cancelled", "CANCEL" if had_place else ""
        attachments = calendar_part([registration], method=method, now=now) if method else []
        for seat in in_the_way:  # with what the letter says about it
            seat.participant = participant
        told = [registration, *in_the_way]
        return _mail(letter, participant, told, ranks, beside=beside, attachments=attachments)


def join_address(registration: Registration) -> Link:
    """The address of the personal link to join."""
    return _address("registration:join", registration.join_token)


def join_link(registration: Registration) -> Mail:
    """The personal link to join on-line. Never the provider's address."""
    with translation.override(registration.participant.language):
        return _mail(
            "join_link",
            registration.participant,
            [registration],
            {},
            join=join_address(registration),
        )


def programme_changed(
    participant: Participant,
    registrations: Sequence[Registration],
    changes: Sequence[Change],
    ranks: dict[int, int],
    *,
    now: datetime,
) -> Mail | None:
    """What a release of the programme changes for somebody: their registrations, with what is new about them.

    Confirmed registrations bring their calendar entry anew; one for something that was cancelled or withdrawn takes it
    back. None when nothing is left that the participant may know.
    """
    with translation.override(participant.language):
        attachments = []
        for registration in registrations:
            if registration.status == _S.CONFIRMED:
                admission = registration.admission
                is_withdrawn = admission.session is not None and admission.session.state == SessionState.DRAFT
                method = "CANCEL" if admission.is_cancelled or is_withdrawn else "REQUEST"
                attachments += calendar_part([registration], method=method, now=now)
        sessions = (registration.admission.session_id for registration in registrations)
        known = {session for session in sessions if session is not None}
        groups = wording.lines(participant.conference, changes, known=known)
        if not groups:
            return None
        # A change of time beside a cancellation is told as a change.
        is_off = all(change["kind"] in _CALLED_OFF for change in changes)
        return _mail(
            "called_off" if is_off else "programme_changed",
            participant,
            registrations,
            ranks,
            attachments=attachments,
            changes=Part("registration/mail/_changes.md", {"groups": groups}),
        )
