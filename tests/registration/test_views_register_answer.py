"""The answer to the public form, and the personal link again."""

from __future__ import annotations

import time
from typing import Any

import pytest
import time_machine
from django.test import Client

from outbox.models import Message
from registration import forms, private_pages, views
from registration.models import RegistrationStatus
from registration.services.places import Outcome
from tests.factories import NOW, AdmissionFactory
from tests.registration.register_pages import address, filled, follow, resend_address, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time, so that registration is open."""
    with time_machine.travel(NOW, tick=False):
        yield


# --- the answer -------------------------------------------------------------------------------------------------------


def test_the_answer_needs_a_token_that_was_used(client: Client) -> None:
    admission = AdmissionFactory()
    path = f"/en/{admission.conference.slug}/register/received"

    assert client.get(f"{path}/{forms.new_token()}/").status_code == 404
    assert client.get(f"{path}/nonsense/").status_code == 404


def test_the_answer_belongs_to_its_conference(client: Client) -> None:
    admission, other = AdmissionFactory(), AdmissionFactory()
    token = client.post(address(admission), filled(admission))["Location"].rsplit("/", 2)[-2]

    assert client.get(f"/en/{other.conference.slug}/register/received/{token}/").status_code == 404


def test_the_answer_is_private(client: Client) -> None:
    admission = AdmissionFactory()

    page = follow(client, client.post(address(admission), filled(admission)))

    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    assert page["X-Robots-Tag"] == "noindex, nofollow"


def test_every_status_has_words_for_the_answer() -> None:
    shown = [RegistrationStatus.CONFIRMED, RegistrationStatus.WAITLISTED, RegistrationStatus.PENDING]
    for status in [*shown, RegistrationStatus.REJECTED]:
        assert views._explanation(Outcome("x", status, 1), AdmissionFactory.build(session=None, conference=None))


# --- the personal link again ------------------------------------------------------------------------------------------


def test_asking_for_the_link_answers_the_same_for_everybody(client: Client) -> None:
    admission = AdmissionFactory()
    client.post(address(admission), filled(admission))

    answers = [
        client.post(resend_address(admission), {"email": email})
        for email in ("ada@mail.example", "stranger@mail.example")
    ]

    assert [(a.status_code, a["Location"], a.content, a.cookies.output()) for a in answers[:1]] == [
        (a.status_code, a["Location"], a.content, a.cookies.output()) for a in answers[1:]
    ]
    assert "If the address is registered for this conference" in text(follow(client, answers[0]))
    assert Message.objects.filter(topic="registration.personal_link").count() == 1


@pytest.mark.parametrize("email", ["", "nonsense", "a\x00@b.example", "x" * 1_000_000])
def test_asking_for_the_link_names_what_is_wrong(client: Client, email: str) -> None:
    admission = AdmissionFactory()

    response = client.post(resend_address(admission), {"email": email})

    assert response.status_code == 422
    assert 'href="#id_email"' in response.content.decode()


def test_asking_for_the_link_is_refused_from_foreign_pages(client: Client) -> None:
    admission = AdmissionFactory()

    response = client.post(
        resend_address(admission), {"email": "a@b.example"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status_code == 403


# --- time -------------------------------------------------------------------------------------------------------------


def test_answers_take_whole_steps_of_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = AdmissionFactory()
    monkeypatch.setattr(private_pages, "_STEP", 0.5)
    client.get(address(admission))
    client.post(address(admission), filled(admission))

    for path, sent in [
        (address(admission), filled(admission)),
        (address(admission), filled(admission, email="new@mail.example")),
        (resend_address(admission), {"email": "ada@mail.example"}),
        (resend_address(admission), {"email": "stranger@mail.example"}),
    ]:
        started = time.perf_counter()
        client.post(path, sent)
        steps = (time.perf_counter() - started) / 0.5

        assert steps >= 1
        assert steps % 1 < 0.2  # what the middleware adds is small
