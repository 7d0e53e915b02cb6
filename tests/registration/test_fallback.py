"""On-line meanwhile: who waits for the room attends on-line, and keeps the place in line for the room."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from outbox.models import Message
from outbox.results import Mail
from registration import services
from registration.letters import handlers
from registration.models import Admission, Places, Registration, RegistrationStatus
from registration.seating import fallback
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory
from tests.registration.people import register

pytestmark = pytest.mark.django_db

S = RegistrationStatus


def both_ways(**online: Any) -> tuple[Admission, Admission]:
    """A full room with somebody in it, and the same event on-line."""
    session = SideEventFactory()
    room = AdmissionFactory(session=session, mode="in_person", capacity=1)
    RegistrationFactory(admission=room)
    return room, AdmissionFactory(session=session, mode="online", **online)


def waits(room: Admission, **person: Any) -> Registration:
    """Somebody in line for the room."""
    participant = ParticipantFactory(conference=room.conference, **person)
    return RegistrationFactory(admission=room, participant=participant, status=S.WAITLISTED)


def ways(registration: Registration) -> list[Admission]:
    """What the page offers."""
    return list(fallback.ways([registration], now=NOW).values())


def test_who_waits_for_the_room_attends_online_and_keeps_the_place_in_line() -> None:
    room, online = both_ways(capacity=1)
    waiting = waits(room)

    assert ways(waiting) == [online]
    attending = services.attend_online(registration_id=waiting.pk, now=NOW)

    assert (attending.admission, attending.status) == (online, S.CONFIRMED)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.position, waiting.version) == (S.WAITLISTED, 1, 1)
    assert ways(waiting) == []
    assert AuditEntry.objects.get().details == {"meanwhile_for": str(waiting.public_id)}
    assert Message.objects.filter(topic="registration.received").count() == 1
    with pytest.raises(services.NoWayOnline):
        services.attend_online(registration_id=waiting.pk, now=NOW)


def test_when_the_room_comes_free_they_are_asked_which_to_keep() -> None:
    room, _online = both_ways()
    waiting = waits(room)
    attending = services.attend_online(registration_id=waiting.pk, now=NOW)

    held = Registration.objects.get(admission=room, status=S.CONFIRMED)
    services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=NOW)
    waiting.refresh_from_db()
    assert waiting.status == S.OFFERED
    services.accept(registration_id=waiting.pk, by=actors.PARTICIPANT, now=NOW, giving_up=[attending.public_id])

    mine = Registration.objects.filter(participant=waiting.participant).order_by("pk")
    assert list(mine.values_list("status", flat=True)) == [S.CONFIRMED, S.CANCELLED]


def test_who_was_refused_a_full_room_may_attend_online_too() -> None:
    room, online = both_ways()
    Admission.objects.filter(pk=room.pk).update(waiting="none")
    register(room, token="one")

    refused = Registration.objects.get(status=S.REJECTED)

    assert ways(refused) == [online]
    assert services.attend_online(registration_id=refused.pk, now=NOW).status == S.CONFIRMED


@pytest.mark.parametrize(
    "online",
    [{"is_closed": True}, {"closes_at": NOW}, {"capacity": 0}, {"approval": "invitation"}],
    ids=["closed", "over", "full", "by invitation"],
)
def test_no_way_online_where_nobody_could_register(online: dict[str, Any]) -> None:
    room, _online = both_ways(**online)
    waiting = waits(room)

    assert ways(waiting) == []
    with pytest.raises(services.NoWayOnline):
        services.attend_online(registration_id=waiting.pk, now=NOW)
    assert Registration.objects.filter(participant=waiting.participant).count() == 1


def test_outside_the_online_audience_an_organiser_decides() -> None:
    room, online = both_ways(approval="audience", audience_categories=["academia"])
    waiting = waits(room, category="media")

    attending = services.attend_online(registration_id=waiting.pk, now=NOW)

    assert (attending.admission, attending.status, attending.reason) == (online, S.PENDING, "@audience")


def test_who_was_not_admitted_online_is_not_asked_again() -> None:
    room, online = both_ways()
    waiting = waits(room)
    RegistrationFactory(admission=online, participant=waiting.participant, status=S.REJECTED, reason="No.")

    assert ways(waiting) == []


def test_waiting_elsewhere_gives_no_way(django_assert_num_queries: Any) -> None:
    room, _online = both_ways()
    seated = Registration.objects.select_related("admission").get(admission=room)
    alone = waits(AdmissionFactory(mode="in_person", capacity=0))

    assert ways(alone) == []
    with django_assert_num_queries(0):
        assert ways(seated) == []


def test_somebody_faster_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    room, online = both_ways(capacity=1)
    waiting = waits(room)
    monkeypatch.setattr(fallback, "ways", lambda registrations, now: {waiting.pk: online})
    Places.objects.filter(pk=online.pk).update(capacity=0)

    with pytest.raises(services.NoWayOnline):
        services.attend_online(registration_id=waiting.pk, now=NOW)

    assert not Registration.objects.filter(admission=online).exists()
    assert not Message.objects.exists()


def test_mail_and_page_offer_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    room, online = both_ways()
    register(room, token="one")
    waiting = Registration.objects.get(status=S.WAITLISTED)
    address = f"/r/{waiting.participant.personal_token}/"

    mail = handlers.answer_form(Message.objects.get(topic="registration.received"), now=NOW)
    page = client.get(address).content.decode()
    after = client.post(f"{address}online/{waiting.public_id}/", follow=True).content.decode()

    assert isinstance(mail, Mail)
    assert "You can attend on-line meanwhile and keep your place in line" in mail.text
    assert "Attend on-line meanwhile" in page
    assert "Attend on-line meanwhile" not in after
    assert "You are registered to attend on-line" in after
    assert Registration.objects.get(admission=online).status == S.CONFIRMED
    other = ParticipantFactory(conference=room.conference)
    assert client.post(f"/r/{other.personal_token}/online/{waiting.public_id}/").status_code == 404
