"""The programme page of the admin in a real browser: dragged, by arrow keys, and without JavaScript."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from events.models import Session
from speakers.models import Contribution
from tests.browser import chromium
from tests.browser.test_admin import PASSWORD, sign_in
from tests.factories import (
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]


def programme() -> list[Session]:
    """Three sessions on the first of two days."""
    conference = ConferenceFactory()
    first = ConferenceDayFactory(conference=conference)
    ConferenceDayFactory(conference=conference, number=2, date=date(2030, 7, 16))
    return [
        SessionFactory(conference=conference, day=first, position=n, starts_at=None, ends_at=None) for n in (1, 2, 3)
    ]


def order() -> list[tuple[int, int]]:
    """Day and key of the sessions in programme order."""
    return [(one.day.number, one.pk) for one in Session.objects.select_related("day").in_programme_order() if one.day]


def drag(page: Page, handle: Any, target: Any, *, down: int) -> None:
    """Drag by a handle to a place so many pixels below the top of the target."""
    start, end = handle.bounding_box(), target.bounding_box()
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + 40, end["y"] + down - 5, steps=8)
    page.mouse.move(end["x"] + 40, end["y"] + down, steps=2)
    page.mouse.up()


def test_sessions_are_dragged_and_moved_by_keys(open_page: OpenPage) -> None:
    a, b, c = programme()
    path = reverse("admin:events_conference_programme", args=[a.conference_id])
    page = sign_in(open_page, path)

    page.locator(f"#session-{b.pk} .drag-handle").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_selector(".messagelist .success")
    assert order() == [(1, b.pk), (1, a.pk), (1, c.pk)]
    page.wait_for_selector(f"#session-{b.pk} .drag-handle:focus")  # the next key press moves it on

    drag(page, page.locator(f"#session-{c.pk} .drag-handle"), page.locator(f"#session-{a.pk}"), down=2)
    page.wait_for_url(f"**{path}#session-{c.pk}")
    assert order() == [(1, b.pk), (1, c.pk), (1, a.pk)]

    second_day = page.locator(".programme-day").nth(1)
    drag(page, page.locator(f"#session-{b.pk} .drag-handle"), second_day, down=50)
    page.wait_for_url(f"**{path}#session-{b.pk}")
    assert order() == [(1, c.pk), (1, a.pk), (2, b.pk)]


def test_sessions_are_moved_without_javascript(open_page: OpenPage) -> None:
    a, b, c = programme()
    path = reverse("admin:events_conference_programme", args=[a.conference_id])
    sign_in(open_page, path)
    page = open_page(path, javascript=False)
    page.fill("#id_login", "office@office.example")
    page.fill("#id_password", PASSWORD)
    page.click("main form button.button")

    page.click(f"#session-{a.pk} button[name=down]")
    page.locator(f"#session-{c.pk} .programme-tools summary").click()
    page.select_option(f"#day-of-{c.pk}", label="2 · Tuesday 16 July")
    page.click(f"#session-{c.pk} button[name=to_day]")

    assert page.locator(".messagelist .success").count() == 1
    assert page.locator(".drag-handle").count() == 0
    assert order() == [(1, b.pk), (1, a.pk), (2, c.pk)]


def test_rows_of_a_form_are_dragged_and_their_numbers_follow(open_page: OpenPage) -> None:
    session = SessionFactory()
    segment = SegmentFactory(session=session)
    first, second = (ContributionFactory(session=session, segment=segment, position=n) for n in (1, 2))
    page = sign_in(open_page, reverse("admin:events_session_change", args=[session.pk]))

    page.locator("#contributions-1 .drag-handle").scroll_into_view_if_needed()
    drag(page, page.locator("#contributions-1 .drag-handle"), page.locator("#contributions-0"), down=4)
    assert page.input_value("#id_contributions-1-position") == "1"
    page.locator("#contributions-1 .drag-handle").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.click("input[name=_continue] >> nth=0")
    page.wait_for_selector(".messagelist .success")

    assert list(Contribution.objects.order_by("position").values_list("pk", flat=True)) == [second.pk, first.pk]


def test_row_that_was_added_gets_the_next_number_once_something_is_in_it(open_page: OpenPage) -> None:
    session = SessionFactory()
    TextSectionFactory(session=session, position=4)
    page = sign_in(open_page, reverse("admin:events_session_change", args=[session.pk]))

    for _row in range(2):
        page.click("#text_sections-group .add-row a")
    page.fill("[name=text_sections-1-text_en]", "Typed")
    assert page.input_value("#id_text_sections-1-position") == "5"
    page.click("input[name=_continue] >> nth=0")
    page.wait_for_selector(".messagelist .success")

    assert list(session.text_sections.order_by("position").values_list("position", "text"))[1:] == [
        (5, {"en": "Typed"})
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_of_a_conference_do_not_scroll_sideways(width: int, open_page: OpenPage) -> None:
    session = programme()[0]
    SessionFactory(conference=session.conference, day=session.day, title={"en": "Unaussprechlichkeiten " * 12})
    page = sign_in(open_page, reverse("admin:events_conference_programme", args=[session.conference_id]))
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("text=Next edition").evaluate("link => link.click()")  # it lies in a group of the bar
    page.fill("#id_slug", "next")
    page.click(".datetimeshortcuts >> text=Today")
    page.click("button[name=preview]")
    page.wait_for_selector("button[name=confirmed]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
