"""The public pages in a real browser: clocks, the quick way out, and what everybody must be able to read and hit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from registration.models import Admission
from speakers.models import CountryMeaning
from tests.factories import (
    AdmissionFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    OrganisationFactory,
    RecommendationFactory,
    ReferenceFactory,
    RegistrationFactory,
    SegmentFactory,
    TextSectionFactory,
)

if TYPE_CHECKING:
    from events.models import Session
    from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]

# Text below 7:1, targets below 24 px (buttons: 44 px), and anything that makes the page scroll sideways.
MEASURE = """() => {
  const found = new Set();
  const numbers = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = colour => {
    const [r, g, b] = colour.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour[3] > .99) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || element.closest(".visually-hidden, .skip, option, [disabled]") || !element.checkVisibility()) continue;
    const one = light(numbers(getComputedStyle(element).color).slice(0, 3)), two = light(ground(element).slice(0, 3));
    const ratio = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
    if (ratio < 7) found.add(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  for (const element of document.querySelectorAll("a, button, summary, input, select, textarea")) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest(".skip, details:not([open]) > form")) continue;
    if (getComputedStyle(element).display === "inline") continue;
    const least = element.matches(".button, .exit") ? 44 : 24;
    if (box.width < least - .5 || box.height < least - .5) {
      const size = `${box.width.toFixed(0)} x ${box.height.toFixed(0)}`;
      found.add(`target ${size}: ${element.textContent.trim().slice(0, 40)}`);
    }
  }
  const sideways = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (sideways > 0) found.add(`scrolls sideways by ${sideways} px`);
  return [...found];
}"""


@pytest.fixture
def event() -> Session:
    """A side event with something of everything, on 15 July 2030 from 20:00 to 21:30 in Vienna."""
    session: Session = AdmissionFactory(
        session__title={
            "en": "Towards Resilient and Cohesive Societies: Community Policing",
            "ru": "К устойчивым и сплоченным обществам: взаимодействие полиции с населением",
        },
        session__starts_at=datetime(2030, 7, 15, 18, 0, tzinfo=UTC),
        session__ends_at=datetime(2030, 7, 15, 19, 30, tzinfo=UTC),
        session__audience={"en": "delegations\nfield operations"},
        session__working_languages=["English"],
        capacity=3,
    ).session
    segment = SegmentFactory(session=session)
    country = CountryFactory(iso2="AT", footnote={"en": "A note."})
    ContributionFactory(
        session=session,
        segment=segment,
        country=country,
        country_meaning=CountryMeaning.STATED,
        organisation=OrganisationFactory(),
        honorific="Rt. Hon. Dame",
    )
    ContributionFactory(session=session, segment=segment, person__is_pseudonym=True)
    ConvenorshipFactory(session=session, with_unit=OrganisationFactory())
    TextSectionFactory(session=session)
    RecommendationFactory(session=session)
    ReferenceFactory(conference=session.conference, session=session, url="https://source.example/a/long/address")
    return session


def _programme(event: Session) -> str:
    return f"/en/{event.conference.slug}/programme/"


def test_second_clock_is_the_readers_own(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event), zone="America/Vancouver")

    assert page.locator(".clock-venue").inner_text() == "20:00–21:30\nVienna time (CEST, UTC+2)"
    assert page.locator(".clock-own").inner_text() == "11:00–12:30 your time"


def test_second_clock_names_the_day_when_it_is_another(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event), zone="Asia/Vladivostok")

    assert page.locator(".clock-own").inner_text() == "04:00–05:30 your time, Tuesday 16 July"


def test_second_clock_in_russian_is_written_in_russian(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event).replace("/en/", "/ru/"), zone="Asia/Vladivostok", language="ru-RU")

    assert page.locator(".clock-own").inner_text().startswith("04:00–05:30 ")
    assert page.locator(".clock-own").inner_text().endswith(", вторник, 16 июля")


def test_second_clock_says_when_it_is_the_same(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event), zone="Europe/Rome")

    assert page.locator(".clock-own").inner_text() == "the same as your time"


def test_second_clock_that_was_chosen_is_left_alone(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event) + "?tz=Asia/Tokyo", zone="America/Vancouver")

    assert page.locator(".clock-own").inner_text() == "03:00–04:30 Tokyo time (JST, UTC+9), Tuesday 16 July"


def test_other_clock_is_chosen_without_javascript(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event), javascript=False)
    assert page.locator(".clock-own").inner_text() == "18:00–19:30 UTC"

    page.locator(".zone-choice summary").click()
    page.get_by_label("City whose clock you use").select_option("America/Vancouver")
    page.get_by_role("button", name="Show").click()
    assert page.locator(".clock-own").inner_text() == "11:00–12:30 Vancouver time (PDT, UTC-7)"

    page.locator(".session h3 a").click()
    assert page.locator(".clock-own").inner_text() == "11:00–12:30 Vancouver time (PDT, UTC-7)"


def test_clocks_do_not_move_the_page(event: Session, open_page: OpenPage) -> None:
    without, with_script = (
        open_page(_programme(event), zone="America/Vancouver", javascript=javascript) for javascript in (False, True)
    )

    assert without.locator("h3").bounding_box() == with_script.locator("h3").bounding_box()


@pytest.mark.parametrize("way", ["click", "shift"])
def test_exit_leaves_no_entry_behind(event: Session, open_page: OpenPage, way: str) -> None:
    page = open_page("/en/")
    page.goto(page.url.removesuffix("/en/") + _programme(event))

    with page.expect_navigation(url=re.compile("robots.txt")):
        if way == "click":
            page.get_by_role("link", name="Exit this page").click()
        else:
            for _n in range(3):
                page.keyboard.press("Shift")

    page.go_back()
    assert "/programme/" not in page.url


def test_exit_from_a_personal_page_tells_and_does_not_come_back(event: Session, open_page: OpenPage) -> None:
    registration = RegistrationFactory(admission=Admission.objects.get(session=event, mode="online"))
    page = open_page(_programme(event))
    page.goto(f"{page.url.partition('/en/')[0]}/r/{registration.participant.personal_token}/")
    assert page.title() == "Your registrations – Alliance conferences"

    page.keyboard.press("Shift")
    assert "two more times" in page.locator("[data-exit-status]").inner_text()
    with page.expect_navigation(url=re.compile("robots.txt")):
        page.keyboard.press("Shift")
        page.keyboard.press("Shift")

    page.go_back()
    assert "/r/" not in page.url
    page.go_forward()
    assert "/r/" not in page.url


def test_exit_does_not_take_typing_for_a_wish_to_leave(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event))

    for key in ("Shift", "Shift", "a", "Shift", "Shift"):
        page.keyboard.press(key)

    page.wait_for_timeout(200)
    assert "/programme/" in page.url


def test_skip_link_is_first_and_leads_to_the_content(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event))

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_focus_is_always_visible_and_never_under_the_bar(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event), width=390)
    seen: list[Any] = []

    for _n in range(40):
        page.keyboard.press("Tab")
        state = page.evaluate(
            """() => { const e = document.activeElement, b = e.getBoundingClientRect(), s = getComputedStyle(e);
            const bar = document.querySelector(".bar").getBoundingClientRect();
            return {name: e.textContent.trim().slice(0, 40), outline: parseFloat(s.outlineWidth), style: s.outlineStyle,
                    hidden: !e.closest(".bar, .skip") && b.top < bar.bottom && b.bottom > bar.top && bar.top >= 0,
                    body: e === document.body}; }"""
        )
        if state["body"]:
            break
        seen.append(state)

    assert len(seen) > 15
    assert [state for state in seen if state["outline"] < 3 or state["style"] == "none" or state["hidden"]] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [320, 1280])
def test_everybody_can_read_and_hit_everything(
    event: Session, open_page: OpenPage, settings: Any, language: str, width: int
) -> None:
    settings.DEMO = True
    slug = event.conference.slug
    paths = [
        "",
        f"{slug}/",
        f"{slug}/programme/?tz=Asia/Tokyo",
        f"{slug}/side-events/{event.slug}/",
        f"{slug}/speakers/",
    ]
    complaints = {}

    for scheme in ("light", "dark"):
        page = open_page(f"/{language}/", width=width, scheme=scheme)
        for path in [*paths, f"{slug}/register/", "about/privacy/", "about/accessibility/"]:
            page.goto(page.url.split(f"/{language}/")[0] + f"/{language}/{path}")
            if found := page.evaluate(MEASURE):
                complaints[scheme, path] = found

    assert complaints == {}


def test_nothing_moves_by_itself(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event))

    assert page.evaluate("document.getAnimations().length") == 0


def test_printed_programme_is_complete_and_without_navigation(event: Session, open_page: OpenPage) -> None:
    page = open_page(_programme(event))

    page.emulate_media(media="print")

    assert page.locator(".bar").is_hidden()
    assert page.locator(".tabs").is_hidden()
    assert page.locator(".languages").is_hidden()
    assert page.locator(".clock-venue").is_visible()
    assert page.locator(".speakers li").count() == 2
