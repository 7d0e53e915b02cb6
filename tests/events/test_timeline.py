"""The timeline of a day with parallel items: where things stand, and when there is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from events import selectors, timeline
from events.models import SessionState
from tests.factories import NOW, ConferenceFactory, SessionFactory, SideEventFactory

pytestmark = pytest.mark.django_db

NINE = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
CSS = Path(__file__).resolve().parents[2] / "static" / "css" / "timeline.css"


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def conference() -> Any:
    return ConferenceFactory(slug="summit", title={"en": "Summit"})


def item(conference: Any, first: int, last: int, **more: Any) -> Any:
    """A side event from and to a minute after 9:00 UTC."""
    times = {"starts_at": NINE + timedelta(minutes=first), "ends_at": NINE + timedelta(minutes=last)}
    return SideEventFactory(conference=conference, **(times | more))


def grid(conference: Any) -> timeline.Timeline | None:
    return selectors.programme(conference, now=NOW).days[0].timeline


def test_items_stand_by_time_and_side_by_side(conference: Any) -> None:
    item(conference, 0, 60)  # alone
    item(conference, 60, 120)
    item(conference, 60, 90)
    item(conference, 90, 100)  # odd times never share a row with what went before
    item(conference, 100, 120)

    found = grid(conference)

    assert found is not None
    assert [(block.first, block.end, block.lane) for block in found.blocks] == [
        (1, 5, None),
        (5, 10, 1),
        (5, 7, 2),
        (7, 8, 2),
        (8, 10, 2),
    ]
    assert [(mark.row, mark.time) for mark in found.marks] == [(1, "11:00"), (5, "12:00"), (7, "12:30"), (8, "12:40")]
    assert found.lanes == 2


def test_gap_takes_no_room(conference: Any) -> None:
    item(conference, 0, 30)
    item(conference, 0, 30)
    item(conference, 300, 330)

    found = grid(conference)

    assert found is not None
    assert [(block.first, block.end) for block in found.blocks] == [(1, 3), (1, 3), (3, 5)]


@pytest.mark.parametrize(
    "times", [[], [(0, 60)], [(0, 60), (60, 90)], [(0, 60, SessionState.CANCELLED), (0, 60)], [(0, 9000), (0, 60)]]
)
def test_there_is_none_without_parallel_items_or_when_it_would_not_fit(conference: Any, times: list[Any]) -> None:
    SessionFactory(conference=conference, starts_at=None, ends_at=None)
    for first, last, *state in times:
        item(conference, first, last, **({"state": state[0]} if state else {}))

    assert grid(conference) is None


def test_too_many_at_once_are_left_to_the_list(conference: Any) -> None:
    for _number in range(timeline.MOST_LANES):
        item(conference, 0, 60)
    assert grid(conference) is not None
    item(conference, 0, 60)

    assert grid(conference) is None


def test_style_sheet_has_every_place_that_may_be_named() -> None:
    css = CSS.read_text()

    for number in range(1, timeline.MOST_ROWS + 1):
        assert f".from-{number} {{ grid-row-start: {number}; }}" in css
        assert f".to-{number + 1} {{ grid-row-end: {number + 1}; }}" in css
    for number in range(2, timeline.MOST_LANES + 1):
        assert re.search(rf"\.lanes-{number} \{{", css)
        assert re.search(rf"\.lane-{number} \{{", css)


def test_page_links_the_grid_to_the_list_and_shows_both_clocks(client: Client, conference: Any) -> None:
    one = item(conference, 0, 60, title={"en": "One"})
    item(conference, 0, 60)

    html = client.get("/en/summit/programme/1/").content.decode()
    assert f'<a href="#session-{one.slug}"><span class="timeline-time">11:00–12:00</span> One</a>' in html
    assert f'<h3 id="session-{one.slug}">' in html
    assert "Vienna time (CEST, UTC+2) · <span data-own-zone-name" in html
    assert '<span data-own-clock data-short data-starts="2030-07-15T09:00:00Z"' in html
    assert " style=" not in html

    html = client.get("/en/summit/programme/1/?tz=Asia/Tokyo").content.decode()
    assert "Vienna time (CEST, UTC+2) · Tokyo time (JST, UTC+9)" in html
    assert "11:00<span>18:00</span>" in html
    assert "timeline-grid" not in client.get("/en/summit/programme/?show=sessions").content.decode()
