"""The programme page, actions on several sessions, and the page that makes the next edition."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.admin import pages
from events.models import Conference, Session
from tests import forms
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    MaterialFactory,
    RoomFactory,
    SessionFactory,
    SideEventFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(StaffFactory())
    return client


def programme() -> tuple[Any, list[Any], list[Any]]:
    """Two days, three sessions of an hour on the first."""
    conference = ConferenceFactory(venue=RoomFactory().venue)
    days = [ConferenceDayFactory(conference=conference, number=n, date=date(2030, 7, 14 + n)) for n in (1, 2)]
    sessions = [
        SessionFactory(
            conference=conference, day=days[0], position=n, title={"en": f"Item {n}"},
            starts_at=datetime(2030, 7, 15, 7 + n, tzinfo=UTC), ends_at=datetime(2030, 7, 15, 8 + n, tzinfo=UTC),
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    return conference, days, sessions


def address(conference: Conference, page: str = "programme") -> str:
    """The address of a page of the conference."""
    return reverse(f"admin:events_conference_{page}", args=[conference.pk])


def opened(client: Client, conference: Conference) -> dict[str, Any]:
    """What the programme page sends when nothing is chosen."""
    return forms.fields(client.get(address(conference)).text, "programme-form")


def said(response: Any) -> list[str]:
    """The messages of a request."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def titles(conference: Conference) -> list[tuple[int | None, str]]:
    """Day and title in programme order."""
    rows = conference.sessions.select_related("day").in_programme_order()
    return [(one.day.number if one.day else None, str(one.title)) for one in rows]


# --- what it shows --------------------------------------------------------------------------------------------------


def test_page_shows_days_in_order_with_what_organisers_need(organiser: Client) -> None:
    conference, days, (first, *_rest) = programme()
    SideEventFactory(conference=conference, day=days[1], title={"en": "Beside"}, starts_at=None, ends_at=None)
    SessionFactory(conference=conference, day=None, title={"en": "Nowhere yet"})
    ContributionFactory(session=first, role="moderator", position=1)
    ContributionFactory(session=first, position=2)
    ContributionFactory(session=first, position=3, status="declined")

    response = organiser.get(address(conference))

    shown = response.context["days"]
    assert [(day.day and day.day.number, [str(row.session.title) for row in day.rows]) for day in shown] == [
        (1, ["Item 1", "Item 2", "Item 3"]), (2, ["Beside"]), (None, ["Nowhere yet"]),
    ]  # fmt: skip
    row = shown[0].rows[0]
    assert (row.when, row.notes) == ("10:00–11:00", ["1 moderator", "1 speaker"])
    assert "time_missing" in {finding.code for finding in shown[1].rows[0].findings}
    assert row.url == reverse("admin:events_session_change", args=[first.pk])
    assert shown[1].rows[0].url == reverse("admin:events_sideevent_change", args=[shown[1].rows[0].session.pk])


def test_session_is_added_to_the_day(organiser: Client) -> None:
    conference, days, _sessions = programme()

    ((_label, url), _side_event) = organiser.get(address(conference)).context["days"][0].add_urls
    form = organiser.get(url).context["adminform"].form

    assert (form["conference"].value(), form["day"].value(), form["position"].value()) == (
        str(conference.pk), str(days[0].pk), "4",
    )  # fmt: skip


def test_page_costs_the_same_for_three_sessions_and_for_thirty(organiser: Client) -> None:
    conference, days, _sessions = programme()
    organiser.get(address(conference))  # what is asked once per process
    counts = []
    for more in (0, 27):
        for n in range(more):
            session = SessionFactory(conference=conference, day=days[n % 2], room=None)
            ContributionFactory(session=session)
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert organiser.get(address(conference)).status_code == 200
        counts.append(len(found))

    assert counts[0] == counts[1]


# --- order ----------------------------------------------------------------------------------------------------------


def test_buttons_move_a_session_and_the_history_says_so(organiser: Client) -> None:
    conference, _days, (_one, two, _three) = programme()

    response = organiser.post(address(conference), opened(organiser, conference) | {"up": str(two.pk)})

    assert response.headers["Location"] == f"{address(conference)}#session-{two.pk}"
    assert titles(conference) == [(1, "Item 2"), (1, "Item 1"), (1, "Item 3")]
    assert LogEntry.objects.filter(object_id=two.pk).exists()


def test_session_goes_to_another_day(organiser: Client) -> None:
    conference, days, (one, *_rest) = programme()
    sent = opened(organiser, conference) | {"to_day": str(one.pk), f"day-{one.pk}": str(days[1].pk)}

    organiser.post(address(conference), sent)

    assert titles(conference) == [(1, "Item 2"), (1, "Item 3"), (2, "Item 1")]
    one.refresh_from_db()
    assert one.starts_at == datetime(2030, 7, 16, 8, tzinfo=UTC)


def test_dragged_order_is_saved(organiser: Client) -> None:
    conference, days, (one, two, three) = programme()
    order = [{"day": str(days[0].pk), "sessions": [str(three.pk)]},
             {"day": str(days[1].pk), "sessions": [str(two.pk)]}, {"day": "0", "sessions": [str(one.pk)]}]  # fmt: skip

    organiser.post(address(conference), opened(organiser, conference) | {"order": json.dumps(order)})

    assert titles(conference) == [(1, "Item 3"), (2, "Item 2"), (None, "Item 1")]


def test_order_that_somebody_else_changed_is_refused_with_a_message(organiser: Client) -> None:
    conference, _days, (one, two, _three) = programme()
    stale = opened(organiser, conference)
    organiser.post(address(conference), stale | {"down": str(one.pk)})

    response = organiser.post(address(conference), stale | {"down": str(two.pk)})

    assert any("Somebody else has changed these sessions" in text for text in said(response))
    assert titles(conference) == [(1, "Item 2"), (1, "Item 1"), (1, "Item 3")]


@pytest.mark.parametrize(
    "sent",
    [
        {"order": "{"}, {"order": "[[[[" * 5000}, {"order": "[1]"}, {"order": '[{"day": "x", "sessions": []}]'},
        {"up": "9999999"}, {"up": "x"}, {"go": "1"}, {"go": "1", "action": "delete_selected"}, {"index": "0"}, {},
        {"go": "1", "action": "cancel_selected", "_selected_action": "x"},
    ],
)  # fmt: skip
def test_nonsense_changes_nothing(sent: dict[str, str], organiser: Client) -> None:
    conference, _days, _sessions = programme()

    response = organiser.post(address(conference), sent)

    assert response.status_code == 302
    assert titles(conference) == [(1, "Item 1"), (1, "Item 2"), (1, "Item 3")]


def test_sessions_of_another_conference_are_out_of_reach(organiser: Client) -> None:
    conference, _days, _sessions = programme()
    other = SessionFactory(state="scheduled")
    base = opened(organiser, conference)

    for sent in ({"duplicate": str(other.pk)}, {"go": "1", "action": "draft_selected", "_selected_action": other.pk}):
        organiser.post(address(conference), base | sent)

    assert Session.objects.filter(conference=other.conference).get().state == "scheduled"


def test_duplicate_stands_behind_the_original(organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()

    organiser.post(address(conference), opened(organiser, conference) | {"duplicate": str(one.pk)})

    assert titles(conference)[:3] == [(1, "Item 1"), (1, "Item 1"), (1, "Item 2")]


# --- several at once ------------------------------------------------------------------------------------------------

PLACES = [
    pytest.param(lambda conference: address(conference), id="programme"),
    pytest.param(lambda conference: reverse("admin:events_session_changelist"), id="list"),
]


def chosen(action: str, *sessions: Session, **more: Any) -> dict[str, Any]:
    """What the page in between, and the list, send."""
    return {"action": action, "index": "0", "_selected_action": [one.pk for one in sessions], **more}


@pytest.mark.parametrize("place", PLACES)
def test_move_shows_what_will_be_and_then_does_it(place: Any, organiser: Client) -> None:
    conference, _days, (one, two, _three) = programme()
    url = place(conference)

    asked = organiser.post(url, chosen("move_selected", one, two))
    shown = organiser.post(url, chosen("move_selected", one, two, minutes="30", stamp=asked.context["stamp"]))
    assert [row.then for row in shown.context["rows"]] == ["15 Jul 2030, 10:30–11:30", "15 Jul 2030, 11:30–12:30"]
    one.refresh_from_db()
    assert one.starts_at == datetime(2030, 7, 15, 8, tzinfo=UTC)

    done = organiser.post(
        url, chosen("move_selected", one, two, minutes="30", stamp=shown.context["stamp"], confirmed="yes")
    )
    assert done.status_code == 302
    one.refresh_from_db()
    assert one.starts_at == datetime(2030, 7, 15, 8, 30, tzinfo=UTC)


def test_page_in_between_starts_from_the_bar_of_the_programme_page(organiser: Client) -> None:
    conference, _days, (one, two, _three) = programme()
    sent = opened(organiser, conference) | {"go": "1", "action": "move_selected", "_selected_action": [one.pk, two.pk]}

    asked = organiser.post(address(conference), sent)
    shown = organiser.post(
        address(conference), chosen("move_selected", one, two, minutes="-15", stamp=asked.context["stamp"])
    )

    assert shown.context["refusal"] == ""
    assert shown.context["is_ready"]


def test_move_that_the_room_refuses_says_why_and_offers_nothing(organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()
    Session.objects.update(room=RoomFactory(name={"en": "Neuer Saal"}))
    sent = chosen("move_selected", one, minutes="30")

    shown = organiser.post(address(conference), sent)
    assert "Neuer Saal" in shown.context["refusal"]
    assert not shown.context["is_ready"]

    refused = organiser.post(address(conference), sent | {"confirmed": "yes"})
    assert any("Neuer Saal" in text for text in said(refused))
    one.refresh_from_db()
    assert one.starts_at == datetime(2030, 7, 15, 8, tzinfo=UTC)


def test_sessions_that_changed_since_they_were_shown_are_not_moved(organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()
    stamp = organiser.post(address(conference), chosen("move_selected", one)).context["stamp"]
    Session.objects.filter(pk=one.pk).update(state="draft")

    response = organiser.post(
        address(conference), chosen("move_selected", one, minutes="5", stamp=stamp, confirmed="yes")
    )

    assert any("Somebody else" in text for text in said(response))
    one.refresh_from_db()
    assert one.starts_at == datetime(2030, 7, 15, 8, tzinfo=UTC)


@pytest.mark.parametrize("place", PLACES)
def test_cancelling_asks_first(place: Any, organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()
    url = place(conference)

    asked = organiser.post(url, chosen("cancel_selected", one))
    assert Session.objects.get(pk=one.pk).state == "scheduled"
    organiser.post(url, chosen("cancel_selected", one, stamp=asked.context["stamp"], confirmed="yes"))

    assert Session.objects.get(pk=one.pk).state == "cancelled"


@pytest.mark.parametrize("place", PLACES)
def test_publish_and_back_to_draft(place: Any, organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()
    url = place(conference)

    organiser.post(url, chosen("draft_selected", one))
    assert Session.objects.get(pk=one.pk).state == "draft"
    organiser.post(url, chosen("publish_selected", one))
    assert Session.objects.get(pk=one.pk).state == "scheduled"


def test_actions_stand_in_the_list_of_side_events_as_well(organiser: Client) -> None:
    side_event = SideEventFactory()
    url = reverse("admin:events_sideevent_changelist")

    organiser.post(url, chosen("draft_selected", side_event))
    shown = organiser.post(url, chosen("move_selected", side_event, minutes="5"))

    assert Session.objects.get(pk=side_event.pk).state == "draft"
    assert shown.context["is_ready"]


@pytest.mark.parametrize("place", PLACES)
def test_room_is_changed_after_a_look(place: Any, organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()
    room = RoomFactory(venue=conference.venue, name={"en": "Segmentgalerie"})
    url = place(conference)

    shown = organiser.post(url, chosen("room_selected", one, room=room.pk))
    assert [row.then for row in shown.context["rows"]] == ["Segmentgalerie"]
    organiser.post(url, chosen("room_selected", one, room=room.pk, stamp=shown.context["stamp"], confirmed="yes"))

    assert Session.objects.get(pk=one.pk).room == room


# --- who may --------------------------------------------------------------------------------------------------------


def reader(*permissions: str) -> Client:
    """A browser in which somebody with these permissions only is signed in."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="events"))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", ["programme", "next_edition"])
def test_strangers_log_in_and_staff_without_permission_is_refused(page: str, client: Client) -> None:
    conference = ConferenceFactory()

    assert client.get(address(conference, page)).status_code == 302
    assert reader().get(address(conference, page)).status_code == 403
    assert reader("view_session", "add_conference").get(address(conference, page)).status_code == 200


def test_who_only_reads_has_no_buttons_and_changes_nothing() -> None:
    conference, _days, (one, *_rest) = programme()
    client = reader("view_session")

    page = client.get(address(conference))
    assert 'name="up"' not in page.text
    assert client.post(address(conference), {"down": one.pk}).status_code == 403
    assert titles(conference)[0] == (1, "Item 1")


def test_who_may_not_add_does_not_duplicate() -> None:
    conference, _days, (one, *_rest) = programme()

    response = reader("view_session", "change_session").post(address(conference), {"duplicate": one.pk})

    assert response.status_code == 403
    assert conference.sessions.count() == 3


def test_unknown_conference_is_404(organiser: Client) -> None:
    for key in (10**6, 10**30):
        assert organiser.get(f"/admin/events/conference/{key}/programme/").status_code == 404


def test_tabs_show_what_the_user_may_open(organiser: Client) -> None:
    conference = ConferenceFactory()

    page = organiser.get(reverse("admin:events_conference_change", args=[conference.pk]))
    labels = [str(tab["label"]) for tab in page.context["conference_pages"]]
    assert labels[:2] == ["Start", "Programme"]
    assert labels[-1] == "Next edition"
    for tab in page.context["conference_pages"]:
        assert organiser.get(tab["url"]).status_code == 200
    own = reader("view_session").get(address(conference)).context["conference_pages"]
    assert "Next edition" not in {str(tab["label"]) for tab in own}


def test_two_pages_do_not_share_a_name() -> None:
    with pytest.raises(ValueError, match="registered already"):
        pages.register("programme", lambda request, conference: None, permission="events.view_session")  # type: ignore[arg-type, return-value]


# --- the session's page ---------------------------------------------------------------------------------------------


def test_papers_and_results_are_entered_on_the_sessions_page(organiser: Client) -> None:
    session = SessionFactory()
    url = reverse("admin:events_session_change", args=[session.pk])
    sent = forms.fields(organiser.get(url).text, "session_form") | {
        "materials-TOTAL_FORMS": "1", "materials-0-position": "1", "materials-0-kind": "recording",
        "materials-0-title_en": "Recording", "materials-0-url": "https://example.org/video",
        "materials-0-visibility": "after", "recommendations-TOTAL_FORMS": "1", "recommendations-0-number": "1",
        "recommendations-0-kind": "recommendation", "recommendations-0-text_en": "Do more",
    }  # fmt: skip

    assert organiser.post(url, sent).status_code == 302
    material = session.materials.get()
    assert (material.conference, str(material.title)) == (session.conference, "Recording")
    assert str(session.recommendations.get().text) == "Do more"


def test_papers_follow_their_session_to_another_conference(organiser: Client) -> None:
    session, other = SessionFactory(), ConferenceFactory()
    material = MaterialFactory(conference=session.conference, session=session, url="https://example.org/a")
    url = reverse("admin:events_session_change", args=[session.pk])
    sent = forms.fields(organiser.get(url).text, "session_form") | {
        "conference": other.pk, "day": "", "materials-0-url": "https://example.org/b",
    }  # fmt: skip

    assert organiser.post(url, sent).status_code == 302
    material.refresh_from_db()
    assert material.conference == other


# --- the next edition -----------------------------------------------------------------------------------------------


def asked_for(client: Client, conference: Conference, **given: str) -> dict[str, Any]:
    """The form of the next edition, filled in."""
    page = client.get(address(conference, "next_edition"))
    return forms.fields(page.text, "next-edition-form") | {"slug": "next", "starts_on": "2031-07-14"} | given


def test_next_edition_is_shown_first_and_then_made(organiser: Client) -> None:
    conference, _days, (one, *_rest) = programme()
    AdmissionFactory(conference=conference, session=one)
    sent = asked_for(organiser, conference)
    assert sent["edition"] == ["2"]

    shown = organiser.post(address(conference, "next_edition"), sent)
    assert [old for _number, old, _new in shown.context["preview"].days] == [date(2030, 7, 15), date(2030, 7, 16)]
    assert [new for _number, _old, new in shown.context["preview"].days] == [date(2031, 7, 14), date(2031, 7, 15)]
    assert Conference.objects.count() == 1

    made = organiser.post(address(conference, "next_edition"), sent | {"confirmed": "yes"})
    target = Conference.objects.get(slug="next")
    assert made.headers["Location"] == reverse("admin:events_conference_change", args=[target.pk])
    assert (target.edition, target.sessions.count(), target.admissions.count()) == (2, 3, 1)


@pytest.mark.parametrize(
    ("given", "field"), [({"slug": "taken"}, "slug"), ({"edition": "1"}, "edition"), ({"starts_on": "x"}, "starts_on")]
)
def test_next_edition_that_cannot_be_is_explained(given: dict[str, str], field: str, organiser: Client) -> None:
    conference, _days, _sessions = programme()
    ConferenceFactory(slug="taken")

    response = organiser.post(
        address(conference, "next_edition"), asked_for(organiser, conference, confirmed="y", **given)
    )

    assert list(response.context["form"].errors) == [field]
    assert Conference.objects.count() == 2


def test_next_edition_of_unknown_dates_is_explained(organiser: Client) -> None:
    conference = ConferenceFactory(starts_on=None, ends_on=None)

    response = organiser.post(address(conference, "next_edition"), asked_for(organiser, conference))

    assert "not known" in response.context["refusal"]
