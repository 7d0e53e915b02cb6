"""Correcting one's own data: what follows, what stays shut, and what leaves no trace. Another address. Clashes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration import services
from registration.models import AddressChange, Participant, Registration, RegistrationStatus
from registration.models.registration import REASON_AUDIENCE, REASON_CORRECTED, REASON_REFUSED_BEFORE
from registration.personal import mails as own_mails
from registration.services import addresses, delegations, own_corrections
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    QuestionFactory,
    RegistrationFactory,
    SideEventFactory,
    UserFactory,
)
from tests.registration.people import confirm_wishes, register
from tests.registration.test_delegation_views import a_delegation
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_erasure import tables_with

pytestmark = pytest.mark.django_db

OPEN = {"category": "civil_society", "given_name": "Ada", "family_name": "Guest", "language": "en", "time_zone": ""}


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(participant: Participant, rest: str = "") -> str:
    """A page of the participant's own."""
    return f"/r/{participant.personal_token}/{rest}"


def correct(client: Client, participant: Participant, **values: str) -> Any:
    """Send the form with these values."""
    return client.post(page_of(participant, "correct/"), OPEN | values)


# --- what is told -----------------------------------------------------------------------------------------------------


def test_form_shows_what_is_kept_and_changes_what_is_written(client: Client) -> None:
    person = ParticipantFactory(given_name="Grace", family_name="Guest", function="Clerk", time_zone="Asia/Almaty")

    before = client.get(page_of(person, "correct/")).content.decode()
    sent = correct(client, person, family_name="Guest-Hopper", function="Judge", language="fr", time_zone="Europe/Rome")
    again = correct(
        client, person, family_name="Guest-Hopper", function="Judge", language="fr", time_zone="Europe/Rome"
    )

    assert all(word in before for word in ('value="Grace"', 'value="Clerk"', '<option value="Asia/Almaty" selected'))
    assert (sent.status_code, again.status_code) == (303, 303)
    person.refresh_from_db()
    assert (person.display_name, person.function, person.language) == ("Ada Guest-Hopper", "Judge", "fr")
    assert person.open_identity().family_name == "Guest-Hopper"
    entry = AuditEntry.objects.get(action="participant.corrected")
    assert set(entry.details["fields"]) >= {"family_name", "function", "language", "time_zone"}


def test_mistakes_are_named_and_nothing_is_lost(client: Client) -> None:
    person = ParticipantFactory()

    response = correct(client, person, given_name="", family_name="", function="Judge", category="delegation")

    page = response.content.decode()
    assert response.status_code == 422
    assert "Enter your given name or your family name." in page
    assert "Choose the country of your delegation." in page
    assert 'value="Judge"' in page


def test_going_under_an_alias_leaves_no_trace_of_the_name(client: Client) -> None:
    admission = AdmissionFactory(session=None)
    register(admission, token="one", given_name="Canarina", family_name="Gelbvogel")
    person = Participant.objects.get()
    assert tables_with("Canarina", "Gelbvogel") == {"registration_participant"}

    correct(client, person, given_name="Canarina", family_name="Gelbvogel", alias="Speaker A")

    assert tables_with("Canarina", "Gelbvogel") == set()
    person.refresh_from_db()
    assert (person.display_name, person.has_alias) == ("Speaker A", True)
    assert "Gelbvogel" not in client.get(page_of(person)).content.decode()


def test_member_corrects_what_the_delegation_never_entered_and_no_more(client: Client) -> None:
    [made] = nominate(a_delegation(), nominee())
    delegations.confirm(membership_id=made.membership.pk, is_listed=False, now=NOW)
    person = Participant.objects.get()
    before = (person.display_name, person.function, person.category)

    response = correct(client, person, alias="Somebody", function="Minister", accessibility_needs="Captions")
    address = client.post(page_of(person, "address/"), {"email": "other@mail.example"})

    assert (response.status_code, address.status_code) == (303, 422)
    person.refresh_from_db()
    assert (person.display_name, person.function, person.category) == before
    assert person.accessibility_needs == "Captions"
    assert not AddressChange.objects.exists()


# --- doors that stay shut ---------------------------------------------------------------------------------------------


def audience(**more: Any) -> Any:
    """An event for civil society."""
    return AdmissionFactory(approval="audience", audience_categories=["civil_society"], **more)


def test_claiming_another_group_opens_no_door(client: Client) -> None:
    conference = ConferenceFactory()
    shut, refused, third = (audience(session=SideEventFactory(conference=conference)) for _n in range(3))
    register(shut, refused, token="one", category="media")
    person = Participant.objects.get()
    by_event = {one.admission_id: one for one in Registration.objects.all()}
    services.reject(
        registration_id=by_event[refused.pk].pk, by=actor_of(UserFactory()), now=NOW, reason="Not for the press."
    )

    correct(client, person, category="civil_society")
    services.cancel(registration_id=by_event[shut.pk].pk, by=actor_of(UserFactory()), now=NOW)
    register(shut, refused, third, token="two", category="civil_society")
    confirm_wishes()

    newest = {one.admission_id: one for one in Registration.objects.order_by("pk")}
    assert {one.status for one in newest.values()} == {RegistrationStatus.PENDING}
    assert newest[refused.pk].reason == REASON_REFUSED_BEFORE
    assert {newest[shut.pk].reason, newest[third.pk].reason} == {REASON_CORRECTED}


def actor_of(user: Any) -> Any:
    """An organiser."""
    return actors.Actor.organiser(user)


def test_leaving_the_audience_keeps_a_seat_and_gives_up_the_line(client: Client) -> None:
    conference = ConferenceFactory()
    person = ParticipantFactory(conference=conference, category="civil_society")
    seat = RegistrationFactory(participant=person, admission=audience(session=SideEventFactory(conference=conference)))
    line = audience(session=SideEventFactory(conference=conference))
    everybody = AdmissionFactory(session=SideEventFactory(conference=conference))
    waiting = [
        RegistrationFactory(participant=person, admission=admission, status=RegistrationStatus.WAITLISTED)
        for admission in (line, everybody)
    ]

    correct(client, person, category="media")

    seat.refresh_from_db()
    for one in waiting:
        one.refresh_from_db()
    again = Registration.objects.live().get(admission=line, participant=person)
    assert seat.status == RegistrationStatus.CONFIRMED
    assert [one.status for one in waiting] == [RegistrationStatus.CANCELLED, RegistrationStatus.WAITLISTED]
    assert (again.status, again.reason) == (RegistrationStatus.PENDING, REASON_AUDIENCE)
    assert Message.objects.filter(about_id=again.public_id).exists()


# --- another address --------------------------------------------------------------------------------------------------


def asked_for(client: Client, person: Participant, email: str = "new@mail.example") -> Any:
    """Ask for another address."""
    return client.post(page_of(person, "address/"), {"email": email})


def mails() -> dict[str, Any]:
    """What the two mails of a change come to."""
    handlers = {addresses.CONFIRM: own_mails.tell_new_address, addresses.NOTICE: own_mails.tell_old_address}
    return {one.topic: handlers[one.topic](one, now=NOW) for one in Message.objects.filter(topic__in=handlers)}


def test_new_address_counts_once_its_link_is_used(client: Client) -> None:
    person = ParticipantFactory(email="old@mail.example", display_name="Speaker A", has_alias=True)
    before = person.personal_token

    asked_for(client, person)
    sent = mails()
    token = addresses.token_of(AddressChange.objects.get())
    looked = client.get(f"/a/{token}/")
    unchanged = Participant.objects.with_email(conference_id=person.conference_id, email="old@mail.example").exists()
    confirmed = client.post(f"/a/{token}/")

    assert (sent[addresses.CONFIRM].to, sent[addresses.NOTICE].to) == ("new@mail.example", "old@mail.example")
    assert "Speaker A" not in sent[addresses.CONFIRM].text
    assert token in sent[addresses.CONFIRM].text
    assert list(Message.objects.order_by("pk").values_list("topic", flat=True))[:2] == [
        addresses.NOTICE,
        addresses.CONFIRM,
    ]
    assert (looked.status_code, unchanged, confirmed.status_code) == (200, True, 303)
    person.refresh_from_db()
    assert person.open_identity().email == "new@mail.example"
    assert confirmed["Location"].startswith(page_of(person))
    assert services.find_personal(before) is None
    assert client.post(f"/a/{token}/").status_code == 404
    assert tables_with("new@mail.example", "old@mail.example") == set()


def test_asking_says_nothing_about_the_address_and_only_its_owner_learns_of_it(client: Client) -> None:
    known = ParticipantFactory(email="known@mail.example")
    person = ParticipantFactory(conference=known.conference)
    other = ParticipantFactory(conference=known.conference)

    answers = [asked_for(client, person, "known@mail.example"), asked_for(client, other, "unknown@mail.example")]
    token = addresses.token_of(AddressChange.objects.get(participant=person))
    page = client.post(f"/a/{token}/")

    assert [one.status_code for one in answers] == [303, 303]
    assert [one["Location"].partition("?")[2] for one in answers] == ["done=address", "done=address"]
    assert page.status_code == 422
    assert "used for another registration" in page.content.decode()
    assert services.find_personal(person.personal_token) == person


def test_links_to_new_addresses_are_short_lived_few_and_can_be_stopped(client: Client) -> None:
    person = ParticipantFactory(email="old@mail.example")
    same = asked_for(client, person, "OLD@mail.example")
    asked_for(client, person)
    token = addresses.token_of(AddressChange.objects.get())
    too_soon = asked_for(client, person, "third@mail.example")

    assert (same.status_code, too_soon.status_code) == (422, 422)
    assert addresses.find(token, now=NOW + timedelta(hours=24)) is None
    client.post(page_of(person, "address/"), {"stop": "1"})
    assert client.get(f"/a/{token}/").status_code == 404
    assert {type(one) for one in mails().values()} == {Superseded}
    assert asked_for(client, person).status_code == 422  # stopping sends no more mails than asking
    assert addresses.forget(now=NOW + timedelta(minutes=20)) == 1


def test_a_later_wish_takes_the_place_of_an_earlier_one() -> None:
    person = ParticipantFactory()
    addresses.ask(participant_id=person.pk, address="one@mail.example", now=NOW)
    first = addresses.token_of(AddressChange.objects.get())
    addresses.ask(participant_id=person.pk, address="two@mail.example", now=NOW + addresses.PAUSE)

    assert addresses.confirm(token=first, now=NOW + addresses.PAUSE) is None
    assert isinstance(mails()[addresses.CONFIRM], Mail)
    person.identity_key.delete()
    with pytest.raises(own_corrections.Erased):
        addresses.ask(participant_id=person.pk, address="three@mail.example", now=NOW + timedelta(days=2))


# --- the page ---------------------------------------------------------------------------------------------------------


def test_two_seats_at_the_same_time_are_named_on_both(client: Client) -> None:
    conference = ConferenceFactory()
    person = ParticipantFactory(conference=conference)
    for title in ("First", "Second"):
        event = SideEventFactory(conference=conference, title={"en": title})
        RegistrationFactory(participant=person, admission=AdmissionFactory(session=event))
    late = SideEventFactory(conference=conference, title={"en": "Third"})
    late.starts_at, late.ends_at = late.starts_at + timedelta(hours=5), late.ends_at + timedelta(hours=5)
    late.save()
    RegistrationFactory(participant=person, admission=AdmissionFactory(session=late))

    page = client.get(page_of(person)).content.decode()

    assert [page.count(f"you hold a place for “{title}”") for title in ("First", "Second", "Third")] == [1, 1, 0]


def test_what_is_over_stands_below_and_one_entry_can_be_had_for_the_calendar(client: Client) -> None:
    conference = ConferenceFactory()
    person = ParticipantFactory(conference=conference)
    gone, comes = (
        AdmissionFactory(session=SideEventFactory(conference=conference, title={"en": title}))
        for title in ("Gone", "Comes")
    )
    RegistrationFactory(participant=person, admission=gone, status=RegistrationStatus.CANCELLED)
    mine = RegistrationFactory(participant=person, admission=comes)
    strange = RegistrationFactory()

    page = client.get(page_of(person)).content.decode()
    one = client.get(page_of(person, f"calendar/{mine.public_id}.ics"))
    Registration.objects.filter(pk=mine.pk).update(
        status=RegistrationStatus.CANCELLED, cancelled_at=NOW, version=mine.version + 1
    )
    empty = client.get(page_of(person)).content.decode()

    assert page.index("Comes") < page.index("Cancelled, not admitted or over") < page.index("Gone")
    assert one.content.decode().count("BEGIN:VEVENT") == 1
    assert client.get(page_of(person, f"calendar/{strange.public_id}.ics")).status_code == 404
    assert "Nothing is coming up" in empty


def test_answers_to_the_organisers_are_corrected_on_the_same_page(client: Client) -> None:
    question = QuestionFactory(kind="text", label={"en": "Which dish?"}, is_required=True)
    person = ParticipantFactory(conference=question.conference)
    RegistrationFactory(participant=person, admission=AdmissionFactory(conference=question.conference))

    missing = correct(client, person)
    sent = correct(client, person, **{question.name: "Soup"})
    shown = client.get(page_of(person, "correct/")).content.decode()
    page = client.get(page_of(person)).content.decode()

    assert (missing.status_code, sent.status_code) == (422, 303)
    assert "Answer the question “Which dish?”." in missing.content.decode()
    assert 'value="Soup"' in shown
    assert "Soup" in page
    assert "Soup" in client.get(page_of(person, "data.json")).content.decode()
    assert tables_with("Soup") == set()
