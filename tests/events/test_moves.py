"""A session that was moved says so, on its own page and to those who registered before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.test import Client

from events import page_cache
from events.models import Session
from events.releases import publishing
from events.releases import selectors as releases
from registration import selectors
from registration.models import Registration
from tests.factories import NOW, AdmissionFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Session:
    """A side event three days from now, published."""
    starts = NOW + timedelta(days=3)
    found = SideEventFactory(title={"en": "Courts"}, starts_at=starts, ends_at=starts + timedelta(hours=1))
    publishing.publish(found.conference, by=None, now=NOW, check=False)
    return found


def move(event: Session, *, hours: int, days_later: int) -> str:
    """Move and publish; when it was to be before, in words."""
    was = Session.objects.get(pk=event.pk)
    by = timedelta(hours=hours)
    Session.objects.filter(pk=event.pk).update(starts_at=F("starts_at") + by, ends_at=F("ends_at") + by)
    publishing.publish(event.conference, by=None, now=NOW + timedelta(days=days_later), check=False)
    assert was.starts_at is not None
    zone = event.conference.zone
    return f"{was.starts_at.astimezone(zone):%H:%M}–{(was.starts_at + timedelta(hours=1)).astimezone(zone):%H:%M}"


def read(client: Client, path: str) -> str:
    page_cache.forget()
    selectors.forget()
    response: Any = client.get(path)
    assert response.status_code == 200
    return str(response.content.decode())


def test_session_that_was_moved_says_when_it_was_to_be_before(client: Client, event: Session) -> None:
    with time_machine.travel(NOW, tick=False):
        assert "This has been moved" not in read(client, event.get_absolute_url())
        move(event, hours=1, days_later=0)
        before = move(event, hours=2, days_later=0)

        page = read(client, event.get_absolute_url())

        assert "This has been moved" in page
        assert before in page
    with time_machine.travel(NOW + timedelta(days=9), tick=False):
        assert "This has been moved" not in read(client, event.get_absolute_url())


def test_session_that_is_back_at_its_time_was_not_moved_for_those_who_knew_it(event: Session) -> None:
    move(event, hours=2, days_later=1)
    move(event, hours=-2, days_later=2)
    session = Session.objects.get(pk=event.pk)

    assert releases.moved_since([session], {session.pk: NOW}) == {}
    assert list(releases.moved_since([session], {session.pk: NOW + timedelta(hours=36)})) == [session.pk]
    assert releases.moved_from(session) != ""


def test_personal_page_tells_whoever_registered_before_the_move(client: Client, event: Session) -> None:
    admission = AdmissionFactory(session=event, conference=event.conference)
    early = RegistrationFactory(admission=admission)
    Registration.objects.update(created_at=NOW)
    before = move(event, hours=2, days_later=1)
    late = RegistrationFactory(admission=admission)
    Registration.objects.filter(pk=late.pk).update(created_at=NOW + timedelta(days=2))

    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        pages = [read(client, f"/r/{row.participant.personal_token}/") for row in (early, late)]

    assert ["The time has changed since you registered." in page for page in pages] == [True, False]
    assert before in pages[0]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(90, None), (5, "It begins in 5 minutes."), (1, "It begins in 1 minute."), (-10, "It is on now."), (-61, None)],
)
def test_personal_page_says_how_long_it_is_until_the_start(
    client: Client, event: Session, minutes: int, words: str | None
) -> None:
    registration = RegistrationFactory(admission__session=event, admission__conference=event.conference)
    assert event.starts_at is not None

    with time_machine.travel(event.starts_at - timedelta(minutes=minutes), tick=False):
        page = read(client, f"/r/{registration.participant.personal_token}/")

    assert ('class="soon"' in page) is (words is not None)
    assert words is None or words in page
