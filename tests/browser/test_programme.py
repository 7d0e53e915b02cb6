"""The programme in a real browser: filters swapped in place, the timeline, the agenda, the search while typing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_pages import MEASURE
from tests.factories import ConferenceDayFactory, ContributionFactory, ConvenorshipFactory, SessionFactory

if TYPE_CHECKING:
    from events.models import Conference
    from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

AT_NINE = datetime(2030, 7, 15, 7, 0, tzinfo=UTC)


@pytest.fixture
def conference() -> Any:
    """A panel and two side events at the same time on day 1, one session on day 2."""
    first = SessionFactory(conference__slug="summit", title={"en": "Panel on prosecution"}, starts_at=AT_NINE)
    conference = first.conference
    for number in (1, 2):
        event = SessionFactory(
            conference=conference,
            kind="side_event",
            title={"en": f"Event {number}"},
            starts_at=AT_NINE + timedelta(minutes=30),
            working_languages=["Russian"],
        )
        ConvenorshipFactory(session=event)
    ContributionFactory(session=first, person__display_name="Rahel Gershuni")
    SessionFactory(conference=conference, day=ConferenceDayFactory(conference=conference, number=2), kind="closing")
    return conference


def _kept(page: Any) -> Any:
    return page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")


def test_filters_are_swapped_in_place_and_read_aloud(conference: Conference, open_page: OpenPage) -> None:
    page = open_page("/en/summit/programme/", zone="America/Vancouver")
    page.evaluate("document.body.dataset.same = 'page'")

    page.locator(".filters summary").click()
    page.get_by_label("Kind").select_option("side_event")
    page.locator("#filters-show").press("Enter")
    page.wait_for_url("**/en/summit/programme/?kind=side_event")

    assert page.locator("article").count() == 2
    assert page.locator("#announce").inner_text() == "Found: 2"
    assert page.evaluate("document.activeElement.id") == "filters-show"
    assert page.locator(".clock-own").first.inner_text().endswith("your time")
    assert page.evaluate("document.body.dataset.same") == "page"

    page.locator(".chosen a").press("Enter")
    page.wait_for_url("**/en/summit/programme/")
    assert page.locator("#found").count() == 0
    assert page.evaluate("document.activeElement.id") == "main"
    assert _kept(page) == "{}{}"

    page.go_back()
    page.locator("#found").wait_for()
    assert page.locator("article").count() == 2


def test_days_are_links_and_the_languages_follow(conference: Conference, open_page: OpenPage) -> None:
    page = open_page("/en/summit/programme/")

    page.locator("#day-link-2").press("Enter")
    page.wait_for_url("**/programme/2/")

    assert page.title().startswith("Day 2")
    assert page.locator("#languages a").nth(1).get_attribute("href") == "/fr/summit/programme/2/"
    assert page.evaluate("document.activeElement.id") == "day-link-2"


def test_filters_work_without_javascript(conference: Conference, open_page: OpenPage) -> None:
    page = open_page("/en/summit/programme/", javascript=False)

    page.locator(".filters summary").click()
    page.get_by_label("Working language").select_option("Russian")
    page.locator("#filters-show").click()

    assert page.url.endswith("/en/summit/programme/?language=Russian")
    assert page.locator("article").count() == 2


@pytest.mark.parametrize("width", [390, 1280])
def test_timeline_leads_to_the_list_and_does_not_widen_the_page(
    conference: Conference, open_page: OpenPage, width: int
) -> None:
    page = open_page("/en/summit/programme/1/", width=width, zone="America/Vancouver")

    def box(name: str) -> Any:
        return page.locator(".timeline-grid a", has_text=name).bounding_box()

    one, two, panel = box("Event 1"), box("Event 2"), box("Panel")
    assert one["y"] == two["y"] > panel["y"]  # by time
    assert len({one["x"], two["x"], panel["x"]}) == 3  # side by side
    assert page.locator(".timeline-mark").first.inner_text().split() == ["09:00", "00:00"]
    page.locator(".timeline-grid a", has_text="Event 2").press("Enter")
    assert "#session-" in page.url


def test_agenda_is_picked_with_and_without_javascript(conference: Conference, open_page: OpenPage) -> None:
    page = open_page("/en/summit/programme/")
    page.get_by_role("button", name="Add to my agenda – Event 1").click()
    page.get_by_role("button", name="Take out of my agenda – Event 1").wait_for()
    assert page.locator("#announce").inner_text() == "Added to your agenda."
    assert page.locator("#agenda-count").inner_text() == "(1)"
    page.get_by_role("button", name="Add to my agenda – Event 2").click()
    page.get_by_role("button", name="Take out of my agenda – Event 2").wait_for()

    page.reload()
    page.get_by_role("button", name="Take out of my agenda – Event 2").wait_for()
    page.locator("#day-link-1").click()  # swapped in place, it asks again
    page.locator("h1", has_text="Day 1").wait_for()
    page.get_by_role("button", name="Take out of my agenda – Event 2").wait_for()
    page.get_by_role("link", name="My agenda").click()
    assert page.get_by_text("At the same time as").count() == 2
    assert _kept(page) == "{}{}"
    assert page.evaluate("document.cookie") == ""

    page = open_page("/en/summit/programme/", javascript=False)
    page.get_by_role("button", name="Add to my agenda – Event 1").click()
    assert page.url.endswith("/en/summit/agenda/")
    assert page.locator("article").count() == 1
    page.get_by_role("button", name="Take out of my agenda – Event 1").click()
    assert page.locator("article").count() == 0


def test_search_shows_results_while_typing(conference: Conference, open_page: OpenPage) -> None:
    page = open_page("/en/summit/search/")

    page.get_by_label("Search sessions").press_sequentially("гершу", delay=20)
    page.get_by_text("Found: 1", exact=True).first.wait_for()

    assert page.locator("mark").inner_text() == "Gershuni"
    assert page.locator("#announce").inner_text() == "Found: 1"
    assert page.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_new_pages_are_legible_and_fit(conference: Conference, open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page("/en/summit/programme/?kind=side_event", width=width, scheme=scheme)
    page.get_by_role("button", name="Add to my agenda").first.click()
    page.get_by_role("button", name="Take out").wait_for()
    base = page.url.partition("/en/")[0]
    body = page.locator(".session-line a").first.get_attribute("href") or ""
    assert page.evaluate(MEASURE) == []
    for path in ("/en/summit/agenda/", "/en/summit/organisations/", "/en/search/?q=event", body):
        page.goto(base + path)
        assert page.evaluate(MEASURE) == [], path


def test_paper_has_the_programme_and_nothing_to_press(conference: Conference, open_page: OpenPage) -> None:
    page = open_page("/en/summit/programme/")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    hidden = ".bar, .languages, .tabs, .tools, .days-nav, .timeline, .agenda-button, .search-box, .clock-own"
    assert not any(found.is_visible() for found in page.locator(hidden).all())
    assert page.locator(".clock-venue").first.is_visible()
    assert page.locator(".printed").inner_text().partition("· Printed on ")[0].endswith("/en/summit/programme/ ")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    days = page.locator("section.day")
    assert [found.evaluate("e => getComputedStyle(e).breakBefore") for found in days.all()] == ["auto", "page"]
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_programme_does_not_jump_while_it_loads(conference: Conference, open_page: OpenPage) -> None:
    """The reader's own clock comes by script and takes the room that was kept for it (cumulative layout shift)."""
    page = open_page("/en/summit/programme/", width=390, zone="America/Vancouver")
    page.wait_for_load_state("networkidle")

    shifted = page.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(entry => {
                if (!entry.hadRecentInput) { sum += entry.value; }
            })).observe({type: 'layout-shift', buffered: true});
            window.setTimeout(() => done(sum), 300);
        })"""
    )

    assert page.locator(".clock-own").first.inner_text().endswith("your time")
    assert shifted < 0.02
