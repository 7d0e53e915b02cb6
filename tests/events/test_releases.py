"""Releases: everybody reads what was published, organisers the draft; who must disappear disappears at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse

from events import page_cache
from events.models import (
    Conference,
    ConferenceState,
    Release,
    ReleasedRow,
    SegmentVisibility,
    Session,
    SessionState,
    Visibility,
)
from events.releases import changes, publishing, schema, wording
from events.releases.changes import Rows
from events.releases.reading import reading_draft, reading_published
from registration import selectors
from speakers.models import Contribution, Person
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    MaterialFactory,
    PersonFactory,
    RegistrationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    StaffFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


def publish(conference: Conference, **more: Any) -> Release:
    """Publish without asking the checks: rows of factories are not complete."""
    return publishing.publish(conference, by=None, now=NOW, check=False, **more)


@pytest.fixture
def summit() -> Conference:
    return ConferenceFactory(slug="summit", title={"en": "Summit", "ru": "Саммит"})


@pytest.fixture
def panel(summit: Conference) -> Session:
    return SessionFactory(conference=summit, slug="panel", title={"en": "First title"})


def read(client: Client, path: str) -> Any:
    """The answer as another process, which keeps no page yet, would give it."""
    page_cache.forget()
    selectors.forget()
    return client.get(path)


def sentences(conference: Conference) -> list[str]:
    """Everything the list of unpublished changes says."""
    difference = publishing.unpublished_changes(conference)
    assert difference is not None
    return [line for group in wording.lines(conference, difference.changes) for line in group.lines]


# --- who reads what -------------------------------------------------------------------------------------------------


PUBLIC = [
    "/en/summit/",
    "/en/summit/programme/",
    "/en/summit/sessions/panel/",
    "/en/summit/programme.ics",
    "/en/summit/programme.json",
    "/en/summit/programme.xml",
    "/en/summit/search/?q=title",
    "/api/v1/sessions/",
]


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


# --- the switch -----------------------------------------------------------------------------------------------------


def title(panel: Session) -> str:
    return str(Session.objects.values_list("title", flat=True).get(pk=panel.pk))


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


# --- who must disappear disappears at once --------------------------------------------------------------------------


def everything_kept() -> str:
    """All rows of all releases, and all that is published, as one text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(data::text, ''), '') FROM events_releasedrow")
        texts = [cursor.fetchone()[0]]
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'released'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM released.{table} t")
            texts.append(cursor.fetchone()[0])
        cursor.execute("SELECT coalesce(string_agg(changes::text, ''), '') FROM events_release")
        return "".join([*texts, cursor.fetchone()[0]])


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

    assert "Canary" not in everything_kept()


# --- changes --------------------------------------------------------------------------------------------------------


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


# --- publishing -----------------------------------------------------------------------------------------------------


def test_a_draft_is_published_with_its_first_release(client: Client, panel: Session) -> None:
    Conference.objects.update(state=ConferenceState.DRAFT)
    assert read(client, "/en/summit/").status_code == 404

    release = publish(panel.conference)

    assert (release.number, release.changes) == (1, [])
    assert read(client, "/en/summit/").status_code == 200


def test_errors_block_and_nothing_is_half_done(panel: Session) -> None:
    Session.objects.update(
        kind="side_event", starts_at=NOW + timedelta(days=900), ends_at=NOW + timedelta(days=900, hours=1)
    )
    with pytest.raises(publishing.HasErrors):
        publishing.publish(panel.conference, by=None, now=NOW)
    assert not Release.objects.exists()


def test_publishing_what_is_public_already_is_refused(panel: Session) -> None:
    publish(panel.conference)
    panel.save()  # a new stamp of time is no change

    with pytest.raises(publishing.NothingChanged):
        publish(panel.conference)
    assert Release.objects.count() == 1


def test_other_conferences_are_not_touched(client: Client, panel: Session) -> None:
    other = SessionFactory(conference=ConferenceFactory(slug="other"), slug="o", title={"en": "Other first"})
    publish(other.conference)
    Session.objects.filter(pk=other.pk).update(title={"en": "Other second"})

    publish(panel.conference)

    assert "Other first" in read(client, "/en/other/sessions/o/").text


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_once_make_two_releases_or_one() -> None:
    panel = SessionFactory()
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    results: list[object] = []
    start = threading.Barrier(2)

    def press() -> None:
        start.wait()
        try:
            results.append(publish(panel.conference).number)
        except publishing.NothingChanged:
            results.append("nothing changed")
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, results)) == ["2", "nothing changed"]


# --- going back -----------------------------------------------------------------------------------------------------


def test_going_back_restores_every_row_and_keeps_registrations(client: Client, panel: Session) -> None:
    kept = ContributionFactory(session=panel, role_title={"en": "Judge"}, internal_note="note of today")
    gone = TextSectionFactory(session=panel, text={"en": "Old words"})
    registration = RegistrationFactory(admission=AdmissionFactory(conference=panel.conference, session=panel))
    first = publish(panel.conference)
    Contribution.objects.update(role_title={"en": "Advocate"}, internal_note="newer note")
    gone.delete()
    Session.objects.update(title={"en": "Second title"})
    new = SideEventFactory(conference=panel.conference)
    newer = RegistrationFactory(admission=AdmissionFactory(conference=panel.conference, session=new))
    ContributionFactory(session=panel, person=PersonFactory(display_name="Nina Next"))
    publish(panel.conference)

    publishing.restore(first)

    kept.refresh_from_db()
    assert (str(kept.role_title), kept.internal_note) == ("Judge", "newer note")
    assert title(panel) == "First title"
    assert panel.text_sections.get().text == {"en": "Old words"}
    assert [str(row.person) for row in panel.contributions.all()] == [str(kept.person)]
    new.refresh_from_db()
    assert new.state == SessionState.DRAFT
    registration.refresh_from_db()
    newer.refresh_from_db()
    assert "Second title" in read(client, "/en/summit/sessions/panel/").text

    publish(panel.conference)

    page = read(client, "/en/summit/sessions/panel/").text
    assert "First title" in page
    assert "Old words" in page
    assert changes.between(Rows.kept(first), Rows.kept(Release.objects.get(number=3))) == []


def test_going_back_never_lowers_the_number_calendars_go_by(panel: Session) -> None:
    first = publish(panel.conference)
    Session.objects.update(starts_at=F("starts_at") + timedelta(hours=2), ends_at=F("ends_at") + timedelta(hours=2))
    panel.refresh_from_db()
    before = panel.calendar_sequence

    publishing.restore(first)

    panel.refresh_from_db()
    assert panel.calendar_sequence > before


# --- in the admin ---------------------------------------------------------------------------------------------------


@pytest.fixture
def organiser(client: Client) -> Client:
    client.force_login(StaffFactory())
    return client


def address(conference: Conference, more: str = "") -> str:
    return f"/admin/events/conference/{conference.pk}/{more}"


def test_an_organiser_publishes_with_a_note(organiser: Client, panel: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.programme_checks.errors", lambda *_args, **_kwargs: [])

    answer = organiser.post(address(panel.conference, "releases/"), {"note_en": "Welcome."}, follow=True)

    release = Release.objects.get()
    assert release.note == {"en": "Welcome."}
    assert release.made_by is not None
    assert "Release 1 is published." in answer.text


def test_errors_are_named_before_publishing(organiser: Client, panel: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.programme_checks.errors", lambda *_args, **_kwargs: ["one", "two"])

    page = organiser.get(address(panel.conference, "releases/")).text
    assert "2 errors keep this from being published." in page
    organiser.post(address(panel.conference, "releases/"), {})

    assert not Release.objects.exists()


def test_the_admin_lists_changes_and_goes_back(organiser: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    publish(panel.conference)
    page = organiser.get(address(panel.conference, "releases/")).text
    assert "First title → Second title" in page

    asked = organiser.get(address(panel.conference, "releases/1/restore/")).text
    assert "Second title → First title" in asked
    assert title(panel) == "Second title"
    organiser.post(address(panel.conference, "releases/1/restore/"))

    assert title(panel) == "First title"
    assert organiser.get(address(panel.conference, "releases/7/restore/")).status_code == 404


def test_a_line_can_be_taken_out_of_a_list_for_good(organiser: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(title={"en": "Canary name in a title"}, working_languages=["en", "ru"])
    publish(panel.conference)
    Session.objects.update(title={"en": "Third title"})
    publish(panel.conference)
    assert "Canary" in read(organiser, "/en/summit/changes/").text
    for number in (2, 3):
        page = organiser.get(address(panel.conference, f"releases/{number}/correct/")).text
        assert "Canary name" in page
        sent = {"note_en": "Corrected.", "without": ["0"]}
        assert organiser.post(address(panel.conference, f"releases/{number}/correct/"), sent).status_code == 302

    page = read(organiser, "/en/summit/changes/").text
    assert "Canary" not in page
    assert "Languages have changed." in page
    assert "Corrected." in page
    sent = {"without": ["99"]}
    assert organiser.post(address(panel.conference, "releases/2/correct/"), sent).status_code == 200


def test_the_preview_shows_the_draft_to_organisers_only(client: Client, panel: Session) -> None:
    publish(panel.conference)
    Session.objects.update(title={"en": "Second title"})
    where = address(panel.conference, "preview/draft/en/summit/programme/")
    assert read(client, where).status_code == 302

    client.force_login(StaffFactory())
    answer = read(client, where)

    assert "Second title" in answer.text
    assert "Preview." in answer.text
    assert address(panel.conference, "preview/draft/en/summit/sessions/panel/") in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert "Second title" not in client.get("/en/summit/programme/").text
    assert "Second title" in client.get(where).text  # and once more, after the public page was kept


def test_the_preview_of_a_conference_that_is_a_draft(organiser: Client, panel: Session) -> None:
    Conference.objects.update(state=ConferenceState.DRAFT)

    answer = organiser.get(address(panel.conference, "preview/draft/en/summit/sessions/panel/"))

    assert answer.status_code == 200
    assert Conference.objects.get().state == ConferenceState.DRAFT


def test_the_preview_of_an_older_release(organiser: Client, panel: Session) -> None:
    ContributionFactory(session=panel, person=PersonFactory(display_name="Gerda Gone"))
    publish(panel.conference)
    Contribution.objects.all().delete()
    Session.objects.update(title={"en": "Second title"})
    publish(panel.conference)

    page = organiser.get(address(panel.conference, "preview/1/en/summit/sessions/panel/")).text

    assert "First title" in page
    assert "Gerda Gone" in page
    assert title(panel) == "Second title"


@pytest.mark.parametrize(
    "path",
    ["en/other/", "en/summit/register/", "xx/summit/", "en/summit/programme.ics", "en/summit/agenda.pdf", "admin/"],
)
def test_the_preview_has_programme_pages_only(organiser: Client, panel: Session, path: str) -> None:
    ConferenceFactory(slug="other")
    assert organiser.get(address(panel.conference, f"preview/draft/{path}")).status_code == 404


def test_the_preview_has_no_other_release(organiser: Client, panel: Session) -> None:
    for which in ("1", "99999999999999999999", "nonsense"):
        assert organiser.get(address(panel.conference, f"preview/{which}/en/summit/")).status_code == 404
