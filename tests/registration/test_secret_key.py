"""What a changed SECRET_KEY does, as docs/operations.md tells it: a rehash is needed before it may change."""

from __future__ import annotations

from typing import Any

import pytest

from registration import services
from registration.models import Participant
from tests.factories import ParticipantFactory

pytestmark = pytest.mark.django_db


def test_with_another_key_new_links_are_dead_and_known_addresses_look_new(settings: Any) -> None:
    participant = ParticipantFactory(email="ada@mail.example")
    mailed = participant.personal_token

    settings.SECRET_KEY = "another key, long enough for a test and used nowhere else"

    assert services.find_personal(mailed) == participant
    assert services.find_personal(participant.personal_token) is None
    found = Participant.objects.with_email(conference_id=participant.conference_id, email="ada@mail.example")
    assert not found.exists()
