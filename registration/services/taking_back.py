"""Taking back what an organiser cancelled or rejected: for a quarter of an hour, never what people gave up.

The person stands again as before, if the place still exists; it is claimed under the lock of the places like any other,
so nothing is oversold. When it has gone to somebody else, the person may stand first in line: everybody there would
have come after them. A letter about the ending that has not left is recalled, else the letter about how things stand
now follows it. People are locked before places, as everywhere (docs/decisions/0016-reserves-and-offers.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind, AuditEntry
from alliance.exceptions import DomainError
from events.releases.reading import published
from outbox.models import Message
from registration.letters import messages
from registration.models import (
    Admission,
    Ending,
    IdentityKey,
    Membership,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
    Reserve,
    SeatPair,
    WaitingMode,
)
from registration.models.registration import ENDED, TAKING
from registration.seating import clashes, seats
from registration.services import waiting_list

LASTS = timedelta(minutes=15)
_TAKEN_BACK, _FIRST = "registration.taken_back", "first_in_line"  # in the audit trail
_S = RegistrationStatus
_KEPT = (
    "status",
    "position",
    "reserve",
    "reason",
    "offer_expires_at",
    "version",
    "decided_at",
    "decided_by_kind",
    "decided_by",
    "cancelled_at",
)


class TooLate(DomainError):
    """Nothing that an organiser ended a short time ago, or it was changed since."""

    code = "too_late_to_take_back"
    message = _("This decision cannot be taken back any more. Enter the person again by hand.")


class StandsAgain(DomainError):
    """The person has registered again meanwhile, or is not a member of the delegation any more."""

    code = "stands_again"
    message = _("This person has registered again meanwhile, or left the delegation. Nothing was taken back.")


class PlaceGone(DomainError):
    """The place has another holder, or there are not two seats for two who come together."""

    code = "place_gone"
    message = _("The place has gone to somebody else, and nobody can wait for one now.")


class StandApart(DomainError):
    """The two who came together do not stand alike any more."""

    code = "stand_apart"
    message = _("The person they came with stands differently now. Enter this one again by hand.")


def remember(before: Iterable[Registration], *, by: Actor, now: datetime) -> None:
    """Keep how registrations stood that have just been ended by an organiser, so that it can be taken back.

    before: as they were read under the lock of the places; those that still stand are left out.
    """
    if by.kind != ActorKind.ORGANISER:
        return
    known = {one.pk: one for one in before}
    ended = Registration.objects.filter(pk__in=known, status__in=ENDED).values_list("pk", "version")
    kept = [
        Ending(
            registration_id=pk,
            version=version,
            ended_at=now,
            status=known[pk].status,
            position=known[pk].position,
            reason=known[pk].reason,
            decided_at=known[pk].decided_at,
            decided_by_kind=known[pk].decided_by_kind,
            decided_by_id=known[pk].decided_by_id,
        )
        for pk, version in ended
    ]
    fields = [field.name for field in Ending._meta.concrete_fields if not field.primary_key]
    Ending.objects.bulk_create(kept, update_conflicts=True, unique_fields=["registration"], update_fields=fields)


def may_be_taken_back(registration: Registration, *, now: datetime) -> bool:
    """Whether an organiser ended it a short time ago and nothing has become of it since; for a page. One query."""
    return registration.status in ENDED and bool(_endings([registration], now=now))


def forget(*, now: datetime) -> int:
    """Delete what cannot be taken back any more. Returns how many."""
    deleted, _by_model = Ending.objects.filter(ended_at__lte=now - LASTS).delete()
    return deleted


@transaction.atomic(durable=True)
@published
def take_back(
    *, registration_id: int, by: Actor, now: datetime, version: int | None = None, in_line: bool = True
) -> Registration:
    """Let a registration stand again that an organiser has cancelled or rejected; with it who came along, if anybody.

    version: that the ending led to, where the caller knows which one is meant. in_line: stand first in line when the
    place has gone; else PlaceGone. A seat comes back as an offer where the person got another at the same time since.
    Raises TooLate, StandsAgain, PlaceGone, StandApart; then nothing has happened.
    """
    registration = _locked(registration_id)
    admission = registration.admission
    if version not in {None, registration.version} or admission.is_over(now) or admission.is_cancelled:
        raise TooLate
    group, endings, pair = _who_stands_again(registration, now=now)
    for one in group:
        one.admission = admission
        _refuse_who_stands(one)
    ending = endings[group[0].pk]
    beside = pair if pair is not None and len(group) == 1 else None
    if beside is not None and not _alike(beside, ending):
        raise StandApart
    recalled = {one.pk for one in group if _recall_letter(one, endings[one.pk], now=now)}
    for one in group:
        _as_before(one, endings[one.pk], now=now)
    if ending.status in TAKING:
        _seat(group, ending, now=now, in_line=in_line and beside is None)
    elif ending.status == _S.WAITLISTED:
        for one in group:
            _keep_free(one, endings[one.pk].ended_at)
    for one in group:
        one.save(update_fields=_KEPT)
        is_silent = one.pk in recalled and one.status == endings[one.pk].status
        is_first = one.status == _S.WAITLISTED != endings[one.pk].status
        had_place = endings[one.pk].status in TAKING - {_S.OFFERED}
        _note(one, is_silent=is_silent, is_first=is_first, had_place=had_place, by=by, now=now)
    if pair is not None:
        SeatPair.objects.filter(pk=pair.pk).update(ended_at=None)
    Ending.objects.filter(pk__in=endings).delete()
    waiting_list.promote_locked(admission, now=now)
    registration.refresh_from_db(fields=_KEPT)
    return registration


def _locked(registration_id: int) -> Registration:
    """The registration, with everybody concerned and then the places locked before anything is read that decides."""
    admission_id, participant_id = Registration.objects.values_list("admission_id", "participant_id").get(
        pk=registration_id
    )
    pairs = SeatPair.objects.filter(Q(registration=registration_id) | Q(companion=registration_id))
    beside = pairs.values_list("registration__participant_id", "companion__participant_id")
    people = {participant_id, *(one for two in beside for one in two)}
    list(Participant.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
    Places.objects.select_for_update(no_key=True).get(pk=admission_id)
    registration = Registration.objects.select_related("participant__country").get(pk=registration_id)
    registration.admission = Admission.objects.with_meeting().get(pk=admission_id)
    return registration


def _endings(registrations: Sequence[Registration], *, now: datetime) -> dict[int, Ending]:
    """What is kept of registrations that have ended, while it speaks of their present version and is not too old."""
    version = {one.pk: one.version for one in registrations}
    found = Ending.objects.filter(pk__in=version, ended_at__gt=now - LASTS)
    return {one.pk: one for one in found if one.version == version[one.pk]}


def _who_stands_again(
    registration: Registration, *, now: datetime
) -> tuple[list[Registration], dict[int, Ending], SeatPair | None]:
    """The registration, or both of a pair that ended with it, the first one's first; with what is kept of them.

    The pair is the one to be restored: also where only who came along has ended. Raises TooLate.
    """
    ending = _endings([registration], now=now).get(registration.pk)
    if ending is None or registration.status not in ENDED:
        raise TooLate
    pair = (
        SeatPair.objects.filter(Q(registration=registration) | Q(companion=registration), ended_at=ending.ended_at)
        .select_related("registration__participant__country", "companion__participant__country")
        .first()
    )
    if pair is None:
        return [registration], {registration.pk: ending}, None
    both = [pair.registration, pair.companion]
    both = [registration if one.pk == registration.pk else one for one in both]
    endings = _endings([one for one in both if one.status in ENDED], now=now)
    if len(endings) == len(both) and {one.ended_at for one in endings.values()} == {ending.ended_at}:
        return both, endings, pair
    alone = [registration], {registration.pk: ending}
    # Whoever named somebody stands again without them, when nothing of that one is left to come back.
    return (*alone, None) if registration.pk == pair.registration_id else (*alone, pair)


def _refuse_who_stands(registration: Registration) -> None:
    """Raise TooLate for the erased, StandsAgain for who has registered anew or has left the delegation."""
    person = registration.participant_id
    if not IdentityKey.objects.filter(participant=person).exists():
        raise TooLate
    if Registration.objects.live().filter(participant=person, admission=registration.admission_id).exists():
        raise StandsAgain
    membership = Membership.objects.filter(participant=person).first()
    if membership is not None and not membership.is_active:
        raise StandsAgain


def _alike(pair: SeatPair, ending: Ending) -> bool:
    """Whether whoever named somebody stands as that one did, and has named nobody else since.

    Not where their place has passed on: who comes along with one member is no business of the next one.
    """
    main = pair.registration
    if main.participant_id != pair.named_by_id:
        return False
    stands: str = _S.CONFIRMED if main.status in TAKING - {_S.OFFERED} else main.status
    return stands == ending.status and not SeatPair.objects.standing().filter(registration=main).exists()


def _as_before(registration: Registration, ending: Ending, *, now: datetime) -> None:
    """Put a registration back as it was, but for the seat. A calendar takes the newer entry, so the time is now's."""
    registration.status = _S(ending.status)
    registration.position = ending.position
    registration.reserve = None
    registration.reason = ending.reason
    registration.cancelled_at = None
    registration.version += 1
    registration.decided_at = now if ending.decided_at is not None else None
    registration.decided_by_kind = ending.decided_by_kind
    registration.decided_by_id = ending.decided_by_id


def _seat(group: Sequence[Registration], ending: Ending, *, now: datetime, in_line: bool) -> None:
    """A free seat for each, or the first places in line. Raises PlaceGone, TooLate."""
    main = group[0]
    admission = main.admission
    is_late = not admission.may_promote(now)
    if main.status == _S.OFFERED and (main.offer_expires_at is None or main.offer_expires_at <= now):
        raise TooLate
    found = _free_seats(main, many=len(group))
    if found is None:
        if not in_line or is_late or admission.waiting == WaitingMode.NONE:
            raise PlaceGone
        first = _first_position(admission, many=len(group))
        for number, one in enumerate(group):
            one.status, one.position, one.offer_expires_at = _S.WAITLISTED, first + number, None
        return
    asks = main.status == _S.CONFIRMED and not is_late and _has_another_since(group, ending)
    for one, reserve in zip(group, found, strict=True):
        one.reserve = reserve
        if asks:
            one.status, one.offer_expires_at = _S.OFFERED, admission.offer_expires_at(now)


def _free_seats(main: Registration, *, many: int) -> list[Reserve | None] | None:
    """Seats that are free, whoever waits in line: all of them would have come after these. None: not enough."""
    admission = main.admission
    if seats.Bars(admission).why(main) == seats.Skip.QUOTA:
        return None
    left = seats.free(Places.objects.get(pk=admission.pk))
    category = seats.reserves_for(main.participant, decided_by=main.decided_by_kind)
    taken: list[Reserve | None] = []
    for _each in range(many):
        found = left.find(category)
        if not found:
            return None
        left.take(found[0])
        taken.append(found[0])
    return taken


def _first_position(admission: Admission, *, many: int) -> int:
    """The position from which so many stand before everybody in line."""
    lowest: int | None = (
        Registration.objects.filter(admission=admission, status=_S.WAITLISTED)
        .aggregate(lowest=Min("position"))["lowest"]
    )  # fmt: skip
    if lowest is None:
        return Places.objects.values_list("next_position", flat=True).get(pk=admission.pk)
    return lowest - many


def _keep_free(registration: Registration, ended_at: datetime) -> None:
    """Let those who were put before everybody meanwhile stay before it, where they got its position or a later one.

    Whoever stands before its position already was put there later still, and stays before them.
    """
    line = Registration.objects.filter(admission=registration.admission_id, status=_S.WAITLISTED)
    put_first = AuditEntry.objects.filter(about_id=OuterRef("public_id"), at__gte=ended_at).filter(
        Q(action="registration.moved_to_top") | Q(action=_TAKEN_BACK, details__has_key=_FIRST)
    )
    behind = line.filter(Exists(put_first), position__gte=registration.position)
    first = list(behind.order_by("position").values_list("pk", flat=True))
    if not first or registration.position is None:
        return
    # From the top, each into the gap before it: the database looks at every single row.
    for pk in line.filter(position__lt=registration.position).order_by("position").values_list("pk", flat=True):
        Registration.objects.filter(pk=pk).update(position=F("position") - len(first))
    for number, pk in enumerate(first):
        Registration.objects.filter(pk=pk).update(position=registration.position - len(first) + number)


def _has_another_since(group: Sequence[Registration], ending: Ending) -> bool:
    """Whether somebody got a seat at the same time after the ending: then they are asked which one they keep."""
    return any(
        at is not None and at > ending.ended_at
        for in_the_way in clashes.of(group).values()
        for seat in in_the_way
        for at in (seat.created_at, seat.decided_at, seat.promoted_at)
    )


def _recall_letter(registration: Registration, ending: Ending, *, now: datetime) -> bool:
    """Take back the letter about the ending, and whether the person then knows all that holds without another one.

    They do not when something else about the registration was due meanwhile and could not say how it stands now.
    """
    told = Message.objects.filter(
        topic__in=[messages.FORM, messages.STATUS],
        about_id__in=[registration.public_id, registration.participant.public_id],
    )
    key = f"status:{registration.public_id}:{registration.version}"
    others = told.exclude(key__startswith=key).filter(Q(finished_at=None) | Q(finished_at__gte=ending.ended_at))
    return not others.exists() if outbox.services.supersede(key, now=now) else False


def _note(
    registration: Registration, *, is_silent: bool, is_first: bool, had_place: bool, by: Actor, now: datetime
) -> None:
    """The line of the audit trail, and what leaves: a letter unless nothing was told, platform and join link.

    had_place: before the ending. Where it has gone, the letter takes the calendar entry back: that of the ending may
    have been recalled.
    """
    actors.audit_entry(
        at=now,
        by=by,
        action=_TAKEN_BACK,
        about_kind="registration",
        about_id=registration.public_id,
        details={"status_after": registration.status} | ({_FIRST: True} if is_first else {}),
    ).save()
    change = messages.about_change(registration, now=now, had_place=had_place, is_taken_back=True)
    outbox.services.queue(one for one in change if not is_silent or one.topic != messages.STATUS)
