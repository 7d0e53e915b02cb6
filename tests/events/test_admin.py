"""Conferences and sessions in the admin: the venue's clock, texts in six languages, and refusals in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from alliance.admin import HouseAdmin
from events.models import Conference, Country, Organisation, Segment, Session, SideEvent
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    CountryFactory,
    OrganisationFactory,
    PersonFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(StaffFactory())
    return client


def management(*prefixes: str) -> dict[str, str]:
    """Empty inlines."""
    return {f"{p}-{what}_FORMS": "0" for p in prefixes for what in ("TOTAL", "INITIAL")}


def form(session: Session, **more: Any) -> dict[str, Any]:
    """What the page of a session sends, and more."""
    return {
        **management("segments", "text_sections", "convenorships", "contributions", "materials", "recommendations"),
        "title_en": "Opening", "conference": session.conference_id, "slug": session.slug, "key": session.key,
        "kind": session.kind, "state": session.state, "visibility": "public", "day": session.day_id or "",
        "position": session.position, "registration_mode": session.registration_mode, **more,
    }  # fmt: skip


def change(row: Any) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def errors(response: Any) -> dict[str, list[str]]:
    """What the form says."""
    assert response.status_code == 200
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


# --- names ---------------------------------------------------------------------------------------------------------


def test_titles_and_links_have_no_numbers_and_namesakes_are_told_apart_by_their_time(administrator: Client) -> None:
    session, twin = (
        SessionFactory(
            title={"en": "Opening"},
            starts_at=datetime(2030, 7, day, 7, 30, tzinfo=UTC),
            ends_at=datetime(2030, 7, day, 8, 30, tzinfo=UTC),
        )
        for day in (15, 16)
    )
    admission = AdmissionFactory(session=session, conference=session.conference)
    found = f"{reverse('admin:autocomplete')}?app_label=registration&model_name=admission&field_name=session&term=Op"

    page = administrator.get(change(session))
    shown = administrator.get(change(admission)).text
    told = [one["text"] for one in administrator.get(found).json()["results"]]

    assert page.context["subtitle"] == "Opening"
    assert f'<a href="{change(session)}">Opening</a>' in shown
    assert set(told) == {"Opening · 15 Jul 2030, 09:30 CEST", "Opening · 16 Jul 2030, 09:30 CEST"}
    assert f"(#{twin.pk})" not in page.text


# --- time -----------------------------------------------------------------------------------------------------------


def test_times_are_taken_and_shown_on_the_venues_clock(administrator: Client) -> None:
    session = SessionFactory(starts_at=None, ends_at=None)
    times = {"starts_at_0": "2030-07-15", "starts_at_1": "09:30", "ends_at_0": "2030-07-15", "ends_at_1": "11:00"}

    response = administrator.post(change(session), form(session, **times))

    assert response.status_code == 302
    session.refresh_from_db()
    assert session.starts_at == datetime(2030, 7, 15, 7, 30, tzinfo=UTC)
    assert 'value="09:30:00"' in administrator.get(change(session)).text
    assert "15 Jul 2030, 09:30 CEST" in administrator.get(reverse("admin:events_session_changelist")).text


def test_new_session_is_on_the_chosen_conferences_clock(administrator: Client) -> None:
    conference = ConferenceFactory(time_zone="America/New_York")
    sent = form(
        Session(conference=conference, slug="opening", key="opening", state="draft"),
        starts_at_0="2030-07-15", starts_at_1="09:00", ends_at_0="2030-07-15", ends_at_1="10:00",
    )  # fmt: skip

    administrator.post(reverse("admin:events_session_add"), sent)

    assert Session.objects.get().starts_at == datetime(2030, 7, 15, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize("clock", ["02:30", "02:00"])
def test_hour_that_does_not_exist_is_explained(clock: str, administrator: Client) -> None:
    session = SessionFactory(starts_at=None, ends_at=None)
    times = {"starts_at_0": "2030-03-31", "starts_at_1": clock, "ends_at_0": "2030-03-31", "ends_at_1": "05:00"}

    response = administrator.post(change(session), form(session, **times))

    assert list(errors(response)) == ["starts_at"]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_room_that_is_taken_is_explained_and_the_input_kept(administrator: Client) -> None:
    room = RoomFactory()
    SessionFactory(room=room)
    session = SessionFactory()
    times = {"starts_at_0": "2030-07-15", "starts_at_1": "11:30", "ends_at_0": "2030-07-15", "ends_at_1": "12:30"}

    response = administrator.post(change(session), form(session, room=room.pk, title_en="Kept", **times))

    assert errors(response) == {"room": ["Another session is in this room at that time."]}
    assert 'value="Kept"' in response.text
    session.refresh_from_db()
    assert session.room is None
    assert str(session.title) != "Kept"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"starts_at_0": "2030-07-15", "starts_at_1": "09:00"}, {"ends_at": ["Give both times or none."]}),
        (
            {"starts_at_0": "2030-07-15", "starts_at_1": "09:00", "ends_at_0": "2030-07-15", "ends_at_1": "09:00"},
            {"ends_at": ["The end must come after the start."]},
        ),
        ({"slug": "taken"}, {"slug": ["Another session of the conference has this address."]}),
        ({"title_en": "", "title_ru": " "}, {"title": ["Fill in “Title”."]}),
        ({"kind": "smoke"}, {"kind": ["Choose one of the answers offered for “Kind”."]}),
    ],
)
def test_session_that_cannot_be_is_explained(
    sent: dict[str, str], expected: dict[str, list[str]], administrator: Client
) -> None:
    session = SessionFactory()
    SessionFactory(conference=session.conference, slug="taken")
    without_times = {f"{name}_{part}": "" for name in ("starts_at", "ends_at") for part in (0, 1)}

    response = administrator.post(change(session), form(session, **without_times | sent))

    assert errors(response) == expected


def test_day_of_another_conference_is_explained(administrator: Client) -> None:
    session, day = SessionFactory(), ConferenceDayFactory()

    response = administrator.post(change(session), form(session, day=day.pk))

    assert errors(response) == {"day": ["This belongs to another conference."]}


@pytest.mark.django_db(transaction=True)
def test_segments_swap_places_and_do_not_share_one(administrator: Client) -> None:
    session = SessionFactory()
    first, second = SegmentFactory(session=session, position=1), SegmentFactory(session=session, position=2)

    def sent(*positions: int) -> dict[str, Any]:
        rows: dict[str, Any] = {"segments-TOTAL_FORMS": "2", "segments-INITIAL_FORMS": "2"}
        for index, (row, position) in enumerate(zip((first, second), positions, strict=True)):
            rows |= {
                f"segments-{index}-id": row.pk, f"segments-{index}-session": session.pk,
                f"segments-{index}-key": row.key, f"segments-{index}-kind": row.kind,
                f"segments-{index}-visibility": "before", f"segments-{index}-position": position,
            }  # fmt: skip
        return form(session, **rows)

    swapped = administrator.post(change(session), sent(2, 1))
    assert swapped.status_code == 302
    assert list(Segment.objects.order_by("position").values_list("pk", flat=True)) == [second.pk, first.pk]

    shared = administrator.post(change(session), sent(3, 3))
    assert shared.status_code == 200
    assert list(Segment.objects.order_by("position").values_list("position", flat=True)) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_position_that_another_contribution_has_is_explained_at_the_commit(administrator: Client) -> None:
    session = SessionFactory()
    ContributionFactory(session=session, position=1)
    second = ContributionFactory(session=session, position=2)
    sent = {"session": session.pk, "position": "1", "role": "speaker", "person": second.person_id,
            "status": "confirmed", "visibility": "before", "took_part": "unknown"}  # fmt: skip

    response = administrator.post(change(second), sent)

    assert errors(response) == {"__all__": ["Two contributions of the session have the same position."]}


def test_saving_leaves_alone_what_somebody_else_changed_meanwhile(administrator: Client) -> None:
    country = CountryFactory(iso2="ZZ", name={"en": "Old"}, protocol_order=5)
    sent = {"iso2": "ZZ", "status": country.status, "protocol_order": "5", "name_en": "New", "aliases": ""}

    with mock.patch("events.admin.CountryAdmin.save_model", autospec=True) as save:
        administrator.post(change(country), sent)
    Country.objects.update(protocol_order=7)  # between reading and writing
    model_admin, request, row, form, changed = save.call_args.args
    HouseAdmin.save_model(model_admin, request, row, form, changed)

    assert Country.objects.values_list("name", "protocol_order").get(iso2="ZZ") == ({"en": "New"}, 7)


# --- the programme --------------------------------------------------------------------------------------------------


def test_list_is_in_programme_order(administrator: Client) -> None:
    conference = ConferenceFactory()
    one, two = (ConferenceDayFactory(conference=conference, number=n, date=d)
                for n, d in ((1, "2030-07-15"), (2, "2030-07-16")))  # fmt: skip
    late = SessionFactory(conference=conference, day=two, position=1)
    unplaced = SessionFactory(conference=conference, day=None, position=1)
    second = SessionFactory(conference=conference, day=one, position=2, starts_at=None, ends_at=None)
    first = SideEventFactory(conference=conference, day=one, position=1)

    rows = administrator.get(reverse("admin:events_session_changelist")).context["cl"].result_list

    assert [row.pk for row in rows] == [first.pk, second.pk, late.pk, unplaced.pk]


def test_side_events_are_sessions_of_one_kind(administrator: Client) -> None:
    session, side_event = SessionFactory(), SideEventFactory()
    sent = form(Session(conference=session.conference, slug="new", key="new", state="draft"))
    del sent["kind"]

    administrator.post(reverse("admin:events_sideevent_add"), sent)
    rows = administrator.get(reverse("admin:events_sideevent_changelist")).context["cl"].result_list

    assert {row.pk for row in rows} == {side_event.pk, SideEvent.objects.get(slug="new").pk}
    assert Session.objects.get(slug="new").kind == "side_event"


def test_speakers_are_entered_on_the_sessions_page(administrator: Client) -> None:
    session, person = SessionFactory(), PersonFactory()
    segment = SegmentFactory(session=session)
    row = {
        "contributions-TOTAL_FORMS": "1", "contributions-0-position": "1", "contributions-0-segment": segment.pk,
        "contributions-0-role": "keynote", "contributions-0-person": person.pk, "contributions-0-status": "tbc",
        "contributions-0-role_title_en": "Special Representative", "contributions-0-role_title_ru": "Представитель",
    }  # fmt: skip

    response = administrator.post(change(session), form(session, **row))

    assert response.status_code == 302
    contribution = session.contributions.get()
    assert (contribution.person, contribution.segment, contribution.status) == (person, segment, "tbc")
    assert contribution.role_title == {"en": "Special Representative", "ru": "Представитель"}


def test_seat_without_a_person_is_sent_to_its_own_page(administrator: Client) -> None:
    session = SessionFactory()
    row = {"contributions-TOTAL_FORMS": "1", "contributions-0-position": "1", "contributions-0-role": "speaker",
           "contributions-0-status": "invited"}  # fmt: skip

    response = administrator.post(change(session), form(session, **row))

    assert errors(response) == {
        "__all__": ["Choose a person. A seat without a name is entered on the contribution's own page."]
    }


def test_segment_of_another_session_is_refused(administrator: Client) -> None:
    session, person, other = SessionFactory(), PersonFactory(), SegmentFactory()
    row = {"contributions-TOTAL_FORMS": "1", "contributions-0-position": "1", "contributions-0-role": "speaker",
           "contributions-0-status": "invited", "contributions-0-person": person.pk,
           "contributions-0-segment": other.pk}  # fmt: skip

    response = administrator.post(change(session), form(session, **row))

    assert response.status_code == 200
    assert not session.contributions.exists()


def test_conference_links_to_what_belongs_to_it(administrator: Client) -> None:
    session = SideEventFactory()

    links = administrator.get(change(session.conference)).context["related_pages"]

    assert [link["label"] for link in links] == [
        "Sessions", "Side events", "Materials", "References", "Admissions", "Registrations", "Participants",
        "Delegations", "Figures",
    ]  # fmt: skip
    assert {administrator.get(link["url"]).status_code for link in links} == {200}


def test_texts_are_shown_in_the_readers_language(client: Client) -> None:
    session = SessionFactory(title={"en": "Opening", "ru": "Открытие"})
    editor = UserFactory(is_staff=True, language="ru")
    editor.user_permissions.add(Permission.objects.get(codename="view_session", content_type__app_label="events"))
    client.force_login(editor)

    listed = client.get(reverse("admin:events_session_changelist")).text
    page = client.get(change(session)).text

    for text in (listed, page):
        assert "Открытие" in text
        assert "{&quot;" not in text


# --- texts and lists ------------------------------------------------------------------------------------------------


def test_texts_of_all_languages_are_kept(administrator: Client) -> None:
    texts = {code: f"Name {code}" for code in ("en", "fr", "de", "it", "es", "ru")}
    country = CountryFactory(iso2="ZZ", name=texts)
    sent = {"iso2": "ZZ", "status": "other", "protocol_order": "1", "aliases": ""}
    sent |= {f"name_{code}": text for code, text in texts.items() if code != "fr"} | {"footnote_ru": "Сноска\r\nдва"}

    shown = administrator.get(change(country)).text
    administrator.post(change(country), sent)

    assert all(f'value="{text}"' in shown for text in texts.values())
    after = Country.objects.get(pk=country.pk)
    assert after.name == {code: text for code, text in texts.items() if code != "fr"}
    assert after.footnote == {"ru": "Сноска\nдва"}


def test_names_with_commas_stay_whole(administrator: Client) -> None:
    organisation = OrganisationFactory(aliases=["Ministry of Labour, Family and Youth", "MLFY"])
    page = administrator.get(change(organisation)).text
    sent = {"name_en": "Ministry", "key": organisation.key, "kind": "other", "contact": "{}",
            "aliases": "Ministry of Labour, Family and Youth\r\n\r\n  BMAFJ  "}  # fmt: skip

    administrator.post(change(organisation), sent)

    assert "Ministry of Labour, Family and Youth\nMLFY" in page
    assert Organisation.objects.get(pk=organisation.pk).aliases == ["Ministry of Labour, Family and Youth", "BMAFJ"]


def test_line_that_is_too_long_is_explained(administrator: Client) -> None:
    organisation = OrganisationFactory()
    sent = {"name_en": "Body", "key": organisation.key, "kind": "other", "contact": "{}", "aliases": "x" * 251}

    assert list(errors(administrator.post(change(organisation), sent))) == ["aliases"]


@pytest.mark.parametrize(("typed", "stored"), [("", None), ("English\nRussian", ["English", "Russian"])])
def test_languages_that_are_not_known_stay_unknown(typed: str, stored: list[str] | None, administrator: Client) -> None:
    conference = ConferenceFactory()
    sent = {
        **management("days"), "title_en": "Conference", "slug": conference.slug, "kind": "conference",
        "state": "published", "visibility": "public", "date_precision": "day", "time_zone": "Europe/Vienna",
        "format": "hybrid", "working_languages": typed, "anniversaries": "[]",
    }  # fmt: skip

    response = administrator.post(change(conference), sent)

    assert response.status_code == 302
    assert Conference.objects.get(pk=conference.pk).working_languages == stored


def test_time_zone_that_is_no_place_is_explained(administrator: Client) -> None:
    sent = {**management("days"), "time_zone": "Etc/GMT+2"}

    assert "time_zone" in errors(administrator.post(reverse("admin:events_conference_add"), sent))


@pytest.mark.parametrize("term", ["Вена", "wien", "VIENNA"])
def test_search_finds_texts_in_every_language(term: str, administrator: Client) -> None:
    conference = ConferenceFactory(title={"en": "Vienna meeting", "de": "Treffen in Wien", "ru": "Встреча Вена"})
    ConferenceFactory()

    found = administrator.get(reverse("admin:events_conference_changelist"), {"q": term}).context["cl"].result_list

    assert [row.pk for row in found] == [conference.pk]


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_text_of_a_megabyte_is_no_error(size: int, administrator: Client) -> None:
    country = CountryFactory()
    sent = {"iso2": "z" * size, "status": "other", "protocol_order": "9" * 400, "name_en": "x"}

    assert set(errors(administrator.post(change(country), sent))) == {"iso2", "protocol_order"}


def test_control_characters_are_explained(administrator: Client) -> None:
    country = CountryFactory()
    sent = {"iso2": "ZZ", "status": "other", "protocol_order": "1", "name_en": "a\x00b", "aliases": "c\x00d"}

    assert set(errors(administrator.post(change(country), sent))) == {"name", "aliases"}
