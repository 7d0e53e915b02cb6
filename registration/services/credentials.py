"""What the secretariat says about the members of a delegation, and the letters by which it is named.

Letters are encrypted in the database and lie in no directory; each reading is on the record.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from alliance.exceptions import DomainError
from events.models import Conference
from registration.models import CredentialLetter, Membership, Verification
from registration.services import delegations


class NeedsAReason(DomainError):
    """A refusal without a reason."""

    code = "needs_a_reason"
    message = gettext_lazy("Write why the nomination is refused.")


@transaction.atomic(durable=True)
def verify(*, membership_id: int, verification: Verification, reason: str, by: Actor, now: datetime) -> Membership:
    """Say whether the credentials of a member are in order. Raises NotAMember, and NeedsAReason for a bare refusal."""
    if verification == Verification.REFUSED and not reason.strip():
        raise NeedsAReason
    membership = delegations.active_member(membership_id)
    membership.verification = verification
    membership.verification_reason = reason.strip()[:250] if verification == Verification.REFUSED else ""
    membership.save(update_fields=["verification", "verification_reason"])
    delegations.audit("membership", membership.public_id, f"delegation.verification_{verification}", by=by, now=now)
    return membership


_MOST_LETTERS = 10  # of one delegation
_BEGINNINGS = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class LetterRefused(DomainError):
    """A file that is no letter we keep."""

    code = "letter_refused"
    message = gettext_lazy("Send a PDF, PNG or JPEG file of at most 5 MB; at most ten for a delegation.")


@dataclass(frozen=True, slots=True)
class OpenedLetter:
    """A letter in clear."""

    content_type: str
    data: bytes


@transaction.atomic(durable=True)
def add_letter(*, delegation_id: int, data: bytes, by: Actor, now: datetime) -> CredentialLetter:
    """Keep a credential letter, encrypted. Its content alone says of which type it is. Raises LetterRefused."""
    content_type = next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), None)
    if content_type is None or len(data) > CredentialLetter.MOST_BYTES:
        raise LetterRefused
    delegation = delegations.locked(delegation_id)
    if delegation.letters.count() >= _MOST_LETTERS:
        raise LetterRefused
    letter = CredentialLetter.objects.create(
        delegation=delegation,
        content_type=content_type,
        size=len(data),
        content=base64.b64encode(data).decode("ascii"),
        uploaded_at=now,
        uploaded_by=by.user,
    )
    delegations.audit("credential_letter", letter.public_id, "delegation.letter_added", by=by, now=now)
    return letter


def open_letter(*, conference: Conference, public_id: UUID, by: Actor, now: datetime) -> OpenedLetter | None:
    """A letter of the conference in clear, on the record; None for an unknown one. For organisers alone."""
    letter = CredentialLetter.objects.filter(public_id=public_id, delegation__conference=conference).first()
    if letter is None:
        return None
    delegations.audit("credential_letter", letter.public_id, "delegation.letter_read", by=by, now=now)
    return OpenedLetter(letter.content_type, base64.b64decode(letter.content))
