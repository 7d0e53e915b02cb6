"""What speakers are asked to agree to, word for word. A wording somebody agreed to stays here, under its version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from speakers.models import SpeakerConsent, SpeakerInvitation, SpeakerPurpose

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentence that is agreed to, and why it is asked."""

    version: str
    sentence: Words
    reason: Words


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
}


def given(invitation: SpeakerInvitation) -> dict[str, bool]:
    """The last answer to each question that was answered."""
    rows = invitation.consents.order_by("at", "pk").values_list("purpose", "is_given")
    return dict(rows)


def record(invitation: SpeakerInvitation, wanted: dict[str, bool], *, now: datetime) -> list[str]:
    """Add a row for each answer that is new or another one; the purposes. In the caller's transaction."""
    before = given(invitation)
    changed = [SpeakerPurpose(one) for one, is_given in wanted.items() if before.get(one) is not is_given]
    SpeakerConsent.objects.bulk_create(
        SpeakerConsent(
            invitation=invitation, purpose=one, is_given=wanted[one], wording=WORDINGS[one][-1].version, at=now
        )
        for one in changed
    )
    return [one.value for one in changed]
