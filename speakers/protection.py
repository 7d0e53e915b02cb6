"""Protecting somebody who speaks: what is said of them nowhere any more, and reading what was, for the named keepers.

docs/decisions/0018-protection.md says why things are taken out instead of hidden.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import safes
from accounts.actors import Actor
from alliance.exceptions import DomainError
from events import jobs
from events.models import Session
from speakers.models import Affiliation, Contribution, ContributionStatus, Person, Protection, SpeakerInvitation

LONGEST_NOTE = 4000
_GONE = [ContributionStatus.DECLINED, ContributionStatus.REPLACED]


class Withheld(DomainError):
    """Something would be printed beside a person who asked that it is not."""

    code = "speaker_withheld"
    message = _("This is not printed for this person. Leave it empty.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The protection of a speaker as wanted. note: what the keepers may read besides; None: as it is."""

    hides_country: bool = False
    hides_organisation: bool = False
    no_photo: bool = False
    no_recording: bool = False
    note: str | None = None
    keepers: tuple[safes.Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What lies in the safe of a speaker. taken_out: lines of what stood in the programme, oldest first."""

    note: str
    taken_out: list[str]


@transaction.atomic
def protect(*, person_id: int, wanted: Wanted, by: Actor, now: datetime) -> Protection:
    """Set how a speaker is protected. What is withheld leaves programme, directory and every release at once.

    Raises safes.NamedThemselves, safes.NobodyIsTold.
    """
    person = Person.objects.select_for_update().get(pk=person_id)
    protection = Protection.objects.select_related("safe").filter(person=person).first()
    if protection is None:
        protection = Protection(person=person, safe=safes.make(now=now), set_at=now)
    record = _read(protection)
    if wanted.note is not None:
        record = Record(wanted.note[:LONGEST_NOTE], record.taken_out)
    record.taken_out.extend(_take_out(person, wanted, now=now))
    protection.hides_country = wanted.hides_country
    protection.hides_organisation = wanted.hides_organisation
    protection.no_photo = wanted.no_photo
    protection.no_recording = wanted.no_recording
    protection.record = json.dumps({"note": record.note, "taken_out": record.taken_out})
    protection.save()
    _drop_proposals(person, protection)
    jobs.forget_people(None)  # documents and programme files with what was printed before
    safes.name_keepers(protection.safe, wanted.keepers, by=by, now=now)
    safes.note_change(protection.safe, "protected", by=by, now=now)
    return protection


@transaction.atomic
def lift(*, person_id: int, by: Actor, now: datetime) -> None:
    """End the protection. What was taken out is gone with the safe: whoever needs it reads it first.

    Raises safes.NotAKeeper: only who may open the record may end it.
    """
    protection = Protection.objects.select_for_update().select_related("safe").filter(person_id=person_id).first()
    if protection is not None:
        safes.check_may_undo(protection.safe, by=by)
        safes.note_change(protection.safe, "lifted", by=by, now=now)
        protection.delete()


@transaction.atomic
def open_record(*, person_id: int, reason: str, by: Actor, now: datetime) -> Record:
    """What lies in the safe, for a named keeper with a reason. Raises safes.NotAKeeper and the others of the safe."""
    protection = Protection.objects.select_related("safe").filter(person_id=person_id).first()
    if protection is None:
        raise safes.NotAKeeper
    safes.open_safe(protection.safe, reason=reason, by=by, now=now)
    return _read(protection)


def withheld(person_ids: Iterable[int]) -> dict[int, Protection]:
    """The protections of some people, for those who write what is printed. One query."""
    return {row.person_id: row for row in Protection.objects.filter(person__in=list(person_ids)).defer("record")}


def everybody_of(keys: Iterable[str]) -> dict[str, Protection]:
    """The same by the stable names of programme files."""
    found = Protection.objects.filter(person__key__in=set(keys)).select_related("person").defer("record")
    return {row.person.key: row for row in found}


def without(values: dict[str, Any], protection: Protection | None) -> dict[str, Any]:
    """Values of a contribution as they may be stored for somebody with this protection."""
    if protection is None:
        return values
    empty: dict[str, Any] = {}
    if protection.hides_country:
        empty |= {"country": None, "country_meaning": ""}
    if protection.hides_organisation:
        empty |= {"organisation": None, "role_title": {}, "role_title_in_report": {}}
    return values | {name: value for name, value in empty.items() if name in values}


def unprinted(protection: Protection | None) -> frozenset[str]:
    """What speakers may otherwise propose and is not printed of somebody with this protection."""
    if protection is None:
        return frozenset()
    hides = protection.hides_country or protection.hides_organisation
    named = {"title", "organisation"} if protection.hides_organisation else set()
    return frozenset(named | ({"biography"} if hides else set()))


def check_unsaid(person_id: int, field: str) -> None:
    """Raises Withheld where the programme must not say this of the person. field: as a speaker's proposal names it."""
    if field in unprinted(withheld([person_id]).get(person_id)):
        raise Withheld


# --- sessions ---------------------------------------------------------------------------------------------------------


def _speaking(sessions: Sequence[int]) -> Any:
    return (
        Contribution.objects.filter(session__in=sessions, person__protection__isnull=False)
        .exclude(status__in=_GONE)
        .exclude(final_status__in=_GONE)
    )


def unrecorded(sessions: Sequence[int]) -> set[int]:
    """Those of the sessions in which somebody speaks who is not recorded. One query; it says nothing of who."""
    return set(_speaking(sessions).filter(person__protection__no_recording=True).values_list("session_id", flat=True))


def unphotographed(sessions: Sequence[int]) -> set[int]:
    """Those of the sessions in which somebody speaks who is not photographed."""
    return set(_speaking(sessions).filter(person__protection__no_photo=True).values_list("session_id", flat=True))


def asked_of_all(session_id: int) -> tuple[bool, bool]:
    """Whether nobody may record, and whether nobody may take photographs. One query."""
    flags = list(
        _speaking([session_id]).values_list("person__protection__no_recording", "person__protection__no_photo")
    )
    return any(recording for recording, _photo in flags), any(photo for _recording, photo in flags)


def conference_is_unrecorded(conference_id: int) -> bool:
    """Whether somebody speaks at the conference who is not recorded: then its common room is not either."""
    sessions = Session.objects.filter(conference=conference_id).values_list("pk", flat=True)
    return bool(unrecorded(list(sessions)))


# --- what is taken out ------------------------------------------------------------------------------------------------


def _read(protection: Protection) -> Record:
    data = json.loads(protection.record) if protection.record else {}
    return Record(str(data.get("note", "")), [str(line) for line in data.get("taken_out", [])])


def _take_out(person: Person, wanted: Wanted, *, now: datetime) -> list[str]:
    """Empty what is withheld; lines that say what it was, for the keepers."""
    if not (wanted.hides_country or wanted.hides_organisation):
        return []
    lines = [
        *_texts("biography", person.biography),
        *(line for row in person.affiliations.select_related("organisation") for line in _affiliation(row)),
    ]
    for row in person.contributions.select_related("session", "organisation", "country").order_by("pk"):
        about = f"{now:%Y-%m-%d} {row.session.title}"
        found: list[str] = []
        if wanted.hides_country and (row.country is not None or row.country_meaning):
            found.append(f"{row.country} ({row.country_meaning})" if row.country else row.country_meaning)
            row.country, row.country_meaning = None, ""
        if wanted.hides_organisation:
            others = [str(one.name) for one in row.other_organisations.all()]
            found += [*([str(row.organisation.name)] if row.organisation else []), *others]
            found += [*_texts("title", row.role_title), *_texts("in the report", row.role_title_in_report)]
            row.other_organisations.clear()
            row.organisation, row.role_title, row.role_title_in_report = None, {}, {}
        if found:
            row.save(update_fields=["country", "country_meaning", "organisation", "role_title", "role_title_in_report"])
            lines.append(f"{about}: {'; '.join(found)}")
    person.affiliations.all().delete()
    Person.objects.filter(pk=person.pk).update(biography={}, updated_at=now)
    return lines


def _drop_proposals(person: Person, protection: Protection) -> None:
    """What speakers propose themselves is read by organisers: what is not printed goes from there as well."""
    unsaid = unprinted(protection)
    for invitation in SpeakerInvitation.objects.filter(person=person).exclude(answers=""):
        proposed: dict[str, str] = json.loads(invitation.answers)
        kept = {name: text for name, text in proposed.items() if name not in unsaid}
        if kept != proposed:
            invitation.answers = json.dumps(kept, ensure_ascii=False) if kept else ""
            invitation.save(update_fields=["answers"])


def _texts(what: str, text: Any) -> list[str]:
    return [f"{what} ({language}): {words}" for language, words in text.items() if words]


def _affiliation(row: Affiliation) -> list[str]:
    where = str(row.organisation.name) if row.organisation is not None else ""
    return [f"{row.since or ''}–{row.until or ''} {row.role_title} {where}".strip()]
