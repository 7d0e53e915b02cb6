"""The page of a session: who convenes it, how to register, what came of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from events.models import ConvenorRelation
from tests.events.reading import AFTER_THE_CONFERENCE, page, words
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConvenorshipFactory,
    OrganisationFactory,
    RecommendationFactory,
    ReferenceFactory,
    RoomFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def test_side_event_prints_convenors_audience_languages_and_platform(client: Client) -> None:
    event = SideEventFactory(
        number=1,
        audience={"en": "delegations\nfield operations"},
        working_languages=["English"],
        interpretation_languages=["Russian", "Kazakh"],
        platform_label="WebEx",
        room=RoomFactory(name={"en": "Neuer Saal"}),
    )
    department = OrganisationFactory(name={"en": "Threats Department"})
    unit = OrganisationFactory(name={"en": "Police Unit"})
    ConvenorshipFactory(session=event, organisation=department, with_unit=unit)
    helper = OrganisationFactory(name={"en": "Commissioner"})
    ConvenorshipFactory(session=event, organisation=helper, relation=ConvenorRelation.COLLABORATOR)

    html = page(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())

    assert "Convenor Threats Department (Police Unit)" in text
    assert "In collaboration with Commissioner" in text
    assert "<li>delegations</li><li>field operations</li>" in html
    assert "Working languages English Interpretation Russian, Kazakh" in text
    assert "Platform WebEx" in text
    assert "Neuer Saal" in text


def test_languages_that_are_not_known_are_not_invented(client: Client) -> None:
    event = SideEventFactory(working_languages=[], interpretation_languages=[])

    text = words(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")

    assert "Working languages" not in text
    assert "Interpretation" not in text


def test_external_registration_warns_before_the_link_out(client: Client) -> None:
    event = SideEventFactory(
        registration_mode="external_zoom_webinar", registration_url="https://zoom.example/register/abc"
    )

    html = page(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")

    assert "What you enter there goes to them, not to us." in html
    assert '<a class="address" href="https://zoom.example/register/abc" rel="nofollow noopener noreferrer"' in html


def test_external_address_that_is_broken_is_text_and_no_link(client: Client) -> None:
    event = SideEventFactory(
        registration_mode="external_google_form",
        registration_url="https://forms.example/brok",
        registration_url_is_broken=True,
    )

    html = page(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")

    assert "https://forms.example/brok" in html
    assert 'href="https://forms.example/brok"' not in html


def test_own_form_is_offered_while_registration_is_open(client: Client) -> None:
    admission = AdmissionFactory()
    event = admission.session
    slug = event.conference.slug

    html = page(client, f"/en/{slug}/side-events/{event.slug}/")

    assert f'<a class="button" href="/en/{slug}/register/?session={event.slug}">Register</a>' in html
    assert f'data-live="/en/{slug}/places/{event.slug}/"' in html
    assert f'href="/en/{slug}/register/"' in page(client, f"/en/{slug}/")


def test_own_form_is_not_offered_when_registration_is_closed(client: Client) -> None:
    event = AdmissionFactory(is_closed=True).session
    slug = event.conference.slug

    html = page(client, f"/en/{slug}/side-events/{event.slug}/")

    assert "Registration is not open." in html
    assert f"/en/{slug}/register/" not in html


def test_results_are_numbered_with_the_disclaimer_and_references_listed(client: Client, time_machine: Any) -> None:
    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)
    session = SessionFactory()
    RecommendationFactory(session=session, number=2, text={"en": "Second thing"})
    RecommendationFactory(session=session, number=1, text={"en": "First thing"})
    ReferenceFactory(conference=session.conference, session=session, citation="ILO, Global Estimates")
    ReferenceFactory(conference=session.conference, session=session, citation="", url="")

    html = page(client, f"/en/{session.conference.slug}/sessions/{session.slug}/")

    assert html.index("First thing") < html.index("Second thing")
    assert "They are not the position of any single speaker." in html
    assert html.count("<li>ILO, Global Estimates</li>") == 1
    assert "<li></li>" not in html


def test_texts_are_prose_and_never_markup_of_their_authors(client: Client) -> None:
    section = TextSectionFactory(
        text={
            "en": "A **bold** claim\n\n- one\n- two\n\n<script>alert(1)</script> [link](javascript:alert(1)) "
            "[source](https://source.example) <img src=x onerror=alert(1)>\n\n# Heading"
        }
    )

    html = page(client, f"/en/{section.session.conference.slug}/sessions/{section.session.slug}/")

    assert "<strong>bold</strong>" in html
    assert "<li>one</li>" in html
    assert '<a href="https://source.example" rel="noopener noreferrer nofollow">source</a>' in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert "<img src=x" not in html
    assert "<h1>Heading" not in html
