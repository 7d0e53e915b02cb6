"""A place that comes free for somebody who holds another one at the same time: they are asked which to keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from events.models import Conference
from outbox.models import Message
from outbox.results import Mail
from registration import services
from registration.letters import handlers
from registration.models import Admission, Participant, Registration, RegistrationStatus
from registration.seating import clashes
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.test_races import assert_counts_are_true, at_once

pytestmark = pytest.mark.django_db

S = RegistrationStatus
START = NOW + timedelta(days=30)


def event(conference: Conference, *hours: int, **more: object) -> Admission:
    """Admission with one place to an event from one hour to another of the same day."""
    begins, ends = (START + timedelta(hours=hour) for hour in hours)
    session = SideEventFactory(conference=conference, starts_at=begins, ends_at=ends)
    return AdmissionFactory(session=session, capacity=1, **more)


@pytest.fixture
def conference() -> Conference:
    """Where all of it takes place."""
    return ConferenceFactory()


@pytest.fixture
def person(conference: Conference) -> Participant:
    """Who holds one place and waits for another."""
    return ParticipantFactory(conference=conference)


def frees(admission: Admission) -> None:
    """Whoever sits there leaves."""
    holder = Registration.objects.get(admission=admission, status=S.CONFIRMED)
    services.cancel(registration_id=holder.pk, by=actors.PARTICIPANT, now=NOW)


def waits(admission: Admission, person: Participant) -> Registration:
    """The person waits for the one place, which somebody else has."""
    RegistrationFactory(admission=admission)
    return RegistrationFactory(admission=admission, participant=person, status=S.WAITLISTED)


def holds(admission: Admission, person: Participant) -> Registration:
    """The person has the one place, and somebody waits for it."""
    held = RegistrationFactory(admission=admission, participant=person)
    RegistrationFactory(admission=admission, status=S.WAITLISTED)
    return held


def statuses(*registrations: Registration) -> list[str]:
    """As they stand now."""
    found = dict(Registration.objects.values_list("pk", "status"))
    return [found[registration.pk] for registration in registrations]


def swap(wanted: Registration, *instead_of: Registration) -> Registration:
    """Take the new place and give the others up."""
    giving_up = [seat.public_id for seat in instead_of]
    return services.accept(registration_id=wanted.pk, by=actors.PARTICIPANT, now=NOW, giving_up=giving_up)


@pytest.mark.parametrize(
    ("hours", "status"),
    [((10, 12), S.OFFERED), ((11, 13), S.OFFERED), ((12, 13), S.CONFIRMED), ((8, 9), S.CONFIRMED)],
    ids=["the same time", "overlaps", "begins when the other ends", "apart"],
)
def test_who_holds_a_place_at_the_same_time_is_asked(
    conference: Conference, person: Participant, hours: tuple[int, int], status: str
) -> None:
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, *hours), person)

    frees(wanted.admission)

    assert statuses(held, wanted) == [S.CONFIRMED, status]
    assert list(clashes.of([wanted]).get(wanted.pk, [])) == ([held] if status == S.OFFERED else [])


def test_the_same_thing_in_the_other_way_and_what_has_no_time_yet(conference: Conference, person: Participant) -> None:
    undated = SideEventFactory(conference=conference, starts_at=None, ends_at=None)
    room = AdmissionFactory(session=undated, capacity=1, mode="in_person")
    online = AdmissionFactory(session=undated, mode="online")
    RegistrationFactory(admission=online, participant=person)
    RegistrationFactory(admission=event(conference, 9, 12), participant=person)
    wanted = waits(room, person)

    frees(room)

    assert statuses(wanted) == [S.OFFERED]
    assert [seat.admission for seat in clashes.of([wanted])[wanted.pk]] == [online]


def test_swapping_gives_the_other_place_to_the_next_in_line_there(conference: Conference, person: Participant) -> None:
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, 10, 12), person)
    frees(wanted.admission)
    follower = Registration.objects.in_waiting_order().get(admission=held.admission)

    swap(wanted, held)

    assert statuses(held, wanted, follower) == [S.CANCELLED, S.CONFIRMED, S.CONFIRMED]
    for admission in (held.admission, wanted.admission):
        assert_counts_are_true(admission)
    held.refresh_from_db()
    assert held.reason_shown == "Given up for another place at the same time."
    message = Message.objects.get(about_id=held.public_id)
    assert message.details["had_place"] is True  # the calendar entry is taken back
    assert AuditEntry.objects.get(about_id=held.public_id).details["swapped_for"] == str(wanted.public_id)


def test_keeping_gives_the_new_place_to_the_next_in_line_there(conference: Conference, person: Participant) -> None:
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, 10, 12), person)
    follower = RegistrationFactory(admission=wanted.admission, status=S.WAITLISTED)
    frees(wanted.admission)

    services.decline(registration_id=wanted.pk, by=actors.PARTICIPANT, now=NOW)

    assert statuses(held, wanted, follower) == [S.CONFIRMED, S.CANCELLED, S.CONFIRMED]


def test_without_an_answer_the_old_place_is_kept(conference: Conference, person: Participant) -> None:
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, 10, 12, claim_hours=2), person)
    frees(wanted.admission)

    services.expire_offers(now=NOW + timedelta(hours=2))

    assert statuses(held, wanted) == [S.CONFIRMED, S.CANCELLED]


def test_a_place_that_was_not_named_is_never_given_up(conference: Conference, person: Participant) -> None:
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, 10, 13), person)
    frees(wanted.admission)
    new = RegistrationFactory(admission=event(conference, 12, 14), participant=person)

    for named in ([], [held]):
        with pytest.raises(services.ClashChanged):
            swap(wanted, *named)
    assert statuses(held, wanted, new) == [S.CONFIRMED, S.OFFERED, S.CONFIRMED]

    swap(wanted, held, new)
    assert statuses(held, wanted, new) == [S.CANCELLED, S.CONFIRMED, S.CANCELLED]


def test_when_the_other_place_has_gone_it_is_a_plain_offer(conference: Conference, person: Participant) -> None:
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, 10, 12), person)
    apart = RegistrationFactory(admission=event(conference, 15, 16), participant=person)
    frees(wanted.admission)
    services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=NOW)

    swap(wanted, held, apart)  # as an older page named them: what does not clash is kept

    assert statuses(held, wanted, apart) == [S.CANCELLED, S.CONFIRMED, S.CONFIRMED]


def test_nobody_elses_place_can_be_named(conference: Conference, person: Participant) -> None:
    wanted = waits(event(conference, 10, 12, waiting="offer"), person)
    other = RegistrationFactory(admission=event(conference, 10, 12))
    frees(wanted.admission)

    swap(wanted, other)

    assert statuses(wanted, other) == [S.CONFIRMED, S.CONFIRMED]


def test_mail_and_page_name_both(
    conference: Conference, person: Participant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    held, wanted = holds(event(conference, 9, 12), person), waits(event(conference, 10, 12), person)
    frees(wanted.admission)
    titles = [str(session.title) for one in (held, wanted) if (session := one.admission.session)]

    mail = handlers.tell_change(Message.objects.get(about_id=wanted.public_id), now=NOW)
    address = f"/r/{person.personal_token}/"
    page = client.get(address).content.decode()
    client.post(f"{address}offer/{wanted.public_id}/", {"answer": "accept", "instead_of": [str(held.public_id), "x"]})

    assert isinstance(mail, Mail)
    assert mail.subject == "Your registration"
    assert "You hold another place at the same time." in mail.text
    assert len(titles) == 2
    for title in titles:
        assert title in mail.text
    assert "Swap: take the new place" in page
    assert f'name="instead_of" value="{held.public_id}"' in page
    assert statuses(held, wanted) == [S.CANCELLED, S.CONFIRMED]


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_places_that_come_free_at_once_are_not_both_given_to_one_person() -> None:
    conference = ConferenceFactory()
    person = ParticipantFactory(conference=conference)
    for _n in range(3):
        one, other = (waits(event(conference, 9, 12), person) for _m in range(2))

        def free(registration: Registration) -> Callable[[], None]:
            return lambda: frees(registration.admission)

        at_once([free(one), free(other)])

        assert sorted(statuses(one, other)) in ([S.CONFIRMED, S.OFFERED], [S.OFFERED, S.OFFERED])
        for registration in (one, other):
            services.cancel(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_people_swapping_crosswise_do_not_block_each_other() -> None:
    conference = ConferenceFactory()
    one, other = event(conference, 9, 12), event(conference, 10, 12)
    Admission.objects.update(claim_hours=5)
    first, second = (ParticipantFactory(conference=conference) for _n in range(2))
    pairs = []
    for person, has, wants in ((first, one, other), (second, other, one)):
        services.change_capacity(admission_id=has.pk, capacity=2, by=actors.SYSTEM, now=NOW)
        held = RegistrationFactory(admission=has, participant=person)
        pairs.append((person, held, wants))
    offers = [
        (RegistrationFactory(admission=wants, participant=person, status=S.OFFERED), held)
        for person, held, wants in pairs
    ]

    def exchange(wanted: Registration, held: Registration) -> Callable[[], Registration]:
        return lambda: swap(wanted, held)

    at_once([exchange(wanted, held) for wanted, held in offers])

    assert [statuses(wanted, held) for wanted, held in offers] == [[S.CONFIRMED, S.CANCELLED]] * 2
    for admission in (one, other):
        assert_counts_are_true(admission)
