"""Documents of the draft, for organisers."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from pypdf import PdfReader

from events.models import Conference, Session
from events.releases import publishing
from tests.factories import NOW, ConferenceFactory, SessionFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def summit() -> Conference:
    conference = ConferenceFactory(slug="summit")
    SessionFactory(conference=conference, title={"en": "First title"})
    publishing.publish(conference, by=None, now=NOW, check=False)
    Session.objects.update(title={"en": "Second title"})
    return conference


def address(conference: Conference, more: str = "") -> str:
    return f"/admin/events/conference/{conference.pk}/documents/{more}"


def text(content: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_organisers_proof_read_the_draft(client: Client, summit: Conference) -> None:
    client.force_login(StaffFactory())
    assert address(summit, "draft/ru/agenda.docx") in client.get(address(summit)).text

    found = text(client.get(address(summit, "draft/en/programme.pdf")).content)

    assert "Second title" in found
    assert "Draft" in found


def test_an_older_release_can_be_printed(client: Client, summit: Conference) -> None:
    client.force_login(StaffFactory())
    found = text(client.get(address(summit, "1/en/programme.pdf")).content)
    assert "First title" in found
    assert "Second title" not in found


def test_word_files_are_downloaded(client: Client, summit: Conference) -> None:
    client.force_login(StaffFactory())
    answer = client.get(address(summit, "draft/de/side-events.docx"))
    assert answer.content.startswith(b"PK")
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "more",
    [
        "draft/xx/agenda.pdf",
        "draft/en/session.pdf",
        "draft/en/agenda.exe",
        "7/en/agenda.pdf",
        "9999999999999999/en/agenda.pdf",
    ],
)
def test_what_is_no_document_is_not_found(client: Client, summit: Conference, more: str) -> None:
    client.force_login(StaffFactory())
    assert client.get(address(summit, more)).status_code == 404


def test_strangers_and_staff_without_permission_get_nothing(client: Client, summit: Conference) -> None:
    assert client.get(address(summit, "draft/en/agenda.pdf")).status_code == 302
    client.force_login(UserFactory(is_staff=True))
    assert client.get(address(summit, "draft/en/agenda.pdf")).status_code == 403
