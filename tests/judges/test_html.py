"""Every page and every mail is right in the eyes of the Nu HTML checker, in all six languages.

Public pages are found by following the links from the front page, so that a new page is judged as soon as it is linked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from events.models import Conference
from outbox.models import Message
from outbox.results import Mail
from registration.letters import emails, handlers, messages
from registration.models import Registration, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    MeetingFactory,
)
from tests.judges import nu, scenes, staff_scenes
from tests.registration import people

pytestmark = [
    pytest.mark.html,
    pytest.mark.django_db,
    pytest.mark.skipif(nu.java() is None, reason="needs Java (Debian, Ubuntu: apt install default-jre-headless)"),
    pytest.mark.timeout(400),
]

# What Django's own admin writes and we leave as it is: rows of the list of models, autocomplete fields, help texts of
# the password and of tables of related rows.
OF_DJANGO = [
    "A table row was 2 columns wide, which is less than the column count established by the first row (3)",
    "Element “option” without attribute “label” must not be empty",
    "The first child “option” element of a “select” element with a “required” attribute",
    "A “select” element with a “required” attribute, and without a “multiple” attribute",
    "_helptext",
    "No “p” element in scope but a “p” end tag seen. | '</li></ul></p>",
]
LANGUAGES = scenes.LANGUAGES


@pytest.fixture
def conference() -> Conference:
    """The programme of 2020 where it is at hand, else the small one of the tests, and a side event with everything."""
    return scenes.loaded(scenes.SHARED if scenes.SHARED.exists() else scenes.SMALL)


def test_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    head = '<!doctype html><html lang="en"><head><title>A title</title></head><body>'
    pages = {
        "right": f"{head}<h1>Right</h1></body></html>",
        "not closed": f"{head}<h1>Wrong</h1><p><b>bold</p></body></html>",
        "two of a name": f'{head}<h1 id="a">Wrong</h1><p id="a">x</p></body></html>',
        "no text for a picture": f'{head}<h1>Wrong</h1><img src="/x.png"></body></html>',
        "only a warning": "<!doctype html><html><head><title>A title</title></head><body><h1>x</h1></body></html>",
    }

    found = nu.complaints(pages, tmp_path)

    assert {line.split(":")[0] for line in found} == set(pages) - {"right"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages(conference: Conference, language: str, tmp_path: Path) -> None:
    pages = scenes.public(conference, [language])

    assert len(pages) > 10
    assert any("/register/" in path for path in pages) or conference.state in {"closed", "archived"}
    assert nu.complaints(pages, tmp_path) == []


@pytest.mark.parametrize("scene", [scenes.registration, scenes.own_data, scenes.figures, scenes.trouble])
def test_pages_of_people(scene: Callable[[list[str]], dict[str, str]], tmp_path: Path) -> None:
    assert nu.complaints(scene(LANGUAGES), tmp_path) == []


def test_pages_for_developers(client: Client, tmp_path: Path) -> None:
    pages = {path: client.get(path).content.decode() for path in ("/api/v1/docs/", "/en/_components/")}

    assert nu.complaints(pages, tmp_path) == []


def test_pages_of_organisers(client: Client, conference: Conference, tmp_path: Path) -> None:
    pages = {"log-in": client.get("/en/accounts/login/").content.decode()} | staff_scenes.organisers(conference)

    assert len(pages) > 40
    found = nu.complaints(pages, tmp_path)
    assert [line for line in found if not any(words in line for words in OF_DJANGO)] == []


def test_mails(tmp_path: Path) -> None:
    found: dict[str, str] = {}
    admission = AdmissionFactory(capacity=1)
    MeetingFactory(session=admission.session)
    for language in LANGUAGES:
        people.register(admission, token=f"a-{language}", email=f"{language}@mail.example", language=language)
        registration = Registration.objects.with_all().latest("pk")
        message = Message.objects.filter(topic=messages.FORM).latest("pk")
        mail = handlers.answer_form(message, now=NOW)
        assert isinstance(mail, Mail)
        letters = {"answer": mail, "page": emails.personal_link(registration.participant)}
        for status in RegistrationStatus:
            registration.status = status
            letters[status] = emails.status_changed(registration, {}, had_place=False, now=NOW)
        letters["link"] = emails.join_link(registration)
        found |= {f"{language} {name}": letter.html for name, letter in letters.items()}

    assert nu.complaints(found, tmp_path) == []
