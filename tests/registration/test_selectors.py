"""What registration pages read: offers kept in memory, countries for a reader, one's own choices."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from events import page_cache
from events.models import CountryStatus
from registration import selectors
from registration.models import RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    MeetingFactory,
    OrganisationFactory,
    ParticipantFactory,
    RegistrationFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


# --- offers -----------------------------------------------------------------------------------------------------------


def test_offers_stand_in_form_order_conference_first() -> None:
    conference = ConferenceFactory()
    late = AdmissionFactory(session=SideEventFactory(conference=conference, slug="late", position=9))
    early = AdmissionFactory(session=SideEventFactory(conference=conference, slug="early", position=2))
    whole = [AdmissionFactory(session=None, conference=conference, mode=mode) for mode in ("in_person", "online")]

    offered = selectors.offers(conference.slug)

    assert offered is not None
    assert [(thing.name, list(thing.admissions)) for thing in offered.things] == [
        ("attend", whole),
        ("attend-early", [early]),
        ("attend-late", [late]),
    ]


@pytest.mark.parametrize(
    "hidden",
    [{"state": "draft"}, {"visibility": "invitation"}, {"visibility": "internal"}, {"visibility": "registered"}],
)
def test_offers_of_a_conference_that_is_not_public_are_none(hidden: dict[str, str]) -> None:
    conference = ConferenceFactory(**hidden)
    AdmissionFactory(session=SideEventFactory(conference=conference))

    assert selectors.offers(conference.slug) is None


@pytest.mark.parametrize(
    "hidden",
    [
        {"state": "draft"},
        {"state": "cancelled"},
        {"visibility": "invitation"},
        {"registration_mode": "invitation"},
        {"registration_mode": "none"},
        {"registration_mode": "external_zoom_meeting"},
    ],
)
def test_offers_leave_out_what_cannot_be_registered_for_here(hidden: dict[str, str]) -> None:
    admission = AdmissionFactory(session=SideEventFactory(**hidden))

    offered = selectors.offers(admission.conference.slug)

    assert offered is not None
    assert offered.things == ()


def test_offers_of_a_cancelled_conference_are_empty() -> None:
    admission = AdmissionFactory(session__conference__state="cancelled")

    offered = selectors.offers(admission.conference.slug)

    assert offered is not None
    assert not offered.is_open(NOW)


def test_offers_name_what_is_registered_for_elsewhere() -> None:
    conference = ConferenceFactory()
    elsewhere = SideEventFactory(
        conference=conference, registration_mode="external_google_form", registration_url="https://forms.example/x"
    )
    SideEventFactory(conference=conference, registration_mode="external_other")  # no address to go to
    SideEventFactory(
        conference=conference, state="draft", registration_mode="external_other", registration_url="https://x.example/"
    )

    offered = selectors.offers(conference.slug)

    assert offered is not None
    assert offered.elsewhere == (elsewhere,)


@pytest.mark.django_db(transaction=True)  # the version rises once per transaction
def test_offers_are_kept_until_the_content_changes() -> None:
    admission = AdmissionFactory()
    slug = admission.conference.slug
    selectors.offers(slug)

    with CaptureQueriesContext(connection) as queries:
        again = selectors.offers(slug)
    assert len(queries) == 0
    assert again is not None
    assert again.is_open(NOW)

    admission.is_closed = True
    admission.save()
    page_cache.forget()  # the version is asked for at most twice a second
    changed = selectors.offers(slug)
    assert changed is not None
    assert not changed.is_open(NOW)


@pytest.mark.parametrize("count", [1, 3])
def test_offers_are_read_with_few_queries_and_without_secrets(count: int) -> None:
    conference = ConferenceFactory()
    for _n in range(count):
        session = SideEventFactory(conference=conference)
        AdmissionFactory(session=session)
        MeetingFactory(session=session)
    page_cache.content_version()

    with CaptureQueriesContext(connection) as queries:
        offered = selectors.offers(conference.slug)
        assert offered is not None
        windows = [admission.join_window for thing in offered.things for admission in thing.admissions]

    assert len(queries) == 6
    assert None not in windows
    assert "canary" not in str([admission.meeting.__dict__ for t in offered.things for admission in t.admissions])


def test_offers_find_an_organisation_in_every_spelling() -> None:
    partner = OrganisationFactory(
        name={"en": "Office for Liberty", "fr": "Bureau de la Liberté"}, abbreviation="O.L.", aliases=["Liberty Office"]
    )
    admission = AdmissionFactory(approval="audience")
    admission.audience_organisations.add(partner)
    OrganisationFactory(name={"en": "Nobody named"})

    offered = selectors.offers(admission.conference.slug)

    assert offered is not None
    for spelling in ("office for  liberty", "Bureau de la liberte", "OL", "o.l.", "LIBERTY OFFICE"):
        assert offered.organisation_id(spelling) == partner.pk
    for other in ("", "Nobody named", "Office"):
        assert offered.organisation_id(other) is None


def test_places_are_read_live() -> None:
    admission = AdmissionFactory(capacity=2)
    offered = selectors.offers(admission.conference.slug)
    assert offered is not None
    RegistrationFactory(admission=admission)

    places = selectors.live_places(offered)

    assert places[admission.pk].left == 1


# --- countries --------------------------------------------------------------------------------------------------------


def test_countries_stand_by_standing_then_protocol_and_others_by_name() -> None:
    states = [("ZZ", 1, "Zembla"), ("AA", 2, "Aland")]
    for code, order, name in states:
        CountryFactory(iso2=code, protocol_order=order, name={"en": name})
    CountryFactory(iso2="JP", status=CountryStatus.ASIAN_PARTNER, name={"en": "Japan"})
    for code, english, german in [
        ("ET", "Ethiopia", "Äthiopien"),
        ("ZM", "Zambia", "Sambia"),
        ("AR", "Argentina", "Argentinien"),
    ]:
        CountryFactory(iso2=code, status=CountryStatus.OTHER, name={"en": english, "de": german})

    in_english = selectors.countries()
    with translation.override("de"):
        in_german = selectors.countries()

    assert [code for group in in_english.groups for code, _name in group.countries] == [
        "ZZ",
        "AA",
        "JP",
        "AR",
        "ET",
        "ZM",
    ]
    assert in_german.groups[-1].countries == (("AR", "Argentinien"), ("ET", "Äthiopien"), ("ZM", "Sambia"))
    assert set(in_english.by_code) == {"ZZ", "AA", "JP", "AR", "ET", "ZM"}


@pytest.mark.parametrize(("name", "key"), [("Österreich", "osterreich"), ("Ёлка", "елка"), ("Île", "ile"), ("ß", "ss")])
def test_sort_key_leaves_out_accents(name: str, key: str) -> None:
    assert selectors.sort_key(name)[0] == key


# --- own choices ------------------------------------------------------------------------------------------------------


def test_own_choices_stand_in_programme_order_with_rank_and_newest_only() -> None:
    conference = ConferenceFactory()
    participant = ParticipantFactory(conference=conference)
    second = AdmissionFactory(session=SideEventFactory(conference=conference, position=2))
    first = AdmissionFactory(session=SessionFactory(conference=conference, position=1))
    whole = AdmissionFactory(session=None, conference=conference)
    RegistrationFactory(admission=second, status=RegistrationStatus.WAITLISTED)
    waiting = RegistrationFactory(admission=second, participant=participant, status=RegistrationStatus.WAITLISTED)
    RegistrationFactory(admission=first, participant=participant, status=RegistrationStatus.CANCELLED)
    again = RegistrationFactory(admission=first, participant=participant)
    general = RegistrationFactory(admission=whole, participant=participant)

    with CaptureQueriesContext(connection) as queries:
        choices = selectors.own_choices(participant, now=NOW)

    assert [(choice.registration, choice.rank) for choice in choices] == [(general, None), (again, None), (waiting, 2)]
    assert len(queries) == 2


@pytest.mark.parametrize(
    ("status", "can_cancel", "can_join"),
    [
        ("pending", True, False),
        ("confirmed", True, True),
        ("waitlisted", True, False),
        ("offered", True, False),
        ("rejected", False, False),
        ("cancelled", False, False),
        ("attended", False, True),
        ("absent", False, False),
    ],
)
def test_own_choice_knows_what_can_be_done(status: str, can_cancel: bool, can_join: bool) -> None:
    registration = RegistrationFactory(status=status)

    [choice] = selectors.own_choices(registration.participant, now=NOW)

    assert (choice.can_cancel, choice.can_join) == (can_cancel, can_join)


def test_own_choice_in_person_has_no_link() -> None:
    registration = RegistrationFactory(admission__mode="in_person")

    [choice] = selectors.own_choices(registration.participant, now=NOW)

    assert not choice.can_join


@pytest.mark.parametrize(
    ("minutes", "can_join", "is_near", "is_over"),
    [(-61, True, False, False), (-60, True, True, False), (59, True, True, False), (60, False, False, True)],
)
def test_own_choice_is_near_from_an_hour_before_until_it_is_over(
    minutes: int, can_join: bool, is_near: bool, is_over: bool
) -> None:
    registration = RegistrationFactory()
    moment = registration.admission.session.starts_at + timedelta(minutes=minutes)

    [choice] = selectors.own_choices(registration.participant, now=moment)

    assert (choice.can_join, choice.is_near, choice.is_over) == (can_join, is_near, is_over)
    assert choice.can_cancel is not is_over


def test_kept_results_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = AdmissionFactory()
    first = selectors.offers(admission.conference.slug)
    later = time.monotonic() + 31
    monkeypatch.setattr(time, "monotonic", lambda: later)

    again = selectors.offers(admission.conference.slug)

    assert again is not first
