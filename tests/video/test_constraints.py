"""What the database refuses, whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from tests.factories import NOW, ConferenceFactory, MeetingFactory, SideEventFactory
from video.models import Meeting, MeetingState

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"session": None}, "meeting_belongs_to_session_or_conference"),
        ({"platform": "smoke_signals"}, "meeting_platform_is_known"),
        ({"state": "open"}, "meeting_state_is_known"),
        ({"opens_at": NOW, "closes_at": NOW}, "meeting_closes_after_it_opens"),
        ({"opens_at": NOW, "closes_at": NOW - timedelta(hours=1)}, "meeting_closes_after_it_opens"),
        ({"address": ""}, "meeting_ready_has_address"),
    ],
)
def test_meeting_constraint_holds(change: dict[str, Any], constraint: str) -> None:
    meeting = MeetingFactory()

    with pytest.raises(IntegrityError, match=constraint) as caught:
        Meeting.objects.filter(pk=meeting.pk).update(**change)

    assert "canary" not in str(caught.value)


def test_meeting_belongs_to_one_thing_only() -> None:
    with pytest.raises(IntegrityError, match="meeting_belongs_to_session_or_conference"):
        MeetingFactory(conference=ConferenceFactory())


def test_session_has_one_meeting() -> None:
    session = SideEventFactory()
    MeetingFactory(session=session)

    with pytest.raises(IntegrityError, match="video_meeting_session_id_key"):
        MeetingFactory(session=session, state=MeetingState.PLANNED)
