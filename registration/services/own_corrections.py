"""What people correct about themselves on their own page, and what follows from it.

What a delegation said of a member is the delegation's to correct (registration.services.corrections); a member corrects
here what the delegation never entered. A correction opens no door: docs/personal-page.md says why.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy

import outbox.services
from accounts import actors
from alliance import crypto
from alliance.exceptions import DomainError
from events import jobs
from events.models import Country
from events.releases.reading import published
from registration.joining import platform_handlers
from registration.letters import messages
from registration.models import (
    Admission,
    ApprovalMode,
    Membership,
    Participant,
    Places,
    ProtectedParticipant,
    Registration,
    RegistrationStatus,
)
from registration.models.participant import Identity
from registration.models.registration import REASON_AUDIENCE
from registration.seating import origins
from registration.services import pairs

_PLAIN = ("language", "time_zone", "interpretation_language", "accessibility_needs", "function", "organisation_text")
_DELEGATIONS_OWN = frozenset({"given_name", "family_name", "alias", "category", "country", "organisation_id",
                              "organisation_text", "function"})  # fmt: skip


class Erased(DomainError):
    """Nothing is left to correct."""

    code = "participant_erased"
    message = gettext_lazy("Nothing is kept under this link any more.")


@dataclass(frozen=True, slots=True)
class OwnData:
    """All that people correct about themselves; shape and length are checked by the form. The address goes its own way.

    alias: the name to appear under, empty for the real one. time_zone: IANA name, or empty for the venue's clock.
    """

    given_name: str
    family_name: str
    alias: str
    language: str
    time_zone: str
    category: str
    country: Country | None
    organisation_id: int | None
    organisation_text: str
    function: str
    interpretation_language: str
    accessibility_needs: str


def is_member(participant: Participant) -> bool:
    """Whether a delegation speaks for this participant. One query."""
    return Membership.objects.active().filter(participant=participant).exists()


def own_data(participant: Participant) -> OwnData:
    """How things stand. Needs country and identity_key loaded. Raises Erased."""
    try:
        identity = participant.open_identity()
    except crypto.Unreadable as error:
        raise Erased from error
    return OwnData(
        given_name=identity.given_name,
        family_name=identity.family_name,
        alias=participant.display_name if participant.has_alias else "",
        language=participant.language,
        time_zone=participant.time_zone,
        category=participant.category,
        country=participant.country,
        organisation_id=participant.organisation_id,
        organisation_text=participant.organisation_text,
        function=participant.function,
        interpretation_language=participant.interpretation_language,
        accessibility_needs=participant.accessibility_needs,
    )


@transaction.atomic(durable=True)
@published
def correct(*, participant_id: int, wanted: OwnData, now: datetime) -> set[str]:
    """Put what is wanted in the place of what was told before. Returns the names of what changed.

    Seats stay. Somebody who waits in line for an event whose audience they no longer belong to awaits approval instead.
    Once group, country or organisation were corrected, an organiser decides about every further event for an audience.
    Of a member of a delegation only what the delegation never enters is changed. Raises Erased.
    """
    participant = _locked(participant_id)
    before = own_data(participant)
    if is_member(participant):
        kept = {name: getattr(before, name) for name in _DELEGATIONS_OWN}
        wanted = OwnData(**{field.name: kept.get(field.name, getattr(wanted, field.name)) for field in fields(wanted)})
    wanted = replace(wanted, **_kept_by_protection(participant, before, wanted))
    changed = {field.name for field in fields(wanted) if getattr(before, field.name) != getattr(wanted, field.name)}
    if not changed:
        return changed
    shown_before = participant.display_name
    if changed & {"given_name", "family_name"}:
        identity = Identity(wanted.given_name, wanted.family_name, participant.open_identity().email)
        reseal(participant, identity)
    participant.has_alias = bool(wanted.alias)
    participant.display_name = wanted.alias or f"{wanted.given_name} {wanted.family_name}".strip()
    for name in (*_PLAIN, "category", "country", "organisation_id"):
        setattr(participant, name, getattr(wanted, name))
    has_moved = bool(changed & {"category", "country", "organisation_id"})
    if has_moved:
        participant.audience_changed_at = now
    participant.save(
        update_fields=["display_name", "has_alias", "sealed_identity", "category", "country", "organisation",
                       "audience_changed_at", "updated_at", *_PLAIN]
    )  # fmt: skip
    _audit(participant, "corrected", now=now, fields=sorted(changed))
    if "alias" in changed or participant.display_name != shown_before:
        platform_handlers.renamed(participant, now=now)  # else the platform would show them by the name of before
        jobs.forget_people(participant.conference_id)  # files with the name of before
    if has_moved:
        _ask_again(participant, now=now)
    return changed


def _kept_by_protection(participant: Participant, before: OwnData, wanted: OwnData) -> dict[str, Any]:
    """What a protected person does not change here: what is withheld, and that they appear under another name."""
    found = ProtectedParticipant.objects.filter(participant=participant).first()
    if found is None:
        return {}
    names = [*(["country"] if found.hides_country else [])]
    names += ["organisation_id", "organisation_text", "function"] if found.hides_organisation else []
    return {name: getattr(before, name) for name in names} | {"alias": wanted.alias or before.alias}


def _locked(participant_id: int) -> Participant:
    participant = (
        Participant.objects.select_for_update(of=("self",), no_key=True)
        .select_related("identity_key", "country")
        .filter(pk=participant_id)
        .first()
    )
    if participant is None:  # merged into another row since the page was asked for
        raise Erased
    return participant


def reseal(participant: Participant, identity: Identity) -> None:
    """Seal another identity under the same key. Needs identity_key loaded; the caller saves."""
    participant.seal(identity, crypto.unwrap_person_key(bytes(participant.identity_key.wrapped)))


def _audit(participant: Participant, action: str, *, now: datetime, **details: Any) -> None:
    actors.audit_entry(
        at=now,
        by=actors.PARTICIPANT,
        action=f"participant.{action}",
        about_kind="participant",
        about_id=participant.public_id,
        details=details,
    ).save()


def _ask_again(participant: Participant, *, now: datetime) -> None:
    """Whoever waits for an event and has left its audience leaves the line and awaits approval.

    A status does not go from the list back to approval (registration.models.MOVES), so the old registration ends and a
    new one begins; approved, it stands at the end of the line.
    """
    waiting = Registration.objects.filter(
        participant=participant, status=RegistrationStatus.WAITLISTED, admission__approval=ApprovalMode.AUDIENCE
    )
    ids = sorted(waiting.values_list("admission_id", flat=True))
    if not ids:
        return
    list(Places.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    admissions = Admission.objects.with_meeting().prefetch_related("audience_organisations").in_bulk(ids)
    for registration in waiting.filter(admission__in=ids).order_by("admission_id"):
        admission = admissions[registration.admission_id]
        if admission.is_over(now) or origins.admits(admission, participant):
            continue
        registration.status = RegistrationStatus.CANCELLED
        registration.position = None
        registration.cancelled_at = now
        registration.version += 1
        registration.save(update_fields=["status", "position", "cancelled_at", "version"])
        pairs.end_along([registration], by=actors.SYSTEM, now=now)
        again = Registration(admission=admission, participant=participant, created_at=now, reason=REASON_AUDIENCE)
        again.join_hash = crypto.token_hash(again.join_token)
        again.save()
        for row, action in ((registration, "cancelled"), (again, "received")):
            actors.audit_entry(
                at=now,
                by=actors.SYSTEM,
                action=f"registration.{action}",
                about_kind="registration",
                about_id=row.public_id,
                details={"because": "audience_corrected"},
            ).save()
        outbox.services.queue(messages.about_change(again, now=now))
