"""Erasing a person: nothing of theirs stays readable, the next in line gets the seat, the figures keep their count."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from registration.models import (
    AddressChange,
    Admission,
    AskedFor,
    Consent,
    DifferentPeople,
    IdentityKey,
    JoinNetwork,
    MailBounce,
    Membership,
    MemberState,
    OptOut,
    Participant,
    Places,
    ProtectedParticipant,
    QuestionAnswer,
    Registration,
    RegistrationStatus,
    RetiredLink,
)
from registration.services import farewells, invitations, waiting_list
from video.services import people

ERASED_NAME = "(erased)"  # in the database, the same for everybody and every language
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Erased:
    """What followed from it: registrations of the person that were cancelled, and people who moved up."""

    cancelled: int
    promoted: int


@transaction.atomic(durable=True)
def erase(*, participant_id: int, by: Actor, now: datetime, says_farewell: bool = False) -> Erased:
    """Erase one participant for good, in one transaction. Erasing twice is fine. Raises Participant.DoesNotExist.

    What stays, for the figures: the row with conference, country, category and language, and the registrations with
    their times. Places in what is still to come are cancelled and go to the next in line; what is over stays as it
    was, for it counts who was there. The links die, and the address may register anew. The handlers drop what is
    queued about somebody without a key; only a mail that a worker has rendered already may still leave, and with
    says_farewell one last mail (registration.services.farewells). Rule: docs/decisions/0008-identity.md.
    """
    # Before the person, since accepting locks them in this order; read again below, where the person is ours.
    invitations.lock(Participant.objects.select_related("identity_key").filter(pk=participant_id))
    if says_farewell:
        list(Participant.objects.select_for_update(no_key=True).filter(pk=participant_id))  # twice at once: one mail
    participant = Participant.objects.select_related("identity_key").get(pk=participant_id)
    if says_farewell:
        farewells.queue(participant, now=now)
    ProtectedParticipant.objects.filter(participant_id=participant_id).delete()  # with its safe, by a trigger
    # First, and in one statement: a form with the same address waits here for us.
    Participant.objects.filter(pk=participant_id).update(
        display_name=ERASED_NAME,
        has_alias=False,
        email_index=secrets.token_bytes(_HASH_BYTES),
        sealed_identity=b"",
        link_hash=secrets.token_bytes(_HASH_BYTES),
        link_version=F("link_version") + 1,
        organisation=None,
        organisation_text="",
        function="",
        delegation=None,
        delegation_capacity="",
        interpretation_language="",
        accessibility_needs="",
        time_zone="",
        audience_changed_at=None,
        updated_at=timezone.now(),
    )
    invitations.forget_person(participant)  # by the address, which is still open here
    IdentityKey.objects.filter(participant_id=participant_id).delete()
    MailBounce.objects.filter(participant_id=participant_id).delete()
    OptOut.objects.filter(about_id=participant.public_id).delete()
    AddressChange.objects.filter(participant_id=participant_id).delete()
    AskedFor.objects.filter(participant_id=participant_id).delete()
    DifferentPeople.objects.filter(Q(first=participant_id) | Q(second=participant_id)).delete()
    Consent.objects.filter(participant_id=participant_id).delete()
    QuestionAnswer.objects.filter(participant_id=participant_id).delete()
    Membership.objects.active().filter(participant_id=participant_id).update(
        state=MemberState.WITHDRAWN,
        ended_at=now,
        listed_at=None,
        listed_wording="",
        answer_hash=secrets.token_bytes(_HASH_BYTES),
    )
    freed = _cancel_what_is_to_come(participant_id, by=by, now=now)
    _forget_links_and_reasons(participant_id)
    JoinNetwork.objects.filter(registration__participant=participant_id).delete()
    RetiredLink.objects.filter(registration__participant=participant_id).delete()
    people.forget(Registration.objects.filter(participant_id=participant_id).values_list("public_id", flat=True))
    actors.audit_entry(
        at=now,
        by=by,
        action="participant.erased",
        about_kind="participant",
        about_id=participant.public_id,
        details={"cancelled": len(freed)},
    ).save()
    promoted = sum(waiting_list.promote_locked(admission, now=now) for admission in freed)
    return Erased(len(freed), promoted)


def _cancel_what_is_to_come(participant_id: int, *, by: Actor, now: datetime) -> list[Admission]:
    """Cancel what may be cancelled and is not over; the admissions, their places rows locked in the order of keys."""
    mine = Registration.objects.filter(participant_id=participant_id)
    admission_ids = set(mine.cancellable().values_list("admission_id", flat=True))
    admissions = [
        admission
        for admission in Admission.objects.with_meeting().filter(pk__in=admission_ids).order_by("pk")
        if not admission.is_over(now)
    ]
    locked = Places.objects.select_for_update(no_key=True).filter(admission__in=admissions).order_by("pk")
    list(locked)
    cancelled = list(mine.cancellable().filter(admission__in=admissions).order_by("admission_id", "pk"))
    mine.filter(pk__in=[registration.pk for registration in cancelled]).update(
        status=RegistrationStatus.CANCELLED, position=None, cancelled_at=now, version=F("version") + 1
    )
    AuditEntry.objects.bulk_create(
        actors.audit_entry(
            at=now,
            by=by,
            action="registration.cancelled",
            about_kind="registration",
            about_id=registration.public_id,
            details={"status_before": registration.status},
        )
        for registration in cancelled
    )
    freed = {registration.admission_id for registration in cancelled}
    return [admission for admission in admissions if admission.pk in freed]


def _forget_links_and_reasons(participant_id: int) -> None:
    """Make join links worthless, and drop what organisers wrote to the person. The system's own reasons stay."""
    registrations = list(Registration.objects.filter(participant_id=participant_id).only("join_version", "reason"))
    for registration in registrations:
        registration.join_hash = secrets.token_bytes(_HASH_BYTES)
        registration.join_version += 1
        if not registration.reason.startswith("@"):
            registration.reason = ""
    Registration.objects.bulk_update(registrations, ["join_hash", "join_version", "reason"])
