"""My agenda: in the reader's own cookie and nowhere else, with and without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import icalendar
import pytest
from django.test import Client

from events import agenda, page_cache
from events.models import Session, SessionState
from tests.factories import NOW, ConferenceFactory, RoomFactory, SessionFactory, SideEventFactory

pytestmark = pytest.mark.django_db

PATH = "/en/summit/agenda/"
AT_TEN = {"starts_at": datetime(2030, 7, 15, 10, tzinfo=UTC), "ends_at": datetime(2030, 7, 15, 11, tzinfo=UTC)}
AT_NOON = {"starts_at": datetime(2030, 7, 15, 12, tzinfo=UTC), "ends_at": datetime(2030, 7, 15, 13, tzinfo=UTC)}


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def conference() -> Any:
    return ConferenceFactory(slug="summit", title={"en": "Summit"})


def page(client: Client, path: str = PATH) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def subscribed(client: Client) -> str:
    """The path of the calendar that the agenda page offers to subscribe to."""
    found = re.search(r'value="http[^"]*?(/en/summit/agenda/[^"]+\.ics)"', page(client))
    assert found
    return found[1]


def test_reader_adds_and_takes_out_without_javascript(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference, title={"en": "Alpha"})
    other = SessionFactory(conference=conference, title={"en": "Beta"})

    answer = client.post(PATH, {"add": str(session.public_id)})
    assert (answer.status_code, answer["Location"]) == (303, PATH)
    client.post(PATH, {"add": str(other.public_id)})
    html = page(client)
    assert "Alpha" in html
    assert "Beta" in html

    client.post(PATH, {"remove": str(session.public_id)})
    assert "Alpha" not in page(client)
    assert client.post(PATH, {"clear": "1"}).cookies["agenda"]["max-age"] == 0
    assert "Nothing is in your agenda yet" in page(client)


def test_cookie_comes_only_with_a_pick_and_holds_ids_alone(client: Client, conference: Any, settings: Any) -> None:
    session = SessionFactory(conference=conference)
    for path in (PATH, f"{PATH}state/", "/en/summit/programme/", "/en/summit/agenda.ics"):
        assert not client.get(path).cookies

    cookie = client.post(PATH, {"add": str(session.public_id)}).cookies["agenda"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    content = agenda._unpack(cookie.value, agenda._COOKIE_SALT)
    assert content == session.public_id.bytes + (int(session.starts_at.timestamp()) // 60).to_bytes(4, "big")
    settings.IS_SECURE = True
    cookie = client.post(PATH, {"add": str(session.public_id)}).cookies["__Host-agenda"]
    assert cookie["secure"]
    assert not cookie["domain"]


@pytest.mark.parametrize("cookie", ["", "x", "AAAA:BBBB", "\x00", "A" * 9000, '"quoted"', "é"])
def test_cookie_that_is_not_ours_counts_as_none(client: Client, conference: Any, cookie: str) -> None:
    client.cookies["agenda"] = cookie

    assert "Nothing is in your agenda yet" in page(client)
    assert client.get(f"{PATH}state/").status_code == 204


def test_signature_of_an_address_does_not_make_a_cookie(client: Client, conference: Any) -> None:
    client.cookies["agenda"] = agenda.address_part([SessionFactory(conference=conference).public_id])

    assert "Nothing is in your agenda yet" in page(client)


def test_agenda_is_bounded(client: Client, conference: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "MOST", 2)
    sessions = [SessionFactory(conference=conference, title={"en": f"Title {n}"}) for n in range(3)]
    answers = [client.post(PATH, {"add": str(session.public_id)})["Location"] for session in sessions]

    assert answers == [PATH, PATH, f"{PATH}?full"]
    assert "An agenda holds 2 sessions" in page(client, f"{PATH}?full")
    assert "Title 2" not in page(client)
    client.post(PATH, {"add": str(sessions[0].public_id)})  # what is in it may be picked again
    assert "Title 1" in page(client)


def test_fullest_agenda_fits_into_a_cookie_and_an_address(client: Client, conference: Any) -> None:
    from django.http import HttpResponse

    ids = [uuid4() for _number in range(agenda.MOST)]
    response = HttpResponse()
    agenda.write(response, [agenda.Pick(public_id, NOW) for public_id in ids])

    assert len(response.cookies["agenda"].OutputString()) < 4000
    part = agenda.address_part(ids)
    assert agenda.ids_of(part) == ids
    assert len(part) < 2300


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_foreign_page_cannot_change_it(client: Client, conference: Any, headers: dict[str, str]) -> None:
    session = SessionFactory(conference=conference)

    answer = client.post(PATH, {"add": str(session.public_id)}, headers=headers)

    assert answer.status_code == 403
    assert not answer.cookies


@pytest.mark.parametrize("wanted", [{"state": SessionState.DRAFT}, {"visibility": "internal"}, {"conference": None}])
def test_what_strangers_may_not_see_cannot_be_picked(client: Client, conference: Any, wanted: dict[str, Any]) -> None:
    more = {"conference": conference} | wanted
    session = SessionFactory(**{name: value for name, value in more.items() if value is not None})

    assert client.post(PATH, {"add": str(session.public_id)}).status_code == 404
    assert client.post(PATH, {"add": "nonsense"}).status_code == 303
    assert not client.post(PATH, {"add": str(uuid4())}).cookies


def test_hidden_conference_is_not_there(client: Client) -> None:
    ConferenceFactory(slug="summit", state="draft")

    assert client.get(PATH).status_code == client.post(PATH).status_code == 404
    assert client.get("/en/summit/agenda.ics").status_code == 404
    assert client.get(f"/en/summit/agenda/{agenda.address_part([uuid4()])}.ics").status_code == 404


def test_clash_move_and_cancelling_are_told(client: Client, conference: Any) -> None:
    one = SessionFactory(conference=conference, title={"en": "Alpha"}, **AT_TEN)
    two = SessionFactory(conference=conference, title={"en": "Beta"}, **AT_NOON)
    for session in (one, two):
        client.post(PATH, {"add": str(session.public_id)})
    html = page(client)
    assert "At the same time as" not in html
    assert "Moved" not in html

    Session.objects.filter(pk=two.pk).update(starts_at=AT_TEN["starts_at"] + timedelta(minutes=30))
    html = page(client)
    assert html.count("At the same time as") == 2
    assert "it was to begin at another time: Monday 15 July 2030, 14:00" in html

    client.post(PATH, {"add": str(two.public_id)})  # "I have seen the new time"
    assert "it was to begin" not in page(client)

    Session.objects.filter(pk=two.pk).update(state=SessionState.CANCELLED)
    html = page(client)
    assert "At the same time as" not in html
    assert '<span class="tag tag--cancelled">Cancelled</span>' in html


def test_what_only_touches_does_not_clash(client: Client, conference: Any) -> None:
    later = {"starts_at": AT_TEN["ends_at"], "ends_at": AT_NOON["starts_at"]}
    for times in (AT_TEN, later, {"starts_at": None, "ends_at": None}):
        client.post(PATH, {"add": str(SessionFactory(conference=conference, **times).public_id)})

    assert "At the same time as" not in page(client)


def test_time_that_was_never_recorded_is_not_announced_any_more(
    client: Client, conference: Any, time_machine: Any
) -> None:
    session = SessionFactory(conference=conference, starts_at=None, ends_at=None)
    client.post(PATH, {"add": str(session.public_id)})
    assert "Time to be announced" in page(client)

    time_machine.move_to(datetime(2030, 8, 1, tzinfo=UTC), tick=False)
    assert "Time not recorded" in page(client)


def test_what_left_the_programme_is_told_and_tidied(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference)
    client.post(PATH, {"add": str(session.public_id)})
    Session.objects.filter(pk=session.pk).update(state=SessionState.DRAFT, title={"en": "Canary"})

    html = page(client)
    assert "1 session that you picked is no longer in the programme." in html
    assert "Canary" not in html
    client.post(PATH, {"tidy": "1"})
    assert "no longer" not in page(client)


def test_agendas_of_two_conferences_do_not_mix(client: Client, conference: Any) -> None:
    other = SessionFactory(conference__slug="other", conference__title={"en": "Other"}, title={"en": "Elsewhere"})
    client.post("/en/other/agenda/", {"add": str(other.public_id)})
    client.post(PATH, {"add": str(SessionFactory(conference=conference).public_id)})

    html = page(client)
    assert "Elsewhere" not in html
    assert '<a href="/en/other/agenda/">Other</a>' in html
    client.post(PATH, {"clear": "1"})
    assert "Elsewhere" in page(client, "/en/other/agenda/")


def test_programme_stays_the_same_for_everybody(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference)
    paths = ["/en/summit/programme/", f"/en/summit/sessions/{session.slug}/"]
    before = [client.get(path).content for path in paths]
    client.post(PATH, {"add": str(session.public_id)})
    assert [client.get(path).content for path in paths] == before
    page_cache.forget()
    assert [client.get(path).content for path in paths] == before


def test_state_is_a_small_piece_that_nobody_keeps(
    client: Client, conference: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert client.get(f"{PATH}state/").status_code == 204
    session = SessionFactory(conference=conference, title={"en": "Alpha"})
    client.post(PATH, {"add": str(session.public_id)})

    response = client.get(f"{PATH}state/")

    html = response.content.decode()
    assert f'<template data-agenda="agenda-{session.public_id}">' in html
    assert f'name="remove" value="{session.public_id}"' in html
    assert ">(1)</span>" in html
    assert "no-store" in response["Cache-Control"]
    assert not any("agenda" in address for address in page_cache.kept())


def test_button_changes_in_its_place_with_htmx(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference)

    answer = client.post(PATH, {"add": str(session.public_id)}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert f'name="remove" value="{session.public_id}"' in answer.content.decode()
    assert "Added to your agenda." in answer.content.decode()

    answer = client.post(PATH, {"remove": str(session.public_id)}, headers={"HX-Request": "true"})
    assert f'name="add" value="{session.public_id}"' in answer.content.decode()


def test_calendar_holds_what_was_picked_and_follows_the_programme(client: Client, conference: Any) -> None:
    room = RoomFactory(venue=conference.venue, name={"en": "Segmentgalerie"})
    session = SideEventFactory(conference=conference, title={"en": "Alpha"}, room=room, **AT_TEN)
    SessionFactory(conference=conference, title={"en": "Beta"})
    client.post(PATH, {"add": str(session.public_id)})

    once = client.get("/en/summit/agenda.ics")
    feed = Client().get(subscribed(client))  # a calendar program has no cookie

    assert once.content == feed.content
    assert once["Content-Disposition"] == 'attachment; filename="summit-agenda.ics"'
    events = icalendar.Calendar.from_ical(feed.content).walk("VEVENT")
    assert [str(event["summary"]) for event in events] == ["Alpha"]
    assert Client().get(subscribed(client), headers={"If-None-Match": feed["ETag"]}).status_code == 304

    Session.objects.filter(pk=session.pk).update(state=SessionState.CANCELLED)
    events = icalendar.Calendar.from_ical(Client().get(subscribed(client)).content).walk("VEVENT")
    assert [str(event["status"]) for event in events] == ["CANCELLED"]


@pytest.mark.parametrize("part", ["x", "AAAA:BBBB", "%00", "A" * 5000])
def test_address_that_is_not_ours_is_not_there(client: Client, conference: Any, part: str) -> None:
    assert client.get(f"/en/summit/agenda/{part}.ics").status_code == 404


def test_agenda_leaves_no_trace(client: Client, conference: Any, caplog: pytest.LogCaptureFixture) -> None:
    session = SessionFactory(conference=conference)
    client.post(PATH, {"add": str(session.public_id)})
    path = subscribed(client)
    for address in (PATH, f"{PATH}state/", "/en/summit/agenda.ics", path):
        response = client.get(address)
        assert "no-store" in response["Cache-Control"], address
        assert response["Referrer-Policy"] == "no-referrer", address
        assert response["X-Robots-Tag"] == "noindex", address

    assert str(session.public_id) not in caplog.text
    assert path.rsplit("/", 1)[1] not in caplog.text
    assert not page_cache.kept()


@pytest.mark.parametrize("count", [1, 3])
def test_agenda_asks_a_constant_number_of_queries(
    client: Client, conference: Any, django_assert_num_queries: Any, count: int
) -> None:
    for _number in range(count):
        session = SessionFactory(conference=conference, room=RoomFactory(venue=conference.venue))
        client.post(PATH, {"add": str(session.public_id)})

    with django_assert_num_queries(3):  # the conference, whether registration is open, the sessions
        page(client)


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_agenda_is_there_in_every_language(client: Client, conference: Any, language: str) -> None:
    session = SessionFactory(conference=conference, title={"en": "Alpha"})
    client.post(PATH, {"add": str(session.public_id)})

    html = page(client, f"/{language}/summit/agenda/")

    assert f'<html lang="{language}">' in html
    assert ("Empty my agenda" in html) == (language == "en")
