"""The protection of people who come: out of their row, sealed, and opened by named keepers only."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import actors, safes
from accounts.models import AuditEntry, SafeOpening, User
from alliance import crypto
from registration.models import (
    Admission,
    ApprovalMode,
    ConsentSource,
    Participant,
    ProtectedParticipant,
    Purpose,
    Registration,
    RegistrationStatus,
    TakeDown,
)
from registration.models.participant import Identity
from registration.seating import seats
from registration.services import consents, erasure, own_corrections, own_data, protection, waiting_list
from tests.factories import (
    NOW,
    AdmissionFactory,
    CountryFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Participant:
    """Somebody under their own name, with all they told us."""
    made: Participant = ParticipantFactory.create(
        country=CountryFactory.create(name={"en": "Canaryland"}),
        organisation=OrganisationFactory.create(name={"en": "Canary House"}),
        organisation_text="Canary House",
        function="Head of Canary House",
    )
    return made


def protect(person: Participant, by: actors.Actor = actors.PARTICIPANT, **more: Any) -> ProtectedParticipant:
    values: dict[str, Any] = {"hides_country": True, "hides_organisation": True, "alias": "Kestrel"}
    wanted = protection.Wanted(**(values | more))
    return protection.protect(participant_id=person.pk, wanted=wanted, by=by, now=NOW)


def test_what_is_withheld_leaves_the_row(person: Participant) -> None:
    found = protect(person)
    person.refresh_from_db()
    assert (person.display_name, person.has_alias) == ("Kestrel", True)
    assert (person.country, person.organisation, person.organisation_text, person.function) == (None, None, "", "")
    assert b"Canary" not in bytes(found.sealed)
    row = Participant.objects.filter(pk=person.pk).values().get()
    assert "Canary" not in str(row)


@pytest.mark.parametrize(
    "values", [{"organisation_text": "x"}, {"function": "x"}, {"has_alias": False}, {"country": True}]
)
def test_the_database_refuses_to_have_it_back(person: Participant, values: dict[str, Any]) -> None:
    protect(person)
    if "country" in values:
        values = {"country": CountryFactory.create()}
    with pytest.raises(IntegrityError, match="not kept of the person"), transaction.atomic():
        Participant.objects.filter(pk=person.pk).update(**values)


def test_a_protection_beside_what_it_withholds_is_refused(person: Participant) -> None:
    row = ProtectedParticipant(participant=person, safe=safes.make(now=NOW), sealed=b"x", set_at=NOW)
    with pytest.raises(IntegrityError, match="take it out of the row first"), transaction.atomic():
        row.save()


def test_lifting_puts_it_back_and_changing_swaps(person: Participant) -> None:
    before = Participant.objects.filter(pk=person.pk).values("country", "organisation", "function").get()
    protect(person, hides_organisation=False)
    protect(person, hides_country=False)
    person.refresh_from_db()
    assert (person.country_id, person.function) == (before["country"], "")
    protection.lift(participant_id=person.pk, by=actors.PARTICIPANT, now=NOW)
    protection.lift(participant_id=person.pk, by=actors.PARTICIPANT, now=NOW)
    assert Participant.objects.filter(pk=person.pk).values("country", "organisation", "function").get() == before
    assert not ProtectedParticipant.objects.exists()


def test_an_alias_is_needed(person: Participant) -> None:
    with pytest.raises(protection.AliasMissing):
        protect(person, alias=" ")
    assert not ProtectedParticipant.objects.exists()


def test_only_named_keepers_open_and_the_trail_of_the_person_stays_silent(person: Participant) -> None:
    reader, guardian = UserFactory.create(), UserFactory.create()
    by = actors.Actor.organiser(StaffFactory.create())
    named = (safes.Named(reader.pk, True, False), safes.Named(guardian.pk, False, True))
    found = protect(person, by=by, keepers=named, note="Speaks Kazakh.")
    with pytest.raises(safes.NotAKeeper):
        protection.open_record(participant_id=person.pk, reason="I am superuser.", by=by, now=NOW)
    with pytest.raises(safes.NotAKeeper):
        protection.lift(participant_id=person.pk, by=by, now=NOW)
    with pytest.raises(safes.NotAKeeper):
        protect(person, by=by, hides_country=False)
    record = protection.open_record(
        participant_id=person.pk, reason="The visa office asks.", by=actors.Actor.organiser(reader), now=NOW
    )
    identity: Identity = person.open_identity()
    assert (record.identity, record.country, record.organisation) == (identity, "Canaryland", "Canary House")
    assert (record.function, record.note) == ("Head of Canary House", "Speaks Kazakh.")
    assert SafeOpening.objects.get().user == reader
    assert not AuditEntry.objects.filter(about_id=person.public_id).exists()
    assert AuditEntry.objects.filter(action="safe.opened", about_id=found.safe.public_id, actor_user=reader).exists()


def test_audience_rules_go_by_what_was_told(person: Participant) -> None:
    admission = AdmissionFactory.create(
        conference=person.conference, approval=ApprovalMode.AUDIENCE, audience_categories=[person.category], capacity=1
    )
    admission.audience_organisations.add(person.organisation)
    type(admission).objects.filter(pk=admission.pk).update(audience_categories=[])
    holder = RegistrationFactory.create(admission=admission, status=RegistrationStatus.CONFIRMED)
    waiting = RegistrationFactory.create(
        admission=admission, participant=person, status=RegistrationStatus.WAITLISTED, position=1
    )
    protect(person)
    Registration.objects.filter(pk=holder.pk).update(status=RegistrationStatus.CANCELLED, cancelled_at=NOW)
    assert waiting_list.promote_into_free_places(now=NOW) == 1
    waiting.refresh_from_db()
    assert waiting.status == RegistrationStatus.CONFIRMED


def test_corrections_leave_what_is_withheld(person: Participant) -> None:
    protect(person)
    person = Participant.objects.select_related("identity_key", "country").get(pk=person.pk)
    own = own_corrections.own_data(person)

    wanted = dataclasses.replace(own, alias="", organisation_text="Nest", function="Head", language="fr")
    assert own_corrections.correct(participant_id=person.pk, wanted=wanted, now=NOW) == {"language"}


def test_photo_and_recording_consents_are_taken_back(person: Participant) -> None:
    consents.append(person, Purpose.PHOTO, is_given=True, language="en", source=ConsentSource.FORM, now=NOW)
    protect(person, no_photo=True)
    assert not consents.newest(person)[Purpose.PHOTO].is_given
    assert TakeDown.objects.filter(participant=person, purpose=Purpose.PHOTO).exists()


def test_erasure_takes_the_protection_and_its_safe(person: Participant) -> None:
    reader, guardian = UserFactory.create(), UserFactory.create()
    by = actors.Actor.organiser(StaffFactory.create())
    found = protect(person, by=by, keepers=(safes.Named(reader.pk, True, False), safes.Named(guardian.pk, False, True)))
    protection.open_record(
        participant_id=person.pk, reason="The visa office asks.", by=actors.Actor.organiser(reader), now=NOW
    )
    erasure.erase(participant_id=person.pk, by=actors.PARTICIPANT, now=NOW)
    assert not ProtectedParticipant.objects.exists()
    assert not SafeOpening.objects.exists()
    assert not type(found.safe).objects.exists()
    assert not User.objects.filter(pk=reader.pk, is_active=False).exists()
    found.participant.refresh_from_db()
    with pytest.raises(crypto.Unreadable):
        Participant.objects.get(pk=person.pk).open_identity()


def test_a_form_opened_before_takes_back_nothing_that_was_ticked_meanwhile(person: Participant, client: Client) -> None:
    url = reverse("registration:protection", args=[person.personal_token])
    sent = {"save": "1", "hides_country": "on", "alias": "Kestrel", "seen": ""}
    assert client.post(url, sent).status_code == 303
    assert client.post(url, sent).status_code == 303  # the same form twice
    protect(person, no_photo=True, no_recording=True)  # by somebody else, after the page was opened
    opened = "hides_country"

    stale = client.post(url, {"save": "1", "hides_country": "on", "alias": "Merlin", "seen": opened})
    ended = client.post(url, {"end": "1", "seen": opened})

    assert (stale.status_code, ended.status_code) == (422, 422)
    assert "changed meanwhile" in stale.text
    assert 'value="Merlin"' in stale.text
    found = ProtectedParticipant.objects.get()
    assert (found.no_photo, found.no_recording, found.hides_organisation) == (True, True, True)
    seen = re.search(r'name="seen" value="([^"]*)"', stale.text)
    assert seen is not None
    sent = {"save": "1", "hides_country": "on", "alias": "Kestrel", "seen": seen[1]}
    assert client.post(url, sent).status_code == 303  # looked at as it stands
    assert protection.flags(ProtectedParticipant.objects.get()) == {"hides_country"}


@pytest.mark.parametrize("many", [1, 4])
def test_the_audience_costs_the_same_for_few_and_many_protected_people(many: int) -> None:
    country = CountryFactory.create()
    admission = AdmissionFactory.create(
        capacity=0, approval=ApprovalMode.AUDIENCE, audience_country_statuses=[country.status]
    )
    for number in range(many):
        person = ParticipantFactory.create(
            conference=admission.conference, category="delegation" if number else "media", country=country
        )
        protect(person)
        RegistrationFactory.create(admission=admission, participant=person, status=RegistrationStatus.WAITLISTED)
    admission = Admission.objects.with_meeting().get(pk=admission.pk)

    with CaptureQueriesContext(connection) as asked:
        served = seats.serve(admission, seats.Seats(None, None), waiting=many)

    assert len(served) == many - 1
    assert len(asked) == 7


def test_the_person_asks_for_it_in_plain_words(person: Participant, client: Client) -> None:
    url = reverse("registration:protection", args=[person.personal_token])
    page = client.get(url)
    assert b"Show my country nowhere" in page.content
    refused = client.post(url, {"save": "1", "hides_country": "on"})
    assert refused.status_code == 422
    done = client.post(url, {"save": "1", "hides_country": "on", "no_recording": "on", "alias": "Kestrel"})
    assert done.status_code == 303
    person.refresh_from_db()
    assert (person.display_name, person.country) == ("Kestrel", None)
    correct = client.get(reverse("registration:correct", args=[person.personal_token]))
    assert b'name="country"' not in correct.content
    assert b"Canaryland" not in client.get(reverse("registration:personal", args=[person.personal_token])).content
    person = Participant.objects.select_related("identity_key", "country", "conference").get(pk=person.pk)
    kept = json.dumps(own_data.as_data(own_data.collect(person, now=NOW), conference="x", now=NOW))
    assert "Canaryland" in kept
    assert client.post(url, {"end": "1"}).status_code == 303
    assert not ProtectedParticipant.objects.exists()
