"""The pages at the door and of certificates are valid HTML, in every language."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.test import Client

from registration.models import Certificate
from tests.factories import StaffFactory
from tests.judges import nu
from tests.registration.test_door_views import (
    attended,
    certificate_of,
    code_of,
    conference_now,
    guest,
    past,
    personal,
    session_now,
)

pytestmark = [
    pytest.mark.html,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(nu.java() is None, reason="needs Java (Debian, Ubuntu: apt install default-jre-headless)"),
    pytest.mark.timeout(400),
]


def test_pages_at_the_door(client: Client, tmp_path: Path) -> None:
    conference = conference_now()
    session_now(conference)
    registration = guest(conference)
    over, sessions = past()
    witness = guest(over)
    attended(*sessions, registration=witness)
    certificate_of(client, witness)
    certificate = f"/verify/{Certificate.code_of(witness.participant)}/"
    steward = Client()
    steward.force_login(StaffFactory())
    pages = {}

    for language in ("en", "fr", "de", "it", "es", "ru"):
        for name in ("", "ticket/"):
            pages[f"{language} {name}"] = client.get(
                personal(registration.participant, name) + f"?lang={language}"
            ).content.decode()
        pages[f"{language} after"] = client.get(
            personal(witness.participant, "") + f"?lang={language}"
        ).content.decode()
        pages[f"{language} certificate"] = client.get(f"{certificate}?lang={language}").content.decode()
        pages[f"{language} name"] = client.post(f"{certificate}?lang={language}", {"name": "X"}).content.decode()
        below = f"/{language}/{conference.slug}/door/"
        pages[f"{language} doors"] = steward.get(below).content.decode()
        pages[f"{language} door"] = steward.get(f"{below}_entrance/").content.decode()
        for code in (code_of(registration.participant), "AAAAAAAAAA"):
            sent = {"code": code, "nonce": str(uuid.uuid4())}
            pages[f"{language} {code}"] = steward.post(f"{below}_entrance/", sent).content.decode()

    assert nu.complaints(pages, tmp_path) == []
