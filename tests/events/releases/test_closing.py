"""What was closed stays closed: for every reader, after every act, and nobody reads the draft instead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client

from events import page_cache
from events.models import (
    Conference,
    ConferenceState,
    Material,
    ReleasedRow,
    Segment,
    SegmentVisibility,
    Session,
    Visibility,
)
from events.releases import publishing, reading, schema, tables
from events.releases.reading import reading_published
from speakers.models import Contribution
from tests.events.releases.rows import publish, read
from tests.factories import (
    NOW,
    ContributionFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db


PANEL = "/en/summit/sessions/panel/"


# --- who reads what ------------------------------------------------------------------------------------------------


def test_a_role_that_may_not_use_the_schema_gets_an_error_and_never_the_draft(panel: Session) -> None:
    """PostgreSQL passes over a schema in search_path that the role may not use, and would find the draft behind it."""
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reviewer_without_usage")
        cursor.execute("GRANT USAGE ON SCHEMA public TO reviewer_without_usage")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reviewer_without_usage")
        cursor.execute("SET LOCAL ROLE reviewer_without_usage")
    with pytest.raises(OperationalError), reading_published():
        list(Session.objects.values_list("title"))
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def test_a_kept_page_and_no_schema_are_503_as_well(client: Client, panel: Session) -> None:
    publish(panel.conference)
    assert read(client, PANEL).status_code == 200
    schema.drop()
    page_cache._version = (0.0, -1)

    assert client.get(PANEL).status_code == 503


def test_a_new_connection_is_asked_what_it_reads() -> None:
    """A pool hands on connections as others left them."""
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = published, public")
        reading._install(connection=connection)
        cursor.execute("SHOW search_path")
        assert "published" not in cursor.fetchone()[0]


def test_no_note_of_organisers_is_frozen() -> None:
    private = {"internal_note", "archive_text", "report", "source", "sources", "document_note"}
    for table in tables.all_tables():
        assert {found.name for found in table.fields} & private <= set(table.left_out), table.name


# --- closed stays closed -------------------------------------------------------------------------------------------


def test_what_was_closed_and_then_deleted_stays_closed(client: Client, panel: Session) -> None:
    segment = SegmentFactory(session=panel, heading={"en": "Testimony of the day"})
    speaker = ContributionFactory(session=panel, person=PersonFactory(display_name="Clara Closed"))
    other = SessionFactory(conference=panel.conference, slug="other")
    publish(panel.conference)
    Segment.objects.update(visibility=SegmentVisibility.NEVER)
    Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    Session.objects.filter(pk=other.pk).update(visibility=Visibility.INTERNAL)

    segment.delete()
    speaker.delete()
    other.delete()

    for _time in range(2):
        page = read(client, PANEL).text
        assert "Testimony of the day" not in page
        assert "Clara Closed" not in page
        assert read(client, "/en/summit/sessions/other/").status_code == 404
        schema.rebuild()  # as after a migration


def test_what_is_no_longer_announced_is_gone_at_once(client: Client, panel: Session) -> None:
    ContributionFactory(session=panel, person=PersonFactory(display_name="Clara Closed"))
    publish(panel.conference)
    assert "Clara Closed" in read(client, PANEL).text

    Contribution.objects.update(is_announced=False)

    assert "Clara Closed" not in read(client, PANEL).text


def test_a_paper_with_a_later_date_is_gone_at_once_and_one_with_an_earlier_date_waits(
    client: Client, panel: Session
) -> None:
    far = NOW.date() + timedelta(days=36500)
    for title, date in (("Paper one", None), ("Paper two", far)):
        MaterialFactory(
            conference=panel.conference, session=panel, title={"en": title}, visibility="before", published_on=date
        )
    publish(panel.conference)
    assert "Paper one" in read(client, PANEL).text

    Material.objects.filter(published_on=None).update(published_on=far)
    Material.objects.filter(title__en="Paper two").update(published_on=None)

    page = read(client, PANEL).text
    assert "Paper one" not in page
    assert "Paper two" not in page


def test_going_back_opens_nothing(client: Client, panel: Session) -> None:
    SegmentFactory(session=panel, heading={"en": "Testimony of the day"})
    ContributionFactory(session=panel, person=PersonFactory(display_name="Clara Closed"))
    other = SessionFactory(conference=panel.conference, slug="other")
    first = publish(panel.conference)
    Segment.objects.update(visibility=SegmentVisibility.NEVER)
    Contribution.objects.update(is_announced=False)
    Session.objects.filter(pk=other.pk).update(visibility=Visibility.INTERNAL)

    publishing.restore(first)

    for turn in range(2):
        page = read(client, PANEL).text
        assert "Testimony of the day" not in page
        assert "Clara Closed" not in page
        assert read(client, "/en/summit/sessions/other/").status_code == 404
        Session.objects.filter(pk=panel.pk).update(title={"en": f"Title {turn}"})
        publish(panel.conference)


def test_going_back_does_not_bring_a_conference_to_light(client: Client, panel: Session) -> None:
    first = publish(panel.conference)
    Conference.objects.update(state=ConferenceState.DRAFT)

    publishing.restore(first)

    assert read(client, PANEL).status_code == 404


def test_a_release_keeps_nothing_of_what_a_new_pseudonym_came_from(panel: Session) -> None:
    person = PersonFactory(given_name="", family_name="", sort_name="")
    speaker = ContributionFactory(
        session=panel,
        person=person,
        organisation=OrganisationFactory(),
        country=CountryFactory(),
        country_meaning="stated",
        topic={"en": "Canary talk"},
        unnamed_label={"en": "Canary seat"},
    )
    first = publish(panel.conference)
    person.is_pseudonym = True
    person.save()

    data = ReleasedRow.objects.get(table="speakers_contribution").data
    assert not {"organisation_id", "country_id", "country_meaning", "topic", "unnamed_label"} & set(data)
    with reading_published():
        found = Contribution.objects.get()
    assert (found.organisation, found.country, found.country_meaning, found.topic) == (None, None, "", {})
    publishing.restore(first)
    speaker.refresh_from_db()
    assert (speaker.organisation, speaker.country, speaker.topic) == (None, None, {})
