"""The panic switch in the admin: two clicks, one plain page, the list; and the same by a command."""

from __future__ import annotations

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import actors
from accounts.models import RoleKind
from events.admin import pages
from events.models import Conference, Removal, Session
from events.removals import services, subjects
from speakers.models import Person
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(client: Client, role: RoleKind, conference: Conference) -> Client:
    """Somebody with a role at the conference."""
    user = factories.UserFactory()
    factories.RoleFactory(user=user, kind=role, conference=conference)
    client.force_login(user)
    return client


def test_from_the_start_page_in_two_clicks_and_back_with_a_reason(client: Client) -> None:
    session = factories.SessionFactory(title={"en": "Talk of Ada"})
    conference = session.conference
    person = factories.ContributionFactory(session=session, person__display_name="Ada Lovelace").person
    participant = factories.ParticipantFactory(conference=conference, display_name="Ada Participant")
    sign_in(client, RoleKind.ORGANISER, conference)

    start = client.get(pages.url("start", conference)).text
    assert pages.url("removals", conference) in start
    found = client.get(pages.url("removals", conference), {"q": "ada"}).text
    for kind, row in (("session", session), ("person", person), ("participant", participant)):
        assert pages.url("removal-confirm", conference, kind=kind, public_id=row.public_id) in found

    address = pages.url("removal-confirm", conference, kind="person", public_id=person.public_id)
    assert "Ada Lovelace" in client.get(address).text
    assert not Removal.objects.exists()
    answer = client.post(address, {"reason": "She was followed."})

    removal = Removal.objects.get()
    assert answer["Location"] == pages.url("removal", conference, removal=removal.public_id)
    assert Person.objects.get(pk=person.pk).taken_down_at is not None
    listed = client.get(answer["Location"]).text
    assert "She was followed." in listed
    step = removal.steps.earliest("pk")
    client.post(answer["Location"], {"act": "done", "step": step.pk})
    step.refresh_from_db()
    assert step.done_at is not None

    client.post(answer["Location"], {"act": "lift", "reason": " "})
    assert Removal.objects.in_force().exists()
    client.post(answer["Location"], {"act": "lift", "reason": "It was a mistake."})
    assert not Removal.objects.in_force().exists()
    assert Person.objects.get(pk=person.pk).is_hidden is False


def test_the_desk_takes_down_and_does_not_lift(client: Client) -> None:
    session = factories.SessionFactory()
    sign_in(client, RoleKind.DESK, session.conference)
    client.post(
        pages.url("removal-confirm", session.conference, kind="session", public_id=session.public_id), {"reason": ""}
    )
    removal = Removal.objects.get()

    answer = client.post(
        pages.url("removal", session.conference, removal=removal.public_id), {"act": "lift", "reason": "Because."}
    )

    assert answer.status_code == 404
    assert Session.objects.get().taken_down_at is not None


def test_nothing_of_another_conference_can_be_taken_down(client: Client) -> None:
    own, other = factories.ConferenceFactory(), factories.SessionFactory()
    sign_in(client, RoleKind.ORGANISER, own)

    answer = client.post(pages.url("removal-confirm", own, kind="session", public_id=other.public_id))

    assert answer.status_code == 404
    assert Session.objects.get(pk=other.pk).taken_down_at is None


def test_somebody_who_was_taken_down_elsewhere_is_down_here_and_its_list_stays_there(client: Client) -> None:
    there, here = (factories.SessionFactory(conference=factories.ConferenceFactory()) for _ in range(2))
    person = factories.PersonFactory()
    for session in (there, here):
        factories.ContributionFactory(session=session, person=person)
    subject = subjects.get("person", person.public_id)
    assert subject is not None
    removal = services.take_down(
        subject, conference=there.conference, reason="Secret", by=actors.SYSTEM, now=factories.NOW
    )
    sign_in(client, RoleKind.ORGANISER, here.conference)

    address = pages.url("removal-confirm", here.conference, kind="person", public_id=person.public_id)
    page = client.post(address, {"reason": ""}, follow=True)

    assert page.status_code == 200
    assert "It was taken down already" in page.text
    assert "Secret" not in page.text
    assert client.get(pages.url("removal", here.conference, removal=removal.public_id)).status_code == 404


def test_the_forms_of_persons_sessions_and_participants_lead_there(client: Client) -> None:
    contribution = factories.ContributionFactory()
    conference = contribution.session.conference
    participant = factories.ParticipantFactory(conference=conference)
    client.force_login(factories.StaffFactory())

    for path, kind, row in (
        ("events/session", "session", contribution.session),
        ("speakers/person", "person", contribution.person),
        ("registration/participant", "participant", participant),
    ):
        page = client.get(f"/admin/{path}/{row.pk}/change/").text
        assert pages.url("removal-confirm", conference, kind=kind, public_id=row.public_id) in page


def test_command_takes_down_and_lifts(db: None) -> None:
    session = factories.SessionFactory()
    said = StringIO()

    call_command("take_down", "session", str(session.public_id), stdout=said)

    assert Session.objects.get().taken_down_at is not None
    assert "Taken down." in said.getvalue()
    with pytest.raises(CommandError, match="Say why"):
        call_command("take_down", "session", str(session.public_id), "--lift")
    call_command("take_down", "session", str(session.public_id), "--lift", "--reason", "Safe", stdout=said)
    assert Session.objects.get().taken_down_at is None
    with pytest.raises(CommandError, match="not taken down"):
        call_command("take_down", "session", str(session.public_id), "--lift", "--reason", "Safe")
    with pytest.raises(CommandError, match="no such row"):
        call_command("take_down", "session", str(uuid4()))
