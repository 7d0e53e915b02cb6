"""What speakers are asked to agree to, word for word. A wording somebody agreed to stays here, under its version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import actors
from accounts.actors import Actor
from speakers.models import SpeakerConsent, SpeakerInvitation, SpeakerPurpose, SpeakerTakeDown

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentence that is agreed to, and why it is asked. lasts: until it ends by itself; None for no end."""

    version: str
    sentence: Words
    reason: Words
    lasts: timedelta | None = None


_BATCH = 500

# By purpose, the oldest first; the last one is shown.
WORDINGS: dict[SpeakerPurpose, tuple[Wording, ...]] = {
    SpeakerPurpose.PHOTO: (
        Wording(
            "2026-11",
            _("Photographs that show me may be published"),
            _("They are taken for the report and the web pages of the conference."),
        ),
    ),
    SpeakerPurpose.RECORDING: (
        Wording(
            "2026-11",
            _("Recordings in which I am seen or heard may be kept and published"),
            _("Sessions are recorded for people who could not attend."),
        ),
    ),
    SpeakerPurpose.STREAM: (
        Wording(
            "2026-11",
            _("I may be seen or heard in the live stream"),
            _("Sessions are shown on the Internet while they take place."),
        ),
    ),
    SpeakerPurpose.QUOTE: (
        Wording(
            "2026-11",
            _("What I say may be quoted with the name I appear under"),
            _("For the report and for news about the conference."),
        ),
    ),
    SpeakerPurpose.MATERIALS: (
        Wording(
            "2026-11",
            _("What I hand in, such as slides, may be published"),
            _("On the pages of the conference, for participants and others."),
        ),
    ),
    SpeakerPurpose.CONTACT: (
        Wording(
            "2026-11",
            _("The office may write to me after the conference"),
            _("About results and similar events, for two years; then this consent ends by itself."),
            timedelta(days=730),
        ),
    ),
}


def given(invitation: SpeakerInvitation) -> dict[str, bool]:
    """The last answer to each question that was answered."""
    rows = invitation.consents.order_by("at", "pk").values_list("purpose", "is_given")
    return dict(rows)


def record(invitation: SpeakerInvitation, wanted: dict[str, bool], *, now: datetime, language: str = "") -> list[str]:
    """Add a row for each answer that is new or another one; the purposes. In the caller's transaction.

    What is taken back becomes work for organisers; given again while that is open, the work is dropped.
    """
    before = given(invitation)
    changed = [SpeakerPurpose(one) for one, is_given in wanted.items() if before.get(one) is not is_given]
    rows = []
    for one in changed:
        wording = WORDINGS[one][-1]
        rows.append(
            SpeakerConsent(
                invitation=invitation,
                purpose=one,
                is_given=wanted[one],
                wording=wording.version,
                language=language or invitation.language,
                at=now,
                expires_at=now + wording.lasts if wanted[one] and wording.lasts else None,
            )
        )
        if wanted[one]:
            SpeakerTakeDown.objects.filter(invitation=invitation, purpose=one, done_at__isnull=True).delete()
        elif before.get(one):
            SpeakerTakeDown.objects.get_or_create(
                invitation=invitation, purpose=one, done_at=None, defaults={"asked_at": now}
            )
    SpeakerConsent.objects.bulk_create(rows)
    return [one.value for one in changed]


def standing_rows() -> QuerySet[SpeakerConsent]:
    """The newest answer to each question, where it was yes."""
    later = SpeakerConsent.objects.filter(
        invitation=OuterRef("invitation"), purpose=OuterRef("purpose"), pk__gt=OuterRef("pk")
    )
    return SpeakerConsent.objects.filter(~Exists(later), is_given=True)


def expire(*, now: datetime) -> int:
    """Take back what has ended by itself, as the speaker would; how many. Running twice is harmless."""
    over = standing_rows().filter(expires_at__lte=now).order_by("pk")
    count = 0
    for key, purpose in list(over.values_list("invitation", "purpose")[:_BATCH]):
        with transaction.atomic():
            invitation = SpeakerInvitation.objects.without_secrets().select_for_update(of=["self"]).get(pk=key)
            count += len(record(invitation, {purpose: False}, now=now))
    return count


def standing(invitation: SpeakerInvitation) -> list[tuple[SpeakerPurpose, Wording]]:
    """What the speaker agrees to now, with the words."""
    agreed = given(invitation)
    return [(purpose, WORDINGS[purpose][-1]) for purpose in SpeakerPurpose if agreed.get(purpose.value)]


# --- organisers -------------------------------------------------------------------------------------------------------


def take_downs(conference_id: int) -> QuerySet[SpeakerTakeDown]:
    """What has to be taken down at a conference, the open ones first, then the newest."""
    found = SpeakerTakeDown.objects.filter(invitation__contribution__session__conference=conference_id)
    return found.select_related("invitation__contribution__person", "done_by").order_by("-done_at", "asked_at", "pk")


def tick_off(*, conference_id: int, public_id: UUID, by: Actor, now: datetime) -> bool:
    """Note that it is taken down, by whom and when. Whether it was open."""
    found = take_downs(conference_id).filter(public_id=public_id, done_at__isnull=True)
    keys = list(found.values_list("pk", flat=True))
    changed = SpeakerTakeDown.objects.filter(pk__in=keys, done_at__isnull=True).update(done_at=now, done_by=by.user)
    if changed:
        actors.audit_entry(
            at=now, by=by, action="consent.taken_down", about_kind="take_down", about_id=public_id
        ).save()
    return bool(changed)
