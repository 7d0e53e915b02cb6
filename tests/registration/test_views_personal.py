"""The personal page: see, calendar file, cancel, ask for the mail again; for whoever holds the link and nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from outbox.models import Message
from registration.models import Participant, Places, Registration, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(participant: Participant) -> str:
    """The participant's own page."""
    return f"/r/{participant.personal_token}/"


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# --- seeing -----------------------------------------------------------------------------------------------------------


def test_page_shows_choices_with_status_position_and_two_clocks(client: Client) -> None:
    conference = ConferenceFactory()
    participant = ParticipantFactory(conference=conference, time_zone="Asia/Almaty", display_name="Speaker A")
    confirmed = AdmissionFactory(session=SideEventFactory(conference=conference, position=1, title={"en": "First"}))
    full = AdmissionFactory(session=SideEventFactory(conference=conference, position=2, title={"en": "Second"}))
    RegistrationFactory(admission=full, status=RegistrationStatus.WAITLISTED)
    RegistrationFactory(admission=confirmed, participant=participant)
    RegistrationFactory(admission=full, participant=participant, status=RegistrationStatus.WAITLISTED)

    response = client.get(page_of(participant))

    page = text(response)
    assert response.status_code == 200
    assert "Speaker A" in page
    assert page.index("Confirmed First") < page.index("On the waiting list Second")
    assert "You are number 2 in line." in page
    assert "11:00 – 12:00 Vienna time (CEST, UTC+2)" in page
    assert "14:00–15:00 Almaty time (UTC+5)" in page


def test_page_speaks_the_language_of_the_participant_and_switches_on_request(client: Client) -> None:
    participant = ParticipantFactory(language="ru")

    own = client.get(page_of(participant), headers={"Accept-Language": "fr"})
    asked = client.get(page_of(participant), {"lang": "de"})
    nonsense = client.get(page_of(participant), {"lang": "<x>"})

    for response, language in ((own, "ru"), (asked, "de"), (nonsense, "ru")):
        assert response["Content-Language"] == language
        assert f'<html lang="{language}"' in response.content.decode()
    assert 'href="?lang=fr"' in own.content.decode()


def test_pages_below_it_lead_back_in_the_same_language(client: Client) -> None:
    above = page_of(RegistrationFactory(participant=ParticipantFactory(language="en")).participant)

    html = client.get(f"{above}address/?lang=fr").content.decode()

    assert f'<nav class="crumbs" aria-label="Fil d’Ariane">\n  <ol><li><a href="{above}?lang=fr">' in html
    assert 'class="crumbs"' not in client.get(above).content.decode()


def test_page_is_private_and_sets_no_cookie(client: Client) -> None:
    response = client.get(page_of(ParticipantFactory()))

    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_page_shows_neither_name_behind_the_alias_nor_address_nor_meeting(client: Client) -> None:
    admission = AdmissionFactory()
    MeetingFactory(session=admission.session)
    participant = ParticipantFactory(
        conference=admission.conference,
        given_name="Xantippa",
        family_name="Canary",
        email="xantippa@canary.example",
        display_name="Speaker A",
        has_alias=True,
    )
    RegistrationFactory(admission=admission, participant=participant)

    body = client.get(page_of(participant)).content.decode()

    for secret in ("Xantippa", "Canary", "canary.example", "provider.example", "canary-room"):
        assert secret not in body


def test_page_of_an_erased_person_still_opens(client: Client) -> None:
    registration = RegistrationFactory()
    registration.participant.identity_key.delete()

    assert client.get(page_of(registration.participant)).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_for_one_and_three_choices(client: Client, count: int) -> None:
    conference = ConferenceFactory()
    participant = ParticipantFactory(conference=conference)
    for _n in range(count):
        admission = AdmissionFactory(session=SideEventFactory(conference=conference))
        RegistrationFactory(admission=admission, participant=participant, status=RegistrationStatus.WAITLISTED)
    client.get(page_of(participant))

    with CaptureQueriesContext(connection) as queries:
        client.get(page_of(participant))

    assert len(queries) == 9


@pytest.mark.parametrize("path", ["", "calendar.ics", "cancel/"])
@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "%F0%9F%92%A9", "..", "a" * 5000])
def test_strangers_find_nothing(client: Client, path: str, token: str) -> None:
    RegistrationFactory()

    assert client.get(f"/r/{token}/{path}").status_code == 404


def test_strangers_can_do_nothing(client: Client) -> None:
    registration = RegistrationFactory()
    stranger = ParticipantFactory()

    answers = [
        client.post(f"/r/{'a' * 43}/cancel/{registration.public_id}/"),
        client.post(f"/r/{'a' * 43}/cancel/"),
        client.post(f"/r/{'a' * 43}/send/"),
        client.get(f"{page_of(stranger)}cancel/{registration.public_id}/"),
        client.post(f"{page_of(stranger)}cancel/{registration.public_id}/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    registration.refresh_from_db()
    assert registration.status == RegistrationStatus.CONFIRMED
    assert not Message.objects.exists()


# --- calendar ---------------------------------------------------------------------------------------------------------


def test_calendar_file_holds_confirmed_choices_with_zone_and_stable_uid(client: Client) -> None:
    conference = ConferenceFactory()
    participant = ParticipantFactory(conference=conference)
    one, other, whole = (
        AdmissionFactory(session=SideEventFactory(conference=conference, title={"en": "First"})),
        AdmissionFactory(session=SideEventFactory(conference=conference)),
        AdmissionFactory(session=None, conference=conference),
    )
    MeetingFactory(session=one.session)
    confirmed = RegistrationFactory(admission=one, participant=participant)
    general = RegistrationFactory(admission=whole, participant=participant)
    RegistrationFactory(admission=other, participant=participant, status=RegistrationStatus.WAITLISTED)

    response = client.get(f"{page_of(participant)}calendar.ics")
    again = client.get(f"{page_of(participant)}calendar.ics")

    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.content == again.content
    assert response["Referrer-Policy"] == "no-referrer"
    book = icalendar.Calendar.from_ical(response.content)
    events = {str(event["UID"]): event for event in book.walk("VEVENT")}
    assert set(events) == {f"{one.public_id}@{settings.SITE_DOMAIN}" for one in (confirmed, general)}
    first: Any = events[f"{confirmed.public_id}@{settings.SITE_DOMAIN}"]
    assert str(first["SUMMARY"]) == "First"
    assert first["DTSTART"].params["TZID"] == "Europe/Vienna"
    assert first["DTSTART"].dt.astimezone(NOW.tzinfo) == one.session.starts_at
    assert [str(zone["TZID"]) for zone in book.walk("VTIMEZONE")] == ["Europe/Vienna"]
    assert b"provider.example" not in response.content


def test_calendar_file_is_neutral_for_people_with_an_alias(client: Client) -> None:
    participant = ParticipantFactory(display_name="Speaker A", has_alias=True)
    admission = AdmissionFactory(
        session=SideEventFactory(conference=participant.conference, title={"en": "Survivors speak"})
    )
    RegistrationFactory(admission=admission, participant=participant)

    content = client.get(f"{page_of(participant)}calendar.ics").content

    [event] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert str(event["SUMMARY"]) == "Meeting"
    for secret in (b"Survivors", b"Grace", b"Guest", b"Speaker A", str(participant.conference.title).encode()):
        assert secret not in content


def test_calendar_file_with_nothing_confirmed_is_not_found(client: Client) -> None:
    registration = RegistrationFactory(status=RegistrationStatus.PENDING)

    assert client.get(f"{page_of(registration.participant)}calendar.ics").status_code == 404


# --- cancelling -------------------------------------------------------------------------------------------------------


def test_cancelling_one_asks_first_and_then_promotes_the_next(client: Client) -> None:
    admission = AdmissionFactory(capacity=1)
    registration = RegistrationFactory(admission=admission)
    next_in_line = RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)
    address = f"{page_of(registration.participant)}cancel/{registration.public_id}/"

    asked = client.get(address)
    assert "Cancel this registration?" in text(asked)
    assert Registration.objects.get(pk=registration.pk).status == RegistrationStatus.CONFIRMED

    done = client.post(address)

    assert done.status_code == 303
    assert "It is cancelled." in text(client.get(done["Location"]))
    assert Registration.objects.get(pk=registration.pk).status == RegistrationStatus.CANCELLED
    assert Registration.objects.get(pk=next_in_line.pk).status == RegistrationStatus.CONFIRMED
    told = Message.objects.filter(topic="registration.status").order_by("pk").values_list("about_id", flat=True)
    assert list(told) == [registration.public_id, next_in_line.public_id]


def test_cancelling_twice_is_fine(client: Client) -> None:
    registration = RegistrationFactory()
    address = f"{page_of(registration.participant)}cancel/{registration.public_id}/"

    answers = [client.post(address), client.post(address), client.get(address)]

    assert [answer.status_code for answer in answers] == [303] * 3
    assert Message.objects.filter(topic="registration.status").count() == 1


def test_cancelling_everything_frees_every_place(client: Client) -> None:
    conference = ConferenceFactory()
    participant = ParticipantFactory(conference=conference)
    admissions = [AdmissionFactory(session=SideEventFactory(conference=conference), capacity=1) for _n in range(3)]
    for admission, status in zip(admissions, ("confirmed", "waitlisted", "pending"), strict=True):
        RegistrationFactory(admission=admission, participant=participant, status=status)

    asked = client.get(f"{page_of(participant)}cancel/")
    done = client.post(f"{page_of(participant)}cancel/")

    assert "Cancel these registrations?" in text(asked)
    assert done.status_code == 303
    assert set(Registration.objects.values_list("status", flat=True)) == {"cancelled"}
    assert list(Places.objects.values_list("taken", "waiting")) == [(0, 0)] * 3


@pytest.mark.parametrize("path", ["cancel/", "send/"])
def test_acting_from_a_foreign_page_is_refused(client: Client, path: str) -> None:
    registration = RegistrationFactory()

    response = client.post(page_of(registration.participant) + path, headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403
    assert Registration.objects.get().status == RegistrationStatus.CONFIRMED
    assert not Message.objects.exists()


def test_acting_keeps_the_chosen_language(client: Client) -> None:
    registration = RegistrationFactory()

    done = client.post(f"{page_of(registration.participant)}cancel/?lang=fr")

    assert done["Location"].endswith("?done=cancelled&lang=fr")


# --- the mail again ---------------------------------------------------------------------------------------------------


def test_the_mail_is_sent_again_at_most_once_an_hour(client: Client) -> None:
    participant = RegistrationFactory().participant

    answers = [client.post(f"{page_of(participant)}send/") for _n in range(3)]

    assert [answer.status_code for answer in answers] == [303] * 3
    assert [(m.topic, m.about_id) for m in Message.objects.all()] == [
        ("registration.personal_link", participant.public_id)
    ]
    assert "on its way" in text(client.get(answers[0]["Location"]))


def test_looking_at_the_address_of_a_button_does_nothing(client: Client) -> None:
    participant = RegistrationFactory().participant

    response = client.get(f"{page_of(participant)}send/", headers={"accept-language": "de"})

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "Schaltfläche auf der Seite" in text(response)  # a page, not an empty window
    assert not Message.objects.exists()


def test_link_scanners_change_nothing(client: Client) -> None:
    registration = RegistrationFactory()
    base = page_of(registration.participant)
    before = list(Registration.objects.values())

    for path in (base, f"{base}calendar.ics", f"{base}cancel/", f"{base}cancel/{registration.public_id}/"):
        for _n in range(25):
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200

    assert list(Registration.objects.values()) == before
    assert not Message.objects.exists()


def test_event_of_the_past_whose_registration_is_held_open_can_be_joined_and_cancelled(client: Client) -> None:
    """As in the demo, where the conference of 2020 is kept open to be tried."""
    registration = RegistrationFactory()
    admission = registration.admission
    session = admission.session
    session.starts_at, session.ends_at = NOW - timedelta(days=3), NOW - timedelta(days=2)
    session.save()

    over = client.get(page_of(registration.participant)).content.decode()
    admission.closes_at = NOW + timedelta(days=1)
    admission.save()
    held_open = client.get(page_of(registration.participant)).content.decode()

    assert "/cancel/" not in over
    assert "/cancel/" in held_open
    assert "/join/" in held_open
