"""Somebody who was taken down gets through no door, and no letter or list of others names them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from outbox.results import Mail
from registration.letters import digests
from registration.models import Participant, Registration
from tests import factories
from tests.factories import NOW
from tests.registration.test_mails_timed import member, only
from tests.registration.test_views_join import assert_shut, at, door_of, registration, text

__all__ = ["registration"]

pytestmark = pytest.mark.django_db


def test_link_to_join_leads_nowhere(client: Client, registration: Registration) -> None:
    with at(0):
        assert "Join now" in text(client.get(door_of(registration)))
        Participant.objects.filter(pk=registration.participant_id).update(taken_down_at=NOW)

        assert_shut(client, registration, "not available")


def test_daily_summary_of_a_delegation_neither_names_nor_counts_them() -> None:
    delegation = factories.DelegationFactory()
    delegation.focal_points.create(user=factories.UserFactory(language="en"))
    for name in ("Wren", "Heron"):
        member(delegation, name, NOW - timedelta(hours=10))
    Participant.objects.filter(display_name="Heron").update(taken_down_at=NOW)

    digests.queue_due(now=NOW)
    mail = digests.send(only(digests.TOPIC), now=NOW)

    assert isinstance(mail, Mail)
    assert "- Wren: Confirmed by the member" in mail.text
    assert "Heron" not in mail.text + mail.html
    assert "Confirmed: 1. Not answered yet: 0." in mail.text
