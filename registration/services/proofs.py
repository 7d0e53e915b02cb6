"""Proofs of deletion: counted in the transaction that deletes, so that they say what happened, no more and no less."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from alliance import crypto
from alliance.db import random_id
from registration.models import ErasureReceipt, Participant
from registration.models.attendance import as_typed, code_from, grouped

CODE_LENGTH = 16  # signs of 5 bits
_GROUP = 4


def note(
    rule: str, count: int, *, now: datetime, version: int = 1, conference_id: int | None = None, days: int | None = None
) -> None:
    """Add to the proof of the day, in the caller's transaction. Nothing for nothing deleted. One statement.

    Two at once: the second waits for the first and adds to it.
    """
    if not count:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registration_deletionproof (public_id, conference_id, rule, version, days, on_day, count) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (conference_id, rule, version, days, on_day) "
            "DO UPDATE SET count = registration_deletionproof.count + excluded.count",
            [random_id(), conference_id, rule, version, days, now.date(), count],
        )


def noted(rule: str, forget: Callable[[], int], *, now: datetime, version: int = 1) -> int:
    """Delete what the house keeps no longer, together with its proof. Returns how many."""
    with transaction.atomic():
        count = forget()
        note(rule, count, now=now, version=version)
    return count


# --- what somebody can prove who erased themself ----------------------------------------------------------------------


def code_of(token: str) -> str:
    """The code that goes with a personal link: whoever sends the button twice ends at the same proof."""
    return code_from(crypto.derive_token("erasure-receipt", token), length=CODE_LENGTH)


def shown(code: str) -> str:
    """The code in groups, as people note it."""
    return grouped(code, size=_GROUP)


def counts_of(participant: Participant) -> dict[str, int]:
    """How much of each kind is about to go. Five queries."""
    found = {
        "registrations": participant.registrations.count(),
        "answers": participant.answers.count(),
        "consents": participant.consents.count(),
        "check_ins": participant.check_ins.count(),
    }
    return {"people": 1} | {kind: count for kind, count in found.items() if count}


def give_receipt(code: str, counts: dict[str, int], *, now: datetime) -> None:
    """Keep what the code proves, in the transaction that erases."""
    ErasureReceipt.objects.create(code_index=_index(code), on_day=now.date(), counts=counts)


def receipt(code: str) -> ErasureReceipt | None:
    """What a code proves, however it was typed; None for one that was never given."""
    plain = as_typed(code, length=CODE_LENGTH)
    return ErasureReceipt.objects.filter(code_index=_index(plain)).first() if plain else None


def _index(code: str) -> bytes:
    return crypto.blind_index("erasure-receipt", code)
