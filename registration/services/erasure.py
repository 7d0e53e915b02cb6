"""Erasing a person: nothing of theirs stays readable, the next in line gets the seat, the figures keep their count."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import crypto
from events import jobs
from events.models import Removal, SavedFilter
from registration import retention
from registration.models import (
    AddressChange,
    Admission,
    AskedFor,
    Consent,
    DifferentPeople,
    Ending,
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
from registration.services import delegations, farewells, invitations, pairs, proofs, waiting_list
from registration.services.delegations import leaving
from video.services import people

ERASED_NAME = "(erased)"  # in the database, the same for everybody and every language
_HASH_BYTES = 32
_WORDS = ["reason", "override"]  # of the details of audit entries: free text
_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True)
class Erased:
    """What followed from it: registrations of the person that were cancelled, and people who moved up."""

    cancelled: int
    promoted: int


@dataclass(frozen=True, slots=True)
class _Why:
    """By which rule of keeping, and the code that proves it."""

    because: str = ""
    days: int | None = None
    receipt: str = ""


def erase(
    *,
    participant_id: int,
    by: Actor,
    now: datetime,
    says_farewell: bool = False,
    because: str = "",
    days: int | None = None,
    receipt: str = "",
) -> Erased:
    """Erase one participant for good, and first whom they named to come along: we know of those through them only.

    See _erase. Erasing twice is fine. Raises Participant.DoesNotExist.
    because, days: the rule of keeping and its period; else by whom it is done. receipt: the code by which the person
    can prove what was erased. The proof is counted once, however often a person is erased.
    """
    why = _Why(because, days)
    along = [_erase(participant_id=one, by=by, now=now, why=why) for one in pairs.brought_by(participant_id)]
    found = _erase(
        participant_id=participant_id, by=by, now=now, says_farewell=says_farewell, why=_Why(because, days, receipt)
    )
    return Erased(
        found.cancelled + sum(one.cancelled for one in along), found.promoted + sum(one.promoted for one in along)
    )


@transaction.atomic(durable=True)
def _erase(*, participant_id: int, by: Actor, now: datetime, why: _Why, says_farewell: bool = False) -> Erased:
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
        farewells.queue(participant, now=now, proof=why.receipt)
    ProtectedParticipant.objects.filter(participant_id=participant_id).delete()  # with its safe, by a trigger
    _prove(participant, by=by, why=why, now=now)
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
    _forget_words(participant)
    IdentityKey.objects.filter(participant_id=participant_id).delete()
    MailBounce.objects.filter(participant_id=participant_id).delete()
    OptOut.objects.filter(about_id=participant.public_id).delete()
    AddressChange.objects.filter(participant_id=participant_id).delete()
    AskedFor.objects.filter(participant_id=participant_id).delete()
    DifferentPeople.objects.filter(Q(first=participant_id) | Q(second=participant_id)).delete()
    Consent.objects.filter(participant_id=participant_id).delete()
    Removal.objects.filter(subject_id=participant.public_id).update(reason="", lift_reason="")
    QuestionAnswer.objects.filter(participant_id=participant_id).delete()
    Membership.objects.filter(participant_id=participant_id).update(sealed_as_written=None)
    Membership.objects.active().filter(participant_id=participant_id).update(
        state=MemberState.WITHDRAWN,
        ended_at=now,
        listed_at=None,
        listed_wording="",
        answer_hash=secrets.token_bytes(_HASH_BYTES),
    )
    delegations.leave_final_list(participant)
    jobs.forget_people(participant.conference_id)
    freed = _cancel_what_is_to_come(participant_id, by=by, now=now)
    _forget_links_and_reasons(participant_id)
    JoinNetwork.objects.filter(registration__participant=participant_id).delete()
    Ending.objects.filter(registration__participant=participant_id).delete()  # nobody brings the registration back
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


def _prove(participant: Participant, *, by: Actor, why: _Why, now: datetime) -> None:
    """Note what is about to go, once: of somebody without a key everything is gone."""
    if not IdentityKey.objects.select_for_update().filter(participant=participant):
        return
    rule = why.because or ("erased_by_wish" if by.kind == actors.PARTICIPANT.kind else "erased_by_hand")
    proofs.note(rule, 1, conference_id=participant.conference_id, days=why.days, now=now)
    if why.receipt:
        proofs.give_receipt(why.receipt, proofs.counts_of(participant), now=now)


def _forget_words(participant: Participant) -> None:
    """Drop what organisers wrote about the case in the audit trail, and filters they keep that look for the person."""
    ids = [participant.public_id]
    for rows in (participant.registrations.all(), Membership.objects.filter(participant=participant)):
        ids += rows.values_list("public_id", flat=True)
    written = Q(about_id__in=ids)
    for public_id, at in _passed_on(participant):
        written |= Q(about_id=public_id, at__lte=at)
    for entry in AuditEntry.objects.filter(written, details__has_any_keys=_WORDS):
        entry.details = {name: value for name, value in entry.details.items() if name not in _WORDS}
        entry.save(update_fields=["details"])
    Membership.objects.filter(participant=participant).exclude(verification_reason="").update(
        verification_reason=retention.FORGOTTEN
    )
    try:
        identity = participant.open_identity()
    except crypto.Unreadable:
        return
    names = {identity.full_name, identity.family_name, identity.email, participant.display_name}
    for name in names:
        if len(name) >= _SHORTEST_NAME:
            SavedFilter.objects.filter(query__icontains=urlencode({"q": name})).delete()


def _passed_on(participant: Participant) -> list[tuple[UUID, datetime]]:
    """Registrations that were the person's until somebody replaced them in the delegation, with the instant of it."""
    ids: set[UUID] = set()
    successor = Membership.objects.filter(replaces__participant=participant).first()
    while successor is not None:
        held = Registration.objects.filter(participant=successor.participant_id)
        ids.update(held.values_list("public_id", flat=True))
        successor = Membership.objects.filter(replaces=successor).first()
    passed = AuditEntry.objects.filter(about_id__in=ids, action=leaving.PASSED_ON)
    return list(passed.filter(details__contains={"from": str(participant.public_id)}).values_list("about_id", "at"))


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
    pairs.end_along(cancelled, by=by, now=now)
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
