"""Public pages and lists that come back from their preview, sent what no form sends."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from events.admin import pages
from registration.models import (
    Invitation,
    Participant,
    Registration,
)
from registration.services import (
    addresses,
)
from tests.browsers import signed_in
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory
from tests.registration.test_invitations import invite
from tests.registration.test_questions import ask, file

pytestmark = pytest.mark.django_db


ODD = [
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "x" * 1_000_000,
    "=HYPERLINK(1)",
    "💣" * 600,
]


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def test_no_page_breaks_whatever_is_sent(client: Client) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    conference = admission.conference
    ask(conference, "choices", options="a b")
    ask(conference, "file")
    person = ParticipantFactory(conference=conference)
    RegistrationFactory(admission=admission, participant=person)
    invitation = invite(admission)
    addresses.ask(participant_id=person.pk, address="new@mail.example", now=NOW)
    secret, own = person.personal_token, f"/r/{person.personal_token}/"
    paths = [
        f"{own}correct/", f"{own}address/", f"{own}consents/", f"{own}data/", f"{own}data.json", own,
        f"/i/{invitation.token}/", f"/i/{invitation.token}/register/",
        f"/a/{addresses.token_of(person.address_change)}/", "/r/deleted/", f"/u/{secret}/", f"/i/{secret}/",
        f"/a/{secret}/", "/a/%00/", "/i/%ED%A0%80/", "/u/%F0%9F%92%A3/", f"/en/{conference.slug}/register/",
        f"/en/{conference.slug}/register/resend/",
    ]  # fmt: skip
    names = ["given_name", "email", "word", "purpose", "answer", "token", "category", "country", "time_zone", "attend"]
    names += [question.name for question in conference.questions.all()]
    found: dict[str, int] = {}
    for path in paths:
        tries = {
            "lang": client.get(
                path, {"lang": "xx\x00", "done": "<b>", "session": "\x00"}, headers={"HX-Request": "true"}
            ),
            "json": client.post(path, b'{"a": ', content_type="application/json"),
            "no boundary": client.post(path, b"x", content_type="multipart/form-data"),
            "put": client.put(path, b"x"),
            "head": client.head(path),
        }
        for odd in ODD:
            tries[odd[:9]] = client.post(path, dict.fromkeys(names, odd))
        tries["file for text"] = client.post(path, {name: file(name="\x00.pdf") for name in names})
        found |= {f"{path} {what}": answer.status_code for what, answer in tries.items()}

    assert {what: status for what, status in found.items() if status >= 500} == {}
    assert Registration.objects.count() == 1
    person.refresh_from_db()
    assert Participant.objects.get().display_name == person.display_name


@pytest.mark.parametrize(
    "rows", ["5", "[[1e999]]", "[" * 100_000, '[[1, "\\ud800", "\\u0000", "a@b.example", "en"]]', "[[[]]]"]
)
def test_list_that_comes_back_from_its_preview_may_be_anything(rows: str) -> None:
    admission = AdmissionFactory(session=None, mode="in_person")
    organiser = signed_in("organiser", admission.conference)
    sent = {
        "admissions": [str(admission.public_id)], "expires_at": "2030-07-10T12:00", "language": "en", "rows": rows,
    }  # fmt: skip

    answer = organiser.post(pages.url("invitations-many", admission.conference), sent)

    assert answer.status_code in {404, 422}
    assert not Invitation.objects.exists()
