"""Releases: the list of what changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from events.models import Conference, SegmentVisibility, Session, SessionState, Visibility
from events.releases import publishing, wording
from speakers.models import Contribution, Person
from tests.events.releases.rows import publish, read
from tests.factories import (
    ContributionFactory,
    MaterialFactory,
    PersonFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


def sentences(conference: Conference) -> list[str]:
    """Everything the list of unpublished changes says."""
    difference = publishing.unpublished_changes(conference)
    assert difference is not None
    return [line for group in wording.lines(conference, difference.changes) for line in group.lines]


def test_the_list_of_changes_says_what_is_new(panel: Session) -> None:
    old = ContributionFactory(session=panel, person=PersonFactory(display_name="Otto Old"))
    kept = ContributionFactory(session=panel, person=PersonFactory(display_name="Kim Kept"), status="tbc")
    away = ContributionFactory(session=panel, person=PersonFactory(display_name="Ada Away"), role="moderator")
    cancelled = SessionFactory(conference=panel.conference)
    publish(panel.conference)

    Session.objects.filter(pk=panel.pk).update(
        starts_at=F("starts_at") + timedelta(minutes=30),
        ends_at=F("ends_at") + timedelta(minutes=30),
        title={"en": "Second title"},
        room=RoomFactory(name={"en": "Ratsaal"}),
        working_languages=["en", "ru"],
    )
    TextSectionFactory(session=panel)
    Contribution.objects.filter(pk=old.pk).update(person=PersonFactory(display_name="Nina Next"))
    Contribution.objects.filter(pk=kept.pk).update(status="confirmed", role_title={"en": "Judge"})
    away.delete()
    Session.objects.filter(pk=cancelled.pk).update(state=SessionState.CANCELLED)
    SessionFactory(conference=panel.conference)

    assert sorted(sentences(panel.conference)) == sorted(
        [
            "Time: Monday 15 July 2030, 11:00–12:00 → Monday 15 July 2030, 11:30–12:30",
            "Title: First title → Second title",
            "Room: now Ratsaal",
            "Languages have changed.",
            "The description has changed.",
            "Nina Next speaks instead of Otto Old",
            "Title or role corrected: Kim Kept",
            "Confirmed: Kim Kept",
            "No longer speaks: Ada Away",
            "Cancelled.",
            "New in the programme.",
        ]
    )


def test_a_new_row_in_the_same_role_replaces_who_left(panel: Session) -> None:
    old = ContributionFactory(session=panel, person=PersonFactory(display_name="Otto Old"))
    publish(panel.conference)
    Contribution.objects.filter(pk=old.pk).update(status="replaced")
    ContributionFactory(session=panel, person=PersonFactory(display_name="Nina Next"))

    assert sentences(panel.conference) == ["Nina Next speaks instead of Otto Old"]


def test_a_pseudonym_that_comes_is_never_beside_a_name_that_goes(client: Client, panel: Session) -> None:
    old = ContributionFactory(session=panel, person=PersonFactory(display_name="Real Canary"))
    publish(panel.conference)
    Contribution.objects.filter(pk=old.pk).update(
        person=PersonFactory(display_name="Maja", is_pseudonym=True), role_title={}
    )

    assert sentences(panel.conference) == ["The speakers have changed."]
    publish(panel.conference)
    assert "Canary" not in read(client, "/en/summit/changes/").text


@pytest.mark.parametrize("flag", ["is_hidden", "is_pseudonym"])
def test_the_list_forgets_the_name_of_who_is_hidden_later(client: Client, panel: Session, flag: str) -> None:
    old = ContributionFactory(session=panel, person=PersonFactory(display_name="Real Canary"))
    publish(panel.conference)
    Contribution.objects.filter(pk=old.pk).update(person=PersonFactory(display_name="Nina Next"))
    publish(panel.conference)
    assert "Nina Next speaks instead of Real Canary" in read(client, "/en/summit/changes/").text

    emptied = {"given_name": "", "family_name": "", "sort_name": ""}
    Person.objects.filter(pk=old.person_id).update(**{flag: True}, **emptied)

    page = read(client, "/en/summit/changes/").text
    assert "Canary" not in page
    assert "The speakers have changed." in page


@pytest.mark.parametrize("visibility", [SegmentVisibility.AFTER, SegmentVisibility.NEVER])
def test_what_is_not_announced_is_in_no_list(panel: Session, visibility: str) -> None:
    segment = SegmentFactory(session=panel, visibility=visibility)
    publish(panel.conference)
    ContributionFactory(session=panel, segment=segment, person=PersonFactory(display_name="Secret Canary"))
    ContributionFactory(session=panel, visibility=visibility)
    ContributionFactory(session=panel, is_announced=False)
    SegmentFactory(session=panel, visibility=visibility)
    MaterialFactory(conference=panel.conference, session=panel, visibility=visibility)

    assert sentences(panel.conference) == []


def test_drafts_and_hidden_sessions_are_in_no_list(client: Client, panel: Session) -> None:
    publish(panel.conference)
    SessionFactory(conference=panel.conference, state=SessionState.DRAFT, title={"en": "Canary draft"})
    public = SessionFactory(conference=panel.conference, title={"en": "Canary later hidden"})
    publish(panel.conference)
    assert "Canary later hidden" in read(client, "/en/summit/changes/").text

    Session.objects.filter(pk=public.pk).update(visibility=Visibility.INTERNAL)

    assert "Canary" not in read(client, "/en/summit/changes/").text


def test_a_withdrawn_session_is_named_by_the_title_it_had(client: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(state=SessionState.DRAFT)
    publish(panel.conference)

    page = read(client, "/en/summit/changes/").text
    assert "First title" in page
    assert "No longer in the programme." in page


def test_changes_are_told_in_the_readers_language(client: Client, panel: Session) -> None:
    publish(panel.conference)
    SessionFactory(conference=panel.conference, title={"en": "New one", "ru": "Новое"})
    publish(panel.conference, note={"en": "Sorry for the late news.", "ru": "Просим прощения."})

    page = read(client, "/ru/summit/changes/").text

    assert "Просим прощения." in page
    assert "Новое" in page


@pytest.mark.parametrize("count", [1, 4])
def test_the_page_of_changes_asks_a_constant_number_of_queries(
    client: Client, panel: Session, count: int, django_assert_max_num_queries: Any
) -> None:
    publish(panel.conference)
    for _index in range(count):
        ContributionFactory(session=SessionFactory(conference=panel.conference))
        panel.room = RoomFactory()
        panel.save()
        publish(panel.conference)
    with django_assert_max_num_queries(8):
        assert read(client, "/en/summit/changes/").status_code == 200
