"""Two choices at the same time are marked: in the form that comes back, and on the page that answers it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from registration.models import Admission
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, SideEventFactory
from tests.registration.register_pages import address, filled, follow, text

pytestmark = pytest.mark.django_db

SAME_TIME = "At the same time you have chosen:"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def three() -> list[Admission]:
    """Two events that overlap, and one that begins when the second ends."""
    conference = ConferenceFactory()
    starts = NOW + timedelta(days=3)
    return [
        AdmissionFactory(
            conference=conference,
            session=SideEventFactory(
                conference=conference,
                position=position,
                title={"en": title},
                starts_at=starts + timedelta(hours=hours),
                ends_at=starts + timedelta(hours=hours + 2),
            ),
            capacity=0 if title == "Housing" else None,
        )
        for position, (title, hours) in enumerate([("Courts", 0), ("Housing", 1), ("Borders", 3)])
    ]


def marks(html: str) -> list[str]:
    """The marks that are shown, as they read."""
    shown = re.findall(r'<div class="clash"((?: data-clashes="[^"]*")?)( hidden)?>(.*?)</div>', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", inner).split()) for _names, hidden, inner in shown if not hidden]


def test_answer_marks_both_choices_that_nobody_can_attend_together(client: Client, three: list[Admission]) -> None:
    page = follow(client, client.post(address(three[0]), filled(*three)))

    advice = "Nobody can attend both. Decide on your personal page: a place you give back goes to the first in line."
    assert marks(page.content.decode()) == [f"{SAME_TIME} Housing {advice}", f"{SAME_TIME} Courts {advice}"]


def test_answer_without_a_clash_marks_nothing(client: Client, three: list[Admission]) -> None:
    page = follow(client, client.post(address(three[0]), filled(three[0], three[2])))

    assert SAME_TIME not in text(page)


def test_form_that_comes_back_marks_what_was_chosen_and_names_the_fields_for_the_script(
    client: Client, three: list[Admission]
) -> None:
    back = client.post(address(three[0]), filled(three[0], three[1], email="nobody")).content.decode()
    empty = client.get(address(three[0])).content.decode()

    assert [mark.split(" Nobody")[0] for mark in marks(back)] == [f"{SAME_TIME} Housing", f"{SAME_TIME} Courts"]
    assert marks(empty) == []
    names = [f"attend-{admission.session.slug}" for admission in three if admission.session]
    assert re.findall(r'data-clashes="([^"]*)"', empty) == [names[1], names[0]]
