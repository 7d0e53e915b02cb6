"""Places that are offered for a time: taken, declined, expired; and everything that makes an offer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from outbox.models import Message
from outbox.results import Mail
from registration import services, tasks
from registration.letters import handlers
from registration.models import Admission, Participant, Places, Registration, RegistrationStatus, Reserve
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory
from tests.registration.people import register
from tests.registration.test_races import assert_counts_are_true, at_once

pytestmark = pytest.mark.django_db

S = RegistrationStatus
DAY = timedelta(hours=24)


def on_offer(capacity: int = 1, **more: Any) -> Admission:
    """An admission whose free places are offered for a day."""
    return AdmissionFactory(capacity=capacity, waiting="offer", **more)


def waits(admission: Admission, **person: Any) -> Registration:
    """The next in line."""
    participant = ParticipantFactory(conference=admission.conference, **person)
    return RegistrationFactory(admission=admission, participant=participant, status=S.WAITLISTED)


def offered(admission: Admission, **person: Any) -> Registration:
    """Somebody to whom a place is offered until a day from now."""
    participant = ParticipantFactory(conference=admission.conference, **person)
    return RegistrationFactory(
        admission=admission, participant=participant, status=S.OFFERED, offer_expires_at=NOW + DAY, promoted_at=NOW
    )


def statuses(*registrations: Registration) -> list[str]:
    """As they stand now."""
    found = dict(Registration.objects.values_list("pk", "status"))
    return [found[registration.pk] for registration in registrations]


def accept(registration: Registration, **more: Any) -> Registration:
    """The person takes it."""
    values: dict[str, Any] = {"by": actors.PARTICIPANT, "now": NOW} | more
    return services.accept(registration_id=registration.pk, **values)


# --- what makes an offer ----------------------------------------------------------------------------------------------


def cancelled(admission: Admission) -> None:
    """Somebody leaves."""
    held = Registration.objects.filter(admission=admission, status=S.CONFIRMED).earliest("pk")
    services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=NOW)


def raised(admission: Admission) -> None:
    """A place more."""
    services.change_capacity(admission_id=admission.pk, capacity=2, by=actors.SYSTEM, now=NOW)


def expired(admission: Admission) -> None:
    """Somebody let an offer pass."""
    held = Registration.objects.filter(admission=admission, status=S.CONFIRMED)
    Registration.objects.filter(pk=held.earliest("pk").pk).delete()
    RegistrationFactory(admission=admission, status=S.OFFERED, offer_expires_at=NOW)
    assert services.expire_offers(now=NOW) == 1


def rejected(admission: Admission) -> None:
    """An organiser turns somebody down, after another path made room."""
    Places.objects.filter(pk=admission.pk).update(capacity=2)
    other = RegistrationFactory(admission=admission, status=S.PENDING)
    services.reject(registration_id=other.pk, by=actors.SYSTEM, now=NOW, reason="No.")


def released(admission: Admission) -> None:
    """Reserved seats return."""
    Places.objects.filter(pk=admission.pk).update(capacity=2)
    Reserve.objects.create(admission=admission, categories=["media"], places=1, returns_at=NOW)
    assert services.promote_into_free_places(now=NOW) == 0
    services.release_due_reserves(now=NOW)


def corrected(admission: Admission) -> None:
    """The first in line is of a category that has a seat, after all."""
    Places.objects.filter(pk=admission.pk).update(capacity=2)
    Reserve.objects.create(admission=admission, categories=["media"], places=1)
    person = Participant.objects.get(registrations=Registration.objects.in_waiting_order()[0])
    Participant.objects.filter(pk=person.pk).update(category="media")
    services.promote_into_free_places(now=NOW)


@pytest.mark.parametrize("cause", [cancelled, raised, expired, rejected, released, corrected])
def test_the_first_in_line_gets_an_offer(cause: Callable[[Admission], None]) -> None:
    admission = on_offer()
    RegistrationFactory(admission=admission)
    first, second = waits(admission, category="academia"), waits(admission, category="academia")

    cause(admission)

    assert statuses(first, second) == [S.OFFERED, S.WAITLISTED]
    first.refresh_from_db()
    assert (first.offer_expires_at, first.promoted_at, first.version) == (NOW + DAY, NOW, 2)
    assert AuditEntry.objects.filter(action="registration.offered", about_id=first.public_id).count() == 1
    told = Message.objects.filter(about_id=first.public_id).values_list("topic", flat=True)
    assert list(told) == ["registration.status"]  # and no join link yet


def test_an_offered_place_is_taken_for_everybody_else() -> None:
    admission = on_offer()
    offered(admission)

    answer = register(admission, token="one")

    assert [(outcome.status, outcome.position) for outcome in answer.outcomes] == [(S.WAITLISTED, 1)]


@pytest.mark.parametrize(("hours", "expected"), [(1, timedelta(hours=1)), (336, timedelta(hours=5))])
def test_an_offer_lasts_for_the_window_but_not_beyond_the_start(hours: int, expected: timedelta) -> None:
    event = SideEventFactory(starts_at=NOW + timedelta(hours=5), ends_at=NOW + timedelta(hours=6))
    admission = on_offer(capacity=0, claim_hours=hours, session=event)
    first = waits(admission)

    services.change_capacity(admission_id=admission.pk, capacity=1, by=actors.SYSTEM, now=NOW)

    first.refresh_from_db()
    assert first.offer_expires_at == NOW + expected


# --- what becomes of it -----------------------------------------------------------------------------------------------


def test_accepting_confirms_and_accepting_twice_is_fine() -> None:
    admission = on_offer()
    registration = offered(admission)
    waits(admission)

    accept(registration)
    again = accept(registration)

    assert (again.status, again.version, again.decided_by_kind) == (S.CONFIRMED, 2, "participant")
    assert_counts_are_true(admission)
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["registration.offer_accepted"]
    assert sorted(Message.objects.values_list("topic", flat=True)) == ["registration.join_link", "registration.status"]


def test_declining_offers_the_place_to_the_next_in_the_same_transaction() -> None:
    admission = on_offer()
    registration, following = offered(admission), waits(admission)

    services.decline(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)
    services.decline(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)

    assert statuses(registration, following) == [S.CANCELLED, S.OFFERED]
    assert_counts_are_true(admission)
    with pytest.raises(services.OfferAnswered):
        accept(registration)
    with pytest.raises(services.OfferAnswered):
        services.decline(registration_id=waits(admission).pk, by=actors.PARTICIPANT, now=NOW)


def test_an_offer_is_good_until_its_instant_and_not_from_then_on() -> None:
    admission = on_offer(capacity=2)
    early, late = offered(admission), offered(admission)

    accept(early, now=NOW + DAY - timedelta(microseconds=1))
    with pytest.raises(services.OfferExpired):
        accept(late, now=NOW + DAY)
    services.expire_offers(now=NOW + DAY)
    with pytest.raises(services.OfferExpired):
        accept(late, now=NOW + DAY)

    assert statuses(early, late) == [S.CONFIRMED, S.CANCELLED]


def test_the_sweep_passes_what_nobody_took_to_the_next_and_tells_both() -> None:
    admission = on_offer()
    registration, following = offered(admission), waits(admission)

    assert services.expire_offers(now=NOW + DAY - timedelta(seconds=1)) == 0
    assert services.expire_offers(now=NOW + DAY) == 1
    assert services.expire_offers(now=NOW + DAY) == 0

    assert statuses(registration, following) == [S.CANCELLED, S.OFFERED]
    registration.refresh_from_db()
    assert registration.reason_shown == "The offered place was not claimed in time."
    following.refresh_from_db()
    assert following.offer_expires_at == NOW + 2 * DAY
    assert Message.objects.filter(topic="registration.status").count() == 2


def test_the_tasks_run_without_arguments() -> None:
    offer = on_offer()
    registration, following = offered(offer), waits(offer)
    kept = AdmissionFactory(capacity=1)
    Reserve.objects.create(admission=kept, categories=["media"], places=1, returns_at=NOW)
    waiting = waits(kept)

    with time_machine.travel(NOW + DAY, tick=False):
        tasks.expire_offers()
        tasks.release_due_reserves()

    assert statuses(registration, following, waiting) == [S.CANCELLED, S.OFFERED, S.CONFIRMED]


# --- what people read -------------------------------------------------------------------------------------------------


def mail_about(registration: Registration) -> Mail:
    """The last mail about it."""
    message = Message.objects.filter(about_id=registration.public_id, topic="registration.status").latest("pk")
    mail = handlers.tell_change(message, now=NOW)
    assert isinstance(mail, Mail)
    return mail


def test_the_mails_say_until_when_and_what_became_of_it() -> None:
    admission = on_offer(session=SideEventFactory(title={"en": "Round table on data"}))
    RegistrationFactory(admission=admission)
    first, second = waits(admission, time_zone="Asia/Tokyo"), waits(admission)
    cancelled(admission)

    mail = mail_about(first)
    services.expire_offers(now=NOW + DAY)
    late = mail_about(first)
    accept(second)

    assert mail.subject == late.subject == "Your registration"
    assert "A place is kept for you until Wednesday 3 July 2030" in mail.text
    assert "Tokyo" in mail.text
    assert first.participant.personal_token in mail.text
    assert mail.attachments == ()
    assert "The time to accept the place has passed" in late.text
    accepted = mail_about(second)
    assert "you have accepted the place" in accepted.text
    assert [part.name for part in accepted.attachments] == ["meeting.ics"]


def test_waiting_for_an_offer_is_told_as_such(client: Client) -> None:
    admission = on_offer(capacity=0, claim_hours=5)
    registration = waits(admission)

    page = client.get(f"/r/{registration.participant.personal_token}/").content.decode()

    assert "it is offered to the first in line by mail, who has 5 hours to accept it" in page


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the views stands at NOW."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("answer", "status"), [("accept", S.CONFIRMED), ("decline", S.CANCELLED)])
def test_the_page_takes_an_answer_without_javascript(client: Client, answer: str, status: str) -> None:
    registration = offered(on_offer())
    page = f"/r/{registration.participant.personal_token}/"

    assert "A place has become free, and it is offered to you." in client.get(page).content.decode()
    answered = client.post(f"{page}offer/{registration.public_id}/", {"answer": answer}, follow=True)

    assert statuses(registration) == [status]
    assert 'role="status"' in answered.content.decode()


@pytest.mark.usefixtures("at_noon")
def test_the_page_refuses_a_late_answer_and_strangers(client: Client) -> None:
    registration = offered(on_offer())
    Registration.objects.filter(pk=registration.pk).update(offer_expires_at=NOW)
    other = ParticipantFactory(conference=registration.admission.conference)
    path = f"offer/{registration.public_id}/"

    late = client.post(f"/r/{registration.participant.personal_token}/{path}", {"answer": "accept"}, follow=True)

    assert "The time to accept this place has passed." in late.content.decode()
    assert "Accept the place" not in late.content.decode()
    assert client.post(f"/r/{other.personal_token}/{path}", {"answer": "accept"}).status_code == 404
    assert client.get(f"/r/{registration.participant.personal_token}/{path}").status_code == 405
    assert statuses(registration) == [S.OFFERED]


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_accepting_and_expiring_at_the_same_instant_end_in_one_of_the_two() -> None:
    admission = on_offer(capacity=3)
    registrations = [offered(admission) for _n in range(3)]
    next_in_line = [waits(admission) for _n in range(3)]

    def take(registration: Registration) -> str:
        try:
            return accept(registration).status
        except services.OfferExpired:
            return "late"

    jobs: list[Callable[[], object]] = [lambda one=one: take(one) for one in registrations]  # type: ignore[misc]
    answers = at_once([*jobs, lambda: services.expire_offers(now=NOW + DAY)])

    ended = statuses(*registrations)
    assert ended == [S.CONFIRMED if answer == S.CONFIRMED else S.CANCELLED for answer in answers[:3]]
    assert answers[3] == ended.count(S.CANCELLED) == statuses(*next_in_line).count(S.OFFERED)
    assert_counts_are_true(admission)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_accepting_from_many_devices_confirms_once() -> None:
    registration = offered(on_offer())

    at_once([lambda: accept(registration) for _n in range(6)])

    assert statuses(registration) == [S.CONFIRMED]
    assert AuditEntry.objects.count() == 1
