"""What organisers do by hand: the top of the list, the trail of a row, check-ins, codes for the door, who is found."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import trail_words
from accounts.actors import Actor
from accounts.models import AuditEntry
from events.admin import pages
from outbox.models import Message
from registration import selectors, services
from registration.admin import trail
from registration.door import codes as door_codes
from registration.letters import organiser_mails
from registration.models import Admission, CheckIn, DoorCode, Membership, Registration, Verification
from registration.models.delegation_member import member_index
from registration.models.participant import Identity
from tests import factories
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db
LIST = "admin:registration_registration_changelist"


@pytest.fixture
def organiser(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(factories.StaffFactory())
    return client


def line(count: int = 3) -> tuple[Admission, list[Registration]]:
    """A full admission that is still to come, and people in line for it."""
    starts_at = timezone.now() + timedelta(days=30)
    session = SideEventFactory(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    admission = AdmissionFactory(session=session, capacity=0)
    return admission, [RegistrationFactory(admission=admission, status="waitlisted") for _ in range(count)]


def order(admission: Admission) -> list[int]:
    """Keys of those in line, from the first."""
    return list(Registration.objects.in_waiting_order().filter(admission=admission).values_list("pk", flat=True))


def act(client: Client, action: str, rows: list[Registration], **more: str) -> list[str]:
    """Choose an action, and what the next page says."""
    sent = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    response = client.post(reverse(LIST), sent, follow=True)
    return [str(message) for message in response.context["messages"]]


# --- the top of the list ---------------------------------------------------------------------------------------------


def test_move_to_top_changes_the_order_everywhere_and_says_why_on_the_record(organiser: Client) -> None:
    admission, (first, second, third) = line()

    asked = organiser.post(
        reverse(LIST), {"action": "move_selected_to_top", "_selected_action": [third.pk], "index": "0"}
    )
    said = act(organiser, "move_selected_to_top", [second, third], confirmed="yes", reason="Speaks in the panel")

    assert "for the audit trail" in asked.text
    assert order(admission) == [second.pk, third.pk, first.pk]
    assert said == ["2 registrations moved to the top (On the waiting list: 2)."]
    ranks = selectors.places_in_line(Registration.objects.all())
    assert ranks == {second.pk: 1, third.pk: 2, first.pk: 3}
    entry = AuditEntry.objects.filter(about_id=third.public_id).get(action="registration.moved_to_top")
    assert entry.details == {"place_before": 3, "reason": "Speaks in the panel"}


def test_moved_person_is_told_and_gets_the_next_place() -> None:
    admission, (first, _second, third) = line()
    by = Actor.organiser(factories.UserFactory())

    services.move_to_top(registration_id=third.pk, by=by, now=NOW, reason="Why")
    (message,) = Message.objects.all()
    mail = organiser_mails.tell_moved(message, now=NOW)
    services.change_capacity(admission_id=admission.pk, capacity=1, by=by, now=timezone.now())

    assert "You are number 1 in line" in getattr(mail, "text", "")
    assert Registration.objects.get(pk=third.pk).status == "confirmed"
    late = RegistrationFactory(admission=admission, status="waitlisted")
    assert order(admission)[0] == first.pk
    assert order(admission)[-1] == late.pk


def test_only_who_waits_and_is_not_first_moves() -> None:
    _admission, (first, second, _third) = line()
    by = Actor.organiser(factories.UserFactory())
    services.cancel(registration_id=second.pk, by=by, now=NOW)

    with pytest.raises(services.FirstAlready):
        services.move_to_top(registration_id=first.pk, by=by, now=NOW, reason="Why")
    with pytest.raises(services.NotWaiting):
        services.move_to_top(registration_id=second.pk, by=by, now=NOW, reason="Why")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_organisers_at_once_give_two_places() -> None:
    admission, people = line(8)
    organiser, gate = Actor.organiser(factories.UserFactory()), threading.Barrier(6, timeout=10)

    def move(one: Registration) -> None:
        gate.wait()
        try:
            services.move_to_top(registration_id=one.pk, by=organiser, now=NOW, reason="Why")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(move, people[2:]))

    assert set(order(admission)[:6]) == {one.pk for one in people[2:]}
    assert order(admission)[6:] == [one.pk for one in people[:2]]


def test_desk_may_not_change_the_order(client: Client) -> None:
    admission, people = line()
    client.force_login(factories.RoleFactory(kind="desk", conference=admission.conference).user)

    page = client.get(reverse("admin:registration_registration_change", args=[people[2].pk]))
    act(client, "move_selected_to_top", [people[2]], confirmed="yes", reason="Why")

    assert "Move to the top" not in page.text
    assert order(admission) == [one.pk for one in people]


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_for_one_and_thirty(count: int, organiser: Client) -> None:
    line(count)
    organiser.get(reverse(LIST))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        organiser.get(reverse(LIST))

    assert len(queries) == 11


# --- the trail -------------------------------------------------------------------------------------------------------


def test_all_that_is_written_down_about_somebody_is_told_in_words() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(trail.__file__).parents[1].rglob("*.py"))

    written = set(re.findall(r'action="((?:registration|participant)\.[a-z_]+)"', sources))
    written |= {f"delegation.verification_{one}" for one in Verification.values}  # put together where it is written

    assert "registration.cancelled" in written
    assert written - set(trail_words.ACTIONS) == set()


def test_trail_says_who_did_what_without_personal_data(client: Client) -> None:
    admission, (one, *_others) = line()
    user = factories.RoleFactory(kind="organiser", conference=admission.conference).user
    services.cancel(registration_id=one.pk, by=Actor.organiser(user), now=NOW)
    client.force_login(user)
    conference = admission.conference

    of_row = client.get(pages.url("registration-trail", conference, registration=one.public_id))
    of_person = client.get(pages.url("participant-trail", conference, participant=one.participant.public_id))
    elsewhere = client.get(pages.url("registration-trail", conference, registration=RegistrationFactory().public_id))

    for page in (of_row, of_person):
        assert "Cancelled" in page.text
        assert "Before: On the waiting list" in page.text
        assert user.name in page.text
    assert one.participant.open_identity().email not in of_person.text
    assert elsewhere.status_code == 404
    row = client.get(reverse("admin:registration_registration_change", args=[one.pk]))
    assert pages.url("registration-trail", conference, registration=one.public_id) in row.text


# --- at the door -----------------------------------------------------------------------------------------------------


def test_check_ins_are_listed_and_undone_with_a_reason(organiser: Client) -> None:
    registration = RegistrationFactory(status="confirmed", participant__has_alias=False)
    Registration.objects.update(status="attended")
    conference = registration.admission.conference
    made = CheckIn.objects.create(
        conference=conference, participant=registration.participant, registration=registration,
        on_day=NOW.date(), at=NOW, received_at=timezone.now() - timedelta(hours=1), nonce=uuid4(),
    )  # fmt: skip
    url = pages.url("check-ins", conference)

    shown = organiser.get(url, {"at": "entrance"})
    without = organiser.post(url, {"entry": str(made.nonce), "reason": " "}, follow=True)
    is_undone = CheckIn.objects.get().undone_at is not None
    done = organiser.post(url, {"entry": str(made.nonce), "reason": "Wrong person"}, follow=True)

    assert registration.participant.display_name in shown.text
    assert "Write why" in without.text
    assert not is_undone
    assert "Undone" in done.text
    assert Registration.objects.get().status == "confirmed"
    assert AuditEntry.objects.get(action="registration.check_in_undone").details == {"reason": "Wrong person"}


def test_new_code_for_the_door_kills_the_old_one(organiser: Client) -> None:
    participant = ParticipantFactory()
    (old,) = door_codes.ensure([participant]).values()

    organiser.post(pages.url("door-code", participant.conference, participant=participant.public_id))

    code = DoorCode.objects.select_related("participant").get().code
    assert code != old
    assert door_codes.find(conference_id=participant.conference_id, typed=old) is None
    assert door_codes.find(conference_id=participant.conference_id, typed=code) == participant
    assert AuditEntry.objects.filter(action="participant.door_code_renewed").count() == 1


# --- people ----------------------------------------------------------------------------------------------------------


def member(email: str, **kwargs: object) -> Membership:
    """A member of a delegation, with the hash of their address as nominating makes it."""
    delegation = factories.DelegationFactory()
    person = ParticipantFactory(
        conference=delegation.conference,
        delegation=delegation,
        delegation_capacity="adviser",
        identity=Identity("Ada", "Member", email),
        **kwargs,
    )
    person.email_index = member_index(delegation.pk, email)
    person.save(update_fields=["email_index"])
    made: Membership = Membership.objects.create(
        delegation=delegation, participant=person, mode="online", capacity="adviser", nominated_at=NOW,
        answer_hash=uuid4().bytes,
    )  # fmt: skip
    return made


def test_whole_address_finds_members_and_nobody_behind_an_alias(organiser: Client) -> None:
    member("ada@state.example", display_name="Ada Member")
    member("eve@state.example", display_name="Wren", has_alias=True)
    url = reverse("admin:registration_participant_changelist")

    assert "Ada Member" in organiser.get(url, {"q": "Ada@State.example"}).text
    assert "Wren" not in organiser.get(url, {"q": "eve@state.example"}).text


def test_delegation_cannot_be_set_by_hand(organiser: Client) -> None:
    made = member("ada@state.example", display_name="Ada Member")
    person = made.participant
    url = reverse("admin:registration_participant_change", args=[person.pk])

    page = organiser.get(url)
    organiser.post(url, {"category": "other", "language": "en", "delegation": "", "delegation_capacity": ""})

    person.refresh_from_db()
    assert (person.delegation_id, person.delegation_capacity) == (made.delegation_id, "adviser")
    assert pages.url("delegations", person.conference) in page.text
    assert 'name="delegation"' not in page.text
