"""Protecting somebody who comes: another name, no country, no organisation, no photograph, no recording.

What is withheld leaves the participant's row and lies sealed under the person's own key. People may ask
for it themselves on their page; who may look behind it is named by somebody else, in the admin. Why so:
docs/decisions/0018-protection.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import safes
from accounts.actors import Actor
from alliance import crypto
from alliance.exceptions import DomainError
from events import jobs
from events.models import Country, Organisation
from registration.joining import platform_handlers
from registration.models import (
    AttendanceMode,
    ConsentSource,
    Membership,
    Participant,
    ProtectedParticipant,
    Purpose,
    Registration,
)
from registration.models.participant import Identity
from registration.models.protection import Kept
from registration.models.registration import TAKING
from registration.services import consents, delegations
from speakers import protection as speaking

LONGEST_NOTE = 4000
FLAGS = ("hides_country", "hides_organisation", "no_photo", "no_recording")


class AliasMissing(DomainError):
    """A protected person appears under another name."""

    code = "alias_missing"
    message = _("Choose the name under which you appear. Your own name is shown to nobody then.")


class InDelegation(DomainError):
    """A delegation names the country or body that is to be hidden, and lists its members."""

    code = "protected_in_delegation"
    message = _(
        "A delegation speaks for this person and names its country or organisation. The membership has to end first."
    )


class Erased(DomainError):
    """Nothing is left to protect."""

    code = "participant_erased"
    message = _("Nothing is kept under this link any more.")


class ProtectionChanged(DomainError):
    """Somebody else, or the person, has changed it since the form was opened."""

    code = "protection_changed"
    message = _("What is hidden has been changed meanwhile. Nothing was saved; you see below how it stands now.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The protection as wanted. alias: needed of those who have none. note, keepers: None leaves them as they are.

    seen: flags() as the form was opened with them, so that nobody takes back unseen what was ticked meanwhile; None:
    not compared.
    """

    hides_country: bool = False
    hides_organisation: bool = False
    no_photo: bool = False
    no_recording: bool = False
    alias: str = ""
    note: str | None = None
    keepers: tuple[safes.Named, ...] | None = None
    seen: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The real record of a protected participant, for a named keeper."""

    identity: Identity
    country: str
    organisation: str
    function: str
    note: str


@transaction.atomic(durable=True)
def protect(*, participant_id: int, wanted: Wanted, by: Actor, now: datetime) -> ProtectedParticipant:
    """Set how a participant is protected; what is withheld leaves their row in the same transaction.

    What is shown again by an organiser has to be theirs to open. Raises AliasMissing, InDelegation, Erased,
    ProtectionChanged, safes.NotAKeeper, safes.NamedThemselves, safes.NobodyIsTold.
    """
    person = _locked(participant_id)
    hides = wanted.hides_country or wanted.hides_organisation
    if hides and (person.delegation_id is not None or Membership.objects.active().filter(participant=person).exists()):
        raise InDelegation
    found = ProtectedParticipant.objects.select_related("safe").filter(participant=person).first()
    if frozenset(name for name in FLAGS if getattr(wanted, name)) != flags(found):  # else sent twice
        _refuse_stale(found, wanted.seen)
    kept = Kept()
    if found is not None:
        found.participant = person
        kept = found.unseal()
    else:
        found = ProtectedParticipant(participant=person, safe=safes.make(now=now), set_at=now)
    if wanted.note is not None:
        kept = replace(kept, note=wanted.note[:LONGEST_NOTE])
    was = (found.hides_country, found.hides_organisation)
    if (was[0] and not wanted.hides_country) or (was[1] and not wanted.hides_organisation):
        safes.check_may_undo(found.safe, by=by)
    _rename(person, wanted.alias, now=now)
    found.hides_country, found.hides_organisation = wanted.hides_country, wanted.hides_organisation
    found.no_photo, found.no_recording = wanted.no_photo, wanted.no_recording
    kept = _withhold(person, kept, found, was)
    found.seal(kept)
    if not found._state.adding:
        ProtectedParticipant.objects.filter(participant=person).update(hides_country=False, hides_organisation=False)
    _save(person)
    found.save()
    _take_consents_back(person, wanted, by=by, now=now)
    jobs.forget_people(person.conference_id)  # files with the name and country of before
    if wanted.keepers is not None:
        safes.name_keepers(found.safe, wanted.keepers, by=by, now=now)
    safes.note_change(found.safe, "protected", by=by, now=now)
    return found


@transaction.atomic(durable=True)
def lift(*, participant_id: int, by: Actor, now: datetime, seen: frozenset[str] | None = None) -> None:
    """End the protection: what was withheld stands in the row again, the alias stays. Lifting twice is fine.

    seen: flags() as the page showed them; None: not compared. Raises Erased, ProtectionChanged, safes.NotAKeeper.
    """
    person = _locked(participant_id)
    found = ProtectedParticipant.objects.select_related("safe").filter(participant=person).first()
    if found is None:
        return
    _refuse_stale(found, seen)
    found.participant = person
    safes.check_may_undo(found.safe, by=by)
    kept = found.unseal()
    safes.note_change(found.safe, "lifted", by=by, now=now)
    was = (found.hides_country, found.hides_organisation)
    found.hides_country = found.hides_organisation = False
    _withhold(person, kept, found, was)
    found.delete()
    _save(person)


@transaction.atomic
def open_record(*, participant_id: int, reason: str, by: Actor, now: datetime) -> Record:
    """The name, the address and what was withheld, for a named keeper with a reason.

    Raises safes.NotAKeeper, safes.ReasonMissing, safes.NobodyIsTold, Erased.
    """
    found = (
        ProtectedParticipant.objects.select_related("safe", "participant__identity_key", "participant__country")
        .filter(participant=participant_id)
        .first()
    )
    if found is None:
        raise safes.NotAKeeper
    safes.open_safe(found.safe, reason=reason, by=by, now=now)
    try:
        identity, kept = found.participant.open_identity(), found.unseal()
    except crypto.Unreadable as error:
        raise Erased from error
    person = found.participant
    country = Country.objects.filter(pk=kept.country or person.country_id or 0).first()
    organisation = Organisation.objects.filter(pk=kept.organisation or person.organisation_id or 0).first()
    return Record(
        identity=identity,
        country=str(country.name) if country is not None else "",
        organisation=(kept.organisation_text or person.organisation_text)
        or (str(organisation.name) if organisation is not None else ""),
        function=kept.function or person.function,
        note=kept.note,
    )


def of(participant: Participant) -> ProtectedParticipant | None:
    """How somebody is protected; for their own page. One query."""
    return ProtectedParticipant.objects.filter(participant=participant).first()


def flags(found: ProtectedParticipant | None) -> frozenset[str]:
    """What is ticked of FLAGS, for the hidden field of a form."""
    return frozenset(name for name in FLAGS if found is not None and getattr(found, name))


def _refuse_stale(found: ProtectedParticipant | None, seen: frozenset[str] | None) -> None:
    """Raise ProtectionChanged for a form that was opened with something else. Under the lock of the person."""
    if seen is not None and seen != flags(found):
        raise ProtectionChanged


def is_unrecorded(session_id: int | None, conference_id: int | None) -> bool:
    """Whether somebody speaks in a session, or has a place on-line there, who is not recorded; of whom is not said.

    session_id: None for the common room of the conference.
    """
    if session_id is not None:
        if speaking.unrecorded([session_id]):
            return True
        here = Q(admission__session=session_id)
    elif conference_id is not None:
        if speaking.conference_is_unrecorded(conference_id):
            return True
        here = Q(admission__session=None, admission__conference=conference_id)
    else:
        return False
    online = Registration.objects.filter(here, status__in=TAKING, admission__mode=AttendanceMode.ONLINE)
    return online.filter(participant__protection__no_recording=True).exists()


def _locked(participant_id: int) -> Participant:
    person = (
        Participant.objects.select_for_update(of=("self",), no_key=True)
        .select_related("identity_key", "country")
        .filter(pk=participant_id, identity_key__isnull=False)
        .first()
    )
    if person is None:
        raise Erased
    return person


def _rename(person: Participant, alias: str, *, now: datetime) -> None:
    name = " ".join(alias.split())
    if not name and not person.has_alias:
        raise AliasMissing
    if name and (name != person.display_name or not person.has_alias):
        person.display_name, person.has_alias = name, True
        platform_handlers.renamed(person, now=now)
        delegations.leave_final_list(person)


def _withhold(person: Participant, kept: Kept, found: ProtectedParticipant, was: tuple[bool, bool]) -> Kept:
    """Move country and organisation between the row and what is sealed; the latter. The caller saves."""
    if found.hides_country and person.country_id is not None:
        kept = replace(kept, country=person.country_id)
        person.country = None
    elif was[0] and not found.hides_country:
        person.country_id = kept.country
        kept = replace(kept, country=None)
    if found.hides_organisation and (person.organisation_id or person.organisation_text or person.function):
        kept = replace(
            kept,
            organisation=person.organisation_id,
            organisation_text=person.organisation_text,
            function=person.function,
        )
        person.organisation = None
        person.organisation_text = person.function = ""
    elif was[1] and not found.hides_organisation:
        person.organisation_id = kept.organisation
        person.organisation_text, person.function = kept.organisation_text, kept.function
        kept = replace(kept, organisation=None, organisation_text="", function="")
    return kept


def _save(person: Participant) -> None:
    person.save(
        update_fields=[
            "display_name", "has_alias", "country", "organisation", "organisation_text", "function", "updated_at",
        ]
    )  # fmt: skip


def _take_consents_back(person: Participant, wanted: Wanted, *, by: Actor, now: datetime) -> None:
    """Who is not to be photographed or recorded has not agreed to it: what was made is on the list to take down."""
    gone = [*([Purpose.PHOTO] if wanted.no_photo else []), *([Purpose.RECORDING] if wanted.no_recording else [])]
    given = consents.newest(person)
    for purpose in gone:
        if purpose in given and given[purpose].is_given:
            consents.append(
                person, purpose, is_given=False, language=person.language, source=ConsentSource.PAGE, by=by, now=now
            )
