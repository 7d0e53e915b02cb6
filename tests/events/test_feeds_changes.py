"""The Atom feed of changes, read by feedparser: an entry for each release, told as the page of changes tells it."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import feedparser
import icalendar
import pytest
from django.test import Client

from events import page_cache
from events.models import Conference, ConferenceState, Release, Session, SessionState, Visibility
from events.releases import publishing
from registration import selectors
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    OrganisationFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]


@pytest.fixture
def conference() -> Conference:
    found: Conference = ConferenceFactory(
        slug="summit", title={"en": "Summit & <Co>"}, organiser=OrganisationFactory(name={"en": "The Office"})
    )
    return found


def publish(conference: Conference, *, days: int, **more: Any) -> Release:
    """Publish some days after now, without asking the checks."""
    return publishing.publish(conference, by=None, now=NOW + timedelta(days=days), check=False, **more)


def feed(client: Client, language: str = "en") -> Any:
    """The feed as feedparser reads it, which must have nothing to complain about."""
    page_cache.forget()
    selectors.forget()
    response = client.get(f"/{language}/summit/changes.atom")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(response.content)
    assert found.bozo is False
    assert found.version == "atom10"
    return found


def test_every_release_is_an_entry_with_an_id_for_ever(client: Client, conference: Conference) -> None:
    session = SessionFactory(conference=conference, title={"en": "First & foremost"})
    publish(conference, days=0)
    first = feed(client)
    Session.objects.filter(pk=session.pk).update(title={"en": "Second"}, state=SessionState.CANCELLED)
    publish(conference, days=3, note={"en": "Please note."})

    found = feed(client)

    assert found.feed.id.startswith("tag:")
    assert found.feed.id == first.feed.id
    assert found.feed.title == "Summit & <Co>: Changes to the programme"
    assert found.feed.author == "The Office"
    assert found.feed.updated_parsed[:5] == (NOW + timedelta(days=3)).astimezone(UTC).timetuple()[:5]
    (me,) = [link.href for link in found.feed.links if link.rel == "self"]
    assert me.endswith("/en/summit/changes.atom")
    newest, oldest = found.entries
    assert oldest.id == first.entries[0].id != newest.id
    assert (oldest.title, oldest.updated) == ("Release 1", first.entries[0].updated)
    assert newest.title == "Release 2"
    assert newest.link.endswith("/en/summit/changes/#release-2")
    assert newest.summary.startswith("Please note.\nSecond: ")
    assert "Cancelled." in newest.summary
    assert oldest.summary == "The programme was published."


def test_feed_is_there_before_the_first_release(client: Client, conference: Conference) -> None:
    found = feed(client)

    assert found.entries == []
    assert found.feed.updated_parsed


def test_change_that_is_not_published_is_not_told(client: Client, conference: Conference) -> None:
    session = SessionFactory(conference=conference)
    publish(conference, days=0)
    Session.objects.filter(pk=session.pk).update(title={"en": "Canary"})

    assert "Canary" not in str(feed(client))


def test_nobody_is_named_who_has_been_hidden_since(client: Client, conference: Conference) -> None:
    session = SessionFactory(conference=conference)
    publish(conference, days=0)
    contribution = ContributionFactory(session=session, person__display_name="Canary Person")
    publish(conference, days=1)
    assert "Canary" in str(feed(client))

    contribution.person.is_hidden = True
    contribution.person.save()

    assert "Canary" not in str(feed(client))


@pytest.mark.parametrize("hidden", [{"state": ConferenceState.DRAFT}, {"visibility": Visibility.INTERNAL}])
def test_conference_that_strangers_may_not_see_has_no_feed(client: Client, hidden: dict[str, Any]) -> None:
    ConferenceFactory(slug="summit", **hidden)

    assert client.get("/en/summit/changes.atom").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_feed_speaks_the_language_of_its_address(client: Client, conference: Conference, language: str) -> None:
    publish(conference, days=0)

    found = feed(client, language)

    assert found.feed.language == language
    assert found.feed.id.endswith(f"/{language}")
    assert all(f"/{language}/summit/" in link.href for link in found.feed.links)


def test_pages_lead_to_the_feed(client: Client, conference: Conference) -> None:
    SessionFactory(conference=conference)
    publish(conference, days=0)
    page_cache.forget()
    for path, count in (("", 2), ("programme/", 2), ("changes/", 1)):
        assert client.get(f"/en/summit/{path}").content.decode().count('href="/en/summit/changes.atom"') == count, path


# --- what calendars read of a release ---------------------------------------------------------------------------------


def sequence(client: Client, session: Session) -> int:
    """SEQUENCE of a session, as the public reads it."""

    page_cache.forget()
    content = client.get(f"/en/summit/sessions/{session.slug}.ics").content
    event: Any
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return int(event["sequence"])


def test_sequence_waits_for_the_release_and_only_rises(client: Client, conference: Conference) -> None:
    session = SessionFactory(conference=conference)
    first = publish(conference, days=0)
    seen = sequence(client, session)

    Session.objects.filter(pk=session.pk).update(title={"en": "Second"})
    assert sequence(client, session) == seen, "a draft is nobody's business"

    publish(conference, days=1)
    second = sequence(client, session)
    assert second > seen

    SessionFactory(conference=conference)
    publish(conference, days=2)
    assert sequence(client, session) == second, "another session is another appointment"

    publishing.restore(first)
    publish(conference, days=3)
    assert sequence(client, session) > second, "what is put back is a change as well"
