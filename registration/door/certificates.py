"""Certificates of attendance: which sessions somebody was let in to, as PDF with a code that can be confirmed."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from alliance import dates
from events.documents import pdf, store
from events.models import Conference, Session
from registration.models import Certificate, CheckIn, Participant
from registration.models.attendance import as_typed, grouped
from registration.services import attendance

_TEMPLATE = Path(__file__).resolve().parents[1] / "typst" / "certificate.typ"
_GROUP = 4


def sessions_attended(participant: Participant) -> list[Session]:
    """The sessions a participant was let in to, in programme order. One query."""
    return list(
        Session.objects.filter(
            check_ins__in=CheckIn.objects.standing().filter(participant=participant, session__isnull=False)
        )
        .select_related("day")
        .in_programme_order()
    )


def is_due(participant: Participant, *, now: datetime) -> bool:
    """Whether there is a certificate to have: the conference is over and the person was let in to a session.

    Needs the conference loaded.
    """
    ends_at = participant.conference.ends_at
    if ends_at is None or now < ends_at:
        return False
    return CheckIn.objects.standing().filter(participant=participant, session__isnull=False).exists()


def issue(participant: Participant, *, now: datetime) -> str:
    """Keep that the participant has a certificate, and the code that stands on it. Doing it twice is fine."""
    code = Certificate.code_of(participant)
    Certificate.objects.get_or_create(
        participant=participant, defaults={"code_index": Certificate.index(code), "issued_at": now}
    )
    return code


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the code of a valid certificate tells whoever asks: no name."""

    conference: Conference
    sessions: int
    participant: Participant

    def is_for(self, name: str) -> bool:
        """Whether the certificate bears that name, in whatever capitals, accents and blanks."""
        return _folded(name) == _folded(self.participant.display_name)


def confirm(typed: str) -> Confirmed | None:
    """What is true of a certificate now; None for an unknown code, after erasure, and when no check-in stands."""
    code = as_typed(typed, length=Certificate.LENGTH)
    if not code:
        return None
    found = (
        Certificate.objects.select_related("participant__conference")
        .filter(
            code_index=Certificate.index(code),
            participant__identity_key__isnull=False,
            participant__taken_down_at=None,
        )
        .first()
    )
    if found is None:
        return None
    sessions = CheckIn.objects.standing().filter(participant=found.participant, session__isnull=False).count()
    return Confirmed(found.participant.conference, sessions, found.participant) if sessions else None


def shown(code: str) -> str:
    """The code as printed: AB3D-EFGH-4JKM-NPQR."""
    return grouped(code, size=_GROUP)


def as_pdf(participant: Participant, *, language: str, now: datetime) -> bytes:
    """The certificate. Ask is_due first. Raises DocumentFailed and TooBusy. Kept nowhere."""
    conference = participant.conference
    code = issue(participant, now=now)
    with translation.override(language), timezone.override(conference.zone):
        content = {
            "language": language,
            "title": _("Certificate of attendance"),
            "name": participant.display_name,
            "statement": _("took part in"),
            "conference": str(conference.title),
            "when": dates.span(conference.starts_on, conference.ends_on, precision=conference.date_precision),
            "where": str(conference.venue.city) if conference.venue is not None else "",
            "heading": _("Sessions attended"),
            "sessions": [_line(session, conference) for session in sessions_attended(participant)],
            "verify": _("This certificate can be confirmed at the address below with its code."),
            "address": settings.SITE_URL + reverse("registration:verify", args=[code]),
            "code_label": _("Code"),
            "code": shown(code),
        }
    made = json.dumps(content, ensure_ascii=False).encode()
    return store.in_turn(lambda: pdf.typeset(made, template=_TEMPLATE))


def _line(session: Session, conference: Conference) -> dict[str, str]:
    day = attendance.day_of(session, conference)
    return {"day": dates.day(day) if day is not None else "", "title": str(session.title)}


def _folded(name: str) -> str:
    """A name as it is compared."""
    plain = unicodedata.normalize("NFKD", name)
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).casefold().split())
