"""An organiser of one conference reaches no row of another one, whatever id is asked for."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.db import connection

from accounts import actors
from events.admin import pages
from registration.services import (
    announcements,
)
from tests.browsers import signed_in
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory
from tests.registration.test_invitations import invite
from tests.registration.test_questions import ask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def test_rows_of_another_conference_are_reached_by_no_page_of_ones_own() -> None:
    own = AdmissionFactory(session=None, mode="in_person").conference
    there = AdmissionFactory(session=None, mode="in_person")
    other = there.conference
    people = [ParticipantFactory(conference=other, given_name="Secret") for _ in range(2)]
    registration = RegistrationFactory(admission=there, participant=people[0])
    invitation = invite(there)
    question = ask(other)
    announcement = announcements.begin(
        conference=other, registration_ids=[registration.pk], by=actors.SYSTEM, now=NOW
    )  # fmt: skip
    tables = ["registration_registration", "registration_invitation", "registration_question", "outbox_message"]
    before = rows_of(tables)
    organiser = signed_in("organiser", own)
    answered: list[Any] = []
    for person in people:
        answered += [
            organiser.get(pages.url("participant-trail", own, participant=person.public_id)),
            organiser.post(
                pages.url("consents-person", own, participant=person.public_id),
                {"purpose": "photo", "answer": "give"},
            ),
        ]
    answered += [
        organiser.get(pages.url("registration-trail", own, registration=registration.public_id)),
        organiser.get(pages.url("duplicate", own, stays=people[0].public_id, goes=people[1].public_id)),
        organiser.post(pages.url("message", own, message=announcement.public_id), {"send": "1"}),
        organiser.get(f"/admin/registration/question/{question.pk}/change/"),
        *(
            organiser.post(pages.url("invitations", own), {"action": action, "invitation": str(invitation.public_id)})
            for action in ("withdraw", "again", "remind")
        ),
    ]
    harmless = [
        organiser.post(pages.url("invitations", own), {"action": "names"}),
        organiser.post(
            pages.url("duplicates", own), {"stays": str(people[0].public_id), "goes": str(people[1].public_id)}
        ),
        organiser.post(pages.url("questions", own), {f"position-{question.pk}": "9999"}),
        organiser.post(
            "/admin/registration/registration/",
            {"action": "write_to_selected", "_selected_action": [registration.pk], "select_across": "1"},
        ),
        organiser.post(
            "/admin/registration/registration/",
            {"action": "move_selected_to_top", "_selected_action": [registration.pk], "confirmed": "1", "reason": "x"},
        ),
        organiser.post(
            pages.url("invitations", own),
            {
                "action": "invite", "family_name": "X", "email": "x@mail.example", "language": "en",
                "admissions": [str(there.public_id)], "expires_at": "2030-07-10T12:00",
            },
        ),
    ]  # fmt: skip

    assert {answer.status_code for answer in answered} <= {302, 404}
    assert all("/consents" not in str(answer.headers.get("Location", "")) for answer in answered)
    assert "Secret" not in "".join(answer.content.decode() for answer in [*answered, *harmless])
    assert rows_of(tables) == before


def rows_of(tables: list[str]) -> list[str]:
    """All that stands in these tables."""
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f'SELECT string_agg(t::text, chr(10) ORDER BY t.id) FROM "{table}" t')
            found.append(str(cursor.fetchone()))
    return found
