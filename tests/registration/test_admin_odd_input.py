"""Every page of a conference that registration brings to the admin, opened and sent with what nobody types."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from accounts import actors
from events.admin import pages
from registration.models import CheckIn
from registration.services import announcements
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, UserFactory
from tests.registration.test_invitations import invite
from tests.registration.test_questions import ask

pytestmark = pytest.mark.django_db

ODD = ["9" * 5000, "٣"]
# Names that forms and addresses of these pages know.
NAMES = [
    "q", "page", "p", "only", "at", "state", "year", "rule", "kind", "language", "reserve", "work", "verification",
    "session", "measure", "purpose", "take_down", "answer", "action", "invitation", "entry", "reason", "replace",
    "again", "begin", "hours", "end", "save", "open", "lift", "alias", "note", "readers", "stays", "goes", "compare",
    "member", "delivery", "webhook", "url", "label", "events", "text", "rows", "sheet", "file", "capacity", "places",
    "returns_at", "categories", "seen", "given_name", "family_name", "email", "override", "token", "expires_at",
    "admissions", "name", "query", "delete", "days-person", "position-1", "subject_en", "text_en", "test_language",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def administrator() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_no_page_of_organisers_breaks_whatever_is_sent(administrator: Client) -> None:
    admission = AdmissionFactory(session=None, mode="online")
    conference = admission.conference
    person = ParticipantFactory(conference=conference)
    row = RegistrationFactory(admission=admission, participant=person)
    ask(conference)
    invite(admission)
    written = announcements.begin(conference=conference, registration_ids=[row.pk], by=actors.SYSTEM, now=NOW)
    known: dict[str, Any] = {
        "admission": admission.public_id,
        "participant": person.public_id,
        "somebody": person.public_id,
        "registration": row.public_id,
        "message": written.public_id,
        "stays": person.public_id,
        "goes": uuid4(),
        "letter": uuid4(),
        "answer": uuid4(),
        "kind": "csv",
        "sheet": "a4",
        "part": 1,
    }
    odd, broken = dict(zip(NAMES, itertools.cycle(ODD), strict=False)), []
    for name, page in pages._pages.items():
        if not page.view.__module__.startswith("registration.admin"):
            continue
        wanted = {part for part in known if f":{part}>" in page.route}
        address = pages.url(name, conference, **{part: known[part] for part in wanted})
        tries = [administrator.get(address, odd), administrator.post(address, odd)]
        broken += [f"{name}: {one.request['REQUEST_METHOD']}" for one in tries if one.status_code >= 500]

    assert broken == []


@pytest.mark.parametrize(
    ("page", "sent"),
    [
        ("saved-filters", {"name": "A\x00", "query": "status=confirmed"}),
        ("saved-filters", {"delete": "A\x00"}),
        ("check-ins", {"reason": "A mistake\x00."}),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_sign_that_no_database_keeps_is_refused(administrator: Client, page: str, sent: dict[str, str]) -> None:
    registration = RegistrationFactory()
    entry = CheckIn.objects.create(
        conference=registration.admission.conference, participant=registration.participant, registration=registration,
        on_day=NOW.date(), at=NOW, received_at=NOW, nonce=uuid4(),
    )  # fmt: skip
    addresses = {
        "saved-filters": "/admin/registration/registration/saved-filters/",
        "check-ins": pages.url("check-ins", entry.conference),
    }

    answer = administrator.post(addresses[page], sent | {"entry": str(entry.nonce)})

    assert answer.status_code == 400
    assert CheckIn.objects.standing().exists()
