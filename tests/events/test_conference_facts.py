"""What the pages of a conference and of its sessions add to the programme: figures, papers, sources, anniversaries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from registration.models import Figure
from tests.factories import NOW, ConferenceFactory, MaterialFactory, ReferenceFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def words(client: Client, path: str) -> str:
    """The page's text in one line."""
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_figures_are_printed_with_measure_qualifier_and_source(client: Client) -> None:
    conference = ConferenceFactory(slug="summit")
    more = {"conference": conference}
    Figure.objects.create(measure="registered", value=1234, qualifier="more_than", source="Report, p. 2", **more)
    Figure.objects.create(measure="countries", value=60, is_derived=True, internal_note="Canary", **more)
    Figure.objects.create(measure="posts", value=7, printed_as={"en": "seven posts"}, **more)
    Figure.objects.create(measure="attended", value=4, group="Small group", **more)
    Figure.objects.create(measure="attended", value=40, session=SessionFactory(conference=conference), **more)

    text = words(client, "/en/summit/")

    assert "Registered participants more than 1,234 Source: Report, p. 2" in text
    assert "Countries 60 (our own calculation)" in text
    assert "seven posts" in text
    assert "Small group" not in text
    assert "attended" not in text
    assert "Canary" not in text
    assert "1.234" in words(client, "/de/summit/")


@pytest.mark.parametrize(("language", "word"), [("en", "about"), ("fr", "environ"), ("de", "etwa"), ("ru", "около")])
def test_about_before_a_number_is_the_right_word(client: Client, language: str, word: str) -> None:
    Figure.objects.create(measure="posts", value=70, qualifier="about", conference=ConferenceFactory(slug="summit"))

    assert f"{word} 70" in words(client, f"/{language}/summit/")


def test_anniversaries_and_sources_stand_on_the_conference(client: Client) -> None:
    conference = ConferenceFactory(slug="summit", anniversaries=["20 years since the Protocol", None, 5])
    ReferenceFactory(conference=conference, citation="A source of the whole")
    ReferenceFactory(conference=conference, citation="Of a session", session=SessionFactory(conference=conference))
    ReferenceFactory(conference=conference, citation="")

    text = words(client, "/en/summit/")

    assert "20 years since the Protocol" in text
    assert "References A source of the whole" in text
    assert "Of a session" not in text
    assert '<span lang="en">20 years since' in client.get("/ru/summit/").content.decode()


@pytest.mark.parametrize("where", ["conference", "session"])
def test_recordings_videos_presentations_and_papers_have_headings_of_their_own(client: Client, where: str) -> None:
    session = SessionFactory(conference__slug="summit", slug="one")
    more = {"conference": session.conference, "session": session if where == "session" else None}
    for kind in ("document", "presentation", "video", "recording"):
        MaterialFactory(kind=kind, title={"en": f"The {kind}"}, visibility="before", **more)

    text = words(client, "/en/summit/sessions/one/" if where == "session" else "/en/summit/")

    found = re.findall(r"(Recordings|Related videos|Presentations|Papers and links) The (\w+)", text)
    assert found == [
        ("Recordings", "recording"),
        ("Related videos", "video"),
        ("Presentations", "presentation"),
        ("Papers and links", "document"),
    ]
