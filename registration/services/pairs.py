"""Coming with somebody who supports: two seats, given together or not at all, and given back together.

The person is locked before the places (docs/decisions/0016-reserves-and-offers.md); the second seat is claimed last.
Whoever comes along is a participant of their own: the door, badges and figures know two people, and no list says that
they belong together. docs/decisions/0018-protection.md says why.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind
from alliance import crypto
from alliance.exceptions import DomainError
from events.releases.reading import published
from registration.letters import messages
from registration.models import (
    Admission,
    Category,
    IdentityKey,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
    Reserve,
    SeatPair,
)
from registration.models.participant import Identity
from registration.models.registration import MOVES, REASON_FULL, TAKING
from registration.seating import seats

_S = RegistrationStatus
_MAY_BRING = frozenset({_S.PENDING, _S.WAITLISTED, _S.CONFIRMED})
_HASH_BYTES = 32
_MOST_NAMED = 10  # by one person within a day: each name may send a mail to any address
_DAY = timedelta(days=1)
_BOTH = 2


class NoSecondSeat(DomainError):
    """There is one seat, but not two."""

    code = "no_second_seat"
    message = _("No second seat is free at the moment, or others wait for it. You keep yours. The organisers can help.")


class CannotBring(DomainError):
    """The registration does not stand, is offered, or has a companion already."""

    code = "cannot_bring"
    message = _("You cannot name anybody for this registration now. Load the page again to see how it stands.")


class TooManyNamed(DomainError):
    """Somebody names one after the other."""

    code = "too_many_named"
    message = _("You have named many people today. Try again tomorrow, or write to the organisers.")


@dataclass(frozen=True, slots=True)
class Companion:
    """Who comes along. name: as they appear. email: where their mails go; empty: to the person they come with."""

    name: str
    email: str = ""


@published
def bring(*, registration_id: int, companion: Companion, by: Actor, now: datetime) -> SeatPair:
    """Tie a second registration to one: with a seat where the first has one, else it waits along with it.

    Raises CannotBring, NoSecondSeat, TooManyNamed; then nothing has happened.
    """
    # Keys and sealing before any lock; what is decided is read again under it.
    main = Registration.objects.with_all().get(pk=registration_id)
    try:
        address = companion.email or main.participant.open_identity().email
    except crypto.Unreadable as error:
        raise CannotBring from error
    person, wrapped = _participant(main.participant, companion, address, now=now)
    with transaction.atomic(durable=True):
        Participant.objects.select_for_update(no_key=True).get(pk=main.participant_id)
        places = Places.objects.select_for_update(no_key=True).get(pk=main.admission_id)
        main = Registration.objects.select_related("participant").get(pk=registration_id)
        admission = Admission.objects.with_meeting().get(pk=main.admission_id)
        main.admission = admission
        if main.status not in _MAY_BRING or admission.is_over(now) or admission.is_cancelled:
            raise CannotBring
        if SeatPair.objects.standing().filter(Q(registration=main) | Q(companion=main)).exists():
            raise CannotBring
        if places.capacity is not None and places.capacity < _BOTH:
            raise NoSecondSeat  # else the two would wait for ever, and everybody behind them
        named = SeatPair.objects.filter(named_by=main.participant_id, made_at__gt=now - _DAY)
        if named.count() >= _MOST_NAMED:
            raise TooManyNamed
        reserve = _second_seat(admission, places, main) if main.status == _S.CONFIRMED else None
        person.save()
        IdentityKey.objects.create(participant=person, wrapped=wrapped)
        second = Registration(admission=admission, participant=person, created_at=now, reason=main.reason)
        second.join_hash = crypto.token_hash(second.join_token)
        second.save()
        actors.audit_entry(
            at=now, by=by, action="registration.received", about_kind="registration", about_id=second.public_id,
            details={"participant": str(person.public_id)},
        ).save()  # fmt: skip
        pair = SeatPair.objects.create(
            registration=main, companion=second, named_by_id=main.participant_id, made_at=now
        )
        outbox.services.queue(messages.about_form(person, [second], now=now))
        if main.status != _S.PENDING:
            _put(second, _S(main.status), reserve, places, by=by, now=now)
    return pair


def _second_seat(admission: Admission, places: Places, main: Registration) -> Reserve | None:
    found, reserve = seats.for_newcomer(admission, places, _category(main))
    if not found:
        raise NoSecondSeat
    return reserve


def _category(main: Registration) -> str:
    return seats.reserves_for(main.participant, decided_by=main.decided_by_kind)


def _participant(main: Participant, companion: Companion, address: str, *, now: datetime) -> tuple[Participant, bytes]:
    """Somebody of their own, unsaved, who is found by no address: the form must not tell that they are known."""
    key, wrapped = crypto.new_person_key()
    person = Participant(
        conference_id=main.conference_id,
        display_name=companion.name,
        has_alias=True,  # the name is what we were told; nobody opens more
        email_index=secrets.token_bytes(_HASH_BYTES),
        language=main.language,
        category=Category.OTHER,
        created_at=now,
    )
    person.seal(Identity(companion.name, "", address), key)
    person.link_hash = crypto.token_hash(person.personal_token)
    return person, wrapped


def _put(
    registration: Registration, status: RegistrationStatus, reserve: Reserve | None, places: Places, *, by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """Decide about a registration under the lock of its places."""
    registration.status = status
    registration.reserve = reserve
    if status == _S.WAITLISTED:
        registration.position = Places.objects.values_list("next_position", flat=True).get(pk=places.pk)
    registration.reason = REASON_FULL if status == _S.REJECTED else ""
    registration.decided_at = now
    registration.decided_by_kind = ActorKind.SYSTEM if by.user is None else by.kind
    registration.decided_by = by.user
    registration.save(
        update_fields=["status", "reserve", "position", "reason", "decided_at", "decided_by_kind", "decided_by"]
    )


# --- for the services that decide about one of the two ----------------------------------------------------------------


def together(registration: Registration) -> list[Registration]:
    """The registration, or both of its pair, the first one's first. Read under the lock of the places."""
    pair = (
        SeatPair.objects.standing()
        .filter(Q(registration=registration) | Q(companion=registration))
        .select_related("registration__participant", "companion__participant")
        .first()
    )
    if pair is None:
        return [registration]
    both = [pair.registration, pair.companion]
    for one in both:
        one.admission = registration.admission
    return both


def pass_on(ended: Registration, kept: Registration) -> None:
    """Who comes along with a registration comes along with another of the same person, where both stand alike.

    For two rows of one person that are made one; before the first one ends. Under the lock of the places.
    """
    if ended.admission_id != kept.admission_id or (ended.status != kept.status):
        return
    if not SeatPair.objects.standing().filter(Q(registration=kept) | Q(companion=kept)).exists():
        SeatPair.objects.standing().filter(registration=ended).update(registration=kept)


def people_beside(registration_id: int) -> list[int]:
    """The participant on the other side of a pair, for who locks people before places; none, or one."""
    found = SeatPair.objects.standing().filter(Q(registration=registration_id) | Q(companion=registration_id))
    return [
        other if one == registration_id else first
        for one, first, other in found.values_list(
            "registration", "registration__participant", "companion__participant"
        )
    ]


def admit(both: list[Registration], *, by: Actor, now: datetime) -> None:
    """Two who awaited approval: both get a seat, or both wait, or both are refused. Under the lock of the places."""
    main = both[0]
    admission = main.admission
    places = Places.objects.get(pk=admission.pk)
    main.decided_by_kind = ActorKind.SYSTEM if by.user is None else by.kind
    found = seats.for_newcomers(admission, places, _category(main), many=2)
    status = _S.CONFIRMED
    if found is None:
        status = _S.REJECTED if admission.waiting == "none" else _S.WAITLISTED
        found = [None, None]
    if status == _S.REJECTED:
        part(both, now=now)  # nothing that has ended holds together, or the database refuses the commit
    for one, reserve in zip(both, found, strict=True):
        one.version += 1
        one.save(update_fields=["version"])
        _put(one, status, reserve, places, by=by, now=now)


def end_along(registrations: Iterable[Registration], *, by: Actor, now: datetime, reason: str = "") -> int:
    """Cancel the companions of registrations that end, with audit rows and mails; how many. Their pairs end.

    Called by whatever ends a registration, under the lock of the places and before the line is served with them.
    """
    ending = part(registrations, now=now)
    if not ending:
        return 0
    admissions = Admission.objects.with_meeting().in_bulk({one.admission_id for one in ending})
    for one in ending:
        one.admission = admissions[one.admission_id]
        before = one.status
        one.status, one.position, one.cancelled_at = _S.CANCELLED, None, now
        one.reason = reason[:250]
        one.version += 1
        one.save(update_fields=["status", "position", "cancelled_at", "reason", "version"])
        actors.audit_entry(
            at=now, by=by, action="registration.cancelled", about_kind="registration", about_id=one.public_id,
            details={"status_before": before},
        ).save()  # fmt: skip
        outbox.services.queue(messages.about_change(one, now=now, had_place=before in TAKING - {_S.OFFERED}))
    return len(ending)


def part(registrations: Iterable[Registration], *, now: datetime) -> list[Registration]:
    """End the pairs of registrations that end; the companions who end with them, beyond those given.

    Whoever comes along may withdraw: then the person keeps their seat. Read under the lock of the places.
    """
    ending = {one.pk for one in registrations}
    pairs = list(
        SeatPair.objects.standing()
        .filter(Q(registration__in=ending) | Q(companion__in=ending))
        .select_related("companion__participant")
    )
    SeatPair.objects.filter(pk__in=[pair.pk for pair in pairs]).update(ended_at=now)
    gone = [pair.companion for pair in pairs if pair.registration_id in ending and pair.companion_id not in ending]
    return [one for one in gone if _S.CANCELLED in MOVES[one.status]]


def brought_by(participant_id: int) -> list[int]:
    """The participants whom somebody has ever named to come along."""
    rows = SeatPair.objects.filter(named_by=participant_id)
    return sorted(set(rows.values_list("companion__participant_id", flat=True)))


def follow_address(participant: Participant, *, before: str, after: str) -> None:
    """Send the mails of companions without an address of their own to the new address of who named them.

    The mailbox of before may be somebody else's by now, so the links that were sent there die. In the caller's
    transaction, which holds the participant.
    """
    companions = Participant.objects.select_for_update(of=("self",), no_key=True).select_related("identity_key")
    for one in companions.filter(pk__in=brought_by(participant.pk), identity_key__isnull=False).order_by("pk"):
        identity = one.open_identity()
        if identity.email != before:
            continue
        one.seal(replace(identity, email=after), crypto.unwrap_person_key(bytes(one.identity_key.wrapped)))
        one.link_version += 1
        one.link_hash = crypto.token_hash(one.personal_token)
        one.save(update_fields=["sealed_identity", "link_version", "link_hash", "updated_at"])


def names_along(registrations: Iterable[Registration]) -> dict[int, str]:
    """Under which name somebody comes along with each of these, by the key of the registration. One query."""
    standing = SeatPair.objects.standing().filter(registration__in=[one.pk for one in registrations])
    return dict(standing.values_list("registration_id", "companion__participant__display_name"))


def companion_of(registration: Registration) -> Registration | None:
    """Who comes along with a registration; for the person's own page."""
    pair = (
        SeatPair.objects.standing().filter(registration=registration).select_related("companion__participant").first()
    )
    return pair.companion if pair is not None else None
