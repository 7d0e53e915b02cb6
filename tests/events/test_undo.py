"""Undo after changes of the programme: what it brings back, whose it is, and that no later change is overwritten."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from events.admin import pages
from events.models import Conference, Segment, Session
from tests.factories import ConferenceDayFactory, ConferenceFactory, RoleFactory, SegmentFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conference() -> Conference:
    """A conference of two days with two sessions, one of which has a segment with a time."""
    conference: Conference = ConferenceFactory()
    day, _other = (ConferenceDayFactory(conference=conference, number=number) for number in (1, 2))
    SessionFactory(conference=conference, day=day, position=1, key="s1", state="draft")
    session = SessionFactory(conference=conference, day=day, position=2, key="s2", state="draft")
    SegmentFactory(session=session, starts_at=session.starts_at, ends_at=session.ends_at)
    return conference


@pytest.fixture
def organiser(client: Client, conference: Conference) -> Client:
    """A browser in which an editor is signed in."""
    client.force_login(RoleFactory(kind="editor", conference=conference).user)
    return client


def state(conference: Conference) -> list[Any]:
    """All that an undo brings back."""
    fields = ("pk", "state", "day", "position", "room", "starts_at", "ends_at")
    sessions = Session.objects.filter(conference=conference).order_by("pk").values_list(*fields)
    segments = Segment.objects.order_by("pk").values_list("pk", "starts_at", "ends_at")
    return [*sessions, *segments]


def act(client: Client, conference: Conference, **sent: Any) -> str:
    """Change the programme; the token of the button."""
    page = client.post(pages.url("programme", conference), sent, follow=True).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    return found[1] if found else ""


def undo(client: Client, token: str) -> str:
    """Press it; the page after it."""
    sent = {"token": token, "next": reverse("admin:events_conference_changelist")}
    return client.post(reverse("admin:undo"), sent, follow=True).text


def bulk(conference: Conference, action: str, **more: Any) -> dict[str, Any]:
    """An action with all sessions."""
    ids = list(Session.objects.filter(conference=conference).values_list("pk", flat=True))
    return {"action": action, "go": "1", "_selected_action": ids, **more}


def test_moves_states_and_order_are_taken_back_once(organiser: Client, conference: Conference) -> None:
    first = Session.objects.earliest("pk")
    stamp = organiser.get(pages.url("programme", conference)).context["stamp"]
    changes = (
        bulk(conference, "publish_selected"),
        bulk(conference, "move_selected", minutes="5", confirmed="1"),
        {"to_day": first.pk, f"day-{first.pk}": conference.days.get(number=2).pk, "order_stamp": stamp},
    )
    for change in changes:
        before = state(conference)
        token = act(organiser, conference, **change)
        assert state(conference) != before
        assert "Undone:" in undo(organiser, token)
        assert state(conference) == before
        assert "Only the last act" in undo(organiser, token)


def test_a_later_change_is_not_overwritten(organiser: Client, conference: Conference) -> None:
    token = act(organiser, conference, **bulk(conference, "publish_selected"))
    Session.objects.filter(key="s1").update(position=7)
    before = state(conference)

    assert "Somebody else has changed these sessions" in undo(organiser, token)
    assert state(conference) == before


def test_it_needs_the_right_still_and_ends_in_time(organiser: Client, conference: Conference) -> None:
    late = act(organiser, conference, **bulk(conference, "publish_selected"))
    session = organiser.session
    session["last_act"] |= {"until": (timezone.now() - timedelta(seconds=1)).isoformat()}
    session.save()
    assert "too late" in undo(organiser, late)

    token = act(organiser, conference, **bulk(conference, "draft_selected"))
    before = state(conference)
    conference.roles.all().delete()
    RoleFactory(kind="viewer", conference=conference, user_id=organiser.session["_auth_user_id"])
    answer = organiser.post(reverse("admin:undo"), {"token": token})

    assert (answer.status_code, state(conference)) == (403, before)
    assert "Your roles do not allow it" in answer.text
