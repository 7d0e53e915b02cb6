"""The ticket of the personal page, and certificates of attendance."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actors import Actor
from events.models import Conference, Session
from registration.door import codes as door_codes
from registration.models import (
    Certificate,
    CheckIn,
    Participant,
    Registration,
    RegistrationStatus,
)
from registration.services import attendance, erasure
from tests.factories import (
    ConferenceFactory,
    StaffFactory,
)
from tests.registration.test_badges import text_of
from tests.registration.test_door_views import (
    ALIAS,
    CANARIES,
    REAL,
    code_of,
    conference_now,
    guest,
    protected,
    session_now,
)

pytestmark = pytest.mark.django_db(transaction=True)


def personal(participant: Participant, *more: str) -> str:
    """The address of a participant's own page, or of one below it."""
    return "/".join(["/r", participant.personal_token, *more])


def test_the_personal_page_shows_the_code_and_a_ticket_to_print(client: Client) -> None:
    registration = guest(conference_now())
    code = door_codes.shown(code_of(registration.participant))

    page = client.get(personal(registration.participant, ""))
    ticket = client.get(personal(registration.participant, "ticket", ""))

    for response in (page, ticket):
        assert code in response.content.decode()
        assert 'class="ticket-qr"' in response.content.decode()
        assert response["Cache-Control"] == "no-store"
    assert registration.participant.personal_token not in ticket.content.decode().replace(
        personal(registration.participant, ""), ""
    )


@pytest.mark.parametrize("status", [RegistrationStatus.WAITLISTED, RegistrationStatus.CANCELLED])
def test_without_a_place_in_a_room_there_is_no_code(client: Client, status: RegistrationStatus) -> None:
    registration = guest(conference_now(), status=status)

    assert "ticket-qr" not in client.get(personal(registration.participant, "")).content.decode()
    assert client.get(personal(registration.participant, "ticket", "")).status_code == 404


# --- certificates -----------------------------------------------------------------------------------------------------


def attended(*sessions: Session, registration: Registration) -> None:
    """Let somebody in to the sessions, at the time of each."""
    for session in sessions:
        at = session.starts_at
        assert at is not None
        attendance.check_in(
            conference=session.conference,
            typed=code_of(registration.participant),
            session=session,
            room=None,
            nonce=uuid.uuid4(),
            at=at,
            by=Actor.organiser(StaffFactory()),
            now=at,
        )


def past() -> tuple[Conference, list[Session]]:
    """A conference that is over, and three sessions of it."""
    conference = ConferenceFactory(starts_on=date(2024, 7, 15), ends_on=date(2024, 7, 17))
    starts = datetime(2024, 7, 15, 9, tzinfo=UTC)
    sessions = [
        session_now(conference, starts_at=starts + timedelta(hours=at), ends_at=starts + timedelta(hours=at + 1))
        for at in range(3)
    ]
    return conference, sessions


def certificate_of(client: Client, registration: Registration) -> str:
    """What the certificate says."""
    response = client.get(personal(registration.participant, "certificate.pdf"))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    return text_of(response.content)


def test_a_certificate_lists_what_was_really_attended(client: Client) -> None:
    conference, sessions = past()
    registration = guest(conference)
    attended(*sessions[:2], registration=registration)

    assert "Download (PDF)" in client.get(personal(registration.participant, "")).content.decode()
    found = certificate_of(client, registration)

    for expected in (registration.participant.display_name, str(sessions[0].title), str(sessions[1].title)):
        assert expected in found
    assert str(sessions[2].title) not in found
    assert "15 July 2024" in found


def test_there_is_no_certificate_before_the_end_or_without_a_session(client: Client) -> None:
    conference = conference_now()
    session = session_now(conference)
    early = guest(conference)
    attended(session, registration=early)
    nowhere = guest(past()[0])

    for registration in (early, nowhere):
        assert client.get(personal(registration.participant, "certificate.pdf")).status_code == 404
        assert "certificate" not in client.get(personal(registration.participant, "")).content.decode()


def test_a_certificate_is_confirmed_by_its_code_and_names_nobody(client: Client) -> None:
    conference, sessions = past()
    registration = guest(conference, given_name="Zoë", family_name="Álvarez")
    attended(*sessions[:2], registration=registration)
    code = next(
        line for line in certificate_of(client, registration).split() if line.count("-") == 3 and len(line) == 19
    )
    url = reverse("registration:verify", args=[code.lower()])

    content = client.get(url).content.decode()
    yes = client.post(url, {"name": " zoe  ALVAREZ "}).content.decode()
    no = client.post(url, {"name": "Somebody Else"}).content.decode()

    assert "This certificate is valid." in content
    assert "2 sessions" in content
    assert str(conference.title) in content
    assert "bears this name" in yes
    assert "bears another name" in no
    assert "Álvarez" not in content + no
    assert client.get(reverse("registration:verify", args=["AAAA-AAAA-AAAA-AAAA"])).status_code == 404


def test_the_real_name_behind_an_alias_is_another_name(client: Client) -> None:
    conference, sessions = past()
    registration = protected(conference)
    attended(sessions[0], registration=registration)

    found = certificate_of(client, registration)
    code = Certificate.code_of(registration.participant)
    url = reverse("registration:verify", args=[code])

    assert ALIAS in found
    assert [canary for canary in CANARIES if canary in found] == []
    assert "bears another name" in client.post(url, {"name": f"Ada {REAL}"}).content.decode()


def test_a_certificate_ends_with_erasure_and_when_no_entry_stands(client: Client) -> None:
    conference, sessions = past()
    erased, undone = guest(conference), guest(conference)
    for registration in (erased, undone):
        attended(sessions[0], registration=registration)
        certificate_of(client, registration)
    by = Actor.organiser(StaffFactory())

    erasure.erase(participant_id=erased.participant.pk, by=by, now=timezone.now())
    nonce = CheckIn.objects.get(participant=undone.participant).nonce
    attendance.undo(conference=conference, nonce=nonce, by=by, now=timezone.now())

    for registration in (erased, undone):
        code = Certificate.code_of(registration.participant)
        assert client.get(reverse("registration:verify", args=[code])).status_code == 404
