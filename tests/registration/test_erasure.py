"""Erasing a person: nothing of theirs is left in any table, and nobody else loses by it."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from events.models import SavedFilter
from outbox.models import Message
from outbox.results import Superseded
from registration import services
from registration.delegations import listing
from registration.figures import counting as figures
from registration.letters import handlers, messages
from registration.models import (
    CheckIn,
    IdentityKey,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
    Verification,
)
from registration.services import credentials, delegations, erasure, own_data, pairs
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    DelegationFactory,
    OrganisationFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
)
from tests.registration import at_rest
from tests.registration.people import register
from tests.registration.test_delegations import nominate, nominee

pytestmark = pytest.mark.django_db

CANARIES = ["Canarina", "Gelbvogel", "canarina.mail", "Zwitscherbund", "Singmeisterin", "Rampe-Zeisig", "Kanarisch"]


def tables_with(*searched: str) -> set[str]:
    """The tables in which one of the texts stands anywhere: as text, in JSON, or as bytes (shown in hex)."""
    patterns = [f"%{form}%" for text in searched for form in (text, text.encode().hex())]
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT 1 FROM "{table}" t WHERE t::text ILIKE ANY(%s) LIMIT 1', [patterns])
            if cursor.fetchone():
                found.add(table)
    return found


def test_nothing_of_the_person_is_left_in_any_table() -> None:
    admission = AdmissionFactory(capacity=5)
    register(
        admission,
        token="one",
        given_name="Canarina",
        family_name="Gelbvogel",
        email="canarina.mail@mail.example",
        organisation_text="Zwitscherbund",
        function="Singmeisterin",
        interpretation_language="Kanarisch",
        accessibility_needs="Rampe-Zeisig",
        time_zone="Atlantic/Canary",
    )
    registration = Registration.objects.get()
    participant = registration.participant
    participant.delegation = DelegationFactory(conference=admission.conference)
    participant.delegation_capacity = "head"
    participant.organisation = OrganisationFactory()
    participant.save()
    Registration.objects.update(reason="Gelbvogel asked for it")
    marks = [participant.email_index, participant.link_hash, registration.join_hash, participant.sealed_identity]
    hidden = [bytes(mark).hex() for mark in [*marks, IdentityKey.objects.get().wrapped]]
    tokens = [participant.personal_token, registration.join_token]
    assert tables_with(*CANARIES) == {"registration_participant", "registration_registration"}  # the search can find
    assert tables_with(*hidden) >= {"registration_participant", "registration_registration", "registration_identitykey"}

    erasure.erase(participant_id=participant.pk, by=actors.SYSTEM, now=NOW)

    assert tables_with(*CANARIES, "Atlantic/Canary", *hidden) == set()
    left = Participant.objects.get()
    assert (left.display_name, left.delegation, left.organisation, left.accessibility_needs) == (
        erasure.ERASED_NAME, None, None, "",
    )  # fmt: skip
    assert services.find_personal(tokens[0]) is None
    assert services.find_personal(left.personal_token) is None
    assert services.enter(token=tokens[1], now=NOW, joining=False) is None
    assert services.enter(token=Registration.objects.get().join_token, now=NOW, joining=False) is None


def test_a_replaced_member_goes_with_their_companion_and_the_words_about_them_and_the_next_one_stays() -> None:
    delegation = DelegationFactory.create()
    AdmissionFactory.create(session=None, conference=delegation.conference, mode="in_person", capacity=9)
    about = {"given_name": "Canarina", "family_name": "Gelbvogel", "email": "canarina.mail@mail.example"}
    [made] = nominate(delegation, nominee(1, **about))
    first, seat = made.membership.participant, made.membership.participant.registrations.get()
    wanted = pairs.Companion("Zwitscherbund", "singmeisterin@mail.example")
    pairs.bring(registration_id=seat.pk, companion=wanted, by=actors.PARTICIPANT, now=NOW)
    for text, at in (("Gelbvogel asked", NOW), ("Amsel asked", NOW + timedelta(days=2))):
        actors.audit_entry(
            at=at, by=actors.SYSTEM, action="registration.moved_to_top", about_kind="registration",
            about_id=seat.public_id, details={"reason": text},
        ).save()  # fmt: skip
    new = delegations.replace(
        membership_id=made.membership.pk, by=actors.SYSTEM, now=NOW + timedelta(days=1),
        nominee=nominee(2, given_name="Meise", family_name="Rampe-Zeisig", email="meise@mail.example"),
    ).participant  # fmt: skip
    own = own_data.collect(Participant.objects.select_related("identity_key", "conference").get(pk=new.pk), now=NOW)
    assert "Zwitscherbund" not in repr(own)  # whoever came with the one before is not theirs
    assert repr(own).count("registration.moved_to_top") == 1  # what was done while it was the other one's is not
    assert pairs.brought_by(new.pk) == []

    erasure.erase(participant_id=first.pk, by=actors.SYSTEM, now=NOW + timedelta(days=3))

    assert tables_with("Gelbvogel", "Canarina", "Zwitscherbund", "singmeisterin") == set()
    assert tables_with("Amsel asked") == {"accounts_auditentry"}
    new.refresh_from_db()
    assert (new.display_name, new.registrations.get().status) == ("Meise Rampe-Zeisig", "confirmed")


def test_no_name_is_left_anywhere_of_a_member_whom_organisers_wrote_about(client: Client) -> None:
    delegation = DelegationFactory()
    conference = delegation.conference
    seat = AdmissionFactory(session=None, conference=conference, mode="in_person")
    about = {"given_name": "Canarina", "family_name": "Gelbvogel", "email": "canarina.mail@mail.example"}
    [made] = nominate(delegation, nominee(1, **about, function="Singmeisterin"))
    person, member = made.membership.participant, made.membership
    delegations.confirm(membership_id=member.pk, is_listed=True, now=NOW)
    listing.stamp(conference=conference, is_final=True, is_published=True, by=actors.SYSTEM, now=NOW)
    staff = StaffFactory(is_superuser=True)
    client.force_login(staff)
    credentials.verify(
        membership_id=member.pk, verification=Verification.REFUSED, reason="Gelbvogel lacks a letter.",
        by=actors.Actor.organiser(staff), now=NOW,
    )  # fmt: skip
    client.post(
        f"/admin/registration/participant/{person.pk}/change/", {"display_name": "Canarina Gelbvogel", "_save": "1"}
    )
    SavedFilter.objects.create(user=staff, page="registration.registration", name="mine", query="q=Gelbvogel&o=1")
    CheckIn.objects.create(
        conference=conference, participant=person, registration=person.registrations.get(), on_day=NOW.date(),
        at=NOW, received_at=NOW, nonce=uuid4(),
    )  # fmt: skip
    for text, details in (("moved_to_top", {"reason": "Gelbvogel asked"}), ("received", {"override": "Singmeisterin"})):
        actors.audit_entry(
            at=NOW, by=actors.SYSTEM, action=f"registration.{text}", about_kind="registration",
            about_id=person.registrations.get().public_id, details=details,
        ).save()  # fmt: skip
    services.resend_personal_link(conference=conference, email="canarina.mail@mail.example", now=NOW)
    register(seat, token="again", email="canarina.mail@mail.example")
    before = at_rest.everything()
    assert all(at_rest.holds(before, word) for word in ("Canarina", "Gelbvogel", "Singmeisterin"))

    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)

    left = at_rest.everything()
    assert [word for word in CANARIES if at_rest.holds(left, word)] == []


def test_figures_are_the_same_when_everybody_is_erased() -> None:
    conference = ConferenceFactory()
    country = CountryFactory()
    came = [
        RegistrationFactory(
            status=status, participant__conference=conference, participant__country=country,
            participant__category=category, admission__conference=conference,
        )
        for status in (RegistrationStatus.ATTENDED, RegistrationStatus.CONFIRMED, RegistrationStatus.CANCELLED)
        for category in ("delegation", "academia")
    ]  # fmt: skip
    after = NOW + timedelta(days=4000)
    Registration.objects.filter(pk=came[2].pk).update(joined_at=NOW)
    before = figures.count(conference, now=after)

    for one in came:
        erasure.erase(participant_id=one.participant_id, by=actors.SYSTEM, now=after)

    assert not IdentityKey.objects.exists()
    assert figures.count(conference, now=after) == before


def test_the_next_in_line_moves_up_in_every_admission_and_only_they_get_a_mail() -> None:
    event = SideEventFactory()
    until = event.ends_at + timedelta(hours=1)
    after = SideEventFactory(starts_at=event.ends_at, ends_at=until)  # clashes with nothing
    one, other = (AdmissionFactory(session=it, conference=event.conference, capacity=1) for it in (event, after))
    register(one, other, token="leaves", email="leaves@mail.example")
    register(one, other, token="next", email="next@mail.example")
    leaving, following = Participant.objects.order_by("pk")
    queued = set(Message.objects.values_list("pk", flat=True))

    done = erasure.erase(participant_id=leaving.pk, by=actors.SYSTEM, now=NOW)

    assert done == erasure.Erased(cancelled=2, promoted=2)
    assert {r.status for r in leaving.registrations.all()} == {RegistrationStatus.CANCELLED}
    assert {r.status for r in following.registrations.all()} == {RegistrationStatus.CONFIRMED}
    assert {(p.taken, p.waiting) for p in Places.objects.all()} == {(1, 0)}
    new = Message.objects.exclude(pk__in=queued)
    assert {message.order_key for message in new} == {f"participant:{following.public_id}"}
    assert erasure.erase(participant_id=leaving.pk, by=actors.SYSTEM, now=NOW) == erasure.Erased(0, 0)


def test_queued_messages_about_the_person_are_dropped_by_their_handlers() -> None:
    admission = AdmissionFactory()
    register(admission, token="one")
    participant = Participant.objects.get()
    services.send_personal_link(participant=participant, now=NOW)
    register(admission, token="again")

    erasure.erase(participant_id=participant.pk, by=actors.SYSTEM, now=NOW)

    by_topic = {
        messages.FORM: handlers.answer_form,
        messages.JOIN_LINK: handlers.send_join_link,
        messages.KNOWN_ADDRESS: handlers.tell_known_address,
        messages.PERSONAL_LINK: handlers.send_personal_link,
    }
    queued = list(Message.objects.all())
    assert {message.topic for message in queued} == set(by_topic)
    assert all(isinstance(by_topic[message.topic](message, now=NOW), Superseded) for message in queued)


def test_the_address_may_register_anew() -> None:
    admission = AdmissionFactory(capacity=1)
    register(admission, token="one")
    first = Participant.objects.get()
    erasure.erase(participant_id=first.pk, by=actors.SYSTEM, now=NOW)

    answer = register(admission, token="two")

    assert answer.outcomes[0].status == RegistrationStatus.CONFIRMED
    assert Participant.objects.exclude(pk=first.pk).get().open_identity().email == "ada@mail.example"


def test_figures_of_what_is_over_keep_their_count() -> None:
    came = RegistrationFactory(status=RegistrationStatus.ATTENDED)
    over = RegistrationFactory(participant=came.participant, admission__conference=came.participant.conference)
    after = over.admission.session.ends_at + timedelta(days=1)

    done = erasure.erase(participant_id=came.participant_id, by=actors.SYSTEM, now=after)

    assert done == erasure.Erased(0, 0)
    came.refresh_from_db()
    over.refresh_from_db()
    assert (came.status, over.status) == (RegistrationStatus.ATTENDED, RegistrationStatus.CONFIRMED)
    assert Participant.objects.count() == 1


def test_the_trail_says_who_was_erased_by_id_only() -> None:
    registration = RegistrationFactory()

    erasure.erase(participant_id=registration.participant_id, by=actors.SYSTEM, now=NOW)

    entry = AuditEntry.objects.get(action="participant.erased")
    assert (entry.about_id, entry.details) == (registration.participant.public_id, {"cancelled": 1})


def test_command_erases_by_public_id() -> None:
    registration = RegistrationFactory()
    out = StringIO()

    call_command("erase_participant", str(registration.participant.public_id), stdout=out)

    assert out.getvalue().startswith("Erased.")
    assert not IdentityKey.objects.exists()
    with pytest.raises(CommandError, match="no participant"):
        call_command("erase_participant", str(uuid4()))
