"""Invitations are forgotten with the person, also those to an address of before or of a row that was merged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts import actors
from registration.models import (
    Invitation,
    Participant,
)
from registration.services import (
    addresses,
    erasure,
)
from tests.factories import NOW, AdmissionFactory, ParticipantFactory
from tests.registration.test_invitations import invite
from tests.registration.test_merging import merge

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def test_merging_keeps_the_caution_of_a_correction_and_what_was_sent_to_the_other_address() -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    stays, goes = (ParticipantFactory(conference=admission.conference) for _ in range(2))
    for person, days in ((stays, 1), (goes, 2)):
        Participant.objects.filter(pk=person.pk).update(audience_changed_at=NOW - timedelta(days=days))
    sent = invite(admission, email=goes.open_identity().email)

    merged = merge(stays, goes)
    merged.refresh_from_db()
    assert merged.audience_changed_at == NOW - timedelta(days=1)

    erasure.erase(participant_id=stays.pk, by=actors.SYSTEM, now=NOW)
    assert not Invitation.objects.readable().filter(pk=sent.pk).exists()


def test_what_was_sent_to_an_earlier_address_is_forgotten_with_the_person() -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    person = ParticipantFactory(conference=admission.conference)
    sent = invite(admission, email=person.open_identity().email)
    addresses.ask(participant_id=person.pk, address="new@mail.example", now=NOW)
    change = person.address_change
    addresses.confirm(token=addresses.token_of(change), now=NOW)

    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)

    assert not Invitation.objects.readable().filter(pk=sent.pk).exists()
