"""Releases: who must disappear disappears at once."""

from __future__ import annotations

import pytest
from django.test import Client

from events.models import Conference, ConferenceState, SegmentVisibility, Session, Visibility
from events.releases import publishing
from speakers.models import Contribution, Person
from tests.events.releases.rows import PUBLIC, everything_kept, publish, read
from tests.factories import ContributionFactory, PersonFactory, RoomFactory, SegmentFactory

pytestmark = pytest.mark.django_db


def test_a_hidden_person_is_gone_without_a_release(client: Client, panel: Session) -> None:
    person = PersonFactory(display_name="Hedda Hidden")
    ContributionFactory(session=panel, person=person)
    publish(panel.conference)
    assert "Hedda Hidden" in read(client, "/en/summit/sessions/panel/").text

    Person.objects.filter(pk=person.pk).update(is_hidden=True)

    for path in PUBLIC:
        assert "Hedda" not in read(client, path).text


def test_a_new_pseudonym_leaves_no_trace_in_any_release(client: Client, panel: Session) -> None:
    person = PersonFactory(display_name="Real Canary", given_name="Real", family_name="Canary", sort_name="Canary, R")
    ContributionFactory(
        session=panel, person=person, name_printed="Dr Real Canary", role_title={"en": "Canary Director"}
    )
    publish(panel.conference)
    Contribution.objects.update(honorific="Ms")
    publish(panel.conference)

    Contribution.objects.update(name_printed="", honorific="", role_title={})
    person.given_name = person.family_name = person.sort_name = ""
    person.display_name, person.is_pseudonym = "Maja", True
    person.save()

    assert "Canary" not in everything_kept()
    page = read(client, "/en/summit/sessions/panel/").text
    assert "Maja" in page
    assert "Canary" not in page
    publishing.restore(panel.conference.releases.get(number=1))
    assert "Canary" not in Contribution.objects.get().name_printed


def test_a_deleted_person_is_gone_from_every_release(client: Client, panel: Session) -> None:
    contribution = ContributionFactory(session=panel, person=PersonFactory(), role_title={"en": "Canary"})
    publish(panel.conference)
    assert "Canary" in everything_kept()
    person = contribution.person
    contribution.delete()
    person.delete()

    assert "Canary" not in everything_kept()
    assert "Canary" not in read(client, "/en/summit/sessions/panel/").text


def test_a_deleted_room_leaves_the_release_standing(client: Client, panel: Session) -> None:
    panel.room = RoomFactory(name={"en": "Ratsaal"})
    panel.save()
    publish(panel.conference)
    Session.objects.update(room=None)
    panel.room.delete()

    assert read(client, "/en/summit/sessions/panel/").status_code == 200
    publishing.restore(panel.conference.releases.get())


def test_closing_acts_at_once_and_opening_waits(client: Client, panel: Session) -> None:
    segment = SegmentFactory(session=panel, heading={"en": "Testimony of the day"})
    other = SegmentFactory(session=panel, heading={"en": "Kept back"}, visibility=SegmentVisibility.NEVER)
    publish(panel.conference)
    segment.visibility, other.visibility = SegmentVisibility.NEVER, SegmentVisibility.BEFORE
    segment.save()
    other.save()

    page = read(client, "/en/summit/sessions/panel/").text
    assert "Testimony of the day" not in page
    assert "Kept back" not in page

    Session.objects.filter(pk=panel.pk).update(visibility=Visibility.INTERNAL)
    assert read(client, "/en/summit/sessions/panel/").status_code == 404


def test_a_conference_set_back_to_draft_is_gone(client: Client, panel: Session) -> None:
    publish(panel.conference)
    Conference.objects.update(state=ConferenceState.DRAFT)
    assert read(client, "/en/summit/").status_code == 404


def test_notes_of_organisers_are_in_no_release(panel: Session) -> None:
    Session.objects.update(internal_note="Canary", archive_text={"a": "Canary"})
    ContributionFactory(session=panel, internal_note="Canary", sources=["Canary"])
    Conference.objects.update(report={"a": "Canary"}, internal_note="Canary")

    publish(panel.conference)

    assert str(panel.title) in everything_kept()
    assert "Canary" not in everything_kept()
