"""The accessibility statement: in every footer, with offices to write to and the day on which it was made."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation

from alliance import dates, pages
from tests.factories import ConferenceFactory

pytestmark = pytest.mark.django_db


def test_statement_names_the_offices_of_public_conferences_once(client: Client) -> None:
    for slug in ("first", "second"):
        ConferenceFactory(slug=slug, contact_email="office@conference.example")
    ConferenceFactory(contact_email="")
    ConferenceFactory(contact_email="hidden@conference.example", visibility="internal")

    shown = client.get("/en/about/accessibility/").text

    assert shown.count('href="mailto:office@conference.example"') == 1
    assert "hidden@conference.example" not in shown
    assert 'href="/en/second/"' in shown
    assert "EN 301 549" in shown


@pytest.mark.parametrize("language", ["en", "ru"])
def test_statement_says_when_it_was_made(client: Client, language: str) -> None:
    with translation.override(language):
        day = dates.day(pages.ACCESSIBILITY_REVIEWED_ON, with_weekday=False)

    assert day in client.get(f"/{language}/about/accessibility/").text
    assert f'href="/{language}/about/accessibility/"' in client.get(f"/{language}/").text
