"""How documents are made: without the database, once, the same every time, and never at the cost of the pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events import documents, page_cache, selectors
from events.documents import Kind, build, pdf, store
from events.documents.model import Document
from events.models import ConferenceState
from events.releases import publishing
from tests.events.documents import pdf_text, word_text
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    OrganisationFactory,
    ReferenceFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    store.forget()


@pytest.fixture
def _summer(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def test_number_of_queries_does_not_grow_with_the_programme() -> None:
    conference = ConferenceFactory()

    def queries(kind: Kind) -> int:
        found = selectors.public_conference(conference.slug)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            build.conference_document(kind, found, now=NOW, language="en")
        return len(captured)

    def fill(first: int) -> None:
        for number in range(first, first + 3):
            side = SideEventFactory(conference=conference, number=number, position=number, room=RoomFactory())
            segment = SegmentFactory(session=side)
            line = ContributionFactory(session=side, segment=segment, organisation=OrganisationFactory())
            line.other_organisations.add(OrganisationFactory())
            ReferenceFactory(conference=conference, session=side)
            TextSectionFactory(session=side)
            ConvenorshipFactory(session=side)

    fill(1)
    few = {kind: queries(kind) for kind in Kind.of_conference()}
    fill(10)

    assert {kind: queries(kind) for kind in Kind.of_conference()} == few
    assert max(few.values()) <= 9


def test_same_content_gives_the_same_bytes_and_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SessionFactory()
    conference = selectors.public_conference(session.conference.slug)
    calls: list[Document] = []
    real = pdf.pdf

    def counted(document: Document) -> bytes:
        calls.append(document)
        return real(document)

    monkeypatch.setattr(pdf, "pdf", counted)

    def content(**more: Any) -> bytes:
        return documents.conference_pdf(Kind.PROGRAMME, conference, now=more.get("now", NOW), language="en")

    first = content()
    assert content(now=NOW + timedelta(minutes=5)) == first
    assert len(calls) == 1
    store.forget()
    assert content() == first
    assert len(calls) == 2
    assert documents.conference_docx(Kind.PROGRAMME, conference, now=NOW, language="en") == documents.conference_docx(
        Kind.PROGRAMME, conference, now=NOW, language="en"
    )


def test_nothing_asks_the_database_while_a_document_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    side = SideEventFactory()
    conference = selectors.public_conference(side.conference.slug)
    asked: list[int] = []

    def watched(document: Document) -> bytes:
        with CaptureQueriesContext(connection) as captured:
            content = real(document)
        asked.append(len(captured))
        return content

    real = pdf.pdf
    monkeypatch.setattr(pdf, "pdf", watched)

    documents.session_pdf(conference, side.slug, now=NOW, language="en")

    assert asked == [0]


# --- one at a time ----------------------------------------------------------------------------------------------------


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What each of the threads gave or raised."""
    results: list[Any] = [None] * count

    def one(number: int) -> None:
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_many_at_once_make_one_document() -> None:
    calls = []

    def make() -> bytes:
        calls.append(1)
        time.sleep(0.2)
        return b"made"

    assert in_threads(8, lambda _number: store.made("same", make)) == [b"made"] * 8
    assert len(calls) == 1


def test_other_documents_wait_for_their_turn() -> None:
    running = []
    most = []

    def make(number: int) -> bytes:
        running.append(number)
        most.append(len(running))
        time.sleep(0.05)
        running.remove(number)
        return str(number).encode()

    results = in_threads(5, lambda number: store.made(f"other {number}", lambda: make(number)))

    assert results == [b"0", b"1", b"2", b"3", b"4"]
    assert max(most) == 1


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.1)

    def make() -> bytes:
        time.sleep(0.6)
        return b"made"

    results = in_threads(3, lambda number: store.made(f"slow {min(number, 1)}", make))

    assert results.count(b"made") == 1
    assert sum(isinstance(result, store.TooBusy) for result in results) == 2


def test_failure_is_not_kept_and_does_not_block() -> None:
    def fail() -> bytes:
        raise documents.DocumentFailed

    with pytest.raises(documents.DocumentFailed):
        store.made("name", fail)

    assert store.made("name", lambda: b"made") == b"made"


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MOST_BYTES", 100)

    for number in range(5):
        store.made(str(number), lambda: b"x" * 40)

    assert list(store._made) == ["3", "4"]


# --- releases ---------------------------------------------------------------------------------------------------------


def test_public_document_is_that_of_the_release_and_says_so(client: Client) -> None:
    session = SessionFactory(title={"en": "As published"})
    path = f"/en/{session.conference.slug}/programme.docx"
    assert "Release" not in word_text(client.get(path).content)

    publishing.publish(session.conference, by=None, now=NOW, check=False)
    session.title = {"en": "As drafted"}
    session.save()
    page_cache.forget()

    text = word_text(client.get(path).content)
    assert "Release 1 · 2 July 2030" in text
    assert "As published" in text
    assert "As drafted" not in text


def test_organisers_get_the_draft_and_older_releases() -> None:
    session = SessionFactory(title={"en": "First"})
    conference = session.conference
    first = publishing.publish(conference, by=None, now=NOW, check=False)
    session.title = {"en": "Second"}
    session.save()
    publishing.publish(conference, by=None, now=NOW, check=False)
    session.title = {"en": "Third"}
    session.save()

    for release, title, mark in ((first, "First", "Release 1 · 2 July 2030"), (None, "Third", "Draft")):
        document = documents.previewed(Kind.PROGRAMME, conference, release, now=NOW, language="en")
        assert document.marks == [mark]
        assert title in pdf_text(documents.as_pdf(document))


def test_conference_that_is_still_a_draft_can_be_previewed() -> None:
    conference = ConferenceFactory(state=ConferenceState.DRAFT)
    SessionFactory(conference=conference, title={"en": "Soon"})

    document = documents.previewed(Kind.AGENDA, conference, None, now=NOW, language="ru")

    text = word_text(documents.as_docx(document))
    assert "Soon" in text
    assert "Черновик" in text


# --- the addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_summer")
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", Kind.of_conference())
def test_documents_have_addresses_names_and_etags(client: Client, kind: Kind, language: str) -> None:
    side = SideEventFactory(title={"en": "Nearby", "ru": "Рядом"})
    slug = side.conference.slug

    for form, content_type, read in (("pdf", PDF, pdf_text), ("docx", DOCX, word_text)):
        path = f"/{language}/{slug}/{kind}.{form}"
        response = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert response.status_code == 200
        assert response.headers["Content-Type"] == content_type
        assert "Content-Encoding" not in response.headers
        assert f'filename="{slug}-{kind}-{language}.{form}"' in response.headers["Content-Disposition"]
        assert ("Рядом" if language == "ru" else "Nearby") in read(response.content)
        assert not response.cookies

        etag = response.headers["ETag"]
        again = client.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        page_cache.forget()
        store.forget()
        assert client.get(path).headers["ETag"] == etag


@pytest.mark.usefixtures("_summer")
def test_session_alone_has_an_address(client: Client) -> None:
    side = SideEventFactory(title={"en": "Nearby"})
    SessionFactory(conference=side.conference, title={"en": "Far away"})

    response = client.get(f"/en/{side.conference.slug}/sessions/{side.slug}.pdf")

    assert response.headers["Content-Type"] == PDF
    text = pdf_text(response.content)
    assert "Nearby" in text
    assert "Far away" not in text


def test_change_of_the_programme_makes_a_new_document(client: Client) -> None:
    session = SessionFactory(title={"en": "First title"})
    path = f"/en/{session.conference.slug}/programme.docx"
    assert "First title" in word_text(client.get(path).content)

    session.title = {"en": "Second title"}
    session.save()
    page_cache.forget()

    assert "Second title" in word_text(client.get(path).content)


def test_kept_document_asks_for_nothing(client: Client, django_assert_num_queries: Any) -> None:
    session = SessionFactory()
    path = f"/en/{session.conference.slug}/agenda.docx"
    first = client.get(path)

    with django_assert_num_queries(0):
        assert client.get(path).content == first.content


@pytest.mark.parametrize("document", ["programme.pdf", "agenda.docx", "sessions/anything.pdf"])
def test_strangers_get_404(client: Client, document: str) -> None:
    draft = ConferenceFactory(state=ConferenceState.DRAFT)
    SessionFactory(conference=draft, slug="anything")

    assert client.get(f"/en/{draft.slug}/{document}").status_code == 404
    assert client.get(f"/en/nothing-here/{document}").status_code == 404


def test_session_that_is_none_gets_404(client: Client) -> None:
    assert client.get(f"/en/{ConferenceFactory().slug}/sessions/nothing.pdf").status_code == 404


def test_made_up_queries_lead_to_the_plain_address(client: Client) -> None:
    path = f"/en/{ConferenceFactory().slug}/programme.pdf"

    response = client.get(f"{path}?x=1")

    assert (response.status_code, response.headers["Location"]) == (302, path)
    assert page_cache.kept() == []


@pytest.mark.parametrize("error", [documents.TooBusy, documents.DocumentFailed])
def test_document_that_cannot_be_had_now_says_when_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(_document: Document) -> bytes:
        raise error

    monkeypatch.setattr(pdf, "pdf", fail)

    response = client.get(f"/en/{ConferenceFactory().slug}/programme.pdf")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert page_cache.kept() == []


def test_pages_lead_to_the_documents(client: Client) -> None:
    side = SideEventFactory()
    slug = side.conference.slug

    for page in ("", "programme/"):
        content = client.get(f"/en/{slug}/{page}").content.decode()
        for kind in Kind.of_conference():
            assert f'href="/en/{slug}/{kind}.pdf"' in content
            assert f'href="/en/{slug}/{kind}.docx"' in content
    assert f"/en/{slug}/sessions/{side.slug}.pdf" in client.get(side.get_absolute_url()).content.decode()
    plain = SessionFactory().conference
    assert "side-events.pdf" not in client.get(f"/en/{plain.slug}/programme/").content.decode()
