"""The demo: what it shows on the first start, and that later starts keep what people have done."""

from __future__ import annotations

import io
import stat
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from alliance import languages
from events import programme_file
from events.models import Conference, Country, Job, RegistrationMode, Session
from outbox.models import Message, MessageState
from registration import services
from registration.delegations import listing as delegation_listing
from registration.demo import loading, login, states
from registration.demo.people import invented_people
from registration.models import (
    Admission,
    Category,
    CheckIn,
    Invitation,
    MailBounce,
    Membership,
    Participant,
    ProtectedParticipant,
    Registration,
    RegistrationStatus,
    TakeDown,
    Verification,
)
from speakers.models import Contribution, ContributionStatus
from tests import factories
from video.models import Meeting
from video.services import OpenDoor

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # a Sunday

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _demo(settings: Any) -> None:
    """As ./run demo starts it: http on the loopback address is allowed for meetings."""
    settings.DEMO = True
    settings.SITE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def side_event() -> Admission:
    """The on-line admission of the first side event, once the demo is loaded."""
    loading.load(now=NOW)
    return loading._admission(Conference.objects.get(slug=loading.CONFERENCE), loading.SIDE_EVENT)


def test_load_fills_the_side_event_but_for_twenty_places(side_event: Admission) -> None:
    assert (side_event.places.capacity, side_event.places.taken, side_event.places.waiting) == (200, 180, 0)
    assert side_event.registrations.filter(status=RegistrationStatus.PENDING).count() == 2
    assert side_event.is_open(NOW + timedelta(days=3650))


def test_load_lets_the_announced_audience_in(side_event: Admission) -> None:
    state, partner = Country.objects.get(iso2="MN"), Country.objects.get(iso2="JP")
    other = Country.objects.get(iso2="BR")

    def admits(category: Category, country: Country | None = None, organisation: int | None = None) -> bool:
        return side_event.admits(category=category, country=country, organisation_id=organisation)

    known = side_event.audience_organisations.get(key="ecpat")
    assert admits(Category.DELEGATION, state)
    assert admits(Category.DELEGATION, partner)
    assert not admits(Category.DELEGATION, other)
    assert admits(Category.EXECUTIVE_STRUCTURE)
    assert admits(Category.FIELD_OPERATION)
    assert not admits(Category.CIVIL_SOCIETY)
    assert admits(Category.CIVIL_SOCIETY, organisation=known.pk)


def test_load_shows_both_side_events_roles_and_the_open_seats(side_event: Admission) -> None:
    conference = side_event.conference

    second = Session.objects.get(conference=conference, key="a20-side-2")
    assert second.registration_mode == RegistrationMode.EXTERNAL_ZOOM_WEBINAR
    assert not Admission.objects.filter(session=second).exists()
    assert Contribution.objects.filter(session=second, status=ContributionStatus.TBC).count() == 1
    assert Contribution.objects.filter(session__conference=conference, person=None).count() == 1
    assert Contribution.objects.filter(session__conference=conference, person__is_pseudonym=True).count() == 2
    modes = Admission.objects.filter(conference=conference, session=None).values_list("mode", flat=True)
    assert sorted(modes) == ["in_person", "online"]
    assert Country.objects.states_and_partners().count() == 68


def test_load_shows_translations_and_honest_gaps(side_event: Admission) -> None:
    titles = {session.key: set(session.title) for session in Session.objects.filter(conference=side_event.conference)}

    assert titles.pop("a20-side-2") == {"en"}
    assert set(map(frozenset, titles.values())) == {frozenset(languages.codes())}
    assert set(side_event.conference.title) == set(languages.codes())


def test_load_sends_no_mail_to_the_generated_people(side_event: Admission) -> None:
    generated = set(
        Participant.objects.filter(conference=side_event.conference, registrations__status="confirmed").values_list(
            "public_id", flat=True
        )
    )

    services.queue_missing_join_links(now=NOW + timedelta(hours=1))

    queued = Message.objects.unsent()
    assert len(generated) == 180
    assert not queued.filter(about_id__in=generated).exists()
    # Two who wait for approval, eight at the workshop and seven of registration.demo.states came like anybody else.
    assert queued.filter(topic="registration.received").count() == 17
    assert Message.objects.filter(state=MessageState.SENT, topic="registration.join_link").count() == 180
    assert mail.outbox == []


def test_generated_people_can_be_read_and_use_their_links(side_event: Admission) -> None:
    registration = Registration.objects.with_all().filter(admission=side_event, status="confirmed").order_by("pk")[0]
    participant = registration.participant

    identity = participant.open_identity()

    assert identity.email.endswith(".example")
    assert participant.display_name == identity.full_name
    assert services.find_personal(token=participant.personal_token) is not None
    entry = services.enter(token=registration.join_token, now=NOW, joining=False)
    assert entry is not None
    assert isinstance(entry.door, OpenDoor)


def test_generated_people_are_mixed() -> None:
    people = invented_people()

    assert len(people) == len({person.email for person in people}) == 180
    assert len({person.country for person in people}) == 45
    assert {person.language for person in people} == set(languages.codes())
    assert {person.category for person in people} >= {Category.DELEGATION, Category.FIELD_OPERATION, Category.ACADEMIA}
    assert any("Щ" in person.family_name for person in people)
    assert sum(bool(person.alias) for person in people) == 4


def test_aliases_are_the_only_name_that_is_stored_readably(side_event: Admission) -> None:
    hidden = [person for person in invented_people() if person.alias]

    shown = set(Participant.objects.filter(has_alias=True).values_list("display_name", flat=True))

    assert shown == {person.alias for person in hidden} | {"Wren"}
    assert not Participant.objects.filter(display_name__contains=hidden[0].family_name).exists()


def test_load_makes_a_workshop_with_one_place_left(side_event: Admission) -> None:
    conference = Conference.objects.get(slug=loading.WORKSHOP)
    room = Admission.objects.get(conference=conference, session=None, mode="in_person")

    assert conference.starts_on is not None
    assert timedelta(days=20) < conference.starts_on - NOW.date() < timedelta(days=40)
    assert conference.starts_on.weekday() == 1
    assert set(conference.title) == set(languages.codes())
    assert (room.places.capacity, room.places.taken, room.places.left) == (5, 4, 1)
    assert Session.objects.filter(conference=conference, starts_at=None).count() == 0
    meeting = Meeting.objects.get(conference=conference)
    assert meeting.opens_at is not None
    assert meeting.opens_at > NOW


def test_load_makes_a_delegation_an_offer_and_an_invitation(side_event: Admission) -> None:
    conference = Conference.objects.get(slug=loading.WORKSHOP)
    delegation = conference.delegations.get()
    room = Admission.objects.get(conference=conference, session__key="referral")

    assert delegation.focal_points.get().user.email == login.FOCAL_POINT
    assert Counter(Membership.objects.values_list("state", flat=True)) == {
        "nominated": 2, "confirmed": 3, "declined": 1, "replaced": 1,
    }  # fmt: skip
    assert delegation_listing.of(conference).number == 2
    assert Counter(room.registrations.values_list("status", flat=True)) == {
        "cancelled": 1, "confirmed": 1, "offered": 1, "waitlisted": 1,
    }  # fmt: skip
    assert (room.places.capacity, room.places.held, room.reserves.get().taken) == (3, 1, 0)
    assert conference.invitations.get(language="fr").may_answer(NOW)


def test_load_shows_every_state(side_event: Admission) -> None:
    found = Counter(Registration.objects.values_list("status", flat=True))
    invitations = {one.standing(NOW) for one in Invitation.objects.all()}
    messages = set(Message.objects.values_list("state", flat=True))
    states.job(Conference.objects.get(slug=loading.WORKSHOP), factories.StaffFactory(), now=NOW)

    assert set(found) == set(RegistrationStatus.values)
    assert set(Membership.objects.values_list("verification", flat=True)) == set(Verification.values)
    assert invitations >= {"sent", "accepted", "declined", "withdrawn", "expired"}
    assert messages >= {MessageState.QUEUED, MessageState.SENT, MessageState.HELD, MessageState.DEAD}
    assert CheckIn.objects.standing().count() == found["attended"] == 12
    assert MailBounce.objects.count() == TakeDown.objects.count() == ProtectedParticipant.objects.count() == 1
    assert bytes(Job.objects.get(state="done").result).startswith(b"PK")


def test_load_twice_adds_and_changes_nothing(side_event: Admission) -> None:
    conference = Conference.objects.get(slug=loading.CONFERENCE)
    Conference.objects.filter(pk=conference.pk).update(hashtag="#ours")
    one = side_event.registrations.filter(status="confirmed").order_by("pk")[0]
    Registration.objects.filter(pk=one.pk).update(status="cancelled", cancelled_at=NOW)

    with CaptureQueriesContext(connection) as queries:
        assert loading.load(now=NOW + timedelta(days=2)) == []

    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert Conference.objects.get(pk=conference.pk).hashtag == "#ours"
    assert Participant.objects.count() == 204


def test_meetings_follow_the_site_to_another_port(side_event: Admission, settings: Any) -> None:
    kept = factories.MeetingFactory.create()
    settings.SITE_URL = "http://127.0.0.1:8017"

    loading.load(now=NOW)

    ours = Meeting.objects.exclude(pk=kept.pk)
    assert {meeting.address for meeting in ours} == {"http://127.0.0.1:8017/demo/meeting/"}
    assert {tuple(meeting.allowed_hosts) for meeting in ours} == {("127.0.0.1",)}
    kept.refresh_from_db()
    assert kept.address == "https://meet.provider.example/canary-room"


def test_load_is_quick() -> None:
    started = time.process_time()

    loading.load(now=NOW)

    assert time.process_time() - started < 4  # seconds of CPU; about 1 on an idle machine


def test_demo_files_import_without_a_difference(side_event: Admission) -> None:
    assert programme_file.load((loading.DATA / "alliance-20.yaml").read_bytes()).lines == []


# --- the command and the log-in -------------------------------------------------------------------------------------


def test_command_refuses_to_run_outside_a_demo(settings: Any) -> None:
    settings.DEMO = False

    with pytest.raises(CommandError, match="This is no demo"):
        call_command("demo")

    assert not User.objects.exists()
    assert not Conference.objects.exists()


def test_command_prints_the_same_log_in_every_time(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    outputs = []
    for _start in range(2):
        out = io.StringIO()
        call_command("demo", stdout=out, stderr=io.StringIO())
        outputs.append(out.getvalue())

    phrase, focal = (
        (tmp_path / "var" / name).read_text(encoding="utf-8").strip()
        for name in ("demo-login.txt", "demo-focal-point.txt")
    )
    assert outputs == [
        f"Log-in: organiser@demo.example   {phrase}\n"
        f"Focal point: focal.point@demo.example   {focal}   at /en/delegations/\n"
    ] * 2  # fmt: skip
    user = User.objects.get(email=login.EMAIL)
    assert (user.is_staff, user.is_superuser, user.check_password(phrase)) == (True, True, True)
    user = User.objects.get(email=login.FOCAL_POINT)
    assert (user.is_staff, user.is_superuser, user.check_password(focal)) == (False, False, True)


def test_pass_phrase_is_long_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "login.txt"

    phrase = login.ensure(file)

    assert phrase is not None
    assert len(phrase) >= 15
    assert len(phrase.split("-")) == 6
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert login.pass_phrase() != login.pass_phrase()


def test_pass_phrase_is_made_anew_when_its_file_is_lost(tmp_path: Path) -> None:
    first = login.ensure(tmp_path / "login.txt")
    (tmp_path / "login.txt").unlink()

    second = login.ensure(tmp_path / "login.txt")

    assert second is not None
    assert second != first
    assert User.objects.get().check_password(second)


def test_pass_phrase_that_a_person_has_set_is_kept(tmp_path: Path) -> None:
    login.ensure(tmp_path / "login.txt")
    user = User.objects.get()
    user.set_password("something of my own")
    user.save()

    assert login.ensure(tmp_path / "login.txt") is None
    assert User.objects.get().check_password("something of my own")
