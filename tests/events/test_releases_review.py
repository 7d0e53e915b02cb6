"""Releases, read by somebody who does not trust them: closing stays closed, going back always works, lists forget."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F
from django.test import Client

from alliance.exceptions import DomainError
from events import page_cache
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Convenorship,
    Material,
    Recommendation,
    Release,
    ReleasedRow,
    Segment,
    SegmentVisibility,
    Session,
    SessionState,
    Visibility,
)
from events.releases import publishing, reading, schema, tables
from events.releases.reading import reading_published
from registration import selectors
from speakers.models import Contribution
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    RecommendationFactory,
    RegistrationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


def publish(conference: Conference, **more: Any) -> Release:
    """Publish without asking the checks: rows of factories are not complete."""
    return publishing.publish(conference, by=None, now=NOW, check=False, **more)


def read(client: Client, path: str) -> Any:
    """The answer as another process, which keeps no page yet, would give it."""
    page_cache.forget()
    selectors.forget()
    return client.get(path)


@pytest.fixture
def summit() -> Conference:
    return ConferenceFactory(slug="summit", title={"en": "Summit"})


@pytest.fixture
def panel(summit: Conference) -> Session:
    return SessionFactory(conference=summit, slug="panel", title={"en": "First title"})


PANEL = "/en/summit/sessions/panel/"
CHANGES = "/en/summit/changes/"


# --- who reads what -------------------------------------------------------------------------------------------------


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


# --- closed stays closed --------------------------------------------------------------------------------------------


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


# --- going back always works ----------------------------------------------------------------------------------------


def test_going_back_when_a_session_was_made_anew_under_its_old_address(panel: Session) -> None:
    Session.objects.update(number=1)
    first = publish(panel.conference)
    key = panel.key
    panel.delete()
    new = SessionFactory(conference=first.conference, slug="panel", key=key, number=1)
    ContributionFactory(session=new)
    registration = RegistrationFactory(admission=AdmissionFactory(conference=first.conference, session=new))

    publishing.restore(first)

    old = Session.objects.get(slug="panel")
    assert str(old.title) == "First title"
    new.refresh_from_db()
    assert new.state == SessionState.DRAFT
    registration.refresh_from_db()
    assert registration.admission.session_id == new.pk


def test_going_back_keeps_what_a_session_made_since_is_made_of(panel: Session) -> None:
    first = publish(panel.conference)
    new = SessionFactory(conference=panel.conference)
    segment = SegmentFactory(session=new)
    ContributionFactory(session=new, segment=segment).other_organisations.add(OrganisationFactory())
    TextSectionFactory(session=new)
    MaterialFactory(conference=panel.conference, session=new)
    ConvenorshipFactory(session=new)

    publishing.restore(first)

    new.refresh_from_db()
    assert new.state == SessionState.DRAFT
    assert new.contributions.get().segment == segment
    assert new.contributions.get().other_organisations.count() == 1
    assert (new.text_sections.count(), new.convenorships.count()) == (1, 1)
    assert Material.objects.filter(session=new).count() == 1


def test_going_back_when_two_sessions_have_swapped_names(panel: Session) -> None:
    other = SessionFactory(conference=panel.conference, slug="other", key="other")
    key = panel.key
    first = publish(panel.conference)
    Session.objects.filter(pk=panel.pk).update(slug="x", key="x")
    Session.objects.filter(pk=other.pk).update(slug="panel", key=key)
    Session.objects.filter(pk=panel.pk).update(slug="other", key="other")

    publishing.restore(first)

    panel.refresh_from_db()
    other.refresh_from_db()
    assert (panel.slug, panel.key, other.slug, other.key) == ("panel", key, "other", "other")


def test_going_back_when_results_have_swapped_numbers(panel: Session) -> None:
    one, two = (RecommendationFactory(session=panel, number=number) for number in (1, 2))
    below = [RecommendationFactory(session=panel, parent=one, number=number) for number in (1, 2)]
    first = publish(panel.conference)
    for a, b in ((one, two), below):
        Recommendation.objects.filter(pk=a.pk).update(number=9)
        Recommendation.objects.filter(pk=b.pk).update(number=1)
        Recommendation.objects.filter(pk=a.pk).update(number=2)

    publishing.restore(first)

    numbers = dict(Recommendation.objects.values_list("pk", "number"))
    assert numbers == {one.pk: 1, two.pk: 2, below[0].pk: 1, below[1].pk: 2}


def test_going_back_when_two_convenors_were_swapped(panel: Session) -> None:
    one, two = ConvenorshipFactory(session=panel), ConvenorshipFactory(session=panel)
    Convenorship.objects.filter(pk=one.pk).update(internal_note="kept")
    first = publish(panel.conference)
    spare = OrganisationFactory()
    Convenorship.objects.filter(pk=one.pk).update(organisation=spare)
    Convenorship.objects.filter(pk=two.pk).update(organisation=one.organisation)
    Convenorship.objects.filter(pk=one.pk).update(organisation=two.organisation)

    publishing.restore(first)

    found = {row.pk: row for row in Convenorship.objects.all()}
    assert (found[one.pk].organisation_id, found[two.pk].organisation_id) == (one.organisation_id, two.organisation_id)
    assert found[one.pk].internal_note == "kept"


def test_going_back_when_a_block_was_made_anew_and_its_speakers_moved(panel: Session) -> None:
    old = SegmentFactory(session=panel, key="talks", position=1)
    speaker = ContributionFactory(session=panel, segment=old)
    first = publish(panel.conference)
    new = SegmentFactory(session=panel, key="talks-2", position=2)
    Contribution.objects.update(segment=new)
    old_pk = old.pk
    old.delete()
    Segment.objects.update(key="talks", position=1)

    publishing.restore(first)

    assert [segment.pk for segment in panel.segments.all()] == [old_pk]
    speaker.refresh_from_db()
    assert speaker.segment_id == old_pk


def test_going_back_when_a_day_was_made_anew(panel: Session) -> None:
    first = publish(panel.conference)
    old = panel.day
    assert old is not None
    ConferenceDay.objects.filter(pk=old.pk).update(number=7, date=old.date + timedelta(days=7))
    new = ConferenceDayFactory(conference=panel.conference, number=1, date=old.date)
    Session.objects.update(day=new)
    ConferenceDay.objects.filter(pk=old.pk).delete()
    since = SessionFactory(conference=panel.conference, day=new)

    publishing.restore(first)

    days = list(panel.conference.days.all())
    assert [(day.pk, day.number, day.date) for day in days] == [(old.pk, 1, old.date)]
    panel.refresh_from_db()
    since.refresh_from_db()
    assert (panel.day_id, since.day_id) == (old.pk, old.pk)


def test_going_back_after_somebody_was_deleted(panel: Session) -> None:
    speaker = ContributionFactory(session=panel)
    speaker.other_organisations.add(OrganisationFactory())
    first = publish(panel.conference)
    person = speaker.person
    speaker.delete()
    person.delete()

    publishing.restore(first)

    assert not Contribution.objects.exists()


def test_going_back_says_so_when_somebody_else_has_the_room(client: Client, panel: Session) -> None:
    room = RoomFactory()
    Session.objects.update(room=room)
    first = publish(panel.conference)
    Session.objects.update(room=None)
    SessionFactory(conference=ConferenceFactory(slug="elsewhere"), room=room)
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})

    with pytest.raises(DomainError):
        publishing.restore(first)

    panel.refresh_from_db()
    assert str(panel.title) == "Second title"


def test_going_back_leaves_other_conferences_alone(panel: Session) -> None:
    first = publish(panel.conference)
    other = SessionFactory(conference=ConferenceFactory(slug="elsewhere"))
    SegmentFactory(session=other), ContributionFactory(session=other), TextSectionFactory(session=other)
    before = {table.name: list(table.model._default_manager.order_by("pk").values()) for table in tables.all_tables()}
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})

    publishing.restore(first)

    for table in tables.all_tables():
        rows = list(table.model._default_manager.order_by("pk").values())
        for row, was in zip(rows, before[table.name], strict=True):
            if row["id"] != panel.pk or table.model is not Session:
                assert row == was


# --- lists forget ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("close", ["visibility", "is_announced", "segment", "deleted"])
def test_the_list_forgets_who_is_not_to_be_shown_any_more(client: Client, panel: Session, close: str) -> None:
    segment = SegmentFactory(session=panel)
    publish(panel.conference)
    ContributionFactory(session=panel, segment=segment, person=PersonFactory(display_name="Clara Closed"))
    ContributionFactory(session=panel, segment=segment, person=None, unnamed_label={"en": "A survivor from Ruritania"})
    publish(panel.conference)
    assert "Clara Closed" in read(client, CHANGES).text
    assert "Ruritania" in read(client, CHANGES).text

    if close == "is_announced":
        Contribution.objects.update(is_announced=False)
    elif close == "segment":
        Segment.objects.update(visibility=SegmentVisibility.NEVER)
    else:
        Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    if close == "deleted":
        for row in Contribution.objects.all():
            row.delete()
        publish(panel.conference)

    page = read(client, CHANGES).text
    assert "Clara Closed" not in page
    assert "Ruritania" not in page


def test_the_list_does_not_name_who_gave_the_seat_to_a_pseudonym(client: Client, panel: Session) -> None:
    publish(panel.conference)
    ContributionFactory(session=panel, person=PersonFactory(display_name="Real Canary"), role_title={})
    ContributionFactory(session=panel, person=None, unnamed_label={"en": "A survivor from Ruritania"})
    publish(panel.conference)
    assert "Real Canary" in read(client, CHANGES).text

    for number, row in enumerate(Contribution.objects.all()):
        maja = PersonFactory(display_name=f"Maja {number}", is_pseudonym=True, given_name="", family_name="")
        Contribution.objects.filter(pk=row.pk).update(person=maja)
    publish(panel.conference)

    page = read(client, CHANGES).text
    assert "Canary" not in page
    assert "Ruritania" not in page


def test_a_seat_is_called_in_the_list_as_it_is_today(client: Client, panel: Session) -> None:
    publish(panel.conference)
    ContributionFactory(session=panel, person=None, unnamed_label={"en": "A survivor from Ruritania"})
    publish(panel.conference)
    Contribution.objects.update(unnamed_label={"en": "A survivor leader"})
    publish(panel.conference)

    page = read(client, CHANGES).text
    assert "A survivor leader" in page
    assert "Ruritania" not in page


def test_who_is_closed_is_not_named_as_gone(client: Client, panel: Session) -> None:
    ContributionFactory(session=panel, person=PersonFactory(display_name="Clara Closed"))
    publish(panel.conference)
    Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    publish(panel.conference)

    assert "Clara Closed" not in read(client, CHANGES).text


def test_the_list_forgets_a_hidden_session_also_when_it_is_deleted(client: Client, panel: Session) -> None:
    other = SessionFactory(conference=panel.conference, title={"en": "Canary session"})
    publish(panel.conference)
    Session.objects.filter(pk=other.pk).update(visibility=Visibility.INTERNAL)
    publish(panel.conference)
    assert "Canary session" not in read(client, CHANGES).text
    other.delete()
    Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})
    publish(panel.conference)

    assert "Canary session" not in read(client, CHANGES).text


# --- others who write -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_publishing_waits_for_an_editor_and_never_against_one() -> None:
    """The editor writes the tables in another order than publishing locks them."""
    panel = SessionFactory()
    publish(panel.conference)
    trouble: list[Exception] = []
    has_begun = threading.Event()

    def edit() -> None:
        try:
            with transaction.atomic():
                Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})
                has_begun.set()
                time.sleep(0.4)
                ConferenceDay.objects.filter(pk=panel.day_id).update(label_printed="First day")
        except DatabaseError as error:
            trouble.append(error)
        finally:
            connection.close()

    editor = threading.Thread(target=edit)
    editor.start()
    has_begun.wait()
    release = publish(panel.conference)
    editor.join()

    assert trouble == []
    data = release.rows.get(table="events_conferenceday").data
    assert data["label_printed"] == "First day"


# --- looking writes nothing -----------------------------------------------------------------------------------------


def test_looking_at_what_would_change_writes_nothing(panel: Session, django_capture_on_commit_callbacks: Any) -> None:
    first = publish(panel.conference)
    Session.objects.update(title={"en": "Second title"}, starts_at=F("starts_at") - timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM events_release_id_seq")
        before = cursor.fetchone()
    writes: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        writes.extend([sql] if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) else [])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert publishing.unpublished_changes(panel.conference)
        assert publishing.changes_by_restoring(first).has_any
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM events_release_id_seq")
        assert cursor.fetchone() == before
    assert writes == []
    assert ReleasedRow.objects.filter(release__number__gt=1).count() == 0
