"""The door in the browser without JavaScript and for door.js, and who may open it."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, RoleKind, User
from events.models import Conference, RegistrationMode, Session
from registration.door import codes as door_codes
from registration.models import (
    AttendanceMode,
    Category,
    CheckIn,
    Participant,
    Registration,
    RegistrationStatus,
)
from registration.services import attendance
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoomFactory,
    SessionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

ALIAS, REAL, MAIL, BODY = "Nightingale", "Canary-Realname", "canary@real.example", "Canary Foundation"


def today() -> date:
    """The day of the test, in Vienna."""
    return timezone.now().astimezone(ConferenceFactory.build(venue=None).zone).date()


def conference_now(**more: Any) -> Conference:
    """A conference that takes place now."""
    day = today()
    values = {"starts_on": day - timedelta(days=1), "ends_on": day + timedelta(days=1), **more}
    conference: Conference = ConferenceFactory(**values)
    return conference


def session_now(conference: Conference, **more: Any) -> Session:
    """A session of today that the conference's registration is enough for."""
    now = timezone.now()
    values = {"day": None, "starts_at": now, "ends_at": now + timedelta(minutes=1), **more}
    session: Session = SessionFactory(
        conference=conference, registration_mode=RegistrationMode.WITH_CONFERENCE, **values
    )
    return session


def guest(conference: Conference, **about: Any) -> Registration:
    """Somebody with a place in the room."""
    admission = conference.admissions.filter(session=None).first() or AdmissionFactory(
        session=None, conference=conference, mode=AttendanceMode.IN_PERSON
    )
    status = about.pop("status", RegistrationStatus.CONFIRMED)
    participant = ParticipantFactory(conference=conference, **about)
    registration: Registration = RegistrationFactory(admission=admission, participant=participant, status=status)
    return registration


def protected(conference: Conference) -> Registration:
    """Somebody under an alias, with canaries in everything else."""
    return guest(
        conference,
        display_name=ALIAS,
        has_alias=True,
        given_name="Ada",
        family_name=REAL,
        email=MAIL,
        organisation_text=BODY,
        category=Category.SURVIVOR_NETWORK,
        country=CountryFactory(iso2="CY", name={"en": "Canaryland"}),
    )


CANARIES = (REAL, MAIL, BODY, "Canaryland", "Survivor", "survivor")


def code_of(participant: Participant) -> str:
    """The participant's code."""
    return door_codes.ensure([participant])[participant.pk]


def steward(*permissions: str) -> User:
    """A member of staff with these rights alone."""
    user: User = UserFactory(is_staff=True)
    names = permissions or ("add_checkin",)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def signed_in(client: Client) -> Client:
    """A steward's browser."""
    client.force_login(steward())
    return client


def door_url(conference: Conference, where: str = "_entrance") -> str:
    """The page of a door."""
    return reverse("registration:door", args=[conference.slug, where])


def send(client: Client, url: str, code: str, *, as_json: bool = False, **more: Any) -> Any:
    """Read a code."""
    headers = {"Accept": "application/json"} if as_json else {}
    return client.post(url, {"code": code, "nonce": str(uuid.uuid4()), **more}, headers=headers)


# --- who may open it --------------------------------------------------------------------------------------------------


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    url = door_url(conference_now())

    response = client.get(url)

    assert response.status_code == 302
    assert response["Location"] == f"/en/accounts/login/?next={url}"


@pytest.mark.parametrize("is_staff", [True, False])
def test_without_the_right_there_is_no_door(client: Client, is_staff: bool) -> None:
    conference = conference_now()
    user = UserFactory(is_staff=is_staff)
    if not is_staff:
        user.user_permissions.set(Permission.objects.filter(codename="add_checkin"))
    client.force_login(user)

    for url in (reverse("registration:doors", args=[conference.slug]), door_url(conference)):
        assert client.get(url).status_code == 404
    assert send(client, door_url(conference), code_of(guest(conference).participant)).status_code == 404
    assert not CheckIn.objects.exists()


def test_a_steward_of_one_conference_has_no_door_at_another(client: Client) -> None:
    mine, other = conference_now(), conference_now()
    user = UserFactory(is_staff=True)
    Role.objects.create(user=user, conference=mine, kind=RoleKind.STEWARD)
    client.force_login(user)

    assert client.get(door_url(mine)).status_code == 200
    assert client.get(door_url(other)).status_code == 404
    assert send(client, door_url(other), code_of(guest(other).participant)).status_code == 404
    assert client.get(f"/admin/events/conference/{mine.pk}/door/badges/a4/1.pdf").status_code in {403, 404}
    tab = client.get(f"/admin/events/conference/{mine.pk}/door/").content.decode()
    assert reverse("registration:doors", args=[mine.slug]) in tab
    assert "badges" not in tab
    assert client.get(f"/admin/events/conference/{other.pk}/door/").status_code in {403, 404}


def test_a_post_without_our_csrf_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(steward())

    assert send(client, door_url(conference_now()), "AAAAAAAAAA").status_code == 403


def test_the_door_is_kept_nowhere_and_may_use_the_camera(signed_in: Client) -> None:
    response = signed_in.get(door_url(conference_now()))

    assert response["Cache-Control"] == "no-store"
    assert response["Permissions-Policy"].startswith("camera=(self)")
    assert "noindex" in response["X-Robots-Tag"]


# --- without JavaScript -----------------------------------------------------------------------------------------------


def test_doors_are_listed_with_those_of_today_first(signed_in: Client) -> None:
    conference = conference_now()
    later = session_now(
        conference, starts_at=timezone.now() + timedelta(days=1), ends_at=timezone.now() + timedelta(days=1, hours=1)
    )
    now = session_now(conference)

    content = signed_in.get(reverse("registration:doors", args=[conference.slug])).content.decode()

    assert content.index("Entrance") < content.index(str(now.title)) < content.index(str(later.title))


def test_a_code_lets_in_and_the_page_can_take_it_back(signed_in: Client) -> None:
    conference = conference_now()
    registration = guest(conference, organisation_text="Open House")
    room = RoomFactory(venue=conference.venue)

    response = send(signed_in, door_url(conference), code_of(registration.participant), room=room.pk)

    content = response.content.decode()
    made = CheckIn.objects.get()
    assert made.room == room
    for expected in ("Welcome", registration.participant.display_name, "Open House", str(made.nonce)):
        assert expected in content
    undone = signed_in.post(
        reverse("registration:door-undo", args=[conference.slug, "_entrance"]), {"nonce": made.nonce}, follow=True
    )
    assert "It is taken back." in undone.content.decode()
    assert not CheckIn.objects.standing().exists()


@pytest.mark.parametrize("code", ["", "x" * 61])
def test_no_code_is_an_error_on_the_page(signed_in: Client, code: str) -> None:
    response = send(signed_in, door_url(conference_now()), code)

    assert response.status_code == 422
    assert "Type or read a code." in response.content.decode()


@pytest.mark.parametrize("where", ["no-such-session", "break"])
def test_a_door_that_is_not_there_is_404(signed_in: Client, where: str) -> None:
    conference = conference_now()
    session_now(conference, slug="break", kind="break")

    assert signed_in.get(door_url(conference, where)).status_code == 404


def test_a_nonce_that_is_none_cannot_be_taken_back(signed_in: Client) -> None:
    url = reverse("registration:door-undo", args=[conference_now().slug, "_entrance"])

    assert signed_in.post(url, {"nonce": "x"}).status_code == 404


# --- for door.js ------------------------------------------------------------------------------------------------------


def test_the_part_for_the_page_tells_verdict_and_figures(signed_in: Client) -> None:
    conference = conference_now()
    session = session_now(conference)
    registration = guest(conference)

    response = send(signed_in, door_url(conference, session.slug), code_of(registration.participant), as_json=True)

    told = response.json()
    assert (told["verdict"], told["kind"], told["here"], told["expected"]) == ("welcome", "good", 1, 1)
    assert registration.participant.display_name in told["html"]
    assert "<html" not in told["html"]


def test_a_late_entry_bears_the_time_of_the_device(signed_in: Client) -> None:
    conference = conference_now()
    read_at = (timezone.now() - timedelta(minutes=30)).replace(microsecond=0)

    send(signed_in, door_url(conference), code_of(guest(conference).participant), as_json=True, at=read_at.isoformat())

    assert CheckIn.objects.get().at == read_at


def test_guessing_answers_429_and_is_not_lost(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    conference = conference_now()
    monkeypatch.setattr(attendance, "MISSES", 1)
    send(signed_in, door_url(conference), "AAAAAAAAAA", as_json=True)

    response = send(signed_in, door_url(conference), "AAAAAAAAAA", as_json=True)

    assert response.status_code == 429
    assert "Wait five minutes" in response.json()["html"]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_the_door_shows_an_alias_and_nothing_else(signed_in: Client, as_json: bool, times: int) -> None:
    conference = conference_now()
    code = code_of(protected(conference).participant)

    response = [send(signed_in, door_url(conference), code, as_json=as_json) for _ in range(times)][-1]

    content = json.dumps(response.json()) if as_json else response.content.decode()
    assert ALIAS in content
    assert [canary for canary in CANARIES if canary in content] == []


def test_a_session_costs_a_constant_number_of_queries(signed_in: Client, django_assert_max_num_queries: Any) -> None:
    conference = conference_now()
    session = session_now(conference)
    code = code_of(guest(conference).participant)

    with django_assert_max_num_queries(35):
        send(signed_in, door_url(conference, session.slug), code, as_json=True)
