"""Consents: given and taken back as lines of a ledger, and the work that follows from taking one back.

The official list of participants by delegation goes by Membership.listed_at, which the database keeps together with the
membership; what is said about the list here or on the answer page is written to both (docs/personal-page.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import dates
from alliance.exceptions import DomainError
from events.models import Conference
from registration import consent_wordings
from registration.consent_wordings import Wording
from registration.models import (
    Consent,
    ConsentSetting,
    ConsentSource,
    Membership,
    MemberState,
    Participant,
    Purpose,
    Registration,
    TakeDown,
)


class NotAsked(DomainError):
    """Nobody asks for this consent."""

    code = "consent_not_asked"
    message = gettext_lazy("The conference does not ask for this consent any more. Nothing was changed.")


def asked(conference: Conference) -> list[Purpose]:
    """The purposes a conference asks for, in the order of the form. Reads conference.consent_setting if not loaded."""
    setting: ConsentSetting | None = getattr(conference, "consent_setting", None)
    wanted = set(setting.purposes) if setting is not None else set()
    return [purpose for purpose in Purpose if purpose in wanted]


# --- the ledger -------------------------------------------------------------------------------------------------------


def _line(
    participant: Participant,
    purpose: Purpose,
    *,
    is_given: bool,
    language: str,
    source: ConsentSource,
    now: datetime,
    wording: Wording | None = None,
    by: Actor = actors.PARTICIPANT,
) -> Consent:
    wording = wording or consent_wordings.current(purpose)
    return Consent(
        participant=participant,
        purpose=purpose,
        is_given=is_given,
        wording=wording.version,
        language=language,
        source=source,
        by=by.user,
        at=now,
        expires_at=now + wording.lasts if is_given and wording.lasts else None,
    )


def _audited(
    participant: Participant,
    purposes: Iterable[str],
    *,
    is_given: bool,
    source: ConsentSource,
    by: Actor,
    now: datetime,
) -> AuditEntry:
    return actors.audit_entry(
        at=now,
        by=by,
        action="consent.given" if is_given else "consent.withdrawn",
        about_kind="participant",
        about_id=participant.public_id,
        details={"purposes": [str(purpose) for purpose in purposes], "source": str(source)},
    )


def from_form(
    participant: Participant, purposes: Collection[str], *, now: datetime
) -> tuple[list[Consent], list[AuditEntry]]:
    """Unsaved rows for what a new participant ticked on the form; their language is the participant's."""
    given = [purpose for purpose in Purpose if purpose in purposes]
    if not given:
        return [], []
    lines = [
        _line(
            participant,
            purpose,
            is_given=True,
            language=participant.language,
            source=ConsentSource.FORM,
            now=now,
        )
        for purpose in given
    ]
    return lines, [
        _audited(participant, given, is_given=True, source=ConsentSource.FORM, by=actors.PARTICIPANT, now=now)
    ]


def newest(participant: Participant) -> dict[Purpose, Consent]:
    """The newest line of each purpose. One query."""
    rows = Consent.objects.filter(participant=participant).newest()
    return {Purpose(row.purpose): row for row in rows}


@transaction.atomic(durable=True)
def give(
    *,
    participant_id: int,
    purpose: Purpose,
    language: str,
    now: datetime,
    source: ConsentSource = ConsentSource.PAGE,
    by: Actor = actors.PARTICIPANT,
) -> bool:
    """Agree to a purpose as it is worded now. Whether that was news: giving twice is fine. Raises NotAsked."""
    participant = _locked(participant_id)
    if participant is None or not _may_give(participant, purpose):
        raise NotAsked
    return append(participant, purpose, is_given=True, language=language, source=source, by=by, now=now)


@transaction.atomic(durable=True)
def withdraw(
    *,
    participant_id: int,
    purpose: Purpose,
    language: str,
    now: datetime,
    source: ConsentSource = ConsentSource.PAGE,
    by: Actor = actors.PARTICIPANT,
) -> bool:
    """Take a consent back, and tell the organisers what must be taken down. Whether that was news."""
    participant = _locked(participant_id)
    if participant is None:
        return False
    return append(participant, purpose, is_given=False, language=language, source=source, by=by, now=now)


def expire(*, now: datetime) -> int:
    """Take back what has ended by itself, as its owner would: with a line, and work where something shows them.

    One transaction for each, so that it may be killed and run again. Returns how many.
    """
    later = Consent.objects.filter(
        participant=OuterRef("participant"), purpose=OuterRef("purpose"), pk__gt=OuterRef("pk")
    )
    over = Consent.objects.filter(
        ~Exists(later), is_given=True, expires_at__lte=now, participant__identity_key__isnull=False
    )
    count, after = 0, 0
    while (line := over.filter(pk__gt=after).order_by("pk").first()) is not None:
        after = line.pk
        with transaction.atomic(durable=True):
            participant = _locked(line.participant_id)
            newest_line = Consent.objects.filter(participant=line.participant_id, purpose=line.purpose).newest().first()
            if participant is None or newest_line is None or newest_line.stands(now):
                continue
            purpose = Purpose(line.purpose)
            count += append(
                participant,
                purpose,
                is_given=False,
                language=line.language,
                source=ConsentSource.TIME,
                by=actors.SYSTEM,
                now=now,
            )
    return count


def _locked(participant_id: int) -> Participant | None:
    """The participant, unless erased; others who write about the same person wait."""
    return (
        Participant.objects.select_for_update(of=("self",), no_key=True)
        .select_related("conference__consent_setting")
        .filter(pk=participant_id, identity_key__isnull=False)
        .first()
    )


def _may_give(participant: Participant, purpose: Purpose) -> bool:
    if purpose == Purpose.LIST and _memberships(participant).exists():
        return True
    return purpose in asked(participant.conference)


def _memberships(participant: Participant) -> QuerySet[Membership]:
    return Membership.objects.filter(participant=participant, state=MemberState.CONFIRMED)


def append(
    participant: Participant,
    purpose: Purpose,
    *,
    is_given: bool,
    language: str,
    source: ConsentSource,
    now: datetime,
    by: Actor = actors.PARTICIPANT,
) -> bool:
    """Write a line if it says something new, with what follows. The caller holds the participant's row, or its like.

    An expired consent may be given again, and so may one whose wording has changed since.
    """
    before = Consent.objects.filter(participant=participant, purpose=purpose).newest().first()
    wording = consent_wordings.current(purpose)
    if is_given and before is not None and before.stands(now) and before.wording == wording.version:
        return False
    if not is_given and (before is None or not before.is_given):
        return False
    if not is_given and before is not None:
        wording = consent_wordings.find(purpose, before.wording)  # what is taken back is what was agreed to
    _line(
        participant, purpose, is_given=is_given, language=language, source=source, now=now, wording=wording, by=by
    ).save()
    _audited(participant, [purpose], is_given=is_given, source=source, by=by, now=now).save()
    if purpose == Purpose.LIST:
        _memberships(participant).update(
            listed_at=now if is_given else None, listed_wording=wording.version if is_given else ""
        )
    if is_given:
        TakeDown.objects.filter(participant=participant, purpose=purpose, done_at__isnull=True).delete()
    else:
        TakeDown.objects.get_or_create(
            participant=participant, purpose=purpose, done_at=None, defaults={"asked_at": now}
        )
    return True


# --- the personal page ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnConsent:
    """A purpose as somebody finds it on their own page. since: of the newest line; None when never asked."""

    purpose: Purpose
    wording: Wording
    is_given: bool
    may_be_given: bool
    since: datetime | None
    expires_at: datetime | None
    has_ended: bool = False  # by itself

    @property
    def since_day(self) -> str:
        """The day of the newest line, as people read it."""
        return _day(self.since)

    @property
    def expires_day(self) -> str:
        """The day on which it ends by itself; empty for none."""
        return _day(self.expires_at)


def _day(instant: datetime | None) -> str:
    day = timezone.localtime(instant).date() if instant is not None else None
    return dates.day(day, with_weekday=False) if day is not None else ""


def own(participant: Participant, *, now: datetime) -> list[OwnConsent]:
    """What the conference asks for, and whatever the participant has agreed to before.

    One query if membership and conference.consent_setting are loaded.
    """
    lines = newest(participant)
    wanted = set(asked(participant.conference))
    membership: Membership | None = getattr(participant, "membership", None)
    if membership is not None and membership.state == MemberState.CONFIRMED:
        wanted.add(Purpose.LIST)
    found = []
    for purpose in Purpose:
        line = lines.get(purpose)
        stands = line is not None and line.stands(now)
        if purpose in wanted or stands:
            wording = (
                consent_wordings.find(purpose, line.wording)
                if line is not None and stands
                else consent_wordings.current(purpose)
            )
            found.append(
                OwnConsent(
                    purpose,
                    wording,
                    stands,
                    purpose in wanted,
                    line.at if line is not None else None,
                    line.expires_at if line is not None and stands else None,
                    line is not None and (line.source == ConsentSource.TIME or (line.is_given and not stands)),
                )
            )
    return found


# --- organisers -------------------------------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def ask_for(*, conference: Conference, purposes: Collection[str], by: Actor, now: datetime) -> bool:
    """Say which consents a conference asks for. Whether that is a change. What people said before stays."""
    wanted = [purpose.value for purpose in Purpose if purpose in purposes]
    setting = ConsentSetting.objects.select_for_update().filter(conference=conference).first()
    before = list(setting.purposes) if setting is not None else []
    if before == wanted:
        return False
    ConsentSetting.objects.update_or_create(conference=conference, defaults={"purposes": wanted})
    actors.audit_entry(
        at=now,
        by=by,
        action="conference.consents_changed",
        about_kind="conference",
        about_id=conference.public_id,
        details={"from": before, "to": wanted},
    ).save()
    return True


def agreed(conference: Conference, *, now: datetime) -> dict[Purpose, int]:
    """How many people with a registration that stands agree to each purpose now. One query."""
    there = Registration.objects.live().filter(participant_id=OuterRef("participant_id"))
    lines = Consent.objects.filter(
        Exists(there), participant__conference=conference, participant__identity_key__isnull=False
    ).newest()
    counts = dict.fromkeys(Purpose, 0)
    for line in lines.only("purpose", "is_given", "expires_at"):
        counts[Purpose(line.purpose)] += line.stands(now)
    return counts


@transaction.atomic
def ledger(participant: Participant, *, by: Actor, now: datetime) -> tuple[list[Consent], list[TakeDown]]:
    """Every line of one person, the oldest first, and what was taken down after it; on the record."""
    lines = list(Consent.objects.filter(participant=participant).order_by("pk"))
    work = list(TakeDown.objects.filter(participant=participant).select_related("done_by").order_by("asked_at", "pk"))
    actors.audit_entry(
        at=now,
        by=by,
        action="consent.exported",
        about_kind="participant",
        about_id=participant.public_id,
        details={"lines": len(lines)},
    ).save()
    return lines, work


def take_downs(conference: Conference) -> QuerySet[TakeDown]:
    """What has to be taken down, the open ones first, then the newest."""
    found = TakeDown.objects.filter(participant__conference=conference).select_related("participant", "done_by")
    return found.order_by("-done_at", "asked_at", "pk")  # PostgreSQL sorts NULL first when descending


@transaction.atomic(durable=True)
def tick_off(*, conference: Conference, public_id: UUID, by: Actor, now: datetime) -> bool:
    """Note that it is taken down, by whom and when. Whether it was open; ticking twice is fine."""
    changed = TakeDown.objects.filter(
        public_id=public_id, participant__conference=conference, done_at__isnull=True
    ).update(done_at=now, done_by=by.user)
    if changed:
        actors.audit_entry(
            at=now, by=by, action="consent.taken_down", about_kind="take_down", about_id=public_id
        ).save()
    return bool(changed)
