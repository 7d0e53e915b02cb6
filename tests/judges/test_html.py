"""Every page and every mail is right in the eyes of the Nu HTML checker, in all six languages.

Public pages are found by following the links from the front page, so that a new page is judged as soon as it is linked.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import translation

from accounts import actors
from alliance import errors
from events import programme_file
from events.models import Conference, Session
from events.releases import publishing
from outbox.models import Message
from outbox.results import Mail
from registration.letters import emails, handlers, messages, unsubscribing
from registration.models import Purpose, Registration, RegistrationStatus
from registration.services import addresses, consents, invitations
from tests.factories import (
    NOW,
    AdmissionFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
)
from tests.judges import nu
from tests.registration import people
from tests.registration.test_invitations import invite
from tests.registration.test_questions import ask

pytestmark = [
    pytest.mark.html,
    pytest.mark.django_db,
    pytest.mark.skipif(nu.java() is None, reason="needs Java (Debian, Ubuntu: apt install default-jre-headless)"),
    pytest.mark.timeout(400),
]

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
SMALL = Path(__file__).resolve().parents[1] / "events" / "small_programme.yaml"
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
MOST_OF_A_KIND = 4  # pages of one route and one set of query words; more would only be slower


@pytest.fixture
def conference() -> Conference:
    """The programme of 2020 where it is at hand, else the small one of the tests, and a side event with everything."""
    file = SHARED if SHARED.exists() else SMALL
    programme_file.load(file.read_bytes())
    found: Conference = Conference.objects.public().latest("pk")
    return found


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


def followed(client: Client, start: str, *more: str, with_queries: bool = True) -> dict[str, str]:
    """All pages that links lead to from a front page and from more pages; of many alike the first."""
    waiting = [start, *more]
    seen = set(waiting)
    kinds: Counter[tuple[str, str]] = Counter()
    pages = {}
    while waiting:
        path = waiting.pop(0)
        response = client.get(path)
        if response.status_code in {301, 302, 303}:
            links = [response.headers["Location"]]
        elif not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        else:
            assert response.status_code == 200, path
            pages[path] = response.content.decode()
            links = re.findall(r'<a\s[^>]*?href="([^"]+)"', pages[path])
        for link in links:
            where = urldefrag(urljoin(path, link.replace("&amp;", "&"))).url
            parts = urlsplit(where)
            if parts.netloc or parts.scheme or not parts.path.startswith(start) or where in seen:
                continue
            if Path(parts.path).suffix or (parts.query and not with_queries):  # a file, or a list in another order
                continue
            seen.add(where)
            words = ",".join(sorted(re.findall(r"(?:^|&)(\w+)=", parts.query)))
            kind = (resolve(unquote(parts.path)).route, words)
            kinds[kind] += 1
            if kinds[kind] <= MOST_OF_A_KIND:
                waiting.append(where)
    return pages


@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages(client: Client, conference: Conference, language: str, tmp_path: Path) -> None:
    admission = AdmissionFactory(session=SideEventFactory(conference=conference, working_languages=["en", "ru"]))
    MeetingFactory(session=admission.session)
    AdmissionFactory(session=None, conference=conference)
    publishing.publish(conference, by=None, now=NOW, check=False)
    Session.objects.filter(pk=admission.session_id).update(title={"en": "A <new> title & more"})
    publishing.publish(conference, by=None, now=NOW, note={"en": "A **note**"}, check=False)  # type: ignore[arg-type]
    below = f"/{language}/{conference.slug}"
    shown = Session.objects.public().filter(conference=conference).values_list("public_id", flat=True)[:2]
    more = [  # what is reached by a form and not by a link, and what only some programmes link
        f"{below}/search/?q=trafficking",
        f"{below}/search/?q=%3Cb%3E%22%27%26",
        f"{below}/programme/?tz=Asia/Tashkent",
        f"{below}/programme/?language=ru",
        f"{below}/changes/",
        f"{below}/agenda/?s={shown[0]}&s={shown[1]}",
        f"/{language}/recommendations/?q=police",
    ]

    pages = followed(client, f"/{language}/", *more)

    picker = Client()
    picker.post(f"{below}/agenda/", {"add": str(shown[0])})
    pages["agenda with a session"] = picker.get(f"{below}/agenda/").content.decode()

    assert len(pages) > 10
    assert any("/register/" in path for path in pages) or conference.state in {"closed", "archived"}
    assert nu.complaints(pages, tmp_path) == []


def test_pages_of_a_registration(client: Client, time_machine: Any, tmp_path: Path) -> None:
    time_machine.move_to(NOW, tick=False)
    admission = AdmissionFactory(capacity=1)
    MeetingFactory(session=admission.session)
    here = AdmissionFactory(session=admission.session, conference=admission.conference, mode="in_person")
    participant = ParticipantFactory(conference=admission.conference)
    registration = RegistrationFactory(admission=admission, participant=participant)
    RegistrationFactory(admission=here, participant=participant, status=RegistrationStatus.WAITLISTED)
    alias = ParticipantFactory(conference=admission.conference, has_alias=True, display_name="Marta")
    RegistrationFactory(admission=here, participant=alias)
    pages = {}
    for language in LANGUAGES:
        form = f"/{language}/{admission.conference.slug}/register/"
        personal = f"/{language}/r/{participant.personal_token}/"
        for path in (
            form,
            f"{form}resend/",
            personal,
            f"/{language}/r/{alias.personal_token}/",
            f"{personal}cancel/",
            f"{personal}cancel/{registration.public_id}/",
            f"/{language}/join/{registration.join_token}/",
            f"/{language}/join/unknown/",
            f"/{language}/r/unknown/",
        ):
            response = client.get(path, follow=True)
            pages[path] = response.content.decode()
        pages[f"{form} with errors"] = client.post(form, {"email": '"><b>x'}, follow=True).content.decode()
        pages[f"{form}resend/ with errors"] = client.post(
            f"{form}resend/", {"email": "x"}, follow=True
        ).content.decode()

    assert nu.complaints(pages, tmp_path) == []


def test_pages_of_ones_own_data_and_of_invitations(client: Client, time_machine: Any, tmp_path: Path) -> None:
    time_machine.move_to(NOW, tick=False)
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    first = ask(conference, "choice", options="bus train", is_required=True)
    for kind, options in (("lines", ""), ("choices", "a b"), ("yes_no", ""), ("file", "")):
        ask(conference, kind, options=options, show_if=first, show_if_answers=["bus"])
    consents.ask_for(conference=conference, purposes=Purpose.values, by=actors.SYSTEM, now=NOW)
    person = ParticipantFactory(conference=conference)
    RegistrationFactory(admission=admission, participant=person)
    consents.give(participant_id=person.pk, purpose=Purpose.CONTACT, language="en", now=NOW)
    taken = ParticipantFactory(conference=conference)
    addresses.ask(participant_id=person.pk, address=taken.open_identity().email, now=NOW)
    confirm = f"a/{addresses.token_of(person.address_change)}/"
    open_one, declined = invite(admission), invite(admission, number=2)
    invitations.decline(invitation_id=declined.pk, word="", now=NOW)
    own = f"r/{person.personal_token}/"
    pages = {}
    for language in LANGUAGES:
        for path in (
            own, f"{own}correct/", f"{own}address/", f"{own}data/", f"{own}delete/", confirm, "r/deleted/",
            f"i/{open_one.token}/", f"i/{open_one.token}/register/", f"i/{declined.token}/",
            f"u/{unsubscribing.token('participant', person.public_id)}/",
        ):  # fmt: skip
            response = client.get(f"/{path}", {"lang": language})
            assert response.status_code == 200, path
            pages[f"{language} {path}"] = response.text
        for path in (f"{own}correct/", f"{own}address/", confirm, f"i/{open_one.token}/register/"):
            response = client.post(f"/{path}?lang={language}", {"email": "x", "given_name": '"><b>x'})
            assert response.status_code == 422, path
            pages[f"{language} {path} with errors"] = response.text

    assert nu.complaints(pages, tmp_path) == []


def test_answers_to_trouble(client: Client, rf: RequestFactory, tmp_path: Path) -> None:
    pages = {}
    for language in LANGUAGES:
        pages[f"{language} 404"] = client.get(f"/{language}/nothing-here/").content.decode()
        with translation.override(language):
            request = rf.get(f"/{language}/")
            pages[f"{language} 400"] = errors.bad_request(request, ValueError()).content.decode()
            pages[f"{language} 403"] = errors.forbidden(request, PermissionDenied()).content.decode()
            pages[f"{language} 500"] = errors.server_error(request).content.decode()
            pages[f"{language} 503"] = errors.unavailable(request).content.decode()
            pages[f"{language} csrf"] = errors.csrf_failure(request, "").content.decode()

    assert nu.complaints(pages, tmp_path) == []


def test_pages_for_developers(client: Client, tmp_path: Path) -> None:
    pages = {path: client.get(path).content.decode() for path in ("/api/v1/docs/", "/en/_components/")}

    assert nu.complaints(pages, tmp_path) == []


def test_pages_of_organisers(client: Client, conference: Conference, tmp_path: Path) -> None:
    RegistrationFactory(admission=AdmissionFactory(session=SideEventFactory(conference=conference)))
    publishing.publish(conference, by=None, now=NOW, check=False)
    pages = {"log-in": client.get("/en/accounts/login/").content.decode()}
    client.force_login(StaffFactory())
    add = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add") for model in admin.site._registry]
    can_add = [path for path in add if client.get(path).status_code == 200]  # some can only be read

    pages |= followed(client, "/admin/", *can_add, with_queries=False)

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
