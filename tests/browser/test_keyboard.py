"""The main jobs with Tab, Enter, Space and arrows alone; large text, wide spacing, forced colours, no motion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from registration.models import CheckIn, RegistrationStatus
from tests.browser import chromium
from tests.browser.keyboard import Keyboard
from tests.browser.test_door import code_of, guest
from tests.browser.test_pages import MEASURE
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SessionFactory,
    StaffFactory,
)

if TYPE_CHECKING:
    from registration.models import Registration
    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]

AT_NINE = datetime(2030, 7, 15, 7, 0, tzinfo=UTC)

# Text of twice the size, and the spacing that a reader may set (WCAG 1.4.4, 1.4.12), as a sheet the policy lets in.
LARGE = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`html { font-size: 200% !important }
    * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-block-end: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""
# Text that does not fit into its box and is cut off, and a page that must be moved sideways.
CUT_OFF = """() => {
  const found = [];
  for (const element of document.querySelectorAll("main *, header *, nav *, footer *")) {
    const style = getComputedStyle(element);
    if (style.overflowX === "visible" || style.overflowX === "auto" || style.overflowX === "scroll") continue;
    if (!element.checkVisibility() || element.closest(".visually-hidden, .skip, select, meter")) continue;
    if (element.scrollWidth > element.clientWidth + 2 || element.scrollHeight > element.clientHeight + 2) {
      found.push(`cut off: ${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 40)}`);
    }
  }
  const root = document.documentElement, sideways = root.scrollWidth - root.clientWidth;
  if (sideways > 0) found.push(`scrolls sideways by ${sideways} px`);
  return found;
}"""
# Buttons and fields whose edge is drawn by colour alone, which forced colours take away.
EDGELESS = """() => [...document.querySelectorAll("main :is(button, .button, input, select, textarea), .exit")]
  .filter(element => element.checkVisibility() && !element.matches("[type=radio], [type=checkbox], [type=hidden]"))
  .filter(element => {
    const style = getComputedStyle(element);
    return style.borderBlockEndStyle === "none" || parseFloat(style.borderBlockEndWidth) < 1;
  })
  .filter(element => !element.matches(".button--quiet, .agenda-button *, .help-button"))  // drawn as links
  .map(element => element.outerHTML.slice(0, 80))"""
MOVING = """() => [...document.querySelectorAll("*")].filter(element => {
  const style = getComputedStyle(element);
  const longest = text => Math.max(...text.split(",").map(part => parseFloat(part) * (part.includes("ms") ? 1 : 1000)));
  const animated = style.animationName !== "none" && longest(style.animationDuration) > 10;
  return animated || longest(style.transitionDuration) > 10;
}).map(element => element.className)"""


@pytest.fixture
def mine() -> Registration:
    """Somebody with a place at a meeting, and with another one on offer."""
    admission = AdmissionFactory(
        session__starts_at=timezone.now() + timedelta(days=3),
        session__ends_at=timezone.now() + timedelta(days=3, hours=1),
    )
    MeetingFactory(session=admission.session)
    conference = admission.conference
    person = ParticipantFactory(conference=conference)
    made: Registration = RegistrationFactory(admission=admission, participant=person)
    later = timezone.now() + timedelta(days=4)
    other = AdmissionFactory(
        conference=conference,
        session=SessionFactory(
            conference=conference, title={"en": "On offer"}, starts_at=later, ends_at=later + timedelta(hours=1)
        ),
        capacity=1,
    )
    RegistrationFactory(
        admission=other,
        participant=person,
        status=RegistrationStatus.OFFERED,
        offer_expires_at=timezone.now() + timedelta(hours=20),
    )
    return made


def test_form_with_a_mistake_and_without(open_page: OpenPage) -> None:
    admission = AdmissionFactory()
    page = open_page(f"/en/{admission.conference.slug}/register/", width=390)
    keys = Keyboard(page)

    keys.go_to("main form .actions button, main form > button")
    keys.press("Enter")
    page.wait_for_selector("[data-error-summary]")
    assert page.evaluate("document.activeElement.matches('[role=alert][data-error-summary]')")
    keys.go_to(".error-summary a[href='#id_given_name']")
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "id_given_name"
    page.keyboard.type("Ada")
    keys.type("#id_email", "ada@mail.example")
    keys.choose("#id_category", "other")
    keys.choose("[name^=attend-]", str(admission.public_id), with_shift=True)
    if not page.evaluate("document.activeElement.checked"):
        keys.press("Space")
    keys.go_to("main form .actions button, main form > button")
    keys.press("Enter")
    page.wait_for_url("**/received/**")

    assert page.locator(".tag--confirmed").count() == 1


def test_own_page_an_offer_is_accepted_and_a_place_given_back(open_page: OpenPage, mine: Registration) -> None:
    page = open_page(f"/r/{mine.participant.personal_token}/")
    keys = Keyboard(page)

    keys.go_to(".offer button[value=accept]")
    keys.press("Enter")
    page.locator(".tag--confirmed").nth(1).wait_for()
    assert page.locator(".tag--confirmed").count() == 2
    keys.go_to(f"a[href*='/cancel/{mine.public_id}/']")
    keys.press("Enter")
    page.wait_for_url("**/cancel/**")
    keys.go_to("main form button")
    keys.press("Enter")
    page.get_by_text("It is cancelled.").wait_for()

    assert page.locator("[role=status]", has_text="It is cancelled.").count() == 1
    mine.refresh_from_db()
    assert mine.status == RegistrationStatus.CANCELLED


def test_programme_is_narrowed_and_the_focus_stays(open_page: OpenPage) -> None:
    first = SessionFactory(conference__slug="summit", title={"en": "Panel"}, starts_at=AT_NINE)
    conference = first.conference
    event = SessionFactory(conference=conference, kind="side_event", title={"en": "Event"}, starts_at=AT_NINE)
    SessionFactory(conference=conference, day=ConferenceDayFactory(conference=conference, number=2), kind="closing")
    page = open_page("/en/summit/programme/", width=390)
    page.evaluate("document.body.dataset.same = 'page'")
    keys = Keyboard(page)

    keys.go_to("summary")
    for _n in range(3):  # of several things that open, the one with the filters
        if page.evaluate("document.activeElement.closest('.filters') !== null"):
            break
        keys.press("Tab")
        keys.go_to("summary")
    keys.press("Enter")
    keys.choose("#filter-kind", "side_event")
    keys.go_to("#filters-show")
    keys.press("Enter")
    page.wait_for_url("**/?kind=side_event")
    page.wait_for_function("document.querySelectorAll('article').length === 1")

    assert keys.focus() == ""
    assert page.locator("#announce[role=status]").inner_text() == "Found: 1"
    keys.go_to(".chosen a", with_shift=False)
    keys.press("Enter")
    page.wait_for_url("**/programme/")
    page.wait_for_function("document.querySelectorAll('article').length > 1")
    assert page.evaluate("document.activeElement !== document.body")
    keys.go_to("#day-link-2")
    keys.press("Enter")
    page.wait_for_url("**/programme/2/")
    assert page.evaluate("document.activeElement.id") == "day-link-2"
    assert keys.focus() == ""
    keys.go_to("#day-all", with_shift=True)
    keys.press("Enter")
    page.wait_for_url("**/programme/")
    keys.go_to(f"a[href='{event.get_absolute_url()}']")
    keys.press("Enter")
    page.wait_for_url("**/side-events/**")
    assert page.locator("h1").inner_text() == "Event"


def test_door_lets_in_and_takes_back(open_page: OpenPage) -> None:
    one = guest()
    client = Client()
    client.force_login(StaffFactory())
    page = open_page("/robots.txt", width=390)
    base = page.url.removesuffix("/robots.txt")
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": base}])
    page.goto(f"{base}/en/{one.participant.conference.slug}/door/")
    keys = Keyboard(page)

    keys.go_to("main a[href$='/door/_entrance/']")
    keys.press("Enter")
    page.wait_for_url("**/_entrance/")
    keys.type("input[name=code]", code_of(one))
    keys.press("Enter")
    answer = page.locator("[data-door-answer][role=status]")
    answer.get_by_text(one.participant.display_name).wait_for()
    assert page.evaluate("document.activeElement.name") == "code"  # ready for the next
    keys.go_to("[data-door-answer] button", with_shift=True)
    keys.press("Enter")
    page.get_by_text("It is taken back.").wait_for()

    assert page.locator("[role=status]", has_text="It is taken back.").count() == 1
    assert not CheckIn.objects.standing().exists()
    assert page.evaluate(MEASURE) == []


def test_settings_of_readers_are_followed(open_page: OpenPage, mine: Registration) -> None:
    """Large text and wide spacing cut nothing off, forced colours leave edges, and nothing moves."""
    slug = mine.participant.conference.slug
    page = open_page("/robots.txt")
    base = page.url.removesuffix("/robots.txt")
    found: dict[str, Any] = {}

    for path in (
        f"/en/{slug}/",
        f"/de/{slug}/programme/",
        f"/ru/{slug}/register/",
        f"/r/{mine.participant.personal_token}/",
    ):
        page.emulate_media(forced_colors="none", reduced_motion="reduce")
        page.goto(base + path)
        found[f"{path} moves"] = page.evaluate(MOVING)
        found[f"{path} small"] = page.evaluate(MEASURE)
        page.evaluate(LARGE)
        found[f"{path} large"] = page.evaluate(CUT_OFF)
        page.emulate_media(forced_colors="active")
        found[f"{path} edges"] = page.evaluate(EDGELESS)

    assert {name: what for name, what in found.items() if what} == {}
