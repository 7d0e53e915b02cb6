"""The protection of people who speak: taken out everywhere, refused by the database, read by named keepers only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import actors, safes
from accounts.models import AuditEntry, SafeKeeper, SafeOpening, User
from events import admin_documents
from events.models import Job, JobState, ReleasedRow
from events.programme_file import work
from events.releases import publishing
from outbox.models import Message
from speakers import protection
from speakers.models import Affiliation, Contribution, Person, Protection
from tests.factories import (
    NOW,
    ContributionFactory,
    CountryFactory,
    OrganisationFactory,
    PersonFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by() -> actors.Actor:
    """Somebody who sets protections."""
    return actors.Actor.organiser(UserFactory.create(is_staff=True))


@pytest.fixture
def seat() -> Contribution:
    """Somebody worded in full."""
    person = PersonFactory.create(display_name="Ada Lark", biography={"en": "Born in Canaryland."})
    Affiliation.objects.create(person=person, organisation=OrganisationFactory.create(), role_title={"en": "Head"})
    row: Contribution = ContributionFactory.create(
        person=person,
        organisation=OrganisationFactory.create(name={"en": "Canary House"}),
        role_title={"en": "Head of Canary House"},
        country=CountryFactory.create(),
        country_meaning="stated",
    )
    row.other_organisations.add(OrganisationFactory.create(name={"en": "Canary Nest"}))
    return row


def who(seat: Contribution) -> Person:
    """The person of a seat that has one."""
    assert seat.person is not None
    return seat.person


def wanted(**more: Any) -> protection.Wanted:
    return protection.Wanted(hides_country=True, hides_organisation=True, **more)


def keepers() -> tuple[User, User, tuple[safes.Named, ...]]:
    reader, guardian = UserFactory.create(), UserFactory.create()
    return reader, guardian, (safes.Named(reader.pk, True, False), safes.Named(guardian.pk, False, True))


def test_what_is_withheld_is_nowhere_in_programme_and_releases(seat: Contribution, by: actors.Actor) -> None:
    release = publishing.publish(conference=seat.session.conference, by=by.user, now=NOW)
    protection.protect(person_id=who(seat).pk, wanted=wanted(), by=by, now=NOW)
    seat.refresh_from_db()
    assert (seat.organisation, seat.country, seat.country_meaning, seat.role_title) == (None, None, "", {})
    assert not seat.other_organisations.exists()
    assert not Affiliation.objects.filter(person=who(seat).pk).exists()
    kept = ReleasedRow.objects.filter(release=release, table="speakers_contribution").get()
    assert not {"organisation_id", "country_id", "country_meaning", "role_title"} & kept.data.keys()
    assert not ReleasedRow.objects.filter(table="speakers_contribution_other_organisations").exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organisation_id, country_id, country_meaning, role_title::text FROM released.speakers_contribution"
        )
        assert cursor.fetchall() == [(None, None, "", "{}")]
        cursor.execute("SELECT count(*) FROM released.speakers_contribution_other_organisations")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("field", ["organisation", "country", "role_title", "others", "biography", "affiliation"])
def test_the_database_refuses_to_have_it_back(seat: Contribution, by: actors.Actor, field: str) -> None:
    protection.protect(person_id=who(seat).pk, wanted=wanted(), by=by, now=NOW)
    mine = Contribution.objects.filter(pk=seat.pk)
    person = Person.objects.filter(pk=who(seat).pk)
    body, country = OrganisationFactory.create(), CountryFactory.create()
    writes: dict[str, Callable[[], Any]] = {
        "organisation": lambda: mine.update(organisation=body),
        "country": lambda: mine.update(country=country, country_meaning="stated"),
        "role_title": lambda: mine.update(role_title={"en": "Head"}),
        "others": lambda: seat.other_organisations.add(body),
        "biography": lambda: person.update(biography={"en": "Born there."}),
        "affiliation": lambda: Affiliation.objects.create(person=who(seat), role_title={"en": "Head"}),
    }
    with pytest.raises(IntegrityError, match="not said of the person"), transaction.atomic():
        writes[field]()


def test_a_protection_beside_what_it_withholds_is_refused(seat: Contribution, by: actors.Actor) -> None:
    with pytest.raises(IntegrityError, match="take it out of the"), transaction.atomic():
        Protection.objects.create(person=who(seat), safe=safes.make(now=NOW), hides_country=True, set_at=NOW)


def test_named_keepers_read_with_a_reason_and_guardians_are_told(seat: Contribution, by: actors.Actor) -> None:
    reader, guardian, named = keepers()
    protection.protect(person_id=who(seat).pk, wanted=wanted(note="Known as Kestrel.", keepers=named), by=by, now=NOW)
    Message.objects.all().delete()
    record = protection.open_record(
        person_id=who(seat).pk, reason="The embassy asks for a visa.", by=actors.Actor.organiser(reader), now=NOW
    )
    assert record.note == "Known as Kestrel."
    assert any("Canary House; Canary Nest; title (en): Head of Canary House" in line for line in record.taken_out)
    assert any("Canaryland" in line for line in record.taken_out)
    [opening] = SafeOpening.objects.all()
    assert (opening.user, opening.reason) == (reader, "The embassy asks for a visa.")
    [message] = Message.objects.all()
    assert (message.topic, message.about_id) == ("safe.told", guardian.public_id)
    trail = AuditEntry.objects.filter(action="safe.opened").get()
    assert (trail.about_id, trail.actor_user) == (opening.safe.public_id, reader)
    assert not AuditEntry.objects.filter(about_id=who(seat).public_id).exists()


def test_no_right_opens_a_safe_but_being_named(seat: Contribution, by: actors.Actor) -> None:
    _reader, guardian, named = keepers()
    protection.protect(person_id=who(seat).pk, wanted=wanted(keepers=named), by=by, now=NOW)
    setter = by.user
    assert setter is not None
    staff: User = StaffFactory.create()
    for user in (staff, guardian, setter):
        with pytest.raises(safes.NotAKeeper):
            protection.open_record(
                person_id=who(seat).pk, reason="I am the head.", by=actors.Actor.organiser(user), now=NOW
            )
    assert not SafeOpening.objects.exists()


def test_readers_have_a_reason_a_guardian_and_somebody_who_named_them(seat: Contribution, by: actors.Actor) -> None:
    reader, guardian, named = keepers()
    made = protection.protect(person_id=who(seat).pk, wanted=wanted(keepers=named), by=by, now=NOW)
    with pytest.raises(safes.ReasonMissing):
        protection.open_record(person_id=who(seat).pk, reason=" ok ", by=actors.Actor.organiser(reader), now=NOW)
    alone = wanted(keepers=(safes.Named(reader.pk, True, True),))
    with pytest.raises(safes.NobodyIsTold):
        protection.protect(person_id=who(seat).pk, wanted=alone, by=by, now=NOW)
    told = (*named, safes.Named(by.user.pk, False, True))  # type: ignore[union-attr]
    protection.protect(person_id=who(seat).pk, wanted=wanted(keepers=told), by=by, now=NOW)
    protection.protect(person_id=who(seat).pk, wanted=wanted(keepers=named), by=by, now=NOW)
    mine = wanted(keepers=(*named, safes.Named(by.user.pk, True, False)))  # type: ignore[union-attr]
    with pytest.raises(safes.NamedThemselves):
        protection.protect(person_id=who(seat).pk, wanted=mine, by=by, now=NOW)
    with pytest.raises(IntegrityError, match="safe_keeper_is_named_by_another"), transaction.atomic():
        SafeKeeper.objects.filter(user=reader).update(named_by=reader)
    User.objects.filter(pk=guardian.pk).update(is_active=False)
    with pytest.raises(safes.NobodyIsTold):
        protection.open_record(
            person_id=who(seat).pk, reason="A reason in words.", by=actors.Actor.organiser(reader), now=NOW
        )
    assert set(made.safe.keepers.values_list("user_id", flat=True)) == {reader.pk, guardian.pk}


def _delete_openings() -> None:
    SafeOpening.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_openings_stay_as_they_are_until_the_safe_goes(seat: Contribution, by: actors.Actor) -> None:
    reader, _guardian, named = keepers()
    protection.protect(person_id=who(seat).pk, wanted=wanted(keepers=named), by=by, now=NOW)
    protection.open_record(
        person_id=who(seat).pk, reason="A reason in words.", by=actors.Actor.organiser(reader), now=NOW
    )
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        SafeOpening.objects.update(reason="Another.")
    with pytest.raises(IntegrityError, match="goes with its safe"), transaction.atomic():
        _delete_openings()
    with pytest.raises(safes.NotAKeeper):
        protection.lift(person_id=who(seat).pk, by=by, now=NOW)
    protection.lift(person_id=who(seat).pk, by=actors.Actor.organiser(reader), now=NOW)
    assert not SafeOpening.objects.exists()
    assert AuditEntry.objects.filter(action="safe.lifted").exists()


def test_sessions_with_somebody_who_is_not_recorded(by: actors.Actor) -> None:
    session, other = SessionFactory.create(), SessionFactory.create()
    seat = ContributionFactory.create(session=session)
    gone = ContributionFactory.create(session=other, person=who(seat), status="declined", position=1)
    protection.protect(
        person_id=who(seat).pk, wanted=protection.Wanted(no_recording=True, no_photo=True), by=by, now=NOW
    )
    assert protection.unrecorded([session.pk, other.pk]) == protection.unphotographed([session.pk]) == {session.pk}
    assert gone.session_id == other.pk
    assert protection.conference_is_unrecorded(session.conference_id)


def test_files_that_were_made_or_are_being_made_are_forgotten(seat: Contribution, by: actors.Actor) -> None:
    job: dict[str, Any] = {"owner": by.user, "conference": seat.session.conference, "created_at": NOW}
    made = Job.objects.create(
        kind=work.EXPORT, state=JobState.DONE, finished_at=NOW, result=b"Canary House", result_name="file.yaml", **job
    )
    being_made = Job.objects.create(
        kind=admin_documents.WORK, state=JobState.RUNNING, lease_token=uuid4(), leased_until=NOW, **job
    )
    protection.protect(person_id=who(seat).pk, wanted=wanted(), by=by, now=NOW)
    for one in (made, being_made):
        one.refresh_from_db()
    assert (bytes(made.result), made.result_name, being_made.is_cancelling) == (b"", "", True)
