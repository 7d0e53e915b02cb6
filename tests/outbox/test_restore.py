"""The line of deploy/README.md that keeps messages back after a backup was restored."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from outbox import services
from outbox.models import Message, MessageState
from tests.factories import MessageFactory
from tests.services import ROOT

pytestmark = pytest.mark.django_db


def test_what_was_due_at_the_dump_is_held_and_the_rest_stays() -> None:
    found = re.search(r'-c "(UPDATE outbox_message .+)"', (ROOT / "deploy" / "README.md").read_text())
    assert found is not None
    now = timezone.now()
    lease = {"lease_token": "7b0c8f3e-3c57-4d8e-9d8e-5f3a0b3f7a11", "leased_until": now}
    MessageFactory(state=MessageState.QUEUED, due_at=now)
    MessageFactory(state=MessageState.RETRYING, due_at=now)
    MessageFactory(state=MessageState.LEASED, due_at=now, **lease)
    MessageFactory(state=MessageState.QUEUED, due_at=now + timedelta(days=1))
    MessageFactory(state=MessageState.SENT, due_at=now, finished_at=now)

    with connection.cursor() as cursor:
        cursor.execute(found[1])

    states = list(Message.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["held", "held", "held", "queued", "sent"]
    assert services.release(Message.objects.values_list("pk", flat=True), by_user=None, now=now) == 3
