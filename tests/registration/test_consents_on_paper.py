"""Consents that somebody has signed, or taken back, on paper."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from accounts import actors
from events.admin import pages
from registration.models import (
    Consent,
)
from registration.services import (
    consents,
    erasure,
)
from tests.browsers import signed_in
from tests.factories import NOW, AdmissionFactory, ParticipantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def test_consent_on_paper_is_noted_and_taken_back_once() -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    person = ParticipantFactory(conference=conference, language="fr")
    consents.ask_for(conference=conference, purposes=["photo"], by=actors.SYSTEM, now=NOW)
    desk = signed_in("desk", conference)
    here = pages.url("consents-person", conference, participant=person.public_id)

    assert here in desk.get(f"/admin/registration/participant/{person.pk}/change/").text
    for answer in ("give", "give", "withdraw"):
        assert desk.post(here, {"purpose": "photo", "answer": answer}).status_code == 302
    not_asked = desk.post(here, {"purpose": "stream", "answer": "give"}, follow=True)
    page = desk.get(here).text

    lines = Consent.objects.order_by("pk").values_list("purpose", "is_given", "source", "language", "by__name")
    by = lines[0][4]
    assert list(lines) == [("photo", True, "paper", "fr", by), ("photo", False, "paper", "fr", by)]
    assert by
    assert "does not ask for this consent" in not_asked.text
    assert "Signed on paper" in page
    assert signed_in("viewer", conference).get(here).status_code in {302, 403, 404}
    assert desk.post(here, {"purpose": "x", "answer": "give"}).status_code == 404
    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)
    assert desk.get(here).status_code == 404
