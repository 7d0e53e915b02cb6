"""Taking down: gone for all readers at once, from old releases too; on the record; back only by a second act."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client

import outbox.services
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance.languages import Translations
from events import page_cache, programme_file
from events.documents import store
from events.models import Conference, Reference, Removal, Session, SessionState
from events.releases import preview, publishing
from events.releases.reading import reading_published
from events.removals import services, subjects, traces
from outbox.models import Message, MessageState
from registration import selectors
from registration.models import Figure, Participant
from speakers.models import Contribution, Person
from tests import factories
from tests.factories import NOW
from tests.registration import people

CANARY = "Zzyzxcanary"


def publish(conference: Conference) -> None:
    """A release of it."""
    publishing.publish(conference, by=None, now=NOW, check=False)


def read(client: Client, path: str) -> tuple[int, str]:
    """A page as a new reader gets it from a process that has asked for the version since."""
    page_cache.forget()
    selectors.forget()
    store.forget()
    answer = client.get(path)
    return answer.status_code, answer.content.decode()


def down(kind: str, row: Any, *, conference: Conference | None = None) -> Removal:
    """Taken down by the system."""
    subject = subjects.get(kind, row.public_id)
    assert subject is not None
    return services.take_down(subject, conference=conference, by=Actor.organiser(factories.StaffFactory()), now=NOW)


@pytest.fixture
def session(transactional_db: None) -> Session:
    """A published session with a speaker, twice released, with the name in its title and texts."""
    session = factories.SessionFactory(
        conference__slug="summit", slug="talk", title={"en": f"Talk with {CANARY}"}, summary={"en": CANARY}
    )
    factories.ContributionFactory(session=session, person__display_name=f"{CANARY} Ada", topic={"en": "On it"})
    factories.SessionFactory(conference=session.conference, title={"en": "Another one"})
    factories.TextSectionFactory(session=session, text={"en": CANARY})
    publish(session.conference)
    session.title = Translations({"en": f"Moved talk with {CANARY}"})
    session.save()
    publish(session.conference)
    return session


PAGES = [
    "/en/summit/",
    "/en/summit/programme/",
    "/en/summit/changes/",
    "/en/summit/changes.atom",
    "/en/summit/programme.ics",
    "/en/summit/programme.xml",
    "/en/summit/programme.json",
    f"/en/summit/search/?q={CANARY}",
    f"/en/search/?q={CANARY}",
    "/api/v1/sessions/?expand=conference",
    "/api/v1/releases/",
    "/sitemap.xml",
]


def test_a_session_is_gone_from_every_page_of_every_release_and_comes_back(session: Session, client: Client) -> None:
    pages = [path for path in PAGES if read(client, path)[0] == 200]
    release = session.conference.releases.order_by("number").first()
    pages.append(f"/api/v1/releases/{release.public_id}/" if release else "")
    shown = {path for path in pages if CANARY in read(client, path)[1].replace(f"q={CANARY}", "")}
    own = session.get_absolute_url()
    assert len(shown) >= 5
    assert read(client, own)[0] == 200

    removal = down("session", session)

    assert not [path for path in pages if CANARY in _without_question(read(client, path)[1])]
    assert read(client, own)[0] == 404

    services.lift(removal_id=removal.pk, reason="All is well", by=Actor.organiser(factories.StaffFactory()), now=NOW)

    assert shown == {path for path in pages if CANARY in read(client, path)[1].replace(f"q={CANARY}", "")}
    assert read(client, own)[0] == 200


def _without_question(page: str) -> str:
    """A page of results without what was asked, which it repeats to the one who asked."""
    for asked in (f"q={CANARY}", f'value="{CANARY}"', f"“{CANARY}”", f"<mark>{CANARY}</mark>"):
        page = page.replace(asked, "")
    return page


def test_readers_of_the_published_programme_find_nothing_of_it_but_that_it_is_not_available(session: Session) -> None:
    down("session", session)

    with reading_published():
        row = Session.objects.get(pk=session.pk)
        assert (str(row.title), row.slug, row.state) == (
            "Not available",
            f"not-available-{session.pk}",
            SessionState.CANCELLED,
        )
        assert CANARY not in str(Session.objects.values().get(pk=session.pk))
        assert not Contribution.objects.filter(session=session.pk).exists()
        assert not row.text_sections.exists()
    assert CANARY in str(Session.objects.get(pk=session.pk).title)  # organisers read on


def test_an_older_release_in_the_preview_does_not_show_it(session: Session) -> None:
    release = session.conference.releases.order_by("number").first()
    down("session", session)

    with preview.showing(session.conference, release):
        assert not session.conference.sessions.public().filter(pk=session.pk).exists()
        assert session.conference.sessions.public().exists()


def test_deleting_what_was_taken_down_does_not_bring_it_back(session: Session, client: Client) -> None:
    down("session", session)
    Session.objects.filter(pk=session.pk).delete()
    publish(session.conference)

    assert not [path for path in PAGES if CANARY in _without_question(read(client, path)[1])]


def test_going_back_to_a_release_with_it_leaves_it_taken_down(session: Session) -> None:
    old = session.conference.releases.get(number=1)
    removal = down("session", session)
    Session.objects.filter(pk=session.pk).delete()

    publishing.restore(old)

    assert Session.objects.get(pk=session.pk).taken_down_at == removal.taken_down_at


def test_a_person_is_gone_and_no_form_shows_them_again(session: Session, client: Client) -> None:
    Session.objects.filter(pk=session.pk).update(title={"en": "A talk"}, summary={})
    session.text_sections.all().delete()
    publish(session.conference)
    person = Person.objects.get()
    removal = down("person", person, conference=session.conference)

    texts = {"/en/summit/changes/", "/en/summit/changes.atom"}  # what the title was is a text, and for people to read
    assert not [path for path in PAGES if path not in texts and CANARY in _without_question(read(client, path)[1])]
    assert read(client, person.get_absolute_url())[0] == 404
    with pytest.raises(IntegrityError, match="person_taken_down_is_hidden"), transaction.atomic():
        Person.objects.update(is_hidden=False)

    services.lift(removal_id=removal.pk, reason="Safe", by=Actor.organiser(factories.StaffFactory()), now=NOW)
    assert read(client, person.get_absolute_url())[0] == 200


def test_lifting_brings_back_nobody_who_was_hidden_before(db: None) -> None:
    person = factories.PersonFactory(is_hidden=True)
    removal = Removal.objects.get(pk=_take(person).pk)

    with pytest.raises(services.NeedsReason):
        _lift(removal, " ")
    _lift(removal, "Safe")

    assert Person.objects.values_list("is_hidden", "taken_down_at").get() == (True, None)


def _take(person: Person) -> Removal:
    subject = subjects.get("person", person.public_id)
    assert subject is not None
    return services.take_down(subject, conference=None, by=Actor.organiser(factories.StaffFactory()), now=NOW)


def _lift(removal: Removal, reason: str) -> Removal:
    by = Actor.organiser(factories.StaffFactory())
    return services.lift(removal_id=removal.pk, reason=reason, by=by, now=NOW + timedelta(hours=1))


def test_twice_is_once_and_on_the_record_without_names(session: Session) -> None:
    first, second = down("session", session), down("session", session)

    assert first == second
    assert Removal.objects.count() == 1
    entries = AuditEntry.objects.filter(action__startswith="removal.")
    assert [entry.action for entry in entries] == ["removal.taken_down"]
    assert CANARY not in str(list(entries.values()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM events_removal r")
        assert "Zzyzx" not in str(cursor.fetchone())


def test_two_processes_lose_it_within_a_second(
    session: Session, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process keeps the page; another connection, that of another process, takes the session down."""
    monkeypatch.setattr(page_cache, "_VERSION_SECONDS", 0.5)  # as in service; tests/conftest.py stops that clock
    own = session.get_absolute_url()
    client.get("/en/summit/sessions/none/")  # what the page of errors needs is read once
    assert CANARY in client.get(own).text
    assert own in page_cache.kept()
    _by_another_connection(session)
    began = time.monotonic()

    while client.get(own).status_code == 200:
        time.sleep(0.02)

    assert time.monotonic() - began < 1.0


def _by_another_connection(session: Session) -> None:
    """As another process of the house has it."""

    def act() -> None:
        try:
            down("session", session)
        finally:
            connection.close()

    other = threading.Thread(target=act)
    other.start()
    other.join()


def test_no_cache_outside_keeps_a_page_without_asking(session: Session, client: Client) -> None:
    for path in ("/en/summit/programme/", "/en/summit/programme.ics", "/api/v1/sessions/"):
        said = client.get(path).headers["Cache-Control"]
        assert "no-cache" in said or "no-store" in said or "max-age=0" in said, path


def test_the_list_says_what_had_left_and_is_ticked_off(session: Session) -> None:
    admission = factories.AdmissionFactory(session=session)
    registration = factories.RegistrationFactory(admission=admission)
    Message.objects.create(
        topic="registration.status", key="k", about_kind="registration", about_id=registration.public_id,
        state=MessageState.SENT, due_at=NOW, next_attempt_at=NOW, deadline_at=NOW, created_at=NOW, finished_at=NOW,
    )  # fmt: skip
    by = Actor.organiser(factories.StaffFactory())
    services.made(session.conference, kind="programme", by=by, release=1)
    AuditEntry.objects.filter(action=traces.MADE).update(at=NOW + timedelta(minutes=1))

    removal = down("session", session)

    steps = {line.step.code: line.step for line in services.lines(removal)}
    assert set(steps) == {"releases", "pages", "feeds", "documents", "mails", "calendars"}
    assert steps["releases"].details["releases"] == [1, 2]
    assert steps["mails"].details["number"] == 1
    assert all(line.what and line.todo for line in services.lines(removal))
    services.tick(step_id=steps["mails"].pk, is_done=True, by=by, now=NOW)
    assert removal.steps.get(code="mails").done_by == by.user


def test_nothing_of_the_conference_is_asked_of_somebody_elses(db: None) -> None:
    session, other = factories.SessionFactory(), factories.ConferenceFactory()

    assert subjects.get("session", session.public_id, conference=other) is None
    assert subjects.get("nothing", session.public_id) is None


def test_a_programme_file_leaves_it_out_and_deletes_nothing(session: Session) -> None:
    factories.FigureFactory(conference=session.conference, session=session, source=CANARY)
    factories.ReferenceFactory(conference=session.conference, session=session, citation=CANARY)
    down("session", session)
    text = programme_file.export(session.conference).decode()

    assert CANARY not in text
    programme_file.load(text.encode())
    assert Session.objects.filter(pk=session.pk).exists()
    assert Contribution.objects.filter(session=session).exists()
    assert Figure.objects.get().session == Reference.objects.get().session == session


def test_a_join_link_says_calmly_that_the_meeting_is_not_available(session: Session, client: Client) -> None:
    factories.MeetingFactory(session=session)
    registration = factories.RegistrationFactory(admission=factories.AdmissionFactory(session=session))
    path = f"/join/{registration.join_token}/"
    down("session", session)

    looked, pressed = client.get(path), client.post(path)

    for answer in (looked, pressed):
        assert answer.status_code == 200
        assert "This meeting is not available" in answer.text
        assert CANARY not in answer.text
        assert "provider.example" not in answer.text + str(answer.headers)


def test_mail_to_somebody_who_was_taken_down_waits_until_it_is_lifted(transactional_db: None) -> None:
    admission = factories.AdmissionFactory()
    people.register(admission, token="one")
    removal = down("participant", Participant.objects.get())

    outbox.services.drain("mail", now=NOW)
    assert mail.outbox == []
    assert Message.objects.get(topic="registration.received").state == MessageState.HELD

    _lift(removal, "Safe again")
    outbox.services.drain("mail", now=NOW + timedelta(hours=1))
    assert len(mail.outbox) == 1
