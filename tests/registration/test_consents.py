"""Consents: asked for by the conference alone, kept line by line, taken back by one click with work that follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actors
from accounts.models import AuditEntry
from alliance.db import constraint_name
from events.models import Conference
from registration import consent_wordings, selectors, services
from registration.models import (
    Consent,
    ConsentSource,
    IdentityKey,
    Membership,
    Participant,
    Purpose,
    TakeDown,
)
from registration.services import consents, delegations, erasure
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoleFactory,
)
from tests.registration.people import register
from tests.registration.test_delegation_views import a_delegation
from tests.registration.test_delegations import nominate, nominee

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def asking(*purposes: Purpose) -> Conference:
    """A conference that asks for these."""
    conference: Conference = ConferenceFactory()
    consents.ask_for(conference=conference, purposes=purposes, by=actors.SYSTEM, now=NOW)
    return conference


def say(person: Participant, purpose: Purpose, *, give: bool, later: timedelta = timedelta()) -> bool:
    """Agree or take back."""
    change = consents.give if give else consents.withdraw
    return change(participant_id=person.pk, purpose=purpose, language="en", now=NOW + later)


# --- the form ---------------------------------------------------------------------------------------------------------


def test_form_asks_for_nothing_by_default_and_else_only_for_what_the_conference_wants(client: Client) -> None:
    conference = asking(Purpose.PHOTO, Purpose.CONTACT)
    AdmissionFactory(conference=conference, session=None)
    other = AdmissionFactory(session=None).conference

    page = client.get(f"/en/{conference.slug}/register/").content.decode()
    plain = client.get(f"/en/{other.slug}/register/").content.decode()

    for purpose in Purpose:
        assert (f'name="consent-{purpose}"' in page) is (purpose in {Purpose.PHOTO, Purpose.CONTACT})
        assert f'name="consent-{purpose}"' not in plain
    box = page[page.index('name="consent-photo"') - 60 : page.index('name="consent-photo"') + 120]
    assert "checked" not in box
    assert page.index('name="email"') < page.index('name="consent-photo"')


def test_what_is_ticked_is_kept_with_words_language_and_source_without_one_more_statement() -> None:
    admission = AdmissionFactory(session=None, conference=asking(Purpose.PHOTO, Purpose.CONTACT))
    with CaptureQueriesContext(connection) as without:
        register(admission, token="one", email="one@mail.example")
    with CaptureQueriesContext(connection) as ticked:
        register(admission, token="two", email="two@mail.example", language="fr", consents=("photo", "contact"))

    lines = {line.purpose: line for line in Consent.objects.all()}

    assert len(ticked) == len(without)
    assert set(lines) == {"photo", "contact"}
    photo, contact = lines["photo"], lines["contact"]
    assert (photo.is_given, photo.language, photo.source, photo.at) == (True, "fr", ConsentSource.FORM, NOW)
    assert (photo.wording, photo.expires_at) == (consent_wordings.current("photo").version, None)
    assert contact.expires_at == NOW + timedelta(days=730)
    entry = AuditEntry.objects.get(action="consent.given")
    assert entry.details == {"purposes": ["photo", "contact"], "source": "form"}


def test_form_changes_nothing_for_an_address_that_is_known() -> None:
    admission = AdmissionFactory(session=None, conference=asking(Purpose.PHOTO))
    register(admission, token="one")

    register(admission, token="two", consents=("photo",))

    assert not Consent.objects.exists()


# --- the ledger -------------------------------------------------------------------------------------------------------


def test_giving_and_withdrawing_twice_writes_one_line_each_and_one_piece_of_work() -> None:
    person = ParticipantFactory(conference=asking(Purpose.PHOTO))

    told = [say(person, Purpose.PHOTO, give=give) for give in (False, True, True, False, False)]

    assert told == [False, True, False, True, False]
    assert [line.is_given for line in Consent.objects.order_by("pk")] == [True, False]
    assert TakeDown.objects.get().asked_at == NOW
    assert consents.own(person, now=NOW)[0].is_given is False


def test_giving_again_takes_the_open_work_away_and_leaves_what_is_done() -> None:
    person = ParticipantFactory(conference=asking(Purpose.PHOTO))
    say(person, Purpose.PHOTO, give=True)
    say(person, Purpose.PHOTO, give=False)
    done = TakeDown.objects.get()
    user = RoleFactory(kind="organiser", conference=person.conference).user
    by = actors.Actor.organiser(user)

    ticked = [consents.tick_off(conference=person.conference, public_id=done.public_id, by=by, now=NOW) for _n in "12"]
    say(person, Purpose.PHOTO, give=True)
    say(person, Purpose.PHOTO, give=False)
    say(person, Purpose.PHOTO, give=True)

    assert ticked == [True, False]
    done = TakeDown.objects.get()
    assert (done.done_at, done.done_by) == (NOW, user)


def test_a_consent_ends_by_itself_and_can_be_given_again() -> None:
    person = ParticipantFactory(conference=asking(Purpose.CONTACT))
    RegistrationFactory(participant=person, admission=AdmissionFactory(conference=person.conference))
    say(person, Purpose.CONTACT, give=True)
    after = timedelta(days=731)

    before = [consents.own(person, now=NOW)[0].is_given, consents.own(person, now=NOW + after)[0].is_given]

    assert before == [True, False]
    assert consents.agreed(person.conference, now=NOW)[Purpose.CONTACT] == 1
    assert consents.agreed(person.conference, now=NOW + after)[Purpose.CONTACT] == 0
    assert say(person, Purpose.CONTACT, give=True, later=after)


def test_what_has_ended_by_itself_is_work_like_what_was_taken_back(client: Client) -> None:
    conference = asking(Purpose.CONTACT, Purpose.PHOTO)
    person, erased = ParticipantFactory.create_batch(2, conference=conference)
    for one in (person, erased):
        say(one, Purpose.CONTACT, give=True)
        say(one, Purpose.PHOTO, give=True)
    erasure.erase(participant_id=erased.pk, by=actors.SYSTEM, now=NOW)
    over = NOW + timedelta(days=730)

    assert consents.expire(now=over - timedelta(seconds=1)) == 0
    assert [consents.expire(now=over) for _twice in range(2)] == [1, 0]

    line = consents.newest(person)[Purpose.CONTACT]
    assert (line.is_given, line.source, line.by, line.wording) == (False, ConsentSource.TIME, None, "2026-11")
    assert [(work.purpose, work.asked_at) for work in TakeDown.objects.all()] == [(Purpose.CONTACT, over)]
    assert "Ended by itself" in client.get(f"/r/{person.personal_token}/").content.decode()
    assert consents.newest(person)[Purpose.PHOTO].is_given


def test_the_whole_ledger_of_one_person_leaves_as_a_paper_on_the_record(client: Client) -> None:
    conference = asking(Purpose.PHOTO)
    person = ParticipantFactory(conference=conference)
    say(person, Purpose.PHOTO, give=True)
    say(person, Purpose.PHOTO, give=False)
    client.force_login(RoleFactory(kind="organiser", conference=conference).user)
    base = f"/admin/events/conference/{conference.pk}/consents/"

    paper = client.get(f"{base}people/{person.public_id}/proof.pdf")
    work = client.get(base).content.decode()

    assert paper.content.startswith(b"%PDF-")
    assert AuditEntry.objects.get(action="consent.exported").details == {"lines": 2}
    assert "Papers and recordings (0)" in work


def test_nobody_agrees_to_what_is_not_asked_but_takes_back_what_was() -> None:
    person = ParticipantFactory(conference=asking(Purpose.PHOTO))
    say(person, Purpose.PHOTO, give=True)
    consents.ask_for(conference=person.conference, purposes=[], by=actors.SYSTEM, now=NOW)
    again = Participant.objects.get()

    with pytest.raises(consents.NotAsked):
        say(again, Purpose.STREAM, give=True)

    assert [(one.purpose, one.may_be_given) for one in consents.own(again, now=NOW)] == [(Purpose.PHOTO, False)]
    assert say(again, Purpose.PHOTO, give=False)


@pytest.mark.parametrize(
    "change", ["UPDATE registration_consent SET is_given = true", "DELETE FROM registration_consent"]
)
def test_database_changes_no_line(change: str) -> None:
    person = ParticipantFactory(conference=asking(Purpose.PHOTO))
    say(person, Purpose.PHOTO, give=True)

    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{change}; SET CONSTRAINTS ALL IMMEDIATE")

    assert constraint_name(refused.value) in {"consent_is_never_changed", "consent_goes_by_erasure_only"}


def test_erasing_takes_the_lines_and_leaves_the_work_without_a_name() -> None:
    person = ParticipantFactory(conference=asking(Purpose.PHOTO, Purpose.STREAM))
    say(person, Purpose.PHOTO, give=True)
    say(person, Purpose.PHOTO, give=False)

    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Consent.objects.exists()
    assert TakeDown.objects.get().participant.display_name == erasure.ERASED_NAME
    assert not IdentityKey.objects.exists()


# --- the list of participants -----------------------------------------------------------------------------------------


def test_list_of_a_delegation_and_ledger_say_the_same_whoever_is_asked() -> None:
    delegation = a_delegation()
    [made] = nominate(delegation, nominee())
    person = made.membership.participant

    delegations.confirm(membership_id=made.membership.pk, is_listed=True, now=NOW)
    delegations.confirm(membership_id=made.membership.pk, is_listed=True, now=NOW)
    listed = Membership.objects.get().listed_at
    say(person, Purpose.LIST, give=False)
    unlisted = Membership.objects.get().listed_at
    say(person, Purpose.LIST, give=True)

    assert (listed, unlisted) == (NOW, None)
    assert Membership.objects.listed().count() == 1
    lines = Consent.objects.order_by("pk").values_list("is_given", "source")
    assert list(lines) == [(True, "member"), (False, "page"), (True, "page")]


# --- pages ------------------------------------------------------------------------------------------------------------


def test_one_click_on_the_personal_page_takes_back_and_gives_again(client: Client) -> None:
    person = ParticipantFactory(conference=asking(Purpose.PHOTO))
    page = f"/r/{person.personal_token}/"

    given = client.post(f"{page}consents/", {"purpose": "photo", "answer": "give"})
    shown = client.get(page).content.decode()
    client.post(f"{page}consents/", {"purpose": "photo", "answer": "withdraw"})
    foreign = client.post(
        f"{page}consents/", {"purpose": "photo", "answer": "give"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    unknown = client.post(f"{page}consents/", {"purpose": "everything", "answer": "give"})

    assert given.status_code == 303
    assert "You agree" in shown
    assert (foreign.status_code, unknown.status_code) == (403, 404)
    assert [line.is_given for line in Consent.objects.order_by("pk")] == [True, False]


def test_organisers_choose_what_is_asked_and_tick_off_the_work(client: Client) -> None:
    conference = asking()
    user = RoleFactory(kind="organiser", conference=conference).user
    client.force_login(user)
    tab = f"/admin/events/conference/{conference.pk}/consents/"

    client.post(f"{tab}ask/", {"purpose": ["photo", "nonsense"]})
    person = ParticipantFactory(conference=Conference.objects.get(), display_name="Speaker A")
    say(person, Purpose.PHOTO, give=True)
    say(person, Purpose.PHOTO, give=False)
    work = TakeDown.objects.get()
    before = client.get(tab).content.decode()
    client.post(f"{tab}done/", {"take_down": str(work.public_id)})
    strange = client.post(f"{tab}done/", {"take_down": "x"})

    assert "Speaker A" in before
    assert (strange.status_code, strange["Location"]) == (302, tab)
    work.refresh_from_db()
    assert (work.done_at, work.done_by) == (NOW, user)
    selectors.forget()
    assert [purpose.value for purpose in consents.asked(Conference.objects.get())] == ["photo"]
    assert services.find_personal(person.personal_token) is not None
