"""Registering, cancelling, approving, rejecting and changing a capacity, one transaction each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from events.models import CountryStatus
from outbox.models import Message
from registration import services
from registration.models import Admission, IdempotencyKey, Participant, Places, Registration, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    OrganisationFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
)
from tests.registration.people import confirm_wishes, register

pytestmark = pytest.mark.django_db

CONFIRMED, WAITLISTED, PENDING, REJECTED, CANCELLED = (
    RegistrationStatus.CONFIRMED,
    RegistrationStatus.WAITLISTED,
    RegistrationStatus.PENDING,
    RegistrationStatus.REJECTED,
    RegistrationStatus.CANCELLED,
)


def told(answer: services.Answer) -> list[tuple[str, int | None]]:
    """Status and position of each outcome."""
    return [(outcome.status, outcome.position) for outcome in answer.outcomes]


def stands(admission: Admission) -> list[tuple[str, int | None]]:
    """Status and position of all registrations of an admission, in the order they were made."""
    return list(Registration.objects.filter(admission=admission).order_by("pk").values_list("status", "position"))


def counted(admission: Admission) -> tuple[int, int]:
    """Taken and waiting of the places row."""
    places = Places.objects.get(pk=admission.pk)
    return places.taken, places.waiting


def topics() -> list[str]:
    """Topics of all messages in the order they were queued."""
    return list(Message.objects.order_by("pk").values_list("topic", flat=True))


# --- registering ------------------------------------------------------------------------------------------------------


def test_register_with_a_free_place_confirms_and_queues_mail_and_join_link() -> None:
    admission = AdmissionFactory(capacity=1)

    answer = register(admission, token="one")

    assert told(answer) == [(CONFIRMED, None)]
    assert stands(admission) == [(CONFIRMED, None)]
    assert counted(admission) == (1, 0)
    assert topics() == ["registration.received", "registration.join_link"]
    assert list(AuditEntry.objects.values_list("action", "actor_kind")) == [("registration.received", "participant")]


def test_register_when_full_waits_with_a_position() -> None:
    admission = AdmissionFactory(capacity=1)

    answers = [register(admission, token=f"t{n}", email=f"p{n}@mail.example") for n in range(3)]

    assert [told(answer) for answer in answers] == [[(CONFIRMED, None)], [(WAITLISTED, 1)], [(WAITLISTED, 2)]]
    assert counted(admission) == (1, 2)


def test_register_with_a_free_place_while_others_wait_waits_as_well() -> None:
    admission = AdmissionFactory(capacity=2)
    RegistrationFactory(admission=admission, status=WAITLISTED)

    answer = register(admission, token="one")

    assert told(answer) == [(WAITLISTED, 2)]


def test_register_when_full_without_waiting_list_is_refused() -> None:
    admission = AdmissionFactory(capacity=0, waiting="none")

    answer = register(admission, token="one")

    assert told(answer) == [(REJECTED, None)]
    assert Registration.objects.get().was_full


def test_register_outside_the_audience_awaits_approval() -> None:
    admission = AdmissionFactory(capacity=5, approval="audience", audience_categories=["academia"])

    answer = register(admission, token="one", category="media")

    assert told(answer) == [(PENDING, None)]
    assert counted(admission) == (0, 0)


@pytest.mark.parametrize(
    ("category", "country_status", "is_partner", "expected"),
    [
        ("academia", None, False, CONFIRMED),
        ("delegation", CountryStatus.PARTICIPATING_STATE, False, CONFIRMED),
        ("delegation", CountryStatus.OTHER, False, PENDING),
        ("delegation", None, False, PENDING),
        ("media", None, True, CONFIRMED),
        ("media", CountryStatus.PARTICIPATING_STATE, False, PENDING),
    ],
)
def test_register_follows_the_audience_rule(
    category: str, country_status: str | None, is_partner: bool, expected: str
) -> None:
    partner = OrganisationFactory()
    admission = AdmissionFactory(
        approval="audience", audience_categories=["academia"], audience_country_statuses=["participating_state"]
    )
    admission.audience_organisations.add(partner)
    country = CountryFactory(status=country_status) if country_status else None

    answer = register(
        admission, token="one", category=category, country=country, organisation_id=partner.pk if is_partner else None
    )

    assert told(answer) == [(expected, None)]


def test_register_for_several_gives_each_its_own_outcome() -> None:
    conference = ConferenceFactory()
    free = AdmissionFactory(session=SideEventFactory(conference=conference), capacity=5)
    full = AdmissionFactory(session=SideEventFactory(conference=conference), capacity=0)
    manual = AdmissionFactory(session=SideEventFactory(conference=conference), approval="manual")

    answer = register(manual, full, free, token="one")

    by_admission = {outcome.admission: (outcome.status, outcome.position) for outcome in answer.outcomes}
    assert by_admission == {
        str(free.public_id): (CONFIRMED, None),
        str(full.public_id): (WAITLISTED, 1),
        str(manual.public_id): (PENDING, None),
    }
    assert Participant.objects.count() == 1
    assert topics().count("registration.received") == 1


def test_register_twice_with_one_token_does_nothing_again_and_answers_the_same() -> None:
    admission = AdmissionFactory(capacity=1)

    first = register(admission, token="one")
    again = register(admission, token="one")

    assert again == first == services.find_answer(form_token="one")
    assert Registration.objects.count() == 1
    assert topics() == ["registration.received", "registration.join_link"]
    assert IdempotencyKey.objects.count() == 1


def test_register_with_a_used_token_and_other_entries_is_refused() -> None:
    admission = AdmissionFactory(capacity=2)
    register(admission, token="one")

    with pytest.raises(services.FormSentBefore):
        register(admission, token="one", email="other@mail.example")

    assert Registration.objects.count() == 1


def test_register_with_a_known_address_tells_what_a_new_registration_would_get() -> None:
    admission = AdmissionFactory(capacity=2)
    register(admission, token="one")

    answer = register(admission, token="two", email="ADA@Mail.Example", given_name="Somebody", family_name="Else")

    assert told(answer) == [(CONFIRMED, None)]
    assert Registration.objects.count() == 1
    assert counted(admission) == (1, 0)
    assert topics() == ["registration.received", "registration.join_link", "registration.known_address"]
    assert Participant.objects.get().open_identity().full_name == "Ada Guest"


def test_register_with_a_known_address_when_full_tells_of_the_waiting_list() -> None:
    admission = AdmissionFactory(capacity=1)
    register(admission, token="one")

    answer = register(admission, token="two")

    assert told(answer) == [(WAITLISTED, 1)]
    assert stands(admission) == [(CONFIRMED, None)]


def test_register_with_a_known_address_adds_another_choice() -> None:
    conference = ConferenceFactory()
    first = AdmissionFactory(session=SideEventFactory(conference=conference))
    second = AdmissionFactory(session=SideEventFactory(conference=conference))
    register(first, token="one")

    answer = register(first, second, token="two")
    confirm_wishes()

    assert told(answer) == [(CONFIRMED, None), (CONFIRMED, None)]
    assert stands(first) == [(CONFIRMED, None)]
    assert stands(second) == [(CONFIRMED, None)]
    assert Participant.objects.count() == 1


def test_register_after_cancelling_stands_at_the_end_of_the_line() -> None:
    admission = AdmissionFactory(capacity=1)
    register(admission, token="one")
    register(admission, token="two", email="next@mail.example")
    services.cancel(registration_id=Registration.objects.earliest("pk").pk, by=actors.PARTICIPANT, now=NOW)

    answer = register(admission, token="three")
    confirm_wishes()

    assert told(answer) == [(WAITLISTED, 1)]
    assert [status for status, _position in stands(admission)] == [CANCELLED, CONFIRMED, WAITLISTED]


def test_register_for_nothing_is_refused() -> None:
    conference = ConferenceFactory()
    elsewhere = AdmissionFactory()

    with pytest.raises(services.NothingChosen):
        services.register(
            conference=conference,
            admissions=[elsewhere],
            applicant=services.Applicant("Ada", "Guest", "ada@mail.example", "en", "other"),
            form_token="one",
            now=NOW,
        )


def test_register_for_both_ways_of_one_thing_is_refused() -> None:
    side_event = SideEventFactory()
    online, in_person = (AdmissionFactory(session=side_event, mode=mode) for mode in ("online", "in_person"))

    with pytest.raises(services.ChooseOneWay):
        register(online, in_person, token="one")

    assert not Participant.objects.exists()


@pytest.mark.parametrize(
    "closed",
    [
        {"is_closed": True},
        {"opens_at": NOW + timedelta(seconds=1)},
        {"closes_at": NOW},
    ],
)
def test_register_outside_the_opening_time_is_refused_and_names_the_closed_one(closed: dict[str, object]) -> None:
    conference = ConferenceFactory()
    open_one = AdmissionFactory(session=SideEventFactory(conference=conference))
    closed_one = AdmissionFactory(session=SideEventFactory(conference=conference), **closed)

    with pytest.raises(services.RegistrationClosed) as refused:
        register(open_one, closed_one, token="one")

    assert refused.value.closed == [closed_one]
    assert not Registration.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_register_for_a_cancelled_session_is_refused() -> None:
    admission = AdmissionFactory(session__state="cancelled")

    with pytest.raises(services.RegistrationClosed):
        register(admission, token="one")


def test_register_keeps_the_name_apart_from_the_alias() -> None:
    admission = AdmissionFactory()

    register(admission, token="one", alias="Speaker A")

    participant = Participant.objects.get()
    assert (participant.display_name, participant.has_alias) == ("Speaker A", True)
    assert participant.open_identity().full_name == "Ada Guest"
    assert "Ada" not in str(participant.__dict__)


# --- approving and rejecting ------------------------------------------------------------------------------------------


def test_approve_with_a_free_place_confirms_and_says_who_decided() -> None:
    admission = AdmissionFactory(capacity=1, approval="manual")
    organiser = StaffFactory()
    pending = RegistrationFactory(admission=admission, status=PENDING)

    approved = services.approve(registration_id=pending.pk, by=Actor.organiser(organiser), now=NOW)

    assert (approved.status, approved.version, approved.decided_at) == (CONFIRMED, 2, NOW)
    assert Registration.objects.get().decided_by == organiser
    assert list(Message.objects.order_by("pk").values_list("topic", "about_version")) == [
        ("registration.status", 2),
        ("registration.join_link", 2),
    ]


def test_approve_when_full_puts_at_the_end_of_the_line() -> None:
    admission = AdmissionFactory(capacity=0, approval="manual")
    RegistrationFactory(admission=admission, status=WAITLISTED)
    pending = RegistrationFactory(admission=admission, status=PENDING)

    approved = services.approve(registration_id=pending.pk, by=Actor.organiser(StaffFactory()), now=NOW)

    assert (approved.status, approved.position) == (WAITLISTED, 2)


@pytest.mark.parametrize("status", [CONFIRMED, WAITLISTED, CANCELLED, REJECTED])
def test_approve_what_awaits_nothing_is_refused(status: str) -> None:
    registration = RegistrationFactory(status=status)

    with pytest.raises(services.AlreadyDecided):
        services.approve(registration_id=registration.pk, by=actors.SYSTEM, now=NOW)


@pytest.mark.parametrize("status", [PENDING, WAITLISTED])
def test_reject_ends_it_with_a_reason(status: str) -> None:
    registration = RegistrationFactory(status=status)

    rejected = services.reject(
        registration_id=registration.pk, by=Actor.organiser(StaffFactory()), now=NOW, reason="It is for delegations."
    )

    assert (rejected.status, rejected.reason) == (REJECTED, "It is for delegations.")
    assert counted(registration.admission) == (0, 0)
    assert topics() == ["registration.status"]


@pytest.mark.parametrize("status", [CONFIRMED, CANCELLED, REJECTED])
def test_reject_what_cannot_be_rejected_is_refused(status: str) -> None:
    registration = RegistrationFactory(status=status)

    with pytest.raises(services.AlreadyDecided):
        services.reject(registration_id=registration.pk, by=actors.SYSTEM, now=NOW, reason="Late.")


# --- personal links ---------------------------------------------------------------------------------------------------


def test_find_personal_knows_its_own_token_only() -> None:
    registration = RegistrationFactory()
    token = registration.participant.personal_token

    assert services.find_personal(token) == registration.participant
    assert services.find_personal(token[:-1]) is None
    assert services.find_personal(registration.join_token) is None


def test_resend_queues_one_mail_an_hour_and_nothing_for_strangers() -> None:
    admission = AdmissionFactory()
    register(admission, token="one")
    Message.objects.all().delete()

    for minutes in (0, 5, 60):
        services.resend_personal_link(
            conference=admission.conference, email=" ADA@mail.example", now=NOW + timedelta(minutes=minutes)
        )
    services.resend_personal_link(conference=admission.conference, email="stranger@mail.example", now=NOW)

    assert topics() == ["registration.personal_link"] * 2


def test_cancelled_session_promotes_nobody() -> None:
    admission = AdmissionFactory(capacity=1)
    seated = RegistrationFactory(admission=admission)
    waiting = RegistrationFactory(admission=admission, status=WAITLISTED)
    admission.session.state = "cancelled"
    admission.session.save()

    services.cancel(registration_id=seated.pk, by=actors.PARTICIPANT, now=NOW)
    services.promote_into_free_places(now=NOW)

    waiting.refresh_from_db()
    assert waiting.status == WAITLISTED


@pytest.mark.parametrize("category", ["other", "civil_society"])
def test_rejection_is_not_undone_by_sending_the_form_again(category: str) -> None:
    admission = AdmissionFactory(approval="audience", audience_categories=["civil_society"])
    register(admission, token="first", category="other")
    rejected = Registration.objects.get()
    services.reject(registration_id=rejected.pk, by=actors.SYSTEM, now=NOW, reason="It is for others.")

    register(admission, token="second", category=category)
    confirm_wishes()

    again = Registration.objects.exclude(pk=rejected.pk).get()
    assert again.status == PENDING


def test_person_rejected_from_an_open_event_waits_for_an_organiser_the_next_time() -> None:
    admission = AdmissionFactory(approval="manual")
    register(admission, token="first")
    rejected = Registration.objects.get()
    services.reject(registration_id=rejected.pk, by=actors.SYSTEM, now=NOW, reason="No.")
    admission.approval = "automatic"
    admission.save()

    answer = register(admission, token="second")
    confirm_wishes()

    again = Registration.objects.exclude(pk=rejected.pk).get()
    assert (again.status, again.reason) == (PENDING, "@refused-before")
    assert [outcome.status for outcome in answer.outcomes] == [CONFIRMED], "the answer is that of a new registration"
