"""From an empty database to a stranger's registration, by somebody who only reads the pages and follows their links."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from registration.models import Registration
from tests.browser import chromium
from tests.browser.test_admin import sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]


def follow(page: Page, step: str) -> None:
    """Back to the start page by the bar or the way we came, and on by a step of its checklist that is still open."""
    page.locator(".start-steps li.is-open").get_by_role("link", name=step).click()


def to_start(page: Page) -> None:
    """By the search at the top, which stands on every page."""
    page.keyboard.press("/")
    page.keyboard.type("First Meeting")
    page.keyboard.press("Enter")
    page.locator("#content a", has_text="First Meeting").first.click()
    page.locator(".conference-groups").get_by_role("link", name="Start", exact=True).click()


def save(page: Page, *, button: str = "_continue") -> None:
    """Save the form, and read that it was saved."""
    page.locator(f"input[name={button}]").first.click()
    page.wait_for_selector(".messagelist .success")


def test_a_newcomer_opens_registration_and_a_stranger_registers(open_page: OpenPage) -> None:
    day = timezone.localdate() + timedelta(days=30)
    page = sign_in(open_page, reverse("admin:index"))

    # A conference.
    page.get_by_role("link", name="Add the first conference").click()
    page.fill("[name=title_en]", "First Meeting")
    page.locator("input[name=_save]").first.click()
    page.wait_for_selector(".start-steps")

    # Its day, which is on-line, and where to ask.
    follow(page, "Dates and venue")
    page.fill("[name=starts_on]", day.isoformat())
    page.fill("[name=ends_on]", day.isoformat())
    page.select_option("[name=format]", label="On-line")
    page.locator("#days-group .add-row a").click()
    page.fill("[name=days-0-number]", "1")
    page.fill("[name=days-0-date]", day.isoformat())
    save(page)
    to_start(page)
    follow(page, "Contact")
    if not page.is_visible("[name=contact_email]"):
        page.locator("summary", has_text="Contact").click()
    page.fill("[name=contact_email]", "office@office.example")
    save(page)

    # A session on it.
    to_start(page)
    follow(page, "Days and sessions")
    page.get_by_role("link", name="Add a session").first.click()
    page.fill("[name=title_en]", "Opening talk")
    for name, clock in (("starts_at", "10:00"), ("ends_at", "11:00")):
        page.fill(f"[name={name}_0]", day.isoformat())
        page.fill(f"[name={name}_1]", clock)
    page.select_option("[name=state]", label="Scheduled")
    save(page)

    # Who may attend.
    to_start(page)
    follow(page, "Admissions and places")
    page.get_by_role("link", name="Add the first one").click()
    page.locator("#id_opens_at_0").fill((timezone.localdate() - timedelta(days=1)).isoformat())
    page.locator("#id_opens_at_1").fill("10:00")
    page.locator("input[name=_save]").first.click()
    page.fill("[name=capacity]", "40")
    page.locator("#content form [type=submit]").last.click()
    page.wait_for_selector(".messagelist .success")

    # The first release; from then on nothing that anybody waits for is open.
    to_start(page)
    follow(page, "First release")
    page.click("#release-next input[type=submit]")
    page.wait_for_selector(".messagelist .success:has-text('Release 1 is published.')")
    page.locator(".conference-groups").get_by_role("link", name="Start", exact=True).click()
    assert page.locator(".start-steps li.is-open").get_by_role("link", name="Registration open").count() == 0

    stranger = open_page("/en/")
    stranger.get_by_role("link", name="First Meeting").first.click()
    stranger.get_by_role("link", name="Register").first.click()
    stranger.locator(".thing input[type=checkbox]").first.check()
    stranger.fill("#id_given_name", "Sasha")
    stranger.fill("#id_email", "sasha@mail.example")
    stranger.select_option("#id_category", "civil_society")
    stranger.get_by_role("button", name="Send the registration").click()
    stranger.wait_for_url("**/received/**")

    registration = Registration.objects.get()
    assert (registration.status, registration.participant.display_name) == ("confirmed", "Sasha")
    assert str(registration.admission.conference.slug) == "first-meeting"
