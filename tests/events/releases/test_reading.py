"""Releases: who reads which programme, and how the two are switched."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from events.models import ReleasedRow, Session, SessionState
from events.releases import schema
from events.releases.reading import reading_draft, reading_published
from registration import selectors
from tests.events.releases.rows import PUBLIC, everything_kept, publish, read, title
from tests.factories import (
    AdmissionFactory,
    ContributionFactory,
    MaterialFactory,
    PersonFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


# --- who reads what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PUBLIC)
def test_every_public_door_shows_the_release_and_not_the_draft(client: Client, panel: Session, path: str) -> None:
    def shown() -> str:
        found: str = read(client, path).text
        return found.replace("<mark>", "").replace("</mark>", "")  # around what was searched for

    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    assert "Second title" not in shown()
    if path != "/en/summit/":
        assert "First title" in shown()

    publish(panel.conference)

    assert "First title" not in shown()
    if path != "/en/summit/":
        assert "Second title" in shown()


def test_the_admin_shows_the_draft(client: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})
    client.force_login(StaffFactory())

    page = read(client, reverse("admin:events_session_change", args=[panel.pk])).text

    assert "Second title" in page
    assert "First title" not in page


def test_a_programme_that_was_never_published_is_shown_as_it_stands(client: Client, panel: Session) -> None:
    assert "First title" in read(client, "/en/summit/sessions/panel/").text


def test_rows_made_since_the_release_wait_for_the_next(client: Client, panel: Session) -> None:
    publish(panel.conference)
    new = SideEventFactory(conference=panel.conference, slug="new", title={"en": "New event"})
    ContributionFactory(session=panel, person=PersonFactory(display_name="Nora New"))
    MaterialFactory(conference=panel.conference, session=panel, title={"en": "New paper"}, visibility="before")
    TextSectionFactory(session=panel, text={"en": "New words"})
    AdmissionFactory(conference=panel.conference, session=new, opens_at=None)

    page = read(client, "/en/summit/sessions/panel/").text
    assert not any(word in page for word in ("Nora New", "New paper", "New words"))
    assert read(client, "/en/summit/side-events/new/").status_code == 404
    with reading_published():
        assert selectors.offers("summit") == selectors.Offers(panel.conference, (), (), {})

    publish(panel.conference)

    page = read(client, "/en/summit/sessions/panel/").text
    assert all(word in page for word in ("Nora New", "New paper", "New words"))
    assert read(client, "/en/summit/side-events/new/").status_code == 200
    assert "New event" in read(client, "/en/summit/register/").text


def test_what_is_deleted_in_the_draft_stays_until_the_next_release(client: Client, panel: Session) -> None:
    speaker = ContributionFactory(session=panel, person=PersonFactory(display_name="Gerda Gone"))
    publish(panel.conference)
    speaker.delete()
    assert "Gerda Gone" in read(client, "/en/summit/sessions/panel/").text

    publish(panel.conference)

    assert "Gerda Gone" not in read(client, "/en/summit/sessions/panel/").text


def test_a_registration_for_a_session_made_since_keeps_its_session(panel: Session) -> None:
    publish(panel.conference)
    new = SideEventFactory(conference=panel.conference)
    registration = RegistrationFactory(admission=AdmissionFactory(conference=panel.conference, session=new))

    with reading_published():
        registration.refresh_from_db()
        assert registration.admission.session == new
        assert registration.admission.session.state == SessionState.DRAFT


def test_nobody_can_write_the_programme_while_reading_what_is_published(panel: Session) -> None:
    publish(panel.conference)
    with pytest.raises(DatabaseError), transaction.atomic(), reading_published():
        Session.objects.filter(pk=panel.pk).update(title={"en": "Written"})


# --- the switch ---------------------------------------------------------------------------------------------------


@pytest.fixture
def changed(panel: Session) -> Session:
    """Published as "First title", "Second title" in the draft."""
    publish(panel.conference)
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})
    return panel


def test_modes_nest_and_end(changed: Session) -> None:
    with reading_published():
        assert title(changed) == "First title"
        with reading_draft():
            assert title(changed) == "Second title"
        assert title(changed) == "First title"
    assert title(changed) == "Second title"


def test_a_rollback_does_not_bring_the_wrong_programme_back(changed: Session) -> None:
    with reading_published():
        with transaction.atomic():
            assert title(changed) == "First title"  # switched inside, undone by the rollback
            transaction.set_rollback(True)
        assert title(changed) == "First title"
        with transaction.atomic(), reading_draft():
            assert title(changed) == "Second title"
        assert title(changed) == "First title"


def test_a_manual_rollback_does_neither(changed: Session) -> None:
    with reading_published():
        point = transaction.savepoint()
        with reading_draft():
            assert title(changed) == "Second title"
        assert title(changed) == "First title"
        transaction.savepoint_rollback(point)
        assert title(changed) == "First title"


def test_without_the_schema_strangers_get_503_and_never_the_draft(client: Client, changed: Session) -> None:
    schema.drop()

    answer = read(client, "/en/summit/sessions/panel/")

    assert answer.status_code == 503
    assert "First" not in answer.text
    assert "Second" not in answer.text


def test_readyz_tells_whether_what_is_published_can_be_read(client: Client) -> None:
    assert client.get("/readyz").json()["checks"]["published"]["status"] == "ok"
    with connection.cursor() as cursor:
        cursor.execute("COMMENT ON SCHEMA published IS 'of another version'")
    assert client.get("/readyz").json()["checks"]["published"]["status"] == "degraded"

    schema.drop()

    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["published"]["status"]) == (503, "down")


def test_the_schema_is_made_again_from_the_kept_rows(client: Client, changed: Session) -> None:
    schema.drop()
    assert not schema.is_current()

    schema.rebuild()

    assert schema.is_current()
    assert "First title" in read(client, "/en/summit/sessions/panel/").text


def test_a_column_that_came_after_a_release_has_its_default(changed: Session) -> None:
    row = ReleasedRow.objects.get(table="events_session", row_id=changed.pk)
    for name in ("call_to_action", "platform_aliases", "is_in_agenda"):
        del row.data[name]
    row.save()
    schema.rebuild()

    with reading_published():
        found = Session.objects.get(pk=changed.pk)
    assert (found.call_to_action, found.platform_aliases, found.is_in_agenda) == ({}, [], True)


def test_deleting_a_conference_leaves_nothing_behind(changed: Session) -> None:
    conference = changed.conference
    Session.objects.all().delete()  # as the admin does: days are protected by their sessions
    conference.delete()
    assert everything_kept() == ""
